//! The hard sigmoid: a clamp and a division.

use super::formula::{Declaration, Formula};
use crate::cost::Cost;
use crate::lanes::Lanes;
use crate::{math, reference};

/// The hard sigmoid, `(x + 3) / 6` limited to `[0, 1]`.
///
/// This is torch's; the slope of ONNX's `HardSigmoid` is 0.2 by default, and is not offered. The gradient from the output
/// is `dy / 6` where the output is between 0 and 1, else 0.
///
/// # Accuracy
///
/// Within 1.5 ulp. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives 0, inf gives 1. The gradient is selected, not multiplied: where the output is 0 or 1 an
/// infinite or NaN `dy` gives 0.
///
/// # Examples
///
/// ```
/// use activations::HardSigmoid;
///
/// let mut x = [-4.0_f32, 0.0, 1.5, 3.0];
/// HardSigmoid.forward_in_place(&mut x);
/// assert_eq!(x, [0.0, 0.5, 0.75, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HardSigmoid;

impl HardSigmoid {
    /// The value. No intermediate is subnormal: x + 3 is 0 or at least the spacing of the numbers near 3.
    #[inline(always)]
    pub(super) fn of<L: Lanes>(x: L) -> L {
        let (zero, six) = (x.splat(0.0), x.splat(6.0));
        // `max` and `min` give their second operand where that is NaN.
        zero.max(six.min(x + x.splat(3.0))) / six
    }
}

impl Declaration for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
    const DEFAULT: Self = HardSigmoid;
    const MAX_ULP: [f64; 2] = [1.5, 1.5];
    const MAX_ULP_F64: [f64; 2] = [1.5, 1.5];
    const COST: Cost = Cost::CHEAP;

    fn range(self) -> [f64; 2] {
        [0.0, 1.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::hard_sigmoid(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::hard_sigmoid_gradient(y, dy)
    }
}

impl Formula for HardSigmoid {
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        Self::of(x)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, _: L, dy: L, margin: L) -> L {
        math::margin(dy, margin)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let (zero, one) = (y.splat(0.0), y.splat(1.0));
        let inside = dy * y.splat(1.0 / 6.0);
        L::select(y.le(zero), zero, L::select(one.le(y), zero, inside))
    }
}
