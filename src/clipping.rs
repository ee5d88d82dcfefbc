//! The kernels of gradient clipping: two maps of [`crate::elementwise`] and a sum.
//!
//! ```text
//! Clamp         y = max(-limit, min(limit, x))
//! Scale         y = T(x * first * second), both products in f64
//! Squares       (x * factor)^2 in f64, the terms of a sum
//! ```

use crate::elementwise::Map;
use crate::lanes::{Lanes, Real};
use crate::math;
use crate::sum::Terms;

/// Limits each element to `[-limit, limit]`. NaN stays NaN.
#[derive(Clone, Copy)]
pub struct Clamp(pub f64);

impl Map<1> for Clamp {
    const IS_MEMORY_BOUND: bool = true;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        [math::clamp(x, self.0)]
    }
}

/// Multiplies each element by two factors in `f64`, one after the other, and rounds to the element type. The second is
/// 1 unless the product of both is near the subnormal range.
#[derive(Clone, Copy)]
pub struct Scale(pub [f64; 2]);

impl Map<1> for Scale {
    const IS_MEMORY_BOUND: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        let [first, second] = [self.0[0].abs(), self.0[1]];
        // The smallest f32 is 1.4e-45: times 1e-200 it is a normal f64, so that no f32 is hard. The smallest ordinary
        // f64 is 2^-500, and times 1e-150 normal. Below these factors every element is taken as hard.
        if L::Float::IS_F32 && first > 1e-200 && second == 1.0 {
            margin
        } else if first > 1e-150 && second == 1.0 {
            math::margin(x, margin)
        } else {
            x.splat(0.0)
        }
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        let [a, b] = x.widen();
        let (first, second) = (a.splat(self.0[0]), a.splat(self.0[1]));
        [L::narrow([a * first * second, b * first * second])]
    }
}

/// The squares, each element times a power of two first.
#[derive(Clone, Copy)]
pub struct Squares {
    /// The power of two.
    pub factor: f64,
}

impl Terms<1> for Squares {
    #[inline(always)]
    fn terms<L: Lanes>(self, [x]: [L; 1]) -> [L::Double; 2] {
        let [a, b] = x.widen();
        let factor = a.splat(self.factor);
        if L::Float::IS_F32 {
            let (a, b) = (a * factor, b * factor);
            return [a * a, b * b];
        }
        let a = math::product(a, factor);
        [math::product(a, a); 2]
    }
}
