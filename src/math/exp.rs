//! The exponential: the core of exp, sigmoid, tanh and softmax.
//!
//! # Outline
//!
//! Every form splits x into a power of two and a small rest:
//!
//! ```text
//! n = x / ln 2, rounded to a multiple of 1/8 (f32 with FMA) or of 1 (elsewhere)
//! r = x - n ln 2                          |r| <= ln 2 / 16 or ln 2 / 2
//! f = e^r - 1, by a polynomial in r
//! e^x = 2^n (1 + f) = fma(2^n, f, 2^n)
//! ```
//!
//! **Rounding x / ln 2.** Adding the large constant 1.5 * 2^k rounds the sum to the spacing of the format at 2^k: 1 for
//! k = 23 in `f32` and k = 52 in `f64`, 1/8 for k = 20 in `f32`. The factor 1.5 keeps the sum between 2^k and 2^(k+1)
//! for negative n too. The low bits of the sum are then n (or 8 n) as a two's complement integer, so a shift turns them
//! into an exponent. No conversion to integers is needed, and no rounding mode. Subtracting the constant gives n as a
//! float.
//!
//! **The rest.** n ln 2 is nearly as large as x, so ln 2 is carried in two parts and r = (x - n high) - n low. With FMA
//! the products are not rounded. Without it the last bits of `high` are 0, so that n `high` is exact.
//!
//! # With FMA, `f32`: eighths and a table
//!
//! With n a multiple of 1/8, |r| is at most 0.044 and a cubic suffices. Below, i is the integer 8 n, and j its low
//! three bits:
//!
//! ```text
//! z     = fma(x, log2 e, 1.5 * 2^20)
//! n     = z - 1.5 * 2^20
//! r     = fma(-n, low, fma(-n, high, x))
//! f     = cubic(r)                                    e^r / g - 1
//! power = bits(TABLE[j]) + (bits(z) << 20)            g 2^n
//! e^x   = fma(power, f, power)
//! ```
//!
//! The shift by 20 moves i so that its integer part, i >> 3, reaches the exponent field (bit 23). Its low bits j then
//! stand in the top three bits of the fraction, where they do not belong: each table entry has j << 20 subtracted in
//! advance. The table has eight entries because an eight-lane permute is one instruction on AVX2 and AVX-512.
//!
//! Rounded to `f32`, the eight values 2^(j/8) would each be off by up to half an ulp. So the table holds g 2^(j/8)
//! instead, and the polynomial is that of e^r / g. The factor g close to 1 is free, and was searched for so that all
//! eight products lie very close to an `f32`. No table of low parts is needed.
//!
//! # Elsewhere: whole powers of two
//!
//! Without FMA a table is slow, because SSE2 has no permute by a variable index. More important, a product with a power
//! of two is exact: `power * f + power` then rounds once even where the product and the sum are separate instructions.
//! `f64` uses the same form on every instruction set, since the lookup has `f32` entries only. |r| is up to 0.35, which
//! takes polynomials of degree 6 (`f32`) and 11 (`f64`).
//!
//! # Error
//!
//! `power` and f stay apart until the last multiply-add. Rounding 1 + f first would add half an ulp. As it is, f is
//! small, so an error in f or r counts for little: in `f32` with FMA |f| < 0.047, and each rounding on the way to f is
//! worth a few hundredths of an ulp. There the error in ulp is at most about
//!
//! ```text
//! 0.5  the last multiply-add  +  0.322  the cubic  +  0.047  the table  +  the roundings of r and f
//! ```
//!
//! The measured maxima over all inputs are in the documentation of [`Exp`](crate::Exp).
//!
//! # The ends of the format
//!
//! [`exp`] on plain lanes wants |x| <= [`max_ordinary`]: all numbers on the way are then normal. NaN needs no care,
//! because f is NaN for it whatever the integer arithmetic made of `power`. A subnormal x would make the first product
//! subnormal, at the price of a microcode assist, so a constant too small to matter (2^-60 in `f32`) is added
//! to x first.
//!
//! On [`Gradual`](crate::lanes::Gradual) lanes every x is allowed:
//!
//! ```text
//! x     = x limited to [-105, 90] in f32, [-750, 711] in f64      beyond these e^x is 0 or inf; NaN stays NaN
//! power = 2^(n + 64) if x < 0 else 2^(n - 64)                     an addition to the exponent field
//! y     = fma(power, f, power)                                    a normal number
//! e^x   = y 2^-64 if x < 0 else y 2^64                            may be subnormal or infinite
//! ```
//!
//! The factor 2^64 does not change how y is rounded, so both ways give the same bits where e^x is normal. Only the last
//! product meets the end of the format, where a subnormal result is rounded a second time. In `f32` that product is a
//! subtraction of 64 from the exponent in `f64` and a conversion, which takes no assist for a subnormal `f32`.
//!
//! # The forms
//!
//! | form | result | used by |
//! |---|---|---|
//! | [`exp`] | e^x | exp, sigmoid, binary cross-entropy; in `f64` lanes the exact tier of exp |
//! | [`exp_or_expm1`], [`exp_of_negative`] | e^x, or e^x - 1 | the gradient of log-softmax |
//! | [`exp_parts`] | power and f with e^x = power (1 + f) | tanh without a table, which needs 1 - e^x without cancellation |
//! | [`exp_scaled`] | e^x times a power of two of the caller's choice | the terms of a softmax row |
//! | [`short_exp`] | e^x to 33 binary digits, in `f64` lanes | the terms of the exact softmax, rounded to `f32` in the end |
//! | [`exp_parts_of_sum`] | power and f of e^(x + low) | the gates of SiLU and its relatives |
//! | [`exp_quotient`] | numerator and denominator of e^x, in `f64` lanes | exact sigmoid and tanh, which divide anyway |
//!
//! # Constants
//!
//! `scripts/constants.py` searches for g and the table, fits every polynomial with Sollya's `fpminimax` among those
//! whose coefficients the format can represent, and prints the errors quoted at each constant.

