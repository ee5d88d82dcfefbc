//! Gradients with an exponential that may be far below the format.

use super::times;
use crate::lanes::{Lanes, Real};

/// A gradient dy s, in which s has a factor e = e^-u that may be far below the format where dy is large: in lanes that are
/// *low*.
///
/// For `f32`, e is then multiplied by 2^170 by [`lift`](Self::lift), and the product is taken in `f64`. For `f64` a quarter
/// of the exponent is taken, by [`quarter`](Self::quarter), and the product has four such factors. Only gradual lanes may
/// be low.
pub struct Deep<L: Lanes> {
    is_low: L::Mask,
}

/// From this u on e^-u is 0, times any dy in both types. The references have the same end.
pub const LAST_SIZE: f64 = 1490.0;

impl<L: Lanes> Deep<L> {
    /// With the low lanes.
    #[inline(always)]
    pub fn new(is_low: L::Mask) -> Self {
        Self { is_low }
    }

    /// `low` in low lanes, elsewhere `other`.
    #[inline(always)]
    pub fn select(&self, low: L, other: L) -> L {
        if L::GRADUAL { L::select(self.is_low, low, other) } else { other }
    }

    /// The largest u in low lanes. In `f32` e^-u times dy and 2^11 is 0 from there on.
    #[inline(always)]
    pub fn max_size() -> f64 {
        if L::Float::IS_F32 { 204.0 } else { LAST_SIZE }
    }

    /// The exponent, or a quarter of it.
    #[inline(always)]
    pub fn quarter(&self, exponent: L) -> L {
        if L::Float::IS_F32 { exponent } else { self.select(times(exponent, exponent.splat(0.25)), exponent) }
    }

    /// The power of two of the exponential, or 2^170 times it.
    #[inline(always)]
    pub fn lift(&self, power: L) -> L {
        if L::Float::IS_F32 { self.select(power.add_bits(power.splat_bits(170 << 23)), power) } else { power }
    }

    /// dy s. `e` and `slope`, which is s, have the changes of this type. `is_zero` holds where u is at least [`LAST_SIZE`].
    #[inline(always)]
    pub fn product(&self, dy: L, e: L, slope: L, is_zero: L::Mask) -> L {
        if !L::GRADUAL {
            return dy * slope;
        }
        let slope = L::select(is_zero, dy.splat(0.0), slope);
        if !L::Float::IS_F32 {
            return self.select(dy * e * e * e, dy) * slope;
        }
        let ([dy_0, dy_1], [slope_0, slope_1]) = (dy.widen(), slope.widen());
        let down = dy_0.splat(2_f64.powi(-170));
        let low = L::narrow([times(times(dy_0, slope_0), down), times(times(dy_1, slope_1), down)]);
        self.select(low, dy * self.select(dy.splat(1.0), slope))
    }
}
