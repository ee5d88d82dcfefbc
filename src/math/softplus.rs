//! Softplus, ln(1 + e^(rate x)) / rate, and its gradient from the output.
//!
//! ```text
//! e      = e^(-|rate x|)
//! result = max(0, x) + ln(1 + e) / rate
//! ```
//!
//! The product rate x is never rounded: its error would be multiplied by rate x in the result. Instead x is reduced by
//! multiples of ln 2 / rate, and the small rest multiplied by the rate:
//!
//! ```text
//! n      = -|x| rate / ln 2, rounded to a multiple of 1/8 (`f32`) or 1 (`f64`)
//! rest   = -|x| - n ln 2 / rate                      in two parts
//! power (1 + f) = e^(-|rate x|)                      with f = e^(rate rest) - 1
//! ```
//!
//! ln(1 + e) in `f32` with FMA is one of eight polynomials, for eighths of [0, 1], chosen by a lookup. In `f64` it is
//! 2 atanh(s) with s = e / (2 + e), written as e - s (e - 2 s^2 c(s^2)), in which the error of s counts little. `f32`
//! without FMA goes through `f64` lanes, with fewer digits.
//!
//! On gradual lanes, where e is small, the result is e / rate. It is multiplied by 2^64 up to the last step.
//!
//! Constants: `scripts/constants.py`.

use super::exp::{
    POWERS, SCALED_EXPM1_QUARTIC, exp_or_expm1, exponent_bits, format, max_ordinary, polynomial, shift_down, short_exp,
    whole_expm1,
};
use super::{least_factor, margin, times};
use crate::lanes::{Lanes, Real};

/// The rate of a softplus, and numbers that follow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The rate.
    pub rate: f64,
    /// ln 2 / rate in two parts, the first an `f32`.
    ln_2: [f64; 2],
    /// 1 / rate in two parts, the first an `f32`.
    inverse: [f64; 2],
}

impl Rate {
    /// The rate 1.
    pub const ONE: Self = Self::new(1.0);

    /// From 2^-20 to 2^20.
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            ln_2: quotient([std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17], rate),
            inverse: {
                let [high, low] = quotient([1.0, 0.0], rate);
                // A negligible second part is 0, so that products with it are not subnormal.
                [high, if low.abs() < 1e-10 * high { 0.0 } else { low }]
            },
        }
    }

    /// The power of two in the rate.
    #[inline(always)]
    fn exponent(&self) -> i64 {
        (self.rate.to_bits() >> 52) as i64 - 1023
    }
}

/// The quotient of a number in two parts in two parts, the first an `f32`.
const fn quotient(number: [f64; 2], divisor: f64) -> [f64; 2] {
    let first = (number[0] / divisor) as f32 as f64;
    // The products of `first` with both parts of the divisor are exact.
    let high = f64::from_bits(divisor.to_bits() >> 27 << 27);
    let rest = (number[0] - first * high) - first * (divisor - high) + number[1];
    [first, rest / divisor]
}

/// Beyond this |rate x|, ln(1 + e) rounds to e.
const fn ordinary<T: Real>() -> f64 {
    if T::IS_F32 { 40.0 } else { 340.0 }
}

/// From this |rate x| on, the softplus of a negative x rounds to 0.
#[inline(always)]
fn last<T: Real>(rate: &Rate) -> f64 {
    ((if T::IS_F32 { 152.0 } else { 1077.0 }) - rate.exponent() as f64) * std::f64::consts::LN_2
}

/// The margin of [`softplus`].
#[inline(always)]
pub fn softplus_margin<L: Lanes>(x: L, rate: &Rate, limit: L) -> L {
    (x + x.splat(ordinary::<L::Float>() / rate.rate)).min(limit)
}

