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
//! numbers near 1. Without weights a + b is 1.
//!
//! The outputs are the gradient and the loss, in this order: a loss alone is written over its gradient.

use crate::elementwise::Map;
use crate::lanes::{Element, Lanes, Real};
use crate::math;

/// Gradient and loss without weights.
#[derive(Clone, Copy)]
pub struct Plain {
    /// The factor of the gradient.
    pub scale: f64,
}

/// Gradient and loss with a weight for each element.
#[derive(Clone, Copy)]
pub struct Weighted {
    /// The factor of the gradient.
    pub scale: f64,
}

impl Map<2, 2> for Plain {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x, t]: [L; 2], margin: L) -> L {
        margin_of(x, self.scale, factor_margin(t, margin))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, t]: [L; 2]) -> [L; 2] {
        let logit = Logit::of(x);
        let [of_larger, of_smaller] = logit.by_sign(t, x.splat(1.0) - t);
        let of_size = times(of_larger, logit.size);
        [logit.gradient(of_larger, of_smaller, self.scale), of_size + logit.log]
    }
}

impl Map<3, 2> for Weighted {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x, t, w]: [L; 3], margin: L) -> L {
        margin_of(x, self.scale, factor_margin(t, factor_margin(w, margin)))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, t, w]: [L; 3]) -> [L; 2] {
        let (logit, positive) = (Logit::of(x), w * t);
        let [of_larger, of_smaller] = logit.by_sign(positive, x.splat(1.0) - t);
        let mut of_size = times(of_larger, logit.size);
        if L::GRADUAL {
            // A subnormal w t has few digits, which a large |x| would multiply. All such elements are hard.
            let (up, down) = (x.splat(2_f64.powi(64)), x.splat(2_f64.powi(-64)));
            let factor = t * up * w;
            let lifted = factor * logit.size * down;
            let has_few_digits = positive.abs().lt(x.splat(L::Float::MIN_POSITIVE));
            let product = L::select(factor.abs().le(x.splat(0.0)), of_size, L::select(has_few_digits, lifted, of_size));
            of_size = L::select(logit.is_negative, product, of_size);
        }
        let loss = of_size + times(of_larger + of_smaller, logit.log);
        [logit.gradient(of_larger, of_smaller, self.scale), loss]
    }
}

/// min(margin, a measure of x): plain lanes take |x| of at most 40 (200), for which e^-|x| is at least 2^-58 (2^-289).
/// No element is plain if the scale is small but not 0.
///
/// A gradient that cancels to its last digits, times a small scale, may still be subnormal in `f32`: that is slow, but
/// rare, and its bits are the same.
#[inline(always)]
fn margin_of<L: Lanes>(x: L, scale: f64, margin: L) -> L {
    let (limit, least) = if L::Float::IS_F32 { (40.0, 2_f64.powi(-60)) } else { (200.0, 2_f64.powi(-500)) };
    let is_small = scale != 0.0 && scale.abs() < least;
    (x.splat(if is_small { -1.0 } else { limit }) - x.abs()).min(margin)
}

/// min(margin, factor), but a factor of 0 leaves the margin as it is. A negative factor is less than any margin.
#[inline(always)]
fn factor_margin<L: Lanes>(factor: L, margin: L) -> L {
    // 0, less 1 in its pattern, is NaN.
    factor.sub_bits(factor.splat_bits(1)).min(margin)
}

/// What a loss needs of a logit.
#[derive(Clone, Copy)]
struct Logit<L: Lanes> {
    is_negative: L::Mask,
    /// |x|, or a number above it that is normal and nearly 0.
    size: L,
    /// e^-|x|
    e: L,
    /// ln(1 + e)
    log: L,
    /// 1 / (1 + e), the sigmoid of |x|
    larger: L,
}

impl<L: Lanes> Logit<L> {
    #[inline(always)]
    fn of(x: L) -> Self {
        // A subnormal |x| would cost a microcode assist in the products.
        let size = x.abs() + x.splat(math::format::<L::Float>().negligible);
        let e = math::exp_of_normal(x.splat(-0.0) - size);
        // The smallest e that changes a sum with 1 is far above this one, whose square is normal. On plain lanes e is.
        let least = x.splat(2_f64.powi(-60));
        let (mut log, larger) = math::ln_1p_and_inverse(if L::GRADUAL { least.max(e) } else { e });
        if L::GRADUAL {
            log = L::select(e.lt(least), e, log);
        }
        Self { is_negative: x.lt(x.splat(0.0)), size, e, log, larger }
    }

    /// The shares of |x| and of the larger sigmoid, and of the smaller one.
    #[inline(always)]
    fn by_sign(&self, positive: L, negative: L) -> [L; 2] {
        [L::select(self.is_negative, positive, negative), L::select(self.is_negative, negative, positive)]
    }

    /// The gradient, times the scale.
    #[inline(always)]
    fn gradient(&self, of_larger: L, of_smaller: L, scale: f64) -> L {
        let gradient = (of_larger - of_smaller * self.e) * self.larger * self.e.splat(scale);
        L::select(self.is_negative, self.e.splat(0.0) - gradient, gradient)
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
