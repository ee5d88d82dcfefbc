//! GELU in its tanh form, as x times the sigmoid of a cubic polynomial.
//!
//! 1/2 (1 + tanh u) is the sigmoid of 2 u. Written with tanh the value cancels for negative x, where tanh is near -1.
//! The sigmoid's argument has to be known to more digits than one number holds: its error counts as often as it is large.
//!
//! ```text
//! s  = x^2 = s + sl                          sl: the rounding error
//! m  = c1 + c3 s                             c1 with its last digits cut, so that c1 - m is exact
//! dm = c3 s + (c1 - m) + (what c1, c3 and s leave out)
//! v  = a m = v + low
//! ```

use super::Saved;
use super::formula::Formula;
use crate::lanes::{Lanes, Real};
use crate::math::{self, Argument};
use crate::reference::{self, GELU_TANH};

/// The Gaussian error linear unit in its tanh form, `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
///
/// What torch calls `gelu(approximate="tanh")`. It is evaluated as `x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))`, which
/// is the same function without the cancellation of `1 + tanh`. It differs from GELU by erf by up to 0.0005. The
/// gradient is taken from the saved input.
///
/// # Accuracy
///
/// Within 2.6 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal. Gradients: within 5
/// and 5.5 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -0.
///
/// # Examples
///
/// ```
/// use activations::GeluTanh;
///
/// let mut x = [-5.0_f64, 1.0];
/// GeluTanh.forward_in_place(&mut x);
/// assert!((x[0] + 2.291_796e-7).abs() < 1e-12 && (x[1] - 0.841_192).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GeluTanh;

/// Where the argument exceeds what plain lanes take: |x| for the value, with and without FMA, and for the gradient.
struct Limits {
    fused: f64,
    unfused: f64,
    gradient: f64,
}

const LIMITS_F32: Limits = Limits { fused: 9.98, unfused: 7.3, gradient: 7.3 };
const LIMITS_F64: Limits = Limits { fused: 21.1, unfused: 16.2, gradient: 15.6 };

/// The limits on |x| for plain lanes, for the value and for the gradient.
#[inline(always)]
fn limits<L: Lanes>() -> [f64; 2] {
    let Limits { fused, unfused, gradient } = if L::Float::IS_F32 { LIMITS_F32 } else { LIMITS_F64 };
    [if L::FUSED { fused } else { unfused }, gradient]
}

/// A constant in two parts. The first ends in `zeros` zero bits.
#[inline(always)]
fn parts<T: Real>(constant: f64, zeros: u32) -> [f64; 2] {
    let high = if T::IS_F32 {
        f64::from(f32::from_bits((constant as f32).to_bits() >> zeros << zeros))
    } else {
        f64::from_bits(constant.to_bits() >> zeros << zeros)
    };
    [high, constant - high]
}

/// |x| where the argument is computed: neither so small that its square has no normal rounding error, nor so large that
/// the argument overflows.
#[inline(always)]
fn magnitude<L: Lanes>(x: L) -> L {
    let (least, most) = if L::Float::IS_F32 { (2_f64.powi(-36), 30.0) } else { (2_f64.powi(-60), 30.0) };
    let a = x.splat(least).max(x.abs());
    // The sum makes a signalling NaN a quiet one, which stays NaN where digits are cut off.
    if L::GRADUAL { x.splat(least).max(x.splat(most).min(x.abs())) + x.splat(0.0) } else { a }
}

/// The argument of the sigmoid.
#[inline(always)]
fn argument<L: Lanes>(x: L) -> Argument<L> {
    let a = magnitude(x);
    let [linear, cubic] = GELU_TANH;
    let is_positive = x.splat(0.0).le(x);
    // Products by multiply-adds: on gradual lanes `*` would take the long way, which these do not need.
    let minus_0 = x.splat(-0.0);
    if L::FUSED {
        let [c1, c1_low] = parts::<L::Float>(linear, 6);
        let [c3, c3_low] = parts::<L::Float>(cubic, 0);
        let s = a.mul_add(a, minus_0);
        let s_low = a.mul_add(a, minus_0 - s);
        let m = s.mul_add(x.splat(c3), x.splat(c1));
        let lost = s.mul_add(x.splat(c3), x.splat(c1) - m);
        let m_low = s_low.mul_add(x.splat(c3), s.mul_add(x.splat(c3_low), lost + x.splat(c1_low)));
        let v = a.mul_add(m, minus_0);
        return Argument { is_positive, size: [v, a.mul_add(m_low, a.mul_add(m, minus_0 - v))] };
    }
    // Products of numbers with half as many digits are exact.
    let zeros = if L::Float::IS_F32 { 12 } else { 27 };
    let [c1, c1_low] = parts::<L::Float>(linear, zeros);
    let [c3, c3_low] = parts::<L::Float>(cubic, zeros);
    let (a_head, zero) = (math::head(a), x.splat(0.0));
    let a_rest = a - a_head;
    let square = a_head.mul_add(a_head, minus_0);
    let s = math::head(square);
    let s_rest = a_rest.mul_add(a + a_head, square - s);
    let term = s.mul_add(x.splat(c3), zero);
    // The sum of both terms and its rounding error (Knuth's two-sum).
    let sum = term + x.splat(c1);
    let of_term = sum - x.splat(c1);
    let lost = (x.splat(c1) - (sum - of_term)) + (term - of_term);
    let constants = s.mul_add(x.splat(c3_low), s_rest.mul_add(x.splat(cubic), x.splat(c1_low)));
    let m = math::head(sum);
    let m_rest = (sum - m) + (lost + constants);
    let low = a_rest.mul_add(m, a.mul_add(m_rest, zero));
    Argument { is_positive, size: [a_head.mul_add(m, minus_0), low] }
}

impl Formula for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const ALIASES: &'static [&'static str] = &["gelunew", "gelufast", "gelupytorchtanh", "geluaccurate"];
    const DEFAULT: Self = GeluTanh;
    const MAX_ULP: [f64; 2] = [2.6, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.6, 3.2];
    const GRADIENT_ULP: f64 = 5.5;
    const SAVED: Saved = Saved::Input;
    const RANGE: [f64; 2] = [-0.170_040_8, f64::INFINITY];

    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        (x.splat(limits::<L>()[0]) - x.abs()).min(math::margin(x, margin))
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::times_sigmoid(x, argument(x), math::limits::<L>()[0])
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        (x.splat(limits::<L>()[1]) - x.abs()).min(math::margin(dy, margin))
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        let (a, zero, [linear, cubic]) = (magnitude(x), x.splat(0.0), GELU_TANH);
        // a times the derivative of the argument.
        let square = a.mul_add(a, zero);
        let slope = a.mul_add(square.mul_add(x.splat(3.0 * cubic), x.splat(linear)), zero);
        let v = argument(x);
        let slope = L::select(v.is_positive, slope, zero - slope);
        math::times_sigmoid_gradient(v, slope, dy, math::limits::<L>()[1])
    }

    fn reference(self, x: f64) -> f64 {
        reference::gelu_tanh(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::gelu_tanh_gradient(x, dy)
    }
}