/// ln(1 + e^(rate x)) / rate.
#[inline(always)]
pub fn softplus<L: Lanes>(x: L, rate: &Rate) -> L {
    if L::Float::IS_F32 && !L::FUSED {
        let [a, b] = x.widen();
        return L::narrow([short_softplus(a, rate), short_softplus(b, rate)]);
    }
    let end = x.splat(ordinary::<L::Float>() / rate.rate);
    let is_low = x.lt(x.splat(0.0) - end);
    let mut limit = end;
    if L::GRADUAL {
        limit = L::select(is_low, x.splat(last::<L::Float>(rate) / rate.rate), end);
    }
    // Not subnormal: e is 1 for so small a number.
    let least = x.splat(if L::Float::IS_F32 { 2_f64.powi(-50) } else { 2_f64.powi(-100) });
    let a = least.max(limit.min(x.abs()));
    let (mut power, f) = exp_of_minus(a, rate);
    if L::GRADUAL {
        // e / rate times 2^64 is e 2^(64 - exponent) divided by a number from 1 to 2.
        let lift = x.splat_bits(((64 - rate.exponent()) as u64) << format::<L::Float>().exponent_shift);
        power = L::select(is_low, power.add_bits(lift), power);
    }
    let e = power.mul_add(f, power);
    let log = ln_1p(if L::GRADUAL { L::select(is_low, x.splat(2_f64.powi(-50)), e) } else { e });
    let y = divide(log, rate, 1.0) + x.splat(0.0).max(x);
    let power_of_two = f64::from_bits(((1023 + rate.exponent()) as u64) << 52);
    if L::GRADUAL { L::select(is_low, shift_down(divide(e, rate, power_of_two)), y) } else { y }
}

/// The same in `f64` lanes, to a little more than the digits of an `f32`, whose range it does not leave.
#[inline(always)]
fn short_softplus<L: Lanes>(x: L, rate: &Rate) -> L {
    let a = x.splat(last::<f32>(rate) / rate.rate).min(x.abs());
    let e = short_exp(times(a, x.splat(-rate.rate)));
    let log = ln_1p_by_quotient(e, &SHORT_ATANH_THIRD);
    log.mul_add(x.splat(1.0 / rate.rate), x.splat(0.0).max(x))
}

/// The number divided by the rate, times a power of two.
#[inline(always)]
fn divide<L: Lanes>(x: L, rate: &Rate, power: f64) -> L {
    let [high, low] = [rate.inverse[0] * power, rate.inverse[1] * power];
    if L::Float::IS_F32 { x.mul_add(x.splat(high), times(x, x.splat(low))) } else { times(x, x.splat(high + low)) }
}

