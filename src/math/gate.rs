//! x times a sigmoid, for SiLU and its relatives, and the gradient of that.
//!
//! The sigmoid's argument v is a multiple of x, or a polynomial in it. With u = |v| and a = |x|:
//!
//! ```text
//! e  = e^-u                          u in two parts where it is rounded: the error counts u times
//! q  = e / (1 + e)
//! w  = a e
//! y  = a - w + w q   if v >= 0       a / (1 + e)
//!    =     w - w q   if v < 0        a e / (1 + e)
//! ```
//!
//! and the result has the sign of x. Both forms keep the largest term apart: the rounding of 1 + e and of the division
//! counts only by the size of w q. For negative v the result is small and has the relative error of w.
//!
//! The gradient of x sigmoid(v) is s (1 + x v' t), where s = sigmoid(v) and t = 1 - s. With m = 1 + x v' it is
//!
//! ```text
//! (1 + m e) / (1 + e)^2            if v >= 0
//! (e^2 + m e) / (1 + e)^2          if v < 0
//! ```
//!
//! m is where the gradient cancels. It is computed from both parts of x v', so that it is rounded once. (1 + e)^2 is
//! 1 + e (2 + e), where the first rounding error counts only by the size of e.
//!
//! # Far from 0
//!
//! Plain lanes take u up to a limit, for which e and all products are normal. Beyond it, on gradual lanes, y is a or a e,
//! since q is far below the last digit. There e^-u is computed as e^-u 2^64 (2^256 in `f64`), and the last product, which
//! may be subnormal, takes the power of two away.

use super::exp::{exp_parts_of_sum, format};
use super::{Deep, LAST_SIZE, least_factor, times};
use crate::lanes::{Element, Lanes, Real};

/// The argument v of a sigmoid.
#[derive(Clone, Copy)]
pub struct Argument<L: Lanes> {
    /// Whether v >= 0.
    pub is_positive: L::Mask,
    /// |v|, as a sum of two numbers, the second small. One number is enough where |v| is not rounded.
    pub size: (L, Option<L>),
}

/// The exponent of the power of two that keeps small exponentials normal, by element type.
#[inline(always)]
const fn scale_exponent<T: Real>() -> i32 {
    if T::IS_F32 { 64 } else { 256 }
}

/// The limit on u for gradual lanes. Beyond it e^-u times anything that it meets here is 0.
#[inline(always)]
fn max_size<L: Lanes>(like: L) -> L {
    like.splat(if L::Float::IS_F32 { 131.0 } else { 880.0 })
}

/// `(power, f)` with e^-u = power (1 + f).
#[inline(always)]
fn exp_parts_of_minus<L: Lanes>((high, low): (L, Option<L>)) -> (L, L) {
    let zero = high.splat(0.0);
    let Some(low) = low else { return exp_parts_of_sum(zero - high, None) };
    // Where digits are cut off to have exact products, the second part may be large. This moves it to the first.
    let sum = if L::FUSED { high } else { high + low };
    let rest = if L::FUSED { low } else { low - (sum - high) };
    exp_parts_of_sum(zero - sum, Some(zero - rest))
}

/// |x|. On gradual lanes between `least` and `most`, and a signalling NaN is made a quiet one, which stays NaN where
/// digits are cut off.
#[inline(always)]
pub fn magnitude<L: Lanes>(x: L, least: f64, most: f64) -> L {
    let a = x.abs();
    if L::GRADUAL { x.splat(least).max(x.splat(most).min(a)) + x.splat(0.0) } else { a }
}

/// The product of two numbers that end in this many zero bits is exact.
const fn half_of_digits<T: Real>() -> u32 {
    if T::IS_F32 { 12 } else { 27 }
}

/// A constant as a sum of two numbers, for [`product_in_parts`]. With FMA the first ends in `zeros` zero bits.
#[inline(always)]
pub fn constant_in_parts<L: Lanes>(constant: f64, zeros: u32) -> [f64; 2] {
    let zeros = if L::FUSED { zeros } else { half_of_digits::<L::Float>() };
    // An `f32` has 29 digits less than an `f64`.
    let cut = zeros + if L::Float::IS_F32 { 29 } else { 0 };
    let first = f64::from_bits(L::Float::from_f64(constant).to_f64().to_bits() >> cut << cut);
    [first, constant - first]
}

/// a (high + low) as a sum of two numbers, the second small. No rounding error of a product may be subnormal. Without FMA
/// `high` must have half of the digits only.
#[inline(always)]
pub fn product_in_parts<L: Lanes>(a: L, [high, low]: [L; 2]) -> (L, Option<L>) {
    if L::FUSED {
        let product = times(a, high);
        let lost = a.mul_add(high, a.splat(-0.0) - product);
        return (product, Some(a.mul_add(low, lost)));
    }
    let head = head(a);
    (times(head, high), Some((a - head).mul_add(high, times(a, low))))
}