use crate::lanes::{Lanes, Real};

/// The constants of the exponential that depend on the element type.
pub struct Format {
    /// Largest |x| for which e^x, 1 + e^x and all intermediates are normal. First with FMA, then without: there each
    /// product is a number of its own and has to be normal too, and so has e^2x, a product in the sigmoid.
    pub max_ordinary: [f64; 2],
    /// Below the first e^x rounds to 0, above the second e^x overflows.
    pub limits: [f64; 2],
    /// The position of the exponent field in the bit pattern.
    pub exponent_shift: u32,
    /// 1.5 * 2^k with a spacing of 1: adding it rounds to an integer, which stands in the low bits of the sum.
    pub rounder: f64,
    /// A number too small to change any result when it is added to x, and large enough for its square to be normal.
    pub negligible: f64,
}

const F32: Format = Format {
    max_ordinary: [87.0, 40.0],
    limits: [-105.0, 90.0],
    exponent_shift: 23,
    rounder: 1.5 * (1_u64 << 23) as f64,
    negligible: 1.0 / (1_u64 << 60) as f64,
};

const F64: Format = Format {
    max_ordinary: [708.0, 340.0],
    limits: [-750.0, 711.0],
    exponent_shift: 52,
    rounder: 1.5 * (1_u64 << 52) as f64,
    negligible: 1.0 / (1_u128 << 100) as f64,
};

/// The constants for an element type.
#[inline(always)]
pub const fn format<T: Real>() -> Format {
    if T::IS_F32 { F32 } else { F64 }
}

/// `shifted` is n + [`rounder`](Format::rounder) for an integer n. The result is n in the exponent field:
/// [`add_bits`](Lanes::add_bits) of it multiplies a number by 2^n.
#[inline(always)]
pub fn exponent_bits<L: Lanes>(shifted: L) -> L {
    if L::Float::IS_F32 {
        shifted.shl_bits::<{ F32.exponent_shift }>()
    } else {
        shifted.shl_bits::<{ F64.exponent_shift }>()
    }
}

/// `(power, f)` with e^x = power (1 + f), for |x| < 2^18, beyond which 8 n does not fit the low bits of its sum.
///
/// The exponent of `power` wraps around where it leaves the format. A caller may add to it to bring it back.
///
/// Without FMA the rest r is accurate for |x| < 2^10 at least: there n times the first part of ln 2 is exact.
#[inline(always)]
pub fn exp_parts<L: Lanes>(x: L) -> (L, L) {
    if !L::Float::IS_F32 {
        return parts_without_table(x, &LN_2_PARTS, &EXPM1);
    }
    if !L::FUSED {
        return parts_without_table(x, &LN_2_SHORT_F32, &EXPM1_F32);
    }
    let (power, r) = reduce_to_eighths(x);
    (power, polynomial(&SCALED_EXPM1, r))
}

