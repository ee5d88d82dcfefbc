//! The clamp between two numbers. [`Relu6`](super::Relu6) has other numbers, and runs its loops.

use super::formula::{Declaration, Formula, rounded_up};
use crate::cost::Cost;
use crate::lanes::Lanes;
use crate::{check, reference};

/// The hard tanh: x limited to `[low, high]`.
///
/// The gradient from the output is `dy` where the output is strictly between both, else 0.
///
/// # Accuracy
///
/// Exact; both limits are rounded to the element type.
///
/// # Special values
///
/// NaN gives NaN, and its gradient is `dy`. The gradient is selected, not multiplied: at a limit an infinite or NaN `dy`
/// gives 0. -0 stays -0 unless it is at a limit of 0.
///
/// # Examples
///
/// ```
/// use activations::HardTanh;
///
/// let mut x = [-2.0_f32, 0.5, 3.0];
/// HardTanh::new(-1.0, 1.0).forward_in_place(&mut x);
/// assert_eq!(x, [-1.0, 0.5, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardTanh {
    low: f64,
    high: f64,
}

impl HardTanh {
    /// A clamp between these numbers.
    ///
    /// # Panics
    ///
    /// Unless both are finite as `f32` and the first is less than the second.
    #[track_caller]
    pub const fn new(low: f64, high: f64) -> Self {
        check::parameter((low as f32).is_finite(), "low must be finite also as f32, not ", low);
        check::parameter((high as f32).is_finite(), "high must be finite also as f32, not ", high);
        check::parameter((low as f32) < high as f32, "low must be less than high also as f32, not ", low);
        Self { low, high }
    }

    /// The limits.
    pub const fn limits(self) -> [f64; 2] {
        [self.low, self.high]
    }
}

impl Default for HardTanh {
    /// Limits of -1 and 1.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for HardTanh {
    const NAME: &'static str = "hard_tanh";
    const DEFAULT: Self = Self::new(-1.0, 1.0);
    const MAX_ULP: [f64; 2] = [0.0, 0.0];
    const MAX_ULP_F64: [f64; 2] = [0.0, 0.0];
    const COST: Cost = Cost::CHEAP;

    fn range(self) -> [f64; 2] {
        [-rounded_up(-self.low), rounded_up(self.high)]
    }

    fn reference(self, x: f64) -> f64 {
        reference::hard_tanh(x, self.low, self.high)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::hard_tanh_gradient(y, dy, self.low, self.high)
    }
}

impl Formula for HardTanh {
    const HAS_HARD: bool = false;
    const GRADIENT_HAS_HARD: bool = false;

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        // `max` and `min` give their second operand where that is NaN, and where both are 0.
        let limited = x.splat(self.low).max(x.splat(self.high).min(x));
        if self.low == 0.0 { limited + x.splat(0.0) } else { limited }
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let zero = y.splat(0.0);
        L::select(y.le(y.splat(self.low)), zero, L::select(y.splat(self.high).le(y), zero, dy))
    }
}
