//! x times a sigmoid, for SiLU and its relatives, and the gradient of that.
//!
//! The sigmoid's argument v is a multiple of x, or a polynomial in it. With u = |v| and a = |x|:
//!
//! ```text
//! e  = e^-u                          u in two parts, because its rounding error counts u times
//! q  = e / (1 + e)
//! w  = a e
//! y  = a - w + w q   if v >= 0       a / (1 + e)
//!    =     w - w q   if v < 0        a e / (1 + e)
//! ```
//!
//! and the result has the sign of x. Both forms keep the largest term apart: the rounding of 1 + e and of the division
//! counts only by the size of w q. For negative v the result is small and has the relative error of w.
//!
//! The gradient of x sigmoid(v) is s (1 + x v' t), where s = sigmoid(v) and t = 1 - s. Both are computed from e: the
//! larger one is 1 / (1 + e), the smaller one e times that.
//!
//! # Far from 0
//!
//! Plain lanes take u up to a limit, for which e and all products are normal. Beyond it, on gradual lanes, y is a or a e,
//! since q is far below the last digit. There e^-u is computed as e^-u 2^64 (2^256 in `f64`), and the last product, which
//! may be subnormal, takes the power of two away.

use super::exp::{exp_parts_of_sum, format};
use super::{Deep, least_factor};
use crate::lanes::{Lanes, Real};

/// The argument v of a sigmoid.
#[derive(Clone, Copy)]
pub struct Argument<L: Lanes> {
    /// Whether v >= 0.
    pub is_positive: L::Mask,
    /// |v|, as a sum of two numbers. The second is small.
    pub size: [L; 2],
}

/// The exponent of the power of two that keeps small exponentials normal, by element type.
#[inline(always)]
const fn scale_exponent<T: Real>() -> u32 {
    if T::IS_F32 { 64 } else { 256 }
}

/// The power of two that makes every number, also the smallest subnormal one, a normal number that squares well: of `f32`
/// and of `f64`.
const SCALE_UP: [f64; 2] = [18_446_744_073_709_551_616.0, 4.149_515_568_880_993e180];

/// The limit on u for gradual lanes. Beyond it e^-u times anything that it meets here is 0.
#[inline(always)]
fn max_size<L: Lanes>(like: L) -> L {
    like.splat(if L::Float::IS_F32 { 131.0 } else { 880.0 })
}

/// `(power, f)` with e^-u = power (1 + f).
#[inline(always)]
fn exp_parts_of_minus<L: Lanes>([high, low]: [L; 2]) -> (L, L) {
    let zero = high.splat(0.0);
    // Where digits are cut off to have exact products, the second part may be large. This moves it to the first.
    let sum = if L::FUSED { high } else { high + low };
    let rest = if L::FUSED { low } else { low - (sum - high) };
    exp_parts_of_sum(zero - sum, zero - rest)
}

/// a times a factor, as a sum of two numbers. a must be 0 or at least 2^-40 (2^-70 in `f64`), the factor between 2^-10 and
/// 2^10.
#[inline(always)]
pub fn product_in_parts<L: Lanes>(a: L, factor: f64) -> [L; 2] {
    if L::FUSED {
        let rounded = L::Float::from_f64(factor).to_f64();
        let high = a.mul_add(a.splat(rounded), a.splat(-0.0));
        let rest = a.mul_add(a.splat(rounded), a.splat(-0.0) - high);
        return [high, a.mul_add(a.splat(factor - rounded), rest)];
    }
    // The product of two numbers with half as many digits is exact.
    let (head, rounded) = (head(a), head_of::<L::Float>(factor));
    let low = (a - head).mul_add(a.splat(factor), head.mul_add(a.splat(factor - rounded), a.splat(0.0)));
    [head.mul_add(a.splat(rounded), a.splat(-0.0)), low]
}

/// The first half of the digits of each lane.
#[inline(always)]
pub fn head<L: Lanes>(x: L) -> L {
    if L::Float::IS_F32 { x.shr_bits::<12>().shl_bits::<12>() } else { x.shr_bits::<27>().shl_bits::<27>() }
}

/// The first half of the digits of a constant.
#[inline(always)]
fn head_of<T: Real>(x: f64) -> f64 {
    f64::from_bits(if T::IS_F32 { x.to_bits() >> 41 << 41 } else { x.to_bits() >> 27 << 27 })
}