/// The first half of the digits of each lane.
#[inline(always)]
pub fn head<L: Lanes>(x: L) -> L {
    if L::Float::IS_F32 { x.shr_bits::<12>().shl_bits::<12>() } else { x.shr_bits::<27>().shl_bits::<27>() }
}

/// x sigmoid(v). On plain lanes for |v| up to `limit`, and |x| from [`least_factor`] on or 0.
#[inline(always)]
pub fn times_sigmoid<L: Lanes>(x: L, v: Argument<L>, limit: f64) -> L {
    let a = x.abs();
    let (high, low) = v.size;
    if !L::GRADUAL {
        let (power, f) = exp_parts_of_minus(v.size);
        return from_exp(a, power.mul_add(f, power), v.is_positive).copysign(x);
    }
    let (one, zero, is_far, is_tiny) = (x.splat(1.0), x.splat(0.0), x.splat(limit).lt(high), a.lt(least_factor(x)));
    let (power, f) = exp_parts_of_minus((max_size(x).min(high), low));
    let scale = x.splat_bits((scale_exponent::<L::Float>() as u64) << format::<L::Float>().exponent_shift);
    let power = L::select(is_far, power.add_bits(scale), power);
    let e = power.mul_add(f, power);
    let near = x.splat(L::Float::MAX_FINITE).min(L::select(is_tiny, one, a));
    let near = from_exp(near, L::select(is_far, one, e), v.is_positive);
    // The sigmoid of a tiny number rounds to 1/2.
    let (near, last_of_near) = (L::select(is_tiny, a, near), L::select(is_tiny, x.splat(0.5), one));
    // Far from 0 a e, in an order of the factors in which nothing becomes subnormal or overflows before the last product.
    let a_far = L::select(is_far, a, one);
    let down = x.splat(2_f64.powi(-scale_exponent::<L::Float>()));
    let is_large = one.le(a_far);
    let far = times(a_far, L::select(is_large, down, e));
    let last = L::select(is_large, e, down);
    let y = L::select(is_far, far, near) * L::select(is_far, last, last_of_near);
    let y = L::select(max_size(x).le(high), zero, y);
    let of_positive = L::select(is_far, a, y);
    L::select(v.is_positive, of_positive, y).copysign(x)
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
    let w = times(a, e);
    w.mul_add(q, L::select(is_positive, a, zero) - w)
}

/// dy times the gradient of x sigmoid(v), `slope` being |x v'| as a sum like that of [`Argument::size`]. x v' has the sign of
/// v. On plain lanes for |v| up to `limit`.
#[inline(always)]
pub fn times_sigmoid_gradient<L: Lanes>(v: Argument<L>, slope: (L, Option<L>), dy: L, limit: f64) -> L {
    let (zero, one) = (dy.splat(0.0), dy.splat(1.0));
    let (first, second) = slope;
    let mut m = L::select(v.is_positive, one + first, one - first);
    if let Some(second) = second {
        m = m + L::select(v.is_positive, second, zero - second);
    }
    if !L::GRADUAL {
        let (power, f) = exp_parts_of_minus(v.size);
        return dy * slope_from_exp(power.mul_add(f, power), v.is_positive, m);
    }
    // Far from 0 the sigmoid of a positive v is 1, and that of a negative v is e.
    let ((high, low), limit) = (v.size, dy.splat(limit));
    let negative = L::select(v.is_positive, zero, high);
    let deep = Deep::new(limit.lt(negative));
    let most = deep.select(dy.splat(Deep::<L>::max_size()), limit);
    let mut size = (deep.quarter(most.min(high)), low);
    if let Some(low) = &mut size.1 {
        *low = deep.quarter(*low);
    }
    let (power, f) = exp_parts_of_minus(size);
    let power = deep.lift(power);
    let e = power.mul_add(f, power);
    let near = slope_from_exp(deep.select(one, e), v.is_positive, m);
    deep.product(dy, e, deep.select(times(e, m), near), dy.splat(LAST_SIZE).lt(negative))
}

/// s (1 + x v' t), from e = e^-u and m = 1 + x v'.
#[inline(always)]
fn slope_from_exp<L: Lanes>(e: L, is_positive: L::Mask, m: L) -> L {
    let one = e.splat(1.0);
    e.mul_add(m, L::select(is_positive, one, times(e, e))) / e.mul_add(e + e.splat(2.0), one)
}

/// The limits on |v| for plain lanes: for the value, and for the gradient, whose product with dy has to be normal.
#[inline(always)]
pub fn limits<L: Lanes>() -> [f64; 2] {
    let [fused, unfused] = format::<L::Float>().max_ordinary;
    let for_value = if L::FUSED { fused } else { unfused };
    [for_value, for_value.min(if L::Float::IS_F32 { 40.0 } else { 300.0 })]
}
