//! The hyperbolic tangent. The fast tier is [`math::tanh`], the exact tier an exponential in `f64`.

#[cfg(feature = "exact")]
use super::formula::ExactFormula;
use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::math;
use crate::reference;

/// The hyperbolic tangent, `(e^x - e^-x) / (e^x + e^-x)`.
///
/// This is `2 sigmoid(2x) - 1`: it saturates like the sigmoid, but its output is centred on zero. The gradient from the
/// output is `dy * (1 - y^2)`.
///
/// # Accuracy
///
/// `f32`, over all inputs: within 2.0 ulp with a fused multiply-add (1.17 measured), 2.5 without (2.18). `f64`,
/// sampled: within 2.5 ulp (2.08, 2.26). Tiny and subnormal inputs are returned unchanged. Gradients: within 4 ulp of
/// the formula at the stored output. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±inf gives ±1, ±0 keeps its sign. The function is odd to the bit: `tanh(-x)` is `-tanh(x)`.
///
/// # Examples
///
/// ```
/// use activations::Tanh;
///
/// let mut x = [-1000.0_f64, 1e-300, 0.5];
/// Tanh.forward_in_place(&mut x);
/// assert_eq!(x[..2], [-1.0, 1e-300]);
/// assert!((x[2] - 0.5_f64.tanh()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;

impl Declaration for Tanh {
    const NAME: &'static str = "tanh";
    const DEFAULT: Self = Tanh;
    const MAX_ULP: [f64; 2] = [2.0, 2.5];
    const MAX_ULP_F64: [f64; 2] = [2.5, 2.5];

    fn range(self) -> [f64; 2] {
        [-1.0, 1.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::tanh(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::tanh_gradient(y, dy)
    }
}

impl Formula for Tanh {
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::tanh(x)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        // 1 - y^2 with one rounding. Without a fused multiply-add (1 - y) (1 + y) is more accurate near |y| = 1.
        let one = y.splat(1.0);
        // The square of a tiny y changes nothing, but a subnormal y would cost a microcode assist in it.
        let y = if L::GRADUAL { y.splat(2_f64.powi(-60)).max(y.abs()) } else { y };
        let slope = if L::FUSED { y.neg_mul_add(y, one) } else { (one - y) * (one + y) };
        dy * slope
    }
}

#[cfg(feature = "exact")]
impl ExactFormula for Tanh {
    /// (e^2x - 1) / (e^2x + 1) with e^2x = s (q + r) / (q - r), numerator and denominator multiplied by q - r. Where
    /// e^2x is near 1, s is 1: the difference s - 1 is then 0, and nothing cancels.
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        let limited = math::clamp(x, 50.0);
        let (s, q, r) = math::exp_quotient(limited + limited);
        let (s_minus_1, s_plus_1) = (s - x.splat(1.0), s + x.splat(1.0));
        (s_minus_1.mul_add(q, s_plus_1 * r) / s_plus_1.mul_add(q, s_minus_1 * r)).copysign(x)
    }

    #[inline(always)]
    fn exact_gradient<L: Lanes>(self, y: L, dy: L) -> L {
        // The square of an `f32` number is exact in `f64`.
        dy * (y.splat(1.0) - y * y)
    }
}
