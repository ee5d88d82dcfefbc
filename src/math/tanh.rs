//! The hyperbolic tangent, by one of two algorithms. Both work on a = |x| and give the result the sign of x, so that
//! the function is odd to the bit.
//!
//! # With FMA, `f32`: eight polynomials
//!
//! [0, 9.1] is cut into eight intervals, beyond which tanh rounds to 1. Each has a centre and a polynomial of degree 6:
//!
//! ```text
//! a = min(9.09, |x|)                        inside the last interval, whose polynomial gives exactly 1 there
//! i = (bits(SCALE a + BIAS) - OFFSET) >> 22
//! t = a - CENTRE[i]
//! y = C0[i] + C1[i] t + .. + C6[i] t^6      by Horner's rule
//! ```
//!
//! The shift leaves the exponent and the first digit of the fraction, so intervals are half binades of SCALE a + BIAS:
//! narrow near 0, where tanh bends, and wide where it is flat. [`lookup`](Lanes::lookup) takes the low three bits of i.
//! BIAS and OFFSET were chosen so that the intervals have similar errors.
//!
//! The first interval has the centre 0 and the polynomial x + C2 x^2 + .., fitted for relative error. Every other
//! centre was searched for so that its tanh is almost an `f32`, which makes C0 nearly free of rounding.
//!
//! There is no division, because eight lookups by permutation cost less. Without a permute the tables would be slow.
//!
//! # Elsewhere: an exponential
//!
//! ```text
//! power (1 + f) = e^(-2 a)                  see `exp_parts`
//! h     = (1/2 - power/2) - f power/2       (1 - e^-2a) / 2
//! 1 - h = (1/2 + power/2) + f power/2       (1 + e^-2a) / 2
//! tanh  = h + h (h / (1 - h))
//! ```
//!
//! Power and f are used separately so that nothing cancels for small a: 1/2 - power/2 is exactly 0 there, and h is
//! -f/2. The last line equals h / (1 - h), but the rounding of the division counts only by the size of the second term.
//! 1 - h is computed on its own because that is more accurate than 1 minus the rounded h.
//!
//! # Special values
//!
//! NaN passes `min` and `max` as their second operand. On gradual lanes |x| below 2^-60 would lead to subnormal
//! products: there the result is x itself, which is right to the last bit.
//!
//! Constants: `scripts/constants.py`.

use super::exp::exp_parts;
use crate::lanes::{Lanes, Real};

/// Below this |x| tanh x rounds to x. Large enough for the products of both algorithms to be normal.
const TINY: f64 = 1.0 / (1_u64 << 60) as f64;

/// tanh x. On plain lanes for 0, NaN and |x| from [`least_factor`](super::least_factor) on, on gradual lanes for every
/// x.
#[inline(always)]
pub fn tanh<L: Lanes>(x: L) -> L {
    if L::Float::IS_F32 && L::FUSED { tanh_by_tables(x) } else { tanh_by_exponential(x) }
}

/// By eight polynomials.
#[inline(always)]
fn tanh_by_tables<L: Lanes>(x: L) -> L {
    // In the last interval, where the result is 1.
    let mut a = x.splat(9.09).min(x.abs());
    if L::GRADUAL {
        a = x.splat(TINY).max(a);
    }
    let interval = a.mul_add(x.splat(SCALE), x.splat(BIAS)).sub_bits(x.splat_bits(OFFSET)).shr_bits::<22>();
    let t = a - interval.lookup(&CENTRE);
    let mut y = interval.lookup(&COEFFICIENTS[6]);
    for k in [5, 4, 3, 2, 1, 0] {
        y = y.mul_add(t, interval.lookup(&COEFFICIENTS[k]));
    }
    let y = y.copysign(x);
    if L::GRADUAL { L::select(x.abs().lt(x.splat(TINY)), x, y) } else { y }
}

/// The intervals are half binades of SCALE a + BIAS, shifted by OFFSET: see the head of this module.
const SCALE: f64 = 2.967_032_909_393_310_5;
const BIAS: f64 = 1.799_999_952_316_284_2;
const OFFSET: u64 = 2_516_582;

/// The centre of each interval. The first interval has index 7, because its shifted pattern ends in 111.
const CENTRE: [f32; 8] = [0.438_085_62, 0.876_123_8, 1.482_799_3, 2.357_199_4, 3.554_782_2, 5.330_849_6, 7.768_46, 0.0];

/// The coefficients by degree, then by interval as in [`CENTRE`]. Error at most 0.66 * 2^-24.
const COEFFICIENTS: [[f32; 8]; 7] = [
    [0.412_056_36, 0.704_472_1, 0.901_991_1, 0.982_228_8, 0.998_366_83, 0.999_953_15, 0.999_999_64, 0.0],
    [0.830_209_6, 0.503_719_45, 0.186_411_38, 0.035_226_52, 0.003_264_047_7, 9.390_290_5e-5, 7.215_046_5e-7, 1.0],
    [
        -0.342_093_05,
        -0.354_857_15,
        -0.168_141_59,
        -0.034_599_897,
        -0.003_258_289_5,
        -9.387_373e-5,
        -7.215_736_6e-7,
        -1.555_757_2e-6,
    ],
    [
        -0.135_790_2,
        0.082_030_26,
        0.089_570_23,
        0.022_244_54,
        0.002_158_364_5,
        6.095_469_5e-5,
        4.473_924e-7,
        -0.333_250_1,
    ],
    [
        0.169_961_68,
        0.060_538_776,
        -0.024_720_395,
        -0.010_326_364,
        -0.001_075_346_1,
        -3.048_598_4e-5,
        -2.223_766_3e-7,
        -0.001_451_468_1,
    ],
    [
        -0.005_235_576_5,
        -0.057_366_814,
        -0.004_219_887_3,
        0.003_494_063_4,
        0.000_454_414_87,
        1.506_667_5e-5,
        1.275_965_8e-7,
        0.144_468_01,
    ],
    [
        -0.060_727_768,
        0.011_799_647_5,
        0.007_803_711_6,
        -0.000_706_860_4,
        -0.000_141_513_05,
        -5.024_830_4e-6,
        -4.334_231e-8,
        -0.039_411_38,
    ],
];

/// By an exponential.
#[inline(always)]
fn tanh_by_exponential<L: Lanes>(x: L) -> L {
    // tanh 20 rounds to 1 in `f64` too.
    let mut a = x.splat(20.0).min(x.abs());
    if L::GRADUAL {
        a = x.splat(TINY).max(a);
    }
    let half = x.splat(0.5);
    let (power, f) = exp_parts(x.splat(0.0) - (a + a));
    let half_power = power * half;
    let (h, rest) = (half_power.neg_mul_add(f, half - half_power), half_power.mul_add(f, half + half_power));
    let y = h.mul_add(h / rest, h).copysign(x);
    if L::GRADUAL { L::select(x.abs().lt(x.splat(TINY)), x, y) } else { y }
}
