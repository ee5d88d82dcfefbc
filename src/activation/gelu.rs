//! GELU by the distribution function of the normal distribution. Its arithmetic is in `math/normal.rs`.

use super::Saved;
use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::{math, reference};

/// The Gaussian error linear unit, `x Phi(x)`, where `Phi(x) = (1 + erf(x / sqrt 2)) / 2`.
///
/// What torch calls `gelu(approximate="none")`. For negative `x` it is computed from the upper tail of the distribution, so
/// that nothing cancels there. The gradient, from the saved input, is `dy (Phi(x) + x e^(-x^2/2) / sqrt(2 pi))`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without (`f64`: 3.0 and 3.6), also where the result is small or subnormal.
/// Gradients: within 6 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives -0, inf gives inf, ±0 keeps its sign.
///
/// # Examples
///
/// ```
/// use activations::Gelu;
///
/// let mut y = [0.0_f32; 3];
/// Gelu.forward(&[-6.0, 0.0, 20.0], &mut y);
/// assert!((y[0] + 5.919_526e-9).abs() < 1e-14);
/// assert_eq!(y[1..], [0.0, 20.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu;

impl Declaration for Gelu {
    const NAME: &'static str = "gelu";
    const DEFAULT: Self = Gelu;
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [3.0, 3.6];
    const GRADIENT_ULP: f64 = 6.0;
    const SAVED: Saved = Saved::Input;

    fn range(self) -> [f64; 2] {
        [-0.169_971_3, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::gelu(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::gelu_gradient(x, dy)
    }
}

impl Formula for Gelu {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::gelu_margin(x, margin)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        math::gelu_gradient_margin(x, dy, margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::gelu(x)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        math::gelu_gradient(x, dy)
    }
}