/// x sigmoid(v). On plain lanes for |v| up to `limit`, and |x| from [`least_factor`] on or 0.
#[inline(always)]
pub fn times_sigmoid<L: Lanes>(x: L, v: Argument<L>, limit: f64) -> L {
    let a = x.abs();
    let [high, low] = v.size;
    if !L::GRADUAL {
        let (power, f) = exp_parts_of_minus([high, low]);
        return from_exp(a, power.mul_add(f, power), v.is_positive).copysign(x);
    }
    let is_far = x.splat(limit).lt(high);
    let (power, f) = exp_parts_of_minus([max_size(x).min(high), low]);
    let lift = x.splat_bits(u64::from(scale_exponent::<L::Float>()) << format::<L::Float>().exponent_shift);
    let power = L::select(is_far, power.add_bits(lift), power);
    let e = power.mul_add(f, power);
    let up = x.splat(SCALE_UP[usize::from(!L::Float::IS_F32)]);
    let down = x.splat(1.0 / SCALE_UP[usize::from(!L::Float::IS_F32)]);
    let is_tiny = a.lt(least_factor(x));
    let near = x.splat(L::Float::MAX_FINITE).min(L::select(is_tiny, a * up, a));
    let y = from_exp(near, L::select(is_far, x.splat(1.0), e), v.is_positive);
    let y = L::select(is_tiny, y * down, y);
    let zero = x.splat(0.0);
    let far = L::select(max_size(x).le(high), zero, times_far(e, a));
    let far = L::select(v.is_positive, a, far);
    L::select(is_far, far, y).copysign(x)
}

/// The result from e = e^-u: positive if v is, else negative.
#[inline(always)]
fn from_exp<L: Lanes>(a: L, e: L, is_positive: L::Mask) -> L {
    let zero = a.splat(0.0);
    let mut q = e / (a.splat(1.0) + e);
    if !L::FUSED {
        // The product with w is a number of its own, and a tiny one changes nothing.
        q = L::select(q.lt(a.splat(2_f64.powi(-60))), zero, q);
    }
    let w = a * e;
    w.mul_add(q, L::select(is_positive, a, zero) - w)
}

/// factor 2^-64 (2^-256) times `scaled`, where the result may be subnormal.
#[inline(always)]
fn times_far<L: Lanes>(scaled: L, factor: L) -> L {
    let down = factor.splat(2_f64.powi(-(scale_exponent::<L::Float>() as i32)));
    let is_large = factor.splat(1.0).le(factor.abs());
    // The power of two goes where nothing becomes subnormal or overflows on the way.
    let (first, second) = (L::select(is_large, down, scaled), L::select(is_large, scaled, down));
    factor * first * second
}

/// dy times the gradient of x sigmoid(v), `slope` being x times the derivative of v. On plain lanes for |v| up to `limit`.
#[inline(always)]
pub fn times_sigmoid_gradient<L: Lanes>(v: Argument<L>, slope: L, dy: L, limit: f64) -> L {
    if !L::GRADUAL {
        let (power, f) = exp_parts_of_minus(v.size);
        return dy * slope_from_exp(power.mul_add(f, power), v.is_positive, slope);
    }
    let ([high, low], zero, one) = (v.size, dy.splat(0.0), dy.splat(1.0));
    let (limit, last) = (dy.splat(limit), dy.splat(LAST_SIZE));
    let is_far = limit.lt(high);
    // Far from 0 the sigmoid of a negative v is e, and that of a positive v is 1.
    let deep = Deep::new(limit.lt(L::select(v.is_positive, zero, high)));
    let end = dy.splat(if L::Float::IS_F32 { 200.0 } else { LAST_SIZE });
    let size = L::select(v.is_positive, limit, end).min(high);
    let (power, f) = exp_parts_of_minus([deep.quarter(size), deep.quarter(low)]);
    let power = power.add_bits(deep.lift(dy));
    let e = power.mul_add(f, power);
    let near = slope_from_exp(L::select(is_far, one, e), v.is_positive, slope);
    let far = L::select(v.is_positive, one, e * (one + slope));
    let negative = L::select(v.is_positive, zero, high);
    let gradient = deep.product(dy, e, L::select(is_far, far, near), last.lt(negative));
    L::select(last.lt(negative), dy * zero, gradient)
}

/// Where v is lower, its sigmoid is 0, times any dy, in `f64` too.
const LAST_SIZE: f64 = 1490.0;

/// s (1 + slope t), from e = e^-u.
#[inline(always)]
fn slope_from_exp<L: Lanes>(e: L, is_positive: L::Mask, slope: L) -> L {
    let one = e.splat(1.0);
    let sum = one + e;
    let inverse = one / sum;
    // Without the rounding error of the sum.
    let larger = (inverse * (e - (sum - one))).neg_mul_add(inverse, inverse);
    let smaller = e * larger;
    let (s, t) = (L::select(is_positive, larger, smaller), L::select(is_positive, smaller, larger));
    s * slope.mul_add(t, one)
}

/// The limits on |v| for plain lanes: for the value, and for the gradient, whose product with dy has to be normal.
#[inline(always)]
pub fn limits<L: Lanes>() -> [f64; 2] {
    let [fused, unfused] = format::<L::Float>().max_ordinary;
    let for_value = if L::FUSED { fused } else { unfused };
    [for_value, for_value.min(if L::Float::IS_F32 { 40.0 } else { 300.0 })]
}