/// `(power, f)` with e^(x + low) = power (1 + f), for an x as in [`exp_parts`] and a small `low`, or none. The exponential
/// has little more than half an ulp of error, for functions that have errors of their own.
#[inline(always)]
pub fn exp_parts_of_sum<L: Lanes>(x: L, low: Option<L>) -> (L, L) {
    let (power, mut r) = match (L::Float::IS_F32, L::FUSED) {
        (true, true) => reduce_to_eighths(x),
        (true, false) => reduce(x, &LN_2_SHORT_F32),
        (false, _) => reduce(x, &LN_2_PARTS),
    };
    if let Some(low) = low {
        r = r + low;
    }
    if L::Float::IS_F32 && L::FUSED {
        return (power, polynomial(&SCALED_EXPM1_QUARTIC, r));
    }
    (power, expm1(r, if L::Float::IS_F32 { &EXPM1_F32 } else { &EXPM1 }))
}

/// (g 2^n, r) with x = n ln 2 + r, n being a multiple of 1/8.
#[inline(always)]
fn reduce_to_eighths<L: Lanes>(x: L) -> (L, L) {
    let rounder = x.splat(1.5 * 2_f64.powi(20));
    let shifted = x.mul_add(x.splat(std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    let (high, low) = (x.splat(LN_2_F32[0]), x.splat(LN_2_F32[1]));
    let r = n.neg_mul_add(low, n.neg_mul_add(high, x));
    (shifted.lookup(&POWERS).add_bits(shifted.shl_bits::<20>()), r)
}

/// x 2^-64 for a positive normal x. A subnormal result is rounded once, without a microcode assist.
#[inline(always)]
pub(super) fn shift_down<L: Lanes>(x: L) -> L {
    if !L::Float::IS_F32 {
        return x.gradual_mul(x.splat(2_f64.powi(-64)));
    }
    // In `f64` the quotient is a normal number. The conversion to `f32` rounds it.
    let [a, b] = x.widen();
    let exponent = a.splat_bits(64 << F64.exponent_shift);
    L::narrow([a.sub_bits(exponent), b.sub_bits(exponent)])
}

/// The bit patterns of g 2^(j/8), minus j << 20, which the shifted sum adds. g = 0.9974389690160751.
///
/// g was searched for so that all eight products lie within 0.047 * 2^-24 of an `f32`. [`SCALED_EXPM1`] contains 1 / g.
pub(super) const POWERS: [f32; 8] = [
    f32::from_bits(0x3f7f5829),
    f32::from_bits(0x3f7b3a3e),
    f32::from_bits(0x3f77d424),
    f32::from_bits(0x3f759202),
    f32::from_bits(0x3f748e45),
    f32::from_bits(0x3f74e5be),
    f32::from_bits(0x3f76b7da),
    f32::from_bits(0x3f7a26de),
];

/// e^r / g - 1 on |r| <= ln 2 / 16, error 0.322 * 2^-24.
const SCALED_EXPM1: [f64; 4] =
    [0.002_567_588_351_666_927_3, 1.002_567_648_887_634_3, 0.501_362_264_156_341_6, 0.167_081_788_182_258_6];

/// The same of degree 4, error 0.0006 * 2^-24.
pub(super) const SCALED_EXPM1_QUARTIC: [f64; 5] = [
    0.002_567_606_512_457_132_3,
    1.002_567_648_887_634_3,
    0.501_283_764_839_172_4,
    0.167_088_121_175_766,
    0.041_810_847_818_851_47,
];

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, error of e^r 0.131 * 2^-24.
const EXPM1_F32: [f64; 5] =
    [0.5, 0.166_665_762_662_887_57, 0.041_666_463_017_463_684, 0.008_363_278_582_692_146, 0.001_393_534_126_691_52];

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, error of e^r 0.12 * 2^-53.
const EXPM1: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_74,
    0.041_666_666_666_623_14,
    0.008_333_333_333_322_578,
    0.001_388_888_891_751_392_6,
    0.000_198_412_698_856_623_66,
    2.480_152_095_959_149e-5,
    2.755_724_325_493_268e-6,
    2.762_021_398_759_872_6e-7,
    2.510_973_668_754_518_6e-8,
];

/// ln 2 rounded to `f32`, and the rest of it, for products that are not rounded.
const LN_2_F32: [f64; 2] = [0.693_147_182_464_599_6, -1.904_654_212_125_933_5e-9];

/// ln 2 in two parts for `f32` without FMA. The first is 355 / 512: nine digits, so that n times it is exact.
const LN_2_SHORT_F32: [f64; 2] = [0.693_359_375, -2.121_944_400_546_905_8e-4];

/// ln 2 in two parts for `f64`. The first ends in 11 zero bits, so that n times it is exact for |n| < 2^11.
pub(super) const LN_2_PARTS: [f64; 2] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14];

