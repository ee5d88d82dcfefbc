//! The logarithm of the sigmoid: minus the softplus of -x.

use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::math::Rate;
use crate::{math, reference};

/// The logarithm of the sigmoid, `-ln(1 + e^-x)`.
///
/// The gradient, from the saved output, is `dy (1 - e^y)`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal. Gradients: within
/// 4 ulp of the formula at the stored output. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives -inf, inf gives -0, ±0 gives -ln 2.
///
/// # Examples
///
/// ```
/// use activations::LogSigmoid;
///
/// let mut y = [0.0_f32; 3];
/// LogSigmoid.forward(&[-200.0, 0.0, f32::INFINITY], &mut y);
/// assert_eq!(y, [-200.0, -std::f32::consts::LN_2, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogSigmoid;

impl Declaration for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";
    const DEFAULT: Self = LogSigmoid;
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];

    fn range(self) -> [f64; 2] {
        [f64::NEG_INFINITY, 0.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::log_sigmoid(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::log_sigmoid_gradient(y, dy)
    }
}

impl Formula for LogSigmoid {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::softplus_margin(x.splat(0.0) - x, &Rate::ONE, margin)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, y: L, dy: L, margin: L) -> L {
        math::softplus_gradient_margin(y, dy, &Rate::ONE, margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::softplus(x.splat(0.0) - x, &Rate::ONE).copysign(x.splat(-1.0))
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        math::softplus_gradient(y.splat(0.0) - y, dy, &Rate::ONE)
    }
}
