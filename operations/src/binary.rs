//! Binary cross-entropy and its gradient.

use std::sync::Arc;

use activations::judge::is_within;
use activations::{BinaryCrossEntropy, Isa, reference};

use crate::operation::forms;
use crate::{Bound, Element, Family, Operation, Shape};

/// The bound on a loss.
pub const LOSS: Bound = Bound::Ulp([5.0, 5.0]);
/// The bound on a gradient, relative to the sum of the magnitudes of its terms.
pub const GRADIENT: Bound = Bound::Magnitudes(8.0);

/// The weights of positive targets.
#[derive(Clone)]
enum Weights<T> {
    All(f64),
    Columns(Arc<[T]>),
}

#[derive(Clone)]
struct Loss<T> {
    weights: Weights<T>,
    scale: f64,
}

impl<T: Element> Loss<T> {
    fn loss(&self) -> BinaryCrossEntropy<'_> {
        match &self.weights {
            Weights::All(weight) => BinaryCrossEntropy::new().positive_weight(*weight),
            Weights::Columns(weights) => BinaryCrossEntropy::new().positive_weights(weights),
        }
    }

    fn weight(&self, i: usize) -> f64 {
        match &self.weights {
            Weights::All(weight) => T::rounded(*weight).into(),
            Weights::Columns(weights) => weights[i % weights.len()].into(),
        }
    }

    fn judge_losses(&self, logits: &[T], targets: &[T], losses: &[T]) {
        for (i, &loss) in losses.iter().enumerate() {
            let (x, t, weight) = (logits[i].into(), targets[i].into(), self.weight(i));
            let exact = reference::binary_cross_entropy(x, t, weight);
            let isa = Isa::current();
            // A weight multiplies the rounding error of a subnormal e^-|x|.
            let is_subnormal = exact < (weight + 2.0) * T::MIN_SUBNORMAL / T::EPSILON;
            let is_right = is_within(loss, exact, LOSS.ulp())
                || is_subnormal && (loss.into() - exact).abs() <= (weight + 2.0) * T::MIN_SUBNORMAL;
            assert!(is_right, "{isa} x {x:e}, t {t:e}, weight {weight}: {loss:e}, not {exact:e}");
            assert!(loss.into() >= 0.0 || loss.into().is_nan(), "{isa} x {x:e}, t {t:e}, weight {weight}: {loss:e}");
        }
    }

    fn judge_gradients(&self, logits: &[T], targets: &[T], dx: &[T]) {
        for (i, &dx) in dx.iter().enumerate() {
            let (x, t, weight) = (logits[i].into(), targets[i].into(), self.weight(i));
            let scale: f64 = T::rounded(self.scale).into();
            let exact = scale * reference::binary_cross_entropy_gradient(x, t, weight);
            let magnitudes = (1.0 - t) * reference::sigmoid(x) + weight * t * reference::sigmoid(-x);
            let bound = GRADIENT.epsilons() * T::EPSILON * scale.abs() * magnitudes;
            let bound = bound + (weight + 3.0) * T::MIN_SUBNORMAL * scale.abs().max(1.0);
            let is_right = (dx.into() - exact).abs() <= bound || dx.into().is_nan() && exact.is_nan();
            let isa = Isa::current();
            assert!(is_right, "{isa} gradient, x {x:e}, t {t:e}, weight {weight}: {dx:e}, not {exact:e}");
        }
    }
}

/// The loss alone, and with its gradient, without weights and with one for each column.
pub fn all<T: Element>(shape: Shape, scale: f64) -> Vec<Operation<T>> {
    let weight = |column: usize| T::rounded((column % 5) as f64 * 0.75);
    let columns = Loss { weights: Weights::Columns((0..shape.axis).map(weight).collect()), scale };
    [(Loss { weights: Weights::All(1.0), scale }, ""), (columns, " with weights")]
        .into_iter()
        .flat_map(|(loss, suffix)| of_weights(shape, loss, suffix))
        .collect()
}

/// The same with one weight for all.
pub fn with_weight<T: Element>(len: usize, weight: f64, scale: f64) -> Vec<Operation<T>> {
    of_weights(Shape::rows_of(1, len), Loss { weights: Weights::All(weight), scale }, " with a weight")
}

fn of_weights<T: Element>(shape: Shape, setting: Loss<T>, suffix: &str) -> Vec<Operation<T>> {
    let len = shape.len();
    let [of_losses, of_both] = [(); 2].map(|()| setting.clone());
    let base = |name: &str, outputs: Vec<usize>, bound| Operation {
        item: "BinaryCrossEntropy",
        name: format!("{name}{suffix}"),
        parameters: format!("{shape:?}, scale {:e}", setting.scale),
        family: Family::Elementwise,
        bound,
        row_len: if suffix == " with weights" { shape.axis } else { 1 },
        inputs: vec![len; 2],
        outputs,
        first_input: Box::new(<[T]>::to_vec),
        forms: Vec::new(),
        judge: Box::new(|_, _, _| unreachable!("every loss has a judge")),
    };
    vec![
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward par_forward [x, t] [losses] (x, &shares(t), losses),
            ],
            judge: Box::new(move |inputs, outputs, _| {
                of_losses.judge_losses(inputs[0], &shares(inputs[1]), outputs[0]);
            }),
            ..base("binary cross-entropy", vec![len], LOSS)
        },
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward_backward par_forward_backward [x, t] [losses, dx]
                    (x, &shares(t), setting.scale, losses, dx),
            ],
            judge: Box::new(move |inputs, outputs, _| {
                let targets = shares(inputs[1]);
                of_both.judge_losses(inputs[0], &targets, outputs[0]);
                of_both.judge_gradients(inputs[0], &targets, outputs[1]);
            }),
            ..base("binary cross-entropy and gradient", vec![len; 2], GRADIENT)
        },
    ]
}

/// Targets in [0, 1] from any numbers: many are 0 or 1, some tiny.
fn shares<T: Element>(x: &[T]) -> Vec<T> {
    let share = |x: &T| {
        let x: f64 = (*x).into();
        if !x.is_finite() {
            return T::rounded(1.0);
        }
        let tiny = if x.abs() < 1.0 { x.abs() } else { (x.abs() * 0.37).fract() };
        T::rounded(if tiny > 0.6 {
            1.0
        } else if tiny > 0.4 {
            0.0
        } else {
            tiny
        })
    };
    x.iter().map(share).collect()
}