/// (2^n, r) with x = n ln 2 + r for an integer n. `ln_2` holds the parts of ln 2, the largest first.
#[inline(always)]
fn reduce<L: Lanes>(x: L, ln_2: &[f64]) -> (L, L) {
    let rounder = x.splat(format::<L::Float>().rounder);
    let shifted = x.mul_add(x.splat(std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    let mut r = x;
    for k in 0..ln_2.len() {
        r = n.neg_mul_add(x.splat(ln_2[k]), r);
    }
    (exponent_bits(shifted).add_bits(x.splat(1.0)), r)
}

/// The polynomial with coefficients `c`, the constant first, by Horner's rule.
#[inline(always)]
pub(super) fn polynomial<L: Lanes>(c: &[f64], x: L) -> L {
    let mut sum = x.splat(c[c.len() - 1]);
    for k in (0..c.len() - 1).rev() {
        sum = sum.mul_add(x, x.splat(c[k]));
    }
    sum
}

/// [`exp_parts`] with whole powers of two.
#[inline(always)]
fn parts_without_table<L: Lanes>(x: L, ln_2: &[f64], expm1: &[f64]) -> (L, L) {
    let (power, r) = reduce(x, ln_2);
    (power, self::expm1(r, expm1))
}

/// e^r - 1 for |r| <= ln 2 / 2, from the coefficients of (e^r - 1 - r) / r^2.
#[inline(always)]
fn expm1<L: Lanes>(r: L, coefficients: &[f64]) -> L {
    // r^2 by a multiply-add: on gradual lanes `*` would take the long way, which r^2, being normal or 0, does not need.
    r.mul_add(r, r.splat(0.0)).mul_add(polynomial(coefficients, r), r)
}

/// e^r - 1 in `f64` for |r| <= ln 2 / 2.
#[inline(always)]
pub(super) fn whole_expm1<L: Lanes>(r: L) -> L {
    expm1(r, &EXPM1)
}

/// e^x in `f64` lanes to 33 binary digits, for |x| up to 700. One part of ln 2 and a short polynomial are enough for
/// that.
#[inline(always)]
pub fn short_exp<L: Lanes>(x: L) -> L {
    let (power, r) = reduce(x, &[std::f64::consts::LN_2]);
    power.mul_add(r * polynomial(&SHORT, r), power)
}

/// (e^r - 1) / r on |r| <= ln 2 / 2, error of e^r 0.0014 * 2^-24.
const SHORT: [f64; 7] = [
    0.999_999_999_991_003_3,
    0.500_000_004_716_565_1,
    0.166_666_668_538_358_26,
    0.041_666_352_695_214_55,
    0.008_333_268_545_575_784,
    0.001_394_112_465_955_631_8,
    0.000_199_158_916_803_070_78,
];

/// e^x in `f64` lanes as a quotient whose division is left to the caller: (s, q, r) with e^x = s (q + r) / (q - r),
/// where s is a power of two, |r| <= ln 2 / 2, and q = r coth(r / 2), which is close to 2.
///
/// A caller that divides anyway, as in e^x / (1 + e^x), needs one division for both. q is an even function of r, so
/// that half as many coefficients do.
#[inline(always)]
pub fn exp_quotient<L: Lanes>(x: L) -> (L, L, L) {
    let (s, r) = reduce(x, &LN_2_PARTS);
    let square = r * r;
    (s, polynomial(&COTH, square).mul_add(square, x.splat(2.0)), r)
}

/// (r coth(r / 2) - 2) / r^2 in r^2 on |r| <= ln 2 / 2, error of e^r 0.012 * 2^-53.
const COTH: [f64; 5] = [
    0.166_666_666_666_666_6,
    -0.002_777_777_777_754_948_5,
    6.613_756_467_159_668e-5,
    -1.653_405_508_012_235e-6,
    4.143_582_829_819_664_5e-8,
];

/// The largest |x| that [`exp`] takes on plain lanes, in every lane: see [`Format::max_ordinary`].
#[inline(always)]
pub fn max_ordinary<L: Lanes>(like: L) -> L {
    let [fused, unfused] = format::<L::Float>().max_ordinary;
    like.splat(if L::FUSED { fused } else { unfused })
}

/// e^x. On plain lanes for |x| up to [`max_ordinary`] and NaN, on gradual lanes for every x.
#[inline(always)]
pub fn exp<L: Lanes>(x: L) -> L {
    // No x is subnormal from here on: that would cost a microcode assist in the multiplication.
    exp_of_normal(x + x.splat(format::<L::Float>().negligible))
}

/// [`exp`] of an x that is not subnormal.
#[inline(always)]
pub fn exp_of_normal<L: Lanes>(x: L) -> L {
    if !L::GRADUAL {
        let (power, f) = exp_parts(x);
        return power.mul_add(f, power);
    }
    let Format { limits: [lowest, highest], exponent_shift, .. } = format::<L::Float>();
    let x = x.splat(lowest).max(x.splat(highest).min(x));
    // 2^64 towards 1 first, so that only the last product is subnormal or overflows.
    let (power, f) = exp_parts(x);
    let is_negative = x.lt(x.splat(0.0));
    let shift = 64_u64 << exponent_shift;
    let shift = L::select(is_negative, x.splat_bits(shift), x.splat_bits(shift.wrapping_neg()));
    let power = power.add_bits(shift);
    let near_1 = power.mul_add(f, power);
    // A multiply-add, because `*` on gradual lanes takes the long way. Adding -0 changes nothing.
    let large = near_1.mul_add(x.splat(2_f64.powi(64)), x.splat(-0.0));
    L::select(is_negative, shift_down(near_1), large)
}

/// e^x, and e^x - 1 where `is_less_1` holds, both relatively accurate, for |x| up to [`max_ordinary`] and NaN.
///
/// It is fma(power, f, power - 1), where power is a whole power of two: 1 for the smallest |x|, so that nothing cancels.
#[inline(always)]
pub fn exp_or_expm1<L: Lanes>(is_less_1: L::Mask, x: L) -> L {
    // Below this |x|, e^x - 1 rounds to x or to its neighbour, and e^x to 1.
    let cut = x.splat(if L::Float::IS_F32 { 2_f64.powi(-26) } else { 2_f64.powi(-55) });
    let is_small = x.abs().lt(cut);
    // No multiplication sees a subnormal x.
    let inner = L::select(is_small, cut, x);
    let (power, f) = whole_parts(inner);
    let result = power.mul_add(f, L::select(is_less_1, power - x.splat(1.0), power));
    L::select(is_small, L::select(is_less_1, x, x.splat(1.0)), result)
}

/// e^x with the bits of [`exp_or_expm1`], for x between -[`max_ordinary`] and -0.1, and NaN.
#[inline(always)]
pub fn exp_of_negative<L: Lanes>(x: L) -> L {
    let (power, f) = whole_parts(x);
    power.mul_add(f, power)
}

/// [`exp_parts`] with a whole power of two.
#[inline(always)]
fn whole_parts<L: Lanes>(x: L) -> (L, L) {
    if L::Float::IS_F32 && L::FUSED { parts_without_table(x, &LN_2_F32, &EXPM1_F32) } else { exp_parts(x) }
}

/// e^x times a power of two, which is given by its exponent in the position of the [exponent field](exponent_bits).
///
/// For |x| as in [`exp_parts`], where the result is normal.
#[inline(always)]
pub fn exp_scaled<L: Lanes>(x: L, exponent: L) -> L {
    let (power, f) = exp_parts(x);
    let power = power.add_bits(exponent);
    power.mul_add(f, power)
}
