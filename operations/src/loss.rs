//! Cross-entropy and its gradient.

use std::sync::Arc;

use activations::{CrossEntropy, Isa, reference, ulp};

use crate::bound::{is_within, reference_error};
use crate::operation::forms;
use crate::{Bound, Element, Family, Operation, Shape};

/// The bound on a loss.
pub const LOSS: Bound = Bound::Ulp([8.0, 8.0]);
/// How far from 0 a row of gradients may sum, in epsilons of its scale.
pub const BALANCE_EPSILONS: f64 = 4.0;
/// How far the target's gradient may be from minus the sum of the others, in ulp.
pub const BALANCE_ULP: f64 = 4.0;
/// The bound on the gradient of a loss.
pub const GRADIENT: Bound = Bound::Scale(8.0);

/// The loss alone, and with its gradient, for one class a row.
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
            if scale.is_nan() || scale.abs() > T::MAX / 4.0 {
                return;
            }
            let epsilons = GRADIENT.epsilons() * T::EPSILON + reference_error(0.0);
            let bound = epsilons * scale.abs() + 2.0 * T::MIN_SUBNORMAL;
            for r in 0..shape.rows() {
                let row = shape.wide(inputs[0], r);
                let exact = reference::cross_entropy_gradient(&row, classes[r] as usize);
                let gradients = shape.wide(outputs[0], r);
                for (dx, exact) in gradients.iter().zip(exact) {
                    let exact = scale * exact;
                    let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
                    assert!(is_right, "{} gradient of the loss of {row:?}: {dx:e}, not {exact:e}", Isa::current());
                }
                judge_balance::<T>(&gradients, classes[r] as usize, scale);
            }
        }),
        ..loss(shape, targets)
    }
}

/// A row of gradients sums to 0 within [`BALANCE_EPSILONS`] of its scale, and the target's is minus the sum of the
/// others within [`BALANCE_ULP`]: near 0 too, but for the rounding of subnormal numbers.
fn judge_balance<T: Element>(gradients: &[f64], target: usize, scale: f64) {
    let others: f64 = gradients.iter().enumerate().filter(|(i, _)| *i != target).map(|(_, dx)| dx).sum();
    let (sum, of_target) = (others + gradients[target], gradients[target]);
    if sum.is_nan() {
        return;
    }
    let subnormal = (gradients.len() as f64 + 2.0) * T::MIN_SUBNORMAL * scale.abs().max(1.0);
    let rounding = gradients.len() as f64 * f64::EPSILON * scale.abs();
    let is_right = sum.abs() <= BALANCE_EPSILONS * T::EPSILON * scale.abs() + subnormal + rounding;
    assert!(is_right, "{} the gradients {gradients:?} sum to {sum:e}", Isa::current());
    let bound =
        BALANCE_ULP * ulp::spacing::<T>(others) + gradients.len() as f64 * f64::EPSILON * others.abs() + subnormal;
    let is_right = (of_target + others).abs() <= bound;
    assert!(is_right, "{} the target's gradient is {of_target:e}, the others {others:e}", Isa::current());
}

fn judge_losses<T: Element>(shape: Shape, logits: &[T], targets: &[u32], losses: &[T]) {
    for (r, &loss) in losses.iter().enumerate() {
        let row = shape.wide(logits, r);
        let exact = reference::cross_entropy(&row, targets[r] as usize);
        let is_right = is_within(loss, exact, LOSS.ulp());
        assert!(is_right, "{} loss of {row:?}, {}: {loss:e}, not {exact:e}", Isa::current(), targets[r]);
        assert!(loss.into() >= 0.0 || loss.into().is_nan(), "loss of {row:?}, {}: {loss:e}", targets[r]);
    }
}
