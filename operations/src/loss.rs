//! Cross-entropy, alone and with its gradient.

use std::sync::Arc;

use activations::{CrossEntropy, reference};

use crate::bound::reference_error;
use crate::operation::forms;
use crate::softmax::is_close;
use crate::{Bound, Element, Family, Operation, Shape};

/// The bound on a loss.
pub const LOSS: Bound = Bound::EpsilonsOfValue(4.0);
/// The bound on each element of the gradient of a loss.
pub const GRADIENT: Bound = Bound::EpsilonsOfScale(8.0);

/// The loss alone, and the loss with its gradient. There is one row for each target.
pub fn all<T: Element>(classes: usize, targets: Arc<[u32]>, scale: f64) -> Vec<Operation<T>> {
    let shape = Shape::rows_of(classes, targets.len());
    vec![loss(shape, targets.clone()), loss_and_gradient(shape, targets, scale)]
}

fn loss<T: Element>(shape: Shape, targets: Arc<[u32]>) -> Operation<T> {
    let loss = CrossEntropy::rows(shape.axis);
    let classes = targets.clone();
    Operation {
        item: "CrossEntropy",
        name: "cross-entropy".to_string(),
        parameters: format!("{shape:?}"),
        family: Family::Rows,
        bound: LOSS,
        inputs: vec![shape.len()],
        outputs: vec![shape.rows()],
        first_input: Box::new(<[T]>::to_vec),
        forms: forms![loss [targets] => forward par_forward [x] [losses] (x, &targets, losses)],
        judge: Box::new(move |inputs, outputs, _| judge_losses(shape, inputs[0], &classes, outputs[0])),
    }
}

fn loss_and_gradient<T: Element>(shape: Shape, targets: Arc<[u32]>, scale: f64) -> Operation<T> {
    let cross_entropy = CrossEntropy::rows(shape.axis);
    let classes = targets.clone();
    Operation {
        name: "cross-entropy gradient".to_string(),
        parameters: format!("{shape:?}, scale {scale:e}"),
        bound: GRADIENT,
        outputs: vec![shape.len(), shape.rows()],
        forms: forms![cross_entropy [targets] =>
            forward_backward par_forward_backward [x] [dx, losses] (x, &targets, scale, losses, dx),
            forward_backward_in_place par_forward_backward_in_place [_] [dx, losses] (dx, &targets, scale, losses) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            judge_losses(shape, inputs[0], &classes, outputs[1]);
            let scale = T::rounded(scale).into();
            // A gradient may overflow: with a huge scale only the losses are judged.
            if scale.is_nan() || scale.abs() > T::MAX / 4.0 {
                return;
            }
            let epsilons = GRADIENT.epsilons() * T::EPSILON + reference_error(0.0);
            let bound = epsilons * scale.abs() + 2.0 * T::MIN_SUBNORMAL;
            for r in 0..shape.rows() {
                let row = shape.row_as_f64(inputs[0], r);
                let exact = reference::cross_entropy_gradient(&row, classes[r] as usize);
                for (dx, exact) in shape.row_as_f64(outputs[0], r).into_iter().zip(exact) {
                    let exact = scale * exact;
                    let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
                    assert!(is_right, "the gradient of the loss of {row:?} has {dx:e}, not {exact:e}");
                }
            }
        }),
        ..loss(shape, targets)
    }
}

/// Each loss within its bound and at least 0, or NaN where the reference is NaN.
fn judge_losses<T: Element>(shape: Shape, logits: &[T], targets: &[u32], losses: &[T]) {
    for (r, &loss) in losses.iter().enumerate() {
        let row = shape.row_as_f64(logits, r);
        let exact = reference::cross_entropy(&row, targets[r] as usize);
        assert!(is_close(loss, exact, LOSS), "the loss of {row:?}, target {}, is {loss:e}, not {exact:e}", targets[r]);
        assert!(
            loss.into() >= 0.0 || loss.into().is_nan(),
            "the loss of {row:?}, target {}, is {loss:e}, less than 0",
            targets[r]
        );
    }
}
