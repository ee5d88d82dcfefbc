//! Functions of one lane value.

mod exp;
mod ln;
mod tanh;

pub use exp::{exp, exp_quotient, exp_scaled, exponent_bits, format, max_ordinary, short_exp};
pub use ln::ln;
pub use tanh::tanh;

use crate::lanes::{Lanes, Mask, Real};

/// x limited to `[-limit, limit]`; NaN stays.
#[inline(always)]
pub fn clamp<L: Lanes>(x: L, limit: f64) -> L {
    // The second operand is the result for NaN.
    x.splat(-limit).max(x.splat(limit).min(x))
}

/// What [`margin`] is at least where `x` is ordinary for a product: two such numbers, or three with one near 1, have a
/// normal one, or 0.
#[inline(always)]
pub fn least_factor<L: Lanes>(like: L) -> L {
    like.splat(if L::Float::IS_F32 { 2_f64.powi(-60) } else { 2_f64.powi(-500) })
}

/// The smaller of `margin` and the magnitude of `x`, but for 0 and NaN, which are as good as large.
#[inline(always)]
pub fn margin<L: Lanes>(x: L, margin: L) -> L {
    // The bit pattern below that of a magnitude is a little less, and NaN for 0.
    x.abs().sub_bits(x.splat_bits(1)).min(margin)
}

/// Whether all numbers that went into the margin are ordinary.
#[inline(always)]
pub fn is_ordinary<L: Lanes>(margin: L) -> bool {
    least_factor(margin).le(margin).all()
}

/// A product without the price of a subnormal one.
#[inline(always)]
pub fn product<L: Lanes>(a: L, b: L) -> L {
    if is_ordinary(margin(a, margin(b, a.splat(f64::INFINITY)))) { a * b } else { a.gradual_mul(b) }
}
