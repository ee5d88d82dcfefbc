//! The exponential.
//!
//! e^x = 2^n (1 + f): n is x / ln 2 rounded to a multiple of 1/8 (fused `f32`) or 1, and f a
//! polynomial in what is left of x. Adding a large constant rounds n and leaves it as an integer in
//! the low bits, where it becomes an exponent by a shift. The eighths come from a table. The power
//! and f are kept apart until the last step, one multiply-add: its rounding is nearly the only one.
//!
//! Constants: `scripts/constants.py`.

use crate::lanes::{Lanes, Real};

/// What the exponential needs to know of an element type.
pub struct Format {
    /// Up to this `|x|` the exponential, and one more than it, is a normal number; the second is for lanes without a
    /// fused multiply-add, where the products on the way are too, and the square.
    pub max_ordinary: [f64; 2],
    /// Below the first the exponential rounds to 0, above the second it overflows.
    pub limits: [f64; 2],
    /// The position of the exponent in the bit pattern.
    pub exponent: u32,
    /// Adding it rounds to an integer, which stands in the low bits.
    pub rounder: f64,
    /// Far below every rounding beside 1, and its square is a normal number.
    pub nothing: f64,
}

const F32: Format = Format {
    max_ordinary: [87.0, 40.0],
    limits: [-105.0, 90.0],
    exponent: 23,
    rounder: 1.5 * (1_u64 << 23) as f64,
    nothing: 1.0 / (1_u64 << 60) as f64,
};

const F64: Format = Format {
    max_ordinary: [708.0, 340.0],
    limits: [-750.0, 711.0],
    exponent: 52,
    rounder: 1.5 * (1_u64 << 52) as f64,
    nothing: 1.0 / (1_u128 << 100) as f64,
};

/// The format of an element type.
#[inline(always)]
pub const fn format<T: Real>() -> Format {
    if T::IS_F32 { F32 } else { F64 }
}

/// The integer that adding [`rounder`](Format::rounder) left in the low bits, as what it adds to an exponent.
#[inline(always)]
pub fn exponent_bits<L: Lanes>(shifted: L) -> L {
    if L::Float::IS_F32 { shifted.shl_bits::<{ F32.exponent }>() } else { shifted.shl_bits::<{ F64.exponent }>() }
}

/// `(power, f)` with e^x = power (1 + f), for `|x| < 2^18`.
///
/// The power's exponent wraps around where it leaves the format.
#[inline(always)]
pub fn exp_parts<L: Lanes>(x: L) -> (L, L) {
    if !L::Float::IS_F32 {
        return by_powers_of_two(x, &LN_2, &EXPM1);
    }
    if !L::FUSED {
        // No table: lookups are slow there, and a power of two makes the products with it exact. Nor is n times the
        // first part of ln 2 rounded: it has 10 bits.
        return by_powers_of_two(x, &[0.693_359_375, -2.121_944_400_546_905_8e-4], &EXPM1_F32);
    }
    let rounder = x.splat(1.5 * 2_f64.powi(20));
    let shifted = x.mul_add(x.splat(std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    let (high, low) = (x.splat(0.693_147_182_464_599_6), x.splat(-1.904_654_212_125_933_5e-9));
    let r = n.neg_mul_add(low, n.neg_mul_add(high, x));
    let f = x.splat(C[3]).mul_add(r, x.splat(C[2])).mul_add(r, x.splat(C[1])).mul_add(r, x.splat(C[0]));
    (shifted.lookup(&POWERS).add_bits(shifted.shl_bits::<20>()), f)
}

/// `x 2^-64`, rounded once though it be subnormal, for a positive normal x.
#[inline(always)]
fn shift_down<L: Lanes>(x: L) -> L {
    if !L::Float::IS_F32 {
        return x.gradual_mul(x.splat(2_f64.powi(-64)));
    }
    let [a, b] = x.widen();
    let exponent = a.splat_bits(64 << F64.exponent);
    L::narrow([a.sub_bits(exponent), b.sub_bits(exponent)])
}

/// g 2^(j/8) less the bits that shifting j to the exponent adds, g = 0.9974389690160751.
///
/// g was searched for so that all eight lie within 0.047 * 2^-24 of an `f32`; 1/g is in the polynomial.
const POWERS: [f32; 8] = [
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
const C: [f64; 4] =
    [0.002_567_588_351_666_927_3, 1.002_567_648_887_634_3, 0.501_362_264_156_341_6, 0.167_081_788_182_258_6];

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

/// The first part of ln 2 ends in 11 zero bits, so that n times it is exact.
const LN_2: [f64; 2] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14];

/// (2^n, r) with x = n ln 2 + r, ln 2 being the sum of these.
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

/// c[0] + c[1] x + ...
#[inline(always)]
fn polynomial<L: Lanes>(c: &[f64], x: L) -> L {
    let mut sum = x.splat(c[c.len() - 1]);
    for k in (0..c.len() - 1).rev() {
        sum = sum.mul_add(x, x.splat(c[k]));
    }
    sum
}

/// The parts of the exponential without a table.
#[inline(always)]
fn by_powers_of_two<L: Lanes>(x: L, ln_2: &[f64], expm1: &[f64]) -> (L, L) {
    let (power, r) = reduce(x, ln_2);
    // r^2 by a multiply-add: it needs no care for subnormals.
    (power, r.mul_add(r, x.splat(0.0)).mul_add(polynomial(expm1, r), r))
}

/// e^x in `f64` lanes to 33 binary digits, for `|x|` up to 700.
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

/// e^x in `f64` lanes as a quotient that nobody has divided yet: (s, q, r) with e^x = s (q + r) / (q - r), a power of two
/// s, and q = r coth(r / 2), which is close to 2.
#[inline(always)]
pub fn exp_quotient<L: Lanes>(x: L) -> (L, L, L) {
    let (s, r) = reduce(x, &LN_2);
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

/// The largest `|x|` for which [`exp`] works on plain lanes, in every lane.
#[inline(always)]
pub fn max_ordinary<L: Lanes>(like: L) -> L {
    let [fused, unfused] = format::<L::Float>().max_ordinary;
    like.splat(if L::FUSED { fused } else { unfused })
}

/// e^x: on plain lanes for `|x|` up to [`max_ordinary`], on gradual ones for every x.
#[inline(always)]
pub fn exp<L: Lanes>(x: L) -> L {
    // It keeps a subnormal x out of the multiplications.
    let x = x + x.splat(format::<L::Float>().nothing);
    if !L::GRADUAL {
        let (power, f) = exp_parts(x);
        return power.mul_add(f, power);
    }
    let Format { limits: [least, most], exponent, .. } = format::<L::Float>();
    let x = x.splat(least).max(x.splat(most).min(x));
    // Close to 1 first, by 2^64 up or down: the last product alone is subnormal or overflows.
    let (power, f) = exp_parts(x);
    let is_negative = x.lt(x.splat(0.0));
    let shift = 64_u64 << exponent;
    let shift = L::select(is_negative, x.splat_bits(shift), x.splat_bits(shift.wrapping_neg()));
    let power = power.add_bits(shift);
    let near_1 = power.mul_add(f, power);
    let large = near_1.mul_add(x.splat(2_f64.powi(64)), x.splat(-0.0));
    L::select(is_negative, shift_down(near_1), large)
}

/// e^x times a power of two, given as the bits that it adds to the exponent.
#[inline(always)]
pub fn exp_scaled<L: Lanes>(x: L, exponent: L) -> L {
    let (power, f) = exp_parts(x);
    let power = power.add_bits(exponent);
    power.mul_add(f, power)
}