/// `(power, f)` with e^(-rate a) = power (1 + f), to a little more accuracy than [`exp_parts`](super::exp::exp_parts).
#[inline(always)]
pub fn exp_of_minus<L: Lanes>(a: L, rate: &Rate) -> (L, L) {
    let rounder = a.splat(if L::Float::IS_F32 { 1.5 * 2_f64.powi(20) } else { format::<L::Float>().rounder });
    let shifted = a.mul_add(a.splat(-rate.rate * std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    let [high, low] = rate.ln_2;
    // a + n ln 2 / rate
    let rest = n.mul_add(a.splat(low), n.mul_add(a.splat(high), a));
    let r = times(rest, a.splat(-rate.rate));
    if L::Float::IS_F32 {
        let f = polynomial(&SCALED_EXPM1_QUARTIC, r);
        (shifted.lookup(&POWERS).add_bits(shifted.shl_bits::<20>()), f)
    } else {
        (exponent_bits(shifted).add_bits(a.splat(1.0)), whole_expm1(r))
    }
}

/// ln(1 + e) for e in [2^-500, 1].
#[inline(always)]
fn ln_1p<L: Lanes>(e: L) -> L {
    if L::Float::IS_F32 {
        // The three digits behind the point of 1 + e, which must not become 2.
        let interval = e.mul_add(e.splat(0.999_999), e.splat(1.0)).shr_bits::<20>();
        let t = e - interval.lookup(&CENTRE);
        let mut q = interval.lookup(&LN_1P[5]);
        for k in [4, 3, 2, 1] {
            q = q.mul_add(t, interval.lookup(&LN_1P[k]));
        }
        // In the first interval the base is t, and q is 1 less. Elsewhere t is less than the value at the centre.
        return q.mul_add(t, t.max(interval.lookup(&LN_1P[0])));
    }
    ln_1p_by_quotient(e, &ATANH_THIRD)
}

/// ln(1 + e) from the coefficients of (atanh(s) / s - 1) / s^2.
#[inline(always)]
fn ln_1p_by_quotient<L: Lanes>(e: L, coefficients: &[f64]) -> L {
    // Where e is small its square would be subnormal. There the result rounds to e.
    let s = e.splat(2_f64.powi(-200)).max(e) / (e + e.splat(2.0));
    let square = times(s, s);
    s.neg_mul_add((square + square).neg_mul_add(polynomial(coefficients, square), e), e)
}

/// dy times the derivative of softplus, 1 - e^(-rate y), from the output y.
#[inline(always)]
pub fn softplus_gradient<L: Lanes>(y: L, dy: L, rate: &Rate) -> L {
    let least = least_factor(y);
    let factor = y.splat(rate.rate);
    let is_small = y.abs().lt(least);
    let inner = if L::GRADUAL { L::select(is_small, least, y) } else { y };
    let u = y.splat(0.0) - times(inner, factor);
    // An output is not negative, but any number may be given.
    let most = max_ordinary(y);
    let limited = y.splat(-40.0).max(most.min(u));
    let slope = y.splat(0.0) - exp_or_expm1(y.le(y), limited);
    if !L::GRADUAL {
        return dy * slope;
    }
    let slope = L::select(most.lt(u), y.splat(f64::NEG_INFINITY), slope);
    // The slope is the rate times y. The order of the factors is one in which nothing overflows or loses digits on the way.
    let is_large = y.splat(if L::Float::IS_F32 { 2_f64.powi(64) } else { 2_f64.powi(500) }).lt(dy.abs());
    let (first, second) = (L::select(is_large, y, factor), L::select(is_large, factor, y));
    L::select(is_small, dy * first * second, dy * slope)
}

/// The margin of [`softplus_gradient`].
#[inline(always)]
pub fn softplus_gradient_margin<L: Lanes>(y: L, dy: L, rate: &Rate, limit: L) -> L {
    let limit = (y + y.splat(ordinary::<L::Float>() / rate.rate)).min(margin(dy, limit));
    if rate.rate < 1.0 {
        // The slope is about rate y where that is small.
        let y = times(least_factor(y), y.splat(2_f64.powi(-30))).max(y.abs());
        times(y, y.splat(rate.rate)).min(limit)
    } else {
        margin(y, limit)
    }
}

/// (atanh(s) / s - 1) / s^2 in s^2, s up to 1/3, error 0.02 * 2^-53.
const ATANH_THIRD: [f64; 12] = [
    0.333_333_333_333_333_3,
    0.200_000_000_000_014_7,
    0.142_857_142_853_692_55,
    0.111_111_111_485_397_12,
    0.090_909_068_324_286_33,
    0.076_923_910_878_563_73,
    0.066_646_843_280_963_32,
    0.059_133_534_497_041_88,
    0.049_451_638_095_983,
    0.068_329_112_547_398_62,
    -0.035_304_608_253_396_77,
    0.180_904_110_780_621_5,
];

/// The same to fewer digits, error 0.0064 * 2^-24.
const SHORT_ATANH_THIRD: [f64; 5] = [
    0.333_333_336_790_400_8,
    0.199_998_476_303_203_4,
    0.142_964_333_761_109_04,
    0.108_495_525_490_073_19,
    0.116_292_893_176_848_95,
];

/// ln(1 + e) on eighths of [0, 1], relative error at most 0.13 * 2^-24.
const CENTRE: [f32; 8] =
    [0.0, 0.186_759_68, 0.312_152_8, 0.437_077_5, 0.561_320_96, 0.688_031_85, 0.813_086_87, 0.936_607_84];
const LN_1P: [[f32; 8]; 6] = [
    [0.0, 0.171_226_64, 0.271_669_15, 0.362_611_53, 0.445_532_23, 0.523_563_27, 0.595_030_84, 0.660_937_9],
    [-7.531_039e-9, 0.842_630_57, 0.762_106_36, 0.695_856_7, 0.640_483_3, 0.592_405_86, 0.551_545_56, 0.516_366_8],
    [
        -0.499_996_96,
        -0.355_013,
        -0.290_402_92,
        -0.242_108_26,
        -0.205_109_4,
        -0.175_472_36,
        -0.152_101_23,
        -0.133_317_32,
    ],
    [0.333_135_6, 0.199_439_24, 0.147_547_08, 0.112_321_12, 0.087_560_03, 0.069_326_54, 0.055_920_403, 0.045_918_53],
    [
        -0.245_444_2,
        -0.126_281_71,
        -0.084_488_32,
        -0.058_685_888,
        -0.042_114_206,
        -0.030_806_946,
        -0.023_153_549,
        -0.017_784_864,
    ],
    [
        0.155_890_72,
        0.083_848_96,
        0.051_303_215,
        0.031_691_06,
        0.025_259_305,
        0.009_663_763,
        0.011_573_245,
        0.002_300_432_9,
    ],
];
