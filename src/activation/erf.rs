//! The error function. Its arithmetic is in `math/normal.rs`.

use super::Saved;
use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::{math, reference};

/// The error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to x.
///
/// The gradient, from the saved input, is `dy 2 / sqrt(pi) e^(-x^2)`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal. Gradients: within
/// 4.5 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±inf gives ±1, ±0 keeps its sign. The function is odd to the bit.
///
/// # Examples
///
/// ```
/// use activations::Erf;
///
/// let mut y = [0.0_f32; 3];
/// Erf.forward(&[f32::NEG_INFINITY, 0.0, 0.5], &mut y);
/// assert_eq!(y, [-1.0, 0.0, 0.520_499_9]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Erf;

impl Declaration for Erf {
    const NAME: &'static str = "erf";
    const DEFAULT: Self = Erf;
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];
    const GRADIENT_ULP: f64 = 4.5;
    const SAVED: Saved = Saved::Input;

    fn range(self) -> [f64; 2] {
        [-1.0, 1.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::erf(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::erf_gradient(x, dy)
    }
}

impl Formula for Erf {
    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        math::erf_gradient_margin(x, dy, margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::erf(x)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        math::erf_gradient(x, dy)
    }
}
