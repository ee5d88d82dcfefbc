//! The functions of the [normal distribution](super) in `f64` lanes, to a little more than the digits of an `f32`: for `f32`
//! lanes without FMA, where tables are slow. No intermediate is subnormal, and nothing is hard.

use super::tables::{SHORT_MILLS, SHORT_SERIES};
use super::{DENSITY_AT_0, ERF_GRADIENT_IS_0, GELU_GRADIENT_IS_0};
use crate::lanes::Lanes;
use crate::math::exp::{polynomial, short_exp};
use crate::math::times;

/// `(e, q)` with e = e^(-a^2/2) and Q(a) = e q, for a up to 19.8.
#[inline(always)]
fn upper_tail<L: Lanes>(a: L) -> (L, L) {
    let inverse = a.splat(1.0) / (a + a.splat(4.0));
    let q = times(inverse, polynomial(&SHORT_MILLS, times(a - a.splat(4.0), inverse)));
    (short_exp(times(times(a, a), a.splat(-0.5))), q)
}

/// See [`gelu`](super::gelu).
#[inline(always)]
pub fn gelu<L: Lanes>(x: L) -> L {
    // There a Q(a) is less than half of the smallest `f32`.
    let a = x.splat(14.69).min(x.abs());
    let (e, q) = upper_tail(a);
    times(a, e).neg_mul_add(q, x.splat(0.0).max(x))
}

/// See [`gelu_gradient`](super::gelu_gradient).
#[inline(always)]
pub fn gelu_gradient<L: Lanes>(x: L, dy: L) -> L {
    let a = x.splat(19.79).min(x.abs());
    let (e, q) = upper_tail(a);
    let of_negative = times(e, a.neg_mul_add(a.splat(DENSITY_AT_0), q));
    let of_negative = L::select(x.splat(GELU_GRADIENT_IS_0).lt(x.abs()), x.splat(0.0), of_negative);
    times(dy, L::select(x.lt(x.splat(0.0)), of_negative, x.splat(1.0) - of_negative))
}

/// See [`erf`](super::erf).
#[inline(always)]
pub fn erf<L: Lanes>(x: L) -> L {
    // From there on erf rounds to 1.
    let a = x.splat(4.0).min(x.abs());
    let (e, q) = upper_tail(times(a, a.splat(std::f64::consts::SQRT_2)));
    let large = times(e, a.splat(2.0)).neg_mul_add(q, a.splat(1.0));
    let small = times(a, polynomial(&SHORT_SERIES, times(a, a))) + a;
    L::select(a.lt(a.splat(1.0)), small, large).copysign(x)
}

/// See [`erf_gradient`](super::erf_gradient).
#[inline(always)]
pub fn erf_gradient<L: Lanes>(x: L, dy: L) -> L {
    let a = x.splat(13.99).min(x.abs());
    let slope = times(short_exp(times(a, x.splat(0.0) - a)), x.splat(std::f64::consts::FRAC_2_SQRT_PI));
    times(dy, L::select(x.splat(ERF_GRADIENT_IS_0).lt(x.abs()), x.splat(0.0), slope))
}
