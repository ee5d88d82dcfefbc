//! The kernels of binary cross-entropy: maps of [`crate::elementwise`] of a logit x and a target t, and of the weight w
//! of positive targets.
//!
//! ```text
//! e      = e^-|x|
//! q, s   = ln(1 + e), 1 / (1 + e)                              with one division
//! a, b   = 1 - t, w t      for x >= 0, exchanged for x < 0
//! loss   = a |x| + (a + b) q                                   both terms are at least 0 for t in [0, 1]
//! dx     = +-(a - b e) s scale                                 s and e s are the sigmoids of |x| and -|x|
//! ```
//!
//! It is the usual (1 - t) ln(1 + e^x) + w t ln(1 + e^-x). Neither a loss nor a gradient near 0 is the difference of two
//! numbers near 1.

use crate::elementwise::Map;
use crate::lanes::{Lanes, Real};
use crate::math;

/// The loss, with the same weight everywhere.
#[derive(Clone, Copy)]
pub struct Loss {
    /// The weight of positive targets.
    pub weight: f64,
}

/// The loss, with a weight for each element.
#[derive(Clone, Copy)]
pub struct WeightedLoss;

/// The loss and its gradient, with the same weight everywhere.
#[derive(Clone, Copy)]
pub struct LossAndGradient {
    /// The weight of positive targets.
    pub weight: f64,
    /// The factor of the gradient.
    pub scale: f64,
}

/// The loss and its gradient, with a weight for each element.
#[derive(Clone, Copy)]
pub struct WeightedLossAndGradient {
    /// The factor of the gradient.
    pub scale: f64,
}

macro_rules! map {
    ($name:ident, $sources:literal, $outputs:literal, |$map:ident, [$x:ident, $t:ident $(, $w:ident)?]| $weight:expr, $scale:expr,
     |$parts:ident| $results:expr) => {
        impl Map<$sources, $outputs> for $name {
            const IS_MEMORY_BOUND: bool = false;

            #[inline(always)]
            fn margin<L: Lanes>(self, [$x, $t $(, $w)?]: [L; $sources], margin: L) -> L {
                let $map = self;
                margin_of($x, $t, $weight, $scale, margin)
            }
            #[inline(always)]
            fn apply<L: Lanes>(self, [$x, $t $(, $w)?]: [L; $sources]) -> [L; $outputs] {
                let $map = self;
                let $parts = Parts::of($x, $t, $weight);
                $results
            }
        }
    };
}

map!(Loss, 2, 1, |map, [x, t]| x.splat(map.weight), 1.0, |parts| [parts.loss]);
map!(WeightedLoss, 3, 1, |_map, [x, t, w]| w, 1.0, |parts| [parts.loss]);
map!(LossAndGradient, 2, 2, |map, [x, t]| x.splat(map.weight), map.scale, |parts| parts.with_scale(map.scale));
map!(WeightedLossAndGradient, 3, 2, |map, [x, t, w]| w, map.scale, |parts| parts.with_scale(map.scale));

/// The margin, and 0 where a product would be subnormal: plain lanes take |x| of at most 40 (200), for which e^-|x| is at
/// least 2^-58 (2^-289), and targets, weights and a scale of at least 2^-30 (2^-150), or 0. A gradient that cancels to its
/// last digits, times a small scale, may still be subnormal in `f32`: that is slow, but rare, and its bits are the same.
#[inline(always)]
fn margin_of<L: Lanes>(x: L, t: L, weight: L, scale: f64, margin: L) -> L {
    let limit = x.splat(if L::Float::IS_F32 { 40.0 } else { 200.0 });
    let margin = (limit - x.abs()).min(margin);
    zero_if_small(t, zero_if_small(weight, zero_if_small(x.splat(scale), margin)))
}

/// The margin, and 0 if the factor is small, but not 0.
#[inline(always)]
fn zero_if_small<L: Lanes>(factor: L, margin: L) -> L {
    let least = factor.splat(if L::Float::IS_F32 { 2_f64.powi(-30) } else { 2_f64.powi(-150) });
    // 0, less 1 in its pattern, is NaN.
    let is_small = factor.abs().sub_bits(factor.splat_bits(1)).lt(least);
    L::select(is_small, factor.splat(0.0), margin)
}

/// The loss, and the gradient before the scale.
struct Parts<L> {
    loss: L,
    gradient: L,
}

impl<L: Lanes> Parts<L> {
    #[inline(always)]
    fn of(x: L, t: L, weight: L) -> Self {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let size = x.abs();
        let e = math::exp(zero - size);
        // The smallest e that changes a sum with 1 is far above this one, whose square is normal.
        let least = x.splat(2_f64.powi(-60));
        let normal = least.max(e);
        let (q, s) = math::ln_1p_and_inverse(normal);
        let q = L::select(e.lt(least), e, q);
        // The shares of |x| and of the larger sigmoid, and of the smaller one.
        let is_negative = x.lt(zero);
        let (negative, positive) = (one - t, weight * t);
        let of_larger = L::select(is_negative, positive, negative);
        let of_smaller = L::select(is_negative, negative, positive);
        let gradient = (of_larger - of_smaller * e) * s;
        let mut of_size = times(of_larger, size);
        if L::GRADUAL {
            // A subnormal w t has few digits, which a large |x| would multiply. All such elements are hard.
            let (up, down) = (x.splat(2_f64.powi(64)), x.splat(2_f64.powi(-64)));
            let factor = t * up * weight;
            let lifted = factor * size * down;
            let has_few_digits = positive.abs().lt(x.splat(L::Float::MIN_POSITIVE));
            let product = L::select(factor.abs().le(zero), of_size, L::select(has_few_digits, lifted, of_size));
            of_size = L::select(is_negative, product, of_size);
        }
        Self {
            loss: of_size + times(of_larger + of_smaller, q),
            gradient: L::select(is_negative, zero - gradient, gradient),
        }
    }

    /// The loss, and the gradient times the scale.
    #[inline(always)]
    fn with_scale(self, scale: f64) -> [L; 2] {
        [self.loss, self.gradient * self.loss.splat(scale)]
    }
}

/// factor * x, and 0 for a factor of 0, also where x is infinite, which no x is on plain lanes.
#[inline(always)]
fn times<L: Lanes>(factor: L, x: L) -> L {
    if !L::GRADUAL {
        return factor * x;
    }
    let is_zero = factor.abs().le(factor.splat(0.0));
    let x = L::select(is_zero, x.splat(L::Float::MAX_FINITE).min(x), x);
    factor * x
}
