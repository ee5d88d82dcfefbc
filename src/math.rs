//! Functions of one lane value, and the test for inputs whose products may be subnormal.

mod deep;
mod exp;
mod gate;
mod ln;
mod mish;
mod normal;
mod softplus;
mod tanh;

pub use deep::{Deep, LAST_SIZE};
pub use exp::{
    exp, exp_of_negative, exp_of_normal, exp_or_expm1, exp_quotient, exp_scaled, exponent_bits, format, max_ordinary,
    short_exp,
};
pub use gate::{
    Argument, constant_in_parts, head, limits, magnitude, product_in_parts, times_sigmoid, times_sigmoid_gradient,
};
pub use ln::{ln_1p, ln_1p_and_inverse};
pub use mish::{mish, mish_gradient, mish_gradient_margin, mish_margin};
pub use normal::{erf, erf_gradient, erf_gradient_margin, gelu, gelu_gradient, gelu_gradient_margin, gelu_margin};
pub use softplus::{Rate, softplus, softplus_gradient, softplus_gradient_margin, softplus_margin};
pub use tanh::tanh;

use crate::lanes::{Lanes, Mask, Real};

/// x limited to `[-limit, limit]`. NaN stays NaN.
#[inline(always)]
pub fn clamp<L: Lanes>(x: L, limit: f64) -> L {
    // `min` and `max` return the second operand if either is NaN.
    x.splat(-limit).max(x.splat(limit).min(x))
}

/// Smallest magnitude whose products are normal: of two such numbers, or of three if one is near 1.
#[inline(always)]
pub fn least_factor<L: Lanes>(like: L) -> L {
    like.splat(if L::Float::IS_F32 { 2_f64.powi(-60) } else { 2_f64.powi(-500) })
}

/// min(margin, |x|). 0 and NaN leave `margin` as it is, because their products are not subnormal.
#[inline(always)]
pub fn margin<L: Lanes>(x: L, margin: L) -> L {
    // Subtracting 1 from the pattern makes a magnitude a little smaller, and 0 a NaN, for which `min` gives `margin`.
    x.abs().sub_bits(x.splat_bits(1)).min(margin)
}

/// Whether all numbers that went into the margin are at least [`least_factor`] in every lane, or 0 or NaN.
#[inline(always)]
pub fn is_ordinary<L: Lanes>(margin: L) -> bool {
    least_factor(margin).le(margin).all()
}

/// a * b, the long way of [`Gradual`](crate::lanes::Gradual) only where some lane's operands are small.
#[inline(always)]
pub fn product<L: Lanes>(a: L, b: L) -> L {
    if is_ordinary(margin(a, margin(b, a.splat(f64::INFINITY)))) { a * b } else { a.gradual_mul(b) }
}

/// a * b for operands and a product that are normal or 0: the short way on gradual lanes too, where `*` takes the long one.
#[inline(always)]
pub fn times<L: Lanes>(a: L, b: L) -> L {
    if L::GRADUAL { a.mul_add(b, a.splat(-0.0)) } else { a * b }
}
