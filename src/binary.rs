//! The kernels of binary cross-entropy: maps of [`crate::elementwise`] of a logit x and a target t, and of the weight w
//! of positive targets.
//!
//! ```text
//! e     = e^-|x|
//! q     = ln(1 + e)
//! loss  = (1 - t) (max(x, 0) + q) + w t (max(-x, 0) + q)       both terms are at least 0 for t in [0, 1]
//! s     = 1 / (1 + e),  r = e s                                sigmoid(|x|) and sigmoid(-|x|)
//! dx    = ((1 - t) sigmoid(x) - w t sigmoid(-x)) scale
//! ```
//!
//! So neither a loss nor a gradient near 0 is the difference of two numbers near 1.

use crate::elementwise::Map;
use crate::lanes::{Lanes, Real};
use crate::math::{self, product};

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
    ($name:ident, $sources:literal, $outputs:literal, |$map:ident, [$x:ident, $t:ident $(, $w:ident)?]| $weight:expr,
     |$parts:ident| $results:expr) => {
        impl Map<$sources, $outputs> for $name {
            const IS_MEMORY_BOUND: bool = false;

            #[inline(always)]
            fn margin<L: Lanes>(self, [$x, $t $(, $w)?]: [L; $sources], margin: L) -> L {
                let $map = &self;
                let _ = $map;
                margin_of($x, $t, $weight, margin)
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

map!(Loss, 2, 1, |map, [x, t]| x.splat(map.weight), |parts| [parts.loss]);
map!(WeightedLoss, 3, 1, |_map, [x, t, w]| w, |parts| [parts.loss]);
map!(LossAndGradient, 2, 2, |map, [x, t]| x.splat(map.weight), |parts| parts.with_scale(map.scale));
map!(WeightedLossAndGradient, 3, 2, |map, [x, t, w]| w, |parts| parts.with_scale(map.scale));

/// The margin, and 0 where a product would be subnormal: plain lanes take |x| of at most 40 (200), for which e^-|x| is at
/// least 2^-58 (2^-289), and targets and weights of at least 2^-30 (2^-150), or 0.
#[inline(always)]
fn margin_of<L: Lanes>(x: L, t: L, weight: L, margin: L) -> L {
    let [limit, least] = if L::Float::IS_F32 { [40.0, 2_f64.powi(-30)] } else { [200.0, 2_f64.powi(-150)] };
    let zero_if_small = |factor: L, margin: L| {
        // 0, less 1 in its pattern, is NaN.
        let is_small = factor.abs().sub_bits(factor.splat_bits(1)).lt(factor.splat(least));
        L::select(is_small, factor.splat(0.0), margin)
    };
    zero_if_small(t, zero_if_small(weight, (x.splat(limit) - x.abs()).min(margin)))
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
        let e = math::exp(zero - x.abs());
        // The smallest e that changes a sum with 1 is far above this one, whose square is normal.
        let least = x.splat(2_f64.powi(-60));
        let normal = least.max(e);
        let q = L::select(e.lt(least), e, math::ln_1p_of_fraction(normal));
        let larger = one / (one + normal);
        let smaller = e * larger;
        let is_negative = x.lt(zero);
        let sigmoid = L::select(is_negative, smaller, larger);
        let opposite = L::select(is_negative, larger, smaller);
        let (negative, positive) = (one - t, weight * t);
        let of_negative = times(negative, zero.max(x) + q);
        let of_positive = times(positive, zero.max(zero - x) + q);
        Self { loss: of_negative + of_positive, gradient: negative * sigmoid - positive * opposite }
    }

    /// The loss, and the gradient times the scale.
    #[inline(always)]
    fn with_scale(self, scale: f64) -> [L; 2] {
        [self.loss, product(self.gradient, self.loss.splat(scale))]
    }
}

/// factor * x, and 0 for a factor of 0, also where x is infinite, which no x is on plain lanes.
#[inline(always)]
fn times<L: Lanes>(factor: L, x: L) -> L {
    if !L::GRADUAL {
        return factor * x;
    }
    let is_zero_times_infinity = factor.abs().le(factor.splat(0.0));
    let x = L::select(is_zero_times_infinity, x.splat(L::Float::MAX_FINITE).min(x), x);
    factor * x
}
