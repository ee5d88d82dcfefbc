//! GELU in its tanh form, as x times the sigmoid of a cubic polynomial.
//!
//! 1/2 (1 + tanh u) is the sigmoid of 2 u. Written with tanh the value cancels for negative x, where tanh is near -1.
//! The sigmoid's argument has to be known to more digits than one number holds: its error counts as often as it is large.
//!
//! ```text
//! square, square_low = a^2                   rounded, and the rounding error
//! sum        = c1 + c3 square                c1 with its last digits cut, so that c1 - sum is exact
//! low        = c3 square + (c1 - sum) + what c1, c3 and square leave out
//! v          = a (sum + low)                 in two parts
//! ```

use super::Saved;
use super::formula::{Declaration, Formula};
use crate::lanes::{Lanes, Real};
use crate::math::{self, Argument};
use crate::reference::{self, GELU_TANH};

/// The Gaussian error linear unit in its tanh form, `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
///
/// What torch calls `gelu(approximate="tanh")`. It is evaluated as `x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))`, which
/// is the same function without the cancellation of `1 + tanh`. It differs from [`Gelu`](crate::Gelu) by up to 0.0005. The
/// gradient is taken from the saved input.
///
/// # Accuracy
///
/// Within 2.6 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal. Gradients: within
/// 5.5 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
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

/// |x|, neither so small that the rounding error of its square is subnormal, nor so large that the argument overflows.
#[inline(always)]
fn magnitude<L: Lanes>(x: L) -> L {
    let least = if L::Float::IS_F32 { 2_f64.powi(-36) } else { 2_f64.powi(-60) };
    x.splat(least).max(math::magnitude(x, least, 30.0))
}

/// The argument of the sigmoid.
#[inline(always)]
fn argument<L: Lanes>(x: L) -> Argument<L> {
    let (a, [linear, cubic]) = (magnitude(x), GELU_TANH);
    let [c1, c1_low] = math::constant_in_parts::<L>(linear, 6);
    let [c3, c3_low] = math::constant_in_parts::<L>(cubic, 0);
    let factor = if L::FUSED {
        let square = math::times(a, a);
        let square_low = a.mul_add(a, x.splat(-0.0) - square);
        let sum = square.mul_add(x.splat(c3), x.splat(c1));
        let lost = square.mul_add(x.splat(c3), x.splat(c1) - sum);
        let constants = square.mul_add(x.splat(c3_low), lost + x.splat(c1_low));
        [sum, square_low.mul_add(x.splat(c3), constants)]
    } else {
        // The squares and products of the heads are exact.
        let a_head = math::head(a);
        let of_head = math::times(a_head, a_head);
        let square = math::head(of_head);
        let square_low = (a - a_head).mul_add(a + a_head, of_head - square);
        let term = math::times(square, x.splat(c3));
        // The sum of both terms and its rounding error (Knuth's two-sum).
        let sum = term + x.splat(c1);
        let of_term = sum - x.splat(c1);
        let lost = (x.splat(c1) - (sum - of_term)) + (term - of_term);
        let constants = square.mul_add(x.splat(c3_low), square_low.mul_add(x.splat(cubic), x.splat(c1_low)));
        let sum_head = math::head(sum);
        [sum_head, (sum - sum_head) + (lost + constants)]
    };
    Argument { is_positive: x.splat(0.0).le(x), size: math::product_in_parts(a, factor) }
}

impl Declaration for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const ALIASES: &'static [&'static str] = &["gelunew", "gelufast", "gelupytorchtanh", "geluaccurate"];
    const DEFAULT: Self = GeluTanh;
    const MAX_ULP: [f64; 2] = [2.6, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.6, 3.2];
    const GRADIENT_ULP: f64 = 5.5;
    const SAVED: Saved = Saved::Input;

    fn range(self) -> [f64; 2] {
        [-0.170_040_8, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::gelu_tanh(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::gelu_tanh_gradient(x, dy)
    }
}

impl Formula for GeluTanh {
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
        let (a, v, [_, cubic]) = (magnitude(x), argument(x), GELU_TANH);
        // x v' is v and twice its cubic term.
        let (high, low) = v.size;
        let mut more = math::times(a, math::times(a, a) * x.splat(2.0 * cubic));
        if let Some(low) = low {
            more = low + more;
        }
        math::times_sigmoid_gradient(v, (high, Some(more)), dy, math::limits::<L>()[1])
    }
}
