//! The exponential as an activation. All arithmetic is in [`math::exp`].

#[cfg(feature = "exact")]
use super::formula::ExactFormula;
use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::math;
use crate::reference;

/// The exponential, `e^x`.
///
/// The gradient from the output is `dy * y`.
///
/// # Accuracy
///
/// `f32`, over all inputs: within 1.0 ulp with a fused multiply-add (0.92 measured), 1.2 without (1.05). `f64`,
/// sampled: within 2.5 ulp (1.07, 1.03). Subnormal results are computed, not flushed.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives 0, inf gives inf, ±0 gives exactly 1.
///
/// # Examples
///
/// ```
/// use activations::Exp;
///
/// let mut y = [0.0_f32; 3];
/// Exp.forward(&[f32::NEG_INFINITY, 0.0, 1.0], &mut y);
/// assert_eq!(y, [0.0, 1.0, std::f32::consts::E]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exp;

impl Declaration for Exp {
    const NAME: &'static str = "exp";
    const DEFAULT: Self = Exp;
    const MAX_ULP: [f64; 2] = [1.0, 1.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 2.5];

    fn range(self) -> [f64; 2] {
        [0.0, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::exp(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::exp_gradient(y, dy)
    }
}

impl Formula for Exp {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        (math::max_ordinary(x) - x.abs()).min(margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::exp(x)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        dy * y
    }
}

#[cfg(feature = "exact")]
impl ExactFormula for Exp {
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        // Beyond ±200 the result is 0 or infinity as `f32`. In `f64` all of this range is ordinary.
        self.value(math::clamp(x, 200.0))
    }
}
