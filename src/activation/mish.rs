//! Mish. Its arithmetic is in `math/mish.rs`.

use super::Saved;
use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::{math, reference};

/// Mish, `x tanh(ln(1 + e^x))`.
///
/// The gradient, from the saved input, is `dy (t + x sigmoid(x) (1 - t^2))` with `t = tanh(ln(1 + e^x))`.
///
/// # Accuracy
///
/// Within 3.5 ulp with a fused multiply-add, 4.2 without, also where the result is small or subnormal.
/// Gradients: within 6 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -0.
///
/// # Examples
///
/// ```
/// use activations::Mish;
///
/// let mut y = [0.0_f32; 3];
/// Mish.forward(&[f32::NEG_INFINITY, 0.0, 30.0], &mut y);
/// assert_eq!(y, [-0.0, 0.0, 30.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mish;

impl Declaration for Mish {
    const NAME: &'static str = "mish";
    const DEFAULT: Self = Mish;
    const MAX_ULP: [f64; 2] = [3.5, 4.2];
    const MAX_ULP_F64: [f64; 2] = [3.5, 4.2];
    const GRADIENT_ULP: f64 = 6.0;
    const SAVED: Saved = Saved::Input;

    fn range(self) -> [f64; 2] {
        [-0.308_843_5, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::mish(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::mish_gradient(x, dy)
    }
}

impl Formula for Mish {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::mish_margin(x, margin)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        math::mish_gradient_margin(x, dy, margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::mish(x)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        math::mish_gradient(x, dy)
    }
}
