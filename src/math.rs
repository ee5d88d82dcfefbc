//! Functions of one lane value, and the test for inputs whose products may be subnormal.

mod exp;
mod gate;
mod ln;
mod tanh;

pub use exp::{
    exp, exp_of_negative, exp_of_normal, exp_or_expm1, exp_quotient, exp_scaled, exponent_bits, format, max_ordinary,
    short_exp,
};
pub use gate::{Argument, head, limits, product_in_parts, times_sigmoid, times_sigmoid_gradient};
pub use ln::{ln_1p, ln_1p_and_inverse};
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

/// a * b for operands and a product that are normal or 0: the short way on gradual lanes too.
#[inline(always)]
pub fn times<L: Lanes>(a: L, b: L) -> L {
    if L::GRADUAL { a.mul_add(b, a.splat(-0.0)) } else { a * b }
}

/// A gradient dy e s, in which the exponential e may be far below the format where dy is large: in lanes that are *low*.
///
/// For `f32`, e is then multiplied by 2^170 by [`lift`](Self::lift), and the product is taken in `f64`. For `f64` a quarter
/// of the exponent is taken, by [`quarter`](Self::quarter), and the product has four factors. Only gradual lanes may be
/// low.
pub struct Deep<L: Lanes> {
    /// Where x is low.
    pub is_low: L::Mask,
}

impl<L: Lanes> Deep<L> {
    /// With the low lanes.
    #[inline(always)]
    pub fn new(is_low: L::Mask) -> Self {
        Self { is_low }
    }

    /// The bits to add to the power of two of the exponential.
    #[inline(always)]
    pub fn lift(&self, like: L) -> L {
        let none = like.splat_bits(0);
        if L::GRADUAL && L::Float::IS_F32 {
            return L::select(self.is_low, like.splat_bits(170 << 23), none);
        }
        none
    }

    /// The exponent, or a quarter of it.
    #[inline(always)]
    pub fn quarter(&self, exponent: L) -> L {
        if L::GRADUAL && !L::Float::IS_F32 {
            return L::select(self.is_low, times(exponent, exponent.splat(0.25)), exponent);
        }
        exponent
    }

    /// dy e s, given e and e s with the changes of this type. `is_zero` holds where e is too small for any dy.
    #[inline(always)]
    pub fn product(&self, dy: L, e: L, slope: L, is_zero: L::Mask) -> L {
        if !L::GRADUAL {
            return dy * slope;
        }
        if L::Float::IS_F32 {
            let ([a0, a1], [b0, b1]) = (dy.widen(), slope.widen());
            let down = a0.splat(2_f64.powi(-170));
            let low = L::narrow([times(times(a0, b0), down), times(times(a1, b1), down)]);
            return L::select(self.is_low, low, dy * slope);
        }
        let slope = L::select(is_zero, dy.splat(0.0), slope);
        L::select(self.is_low, dy * e * e * e, dy) * slope
    }
}
