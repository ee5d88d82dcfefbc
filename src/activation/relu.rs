//! The relu: a maximum, and a select for its gradient. No element is hard.

#[cfg(feature = "exact")]
use super::formula::ExactFormula;
use super::formula::{Declaration, Formula};
use crate::cost::Cost;
use crate::lanes::Lanes;
use crate::reference;

/// The rectified linear unit, `max(x, 0)`.
///
/// The gradient is `dy` where the output is positive and 0 elsewhere.
///
/// # Accuracy
///
/// Exact.
///
/// # Special values
///
/// NaN gives NaN. Every other input that is not above 0, -0 included, gives +0. The gradient is selected, not
/// multiplied: where the output is 0 an infinite or NaN `dy` gives 0, and where the output is NaN the gradient is `dy`.
///
/// # Examples
///
/// ```
/// use activations::Relu;
///
/// let mut y = [0.0_f32; 3];
/// Relu.forward(&[-1.5, 0.0, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.0]);
///
/// let mut dx = [0.0; 3];
/// Relu.backward(&y, &[1.0, 1.0, 3.0], &mut dx);
/// assert_eq!(dx, [0.0, 0.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

impl Declaration for Relu {
    const NAME: &'static str = "relu";
    const DEFAULT: Self = Relu;
    const MAX_ULP: [f64; 2] = [0.0, 0.0];
    const MAX_ULP_F64: [f64; 2] = [0.0, 0.0];
    const COST: Cost = Cost::CHEAP;

    fn range(self) -> [f64; 2] {
        [0.0, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::relu(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::relu_gradient(y, dy)
    }
}

impl Formula for Relu {
    const HAS_HARD: bool = false;
    const GRADIENT_HAS_HARD: bool = false;

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        // `max` returns its second operand for NaN and for two zeros. The sum turns -0 into +0.
        let zero = x.splat(0.0);
        zero.max(x) + zero
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let zero = y.splat(0.0);
        L::select(y.le(zero), zero, dy)
    }
}

#[cfg(feature = "exact")]
impl ExactFormula for Relu {}
