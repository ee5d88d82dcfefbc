//! The sigmoid, from one exponential and one division.
//!
//! ```text
//! e = e^x,  y = e / (1 + e)
//! result = y if x >= 0 else e - e y           the same value, with less rounding error
//! ```
//!
//! e^x itself and not e^-x, because e is then small where the result is small, and its relative error is kept.

#[cfg(feature = "exact")]
use super::formula::ExactFormula;
use super::formula::{Declaration, Formula};
use crate::lanes::{Element, Lanes};
use crate::math;
use crate::reference;

/// The logistic sigmoid, `1 / (1 + e^-x)`.
///
/// The gradient from the output is `dy * y * (1 - y)`. It vanishes where the output saturates at 0 or 1: a reason to
/// prefer [`Relu`](crate::Relu) in deep networks.
///
/// # Accuracy
///
/// `f32`, over all inputs: within 2.0 ulp with a fused multiply-add (1.82 measured), 2.5 without (1.89). `f64`,
/// sampled: within 2.5 ulp (1.55, 1.79). Subnormal results are computed, not flushed. Gradients: within 4 ulp of the
/// formula at the stored output. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives 0, inf gives 1, ±0 gives exactly 0.5.
///
/// # Examples
///
/// ```
/// use activations::Sigmoid;
///
/// let mut y = [0.0_f32; 3];
/// Sigmoid.forward(&[f32::NEG_INFINITY, 0.0, 100.0], &mut y);
/// assert_eq!(y, [0.0, 0.5, 1.0]);
///
/// let mut dx = [0.0; 3];
/// Sigmoid.backward(&y, &[1.0; 3], &mut dx);
/// assert_eq!(dx, [0.0, 0.25, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmoid;

impl Declaration for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const DEFAULT: Self = Sigmoid;
    const MAX_ULP: [f64; 2] = [2.0, 2.5];
    const MAX_ULP_F64: [f64; 2] = [2.5, 2.5];

    fn range(self) -> [f64; 2] {
        [0.0, 1.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::sigmoid(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::sigmoid_gradient(y, dy)
    }
}

impl Formula for Sigmoid {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        (math::max_ordinary(x) - x.abs()).min(margin)
    }

    /// With e = e^x: e / (1 + e) for positive x, and e - e (e / (1 + e)) for negative x. Both are equal, but in the
    /// second the roundings of the sum and of the division count less, because they are in a term that is smaller than
    /// the first.
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        let limit = math::max_ordinary(x);
        if !L::GRADUAL {
            return from_exp(x, math::exp(x));
        }
        // Below -limit the sigmoid rounds to e, which may be subnormal. Such an e is kept out of the division.
        // Without FMA the product of e and the quotient has to be normal too.
        let e = math::exp(limit.min(x));
        let least = if L::FUSED { x.splat(L::Float::MIN_POSITIVE) } else { math::least_factor(x) };
        let y = from_exp(x, least.max(e));
        L::select(x.lt(x.splat(0.0) - limit), e, y)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        dy * slope(y)
    }
}

#[cfg(feature = "exact")]
impl ExactFormula for Sigmoid {
    /// e / (1 + e) with e as a quotient, so that there is one division, and then a small correction.
    ///
    /// Close to 0 the sigmoid is 1/2 + x/4 - x^3/48 + .., and 1/2 + x/4 may lie half way between two `f32`. The cubic
    /// term is too small for an `f64`, but it decides: the `f32` nearer to 1/2 is right. So every result is moved
    /// towards 1/2 by about one ulp of `f64`. No result of another input crosses a tie by that: `exhaustive`
    /// judges all of them.
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        let (s, q, r) = math::exp_quotient(math::clamp(x, 200.0));
        let (e, d) = (s * (q + r), q - r);
        let y = e / (d + e);
        y.neg_mul_add(x.splat(1.25 * 2_f64.powi(-53)).copysign(x), y)
    }
}

/// The sigmoid of x, given e = e^x.
#[inline(always)]
fn from_exp<L: Lanes>(x: L, e: L) -> L {
    let y = e / (x.splat(1.0) + e);
    L::select(x.lt(x.splat(0.0)), e.neg_mul_add(y, e), y)
}

/// y (1 - y). For a tiny y, which may be subnormal, that rounds to y, so on gradual lanes y is not multiplied there.
#[inline(always)]
fn slope<L: Lanes>(y: L) -> L {
    let one = y.splat(1.0);
    if !L::GRADUAL {
        return y * (one - y);
    }
    let is_tiny = y.abs().lt(y.splat(2_f64.powi(-60)));
    let slope = L::select(is_tiny, one, y).mul_add(one - y, y.splat(-0.0));
    L::select(is_tiny, y, slope)
}
