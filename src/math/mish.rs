//! Mish, x tanh(ln(1 + e^x)), and its gradient.
//!
//! ```text
//! e    = e^x,  h = e + e^2/2              tanh(ln(1 + e)) = h / (1 + h)
//! mish = x - x / (1 + h)                  for x >= -0.6
//!      = w - w h / (1 + h),  w = x h      below
//! mish' = e n / (1 + h)^2                 n = (1 + x) + e (3/2 + x) + e^2 + e^3/4            for x < 1/4
//!       = 1 - m / (1 + h)^2               m = 1 + e (1 - x) + e^2 (1/2 - x)                  for x >= 1/4
//! ```
//!
//! In both forms of the value, and in the second of the gradient, the division rounds a term that is smaller than the
//! first. In n nearly all that cancels is in 1 + x, which is exact where it is small.

use super::exp::{exp_parts, format, shift_down};
use super::softplus::{Rate, exp_of_minus};
use super::{Deep, LAST_SIZE, least_factor, margin, times};
use crate::lanes::{Lanes, Real};

/// Where x is lower, e^2 is too small to count, and the results are hard.
const ORDINARY: [f64; 2] = [40.0, 340.0];
/// Where x is lower, the value rounds to 0.
const LAST: [f64; 2] = [110.0, 752.0];

#[inline(always)]
fn of<L: Lanes>(ends: [f64; 2]) -> f64 {
    if L::Float::IS_F32 { ends[0] } else { ends[1] }
}

/// `(power, f)` with e^x = power (1 + f).
#[inline(always)]
fn parts<L: Lanes>(x: L) -> (L, L) {
    // No subnormal x: see `exp`.
    let negligible = format::<L::Float>().negligible;
    if L::Float::IS_F32 && !L::FUSED {
        return exp_parts(x + x.splat(negligible));
    }
    exp_of_minus(x.splat(-negligible) - x, &Rate::ONE)
}

/// x up to 20, above which x / (1 + h) is too small to count. On gradual lanes from `-last` on, and not subnormal.
#[inline(always)]
fn limited<L: Lanes>(x: L, last: f64) -> L {
    let c = x.splat(20.0).min(x);
    if !L::GRADUAL {
        return c;
    }
    let least = least_factor(x);
    L::select(x.abs().lt(least), least, x.splat(-last).max(c))
}

/// The margin of [`mish`].
#[inline(always)]
pub fn mish_margin<L: Lanes>(x: L, limit: L) -> L {
    margin(x, (x + x.splat(of::<L>(ORDINARY))).min(limit))
}

/// x tanh(ln(1 + e^x)).
#[inline(always)]
pub fn mish<L: Lanes>(x: L) -> L {
    let (one, is_low) = (x.splat(1.0), x.lt(x.splat(-of::<L>(ORDINARY))));
    let c = limited(x, of::<L>(LAST));
    let (mut power, f) = parts(c);
    if L::GRADUAL {
        let lift = x.splat_bits(64 << format::<L::Float>().exponent_shift);
        power = L::select(is_low, power.add_bits(lift), power);
    }
    let lifted = power.mul_add(f, power);
    let e = if L::GRADUAL { L::select(is_low, one, lifted) } else { lifted };
    let h = times(e, x.splat(0.5)).mul_add(e, e);
    let is_negative = c.lt(x.splat(-0.6));
    let numerator = L::select(is_negative, h, one);
    let factor = L::select(is_negative, times(c, h), c);
    // In the first form the factor is larger than x, in the second it is x or 20.
    let y = (numerator / (one + h)).neg_mul_add(factor, factor.max(x));
    if !L::GRADUAL {
        return y;
    }
    let y = L::select(is_low, shift_down(times(c.abs(), lifted)).copysign(x), y);
    L::select(x.abs().lt(least_factor(x)), x.gradual_mul(x.splat(0.6)), y)
}

/// The margin of [`mish_gradient`].
#[inline(always)]
pub fn mish_gradient_margin<L: Lanes>(x: L, dy: L, limit: L) -> L {
    margin(dy, mish_margin(x, limit))
}

/// dy times the derivative of Mish at x.
#[inline(always)]
pub fn mish_gradient<L: Lanes>(x: L, dy: L) -> L {
    let one = x.splat(1.0);
    let deep = Deep::new(x.lt(x.splat(-of::<L>(ORDINARY))));
    let c = limited(x, Deep::<L>::max_size());
    let (power, f) = parts(deep.quarter(c));
    let power = deep.lift(power);
    let part = power.mul_add(f, power);
    let e = deep.select(x.splat(0.0), part);
    let h = times(e, x.splat(0.5)).mul_add(e, e);
    let q = one + h;
    // The square, without the rounding error of the sum.
    let error = (one - q) + h;
    let square = q.mul_add(q, times(q + q, error));
    // From 1/4 on 1 + e (1 - x) + e^2 (1/2 - x), else e ((1 + x) + e (3/2 + x) + e^2 + e^3/4).
    let is_near_1 = x.splat(0.25).le(c);
    let rest = e.mul_add(x.splat(0.25), one).mul_add(e, c + x.splat(1.5));
    let rest = L::select(is_near_1, x.splat(0.5) - c, rest);
    let n = rest.mul_add(e, L::select(is_near_1, one - c, one + c));
    let ratio = n.mul_add(part, L::select(is_near_1, one, x.splat(0.0))) / square;
    let slope = L::select(is_near_1, one - ratio, ratio);
    deep.product(dy, part, slope, x.lt(x.splat(-LAST_SIZE)))
}
