//! The hyperbolic tangent. Constants: `scripts/constants.py`.

use super::exp::exp_parts;
use crate::lanes::{Lanes, Real};

/// Below it both algorithms return x itself.
const TINY: f64 = 1.0 / (1_u64 << 60) as f64;

/// tanh x: on plain lanes for moderate x, on gradual ones for every x.
#[inline(always)]
pub fn tanh<L: Lanes>(x: L) -> L {
    // The tables need a lookup by permutation.
    if L::Float::IS_F32 && L::FUSED { by_tables(x) } else { by_exponential(x) }
}

/// Eight intervals of |x|, each with a centre whose tanh is almost an `f32`, and a polynomial of degree 6 around it. No
/// division: a lookup by permutation costs less.
#[inline(always)]
fn by_tables<L: Lanes>(x: L) -> L {
    // Beyond 9.09, inside the last interval, the result is 1.
    let mut a = x.splat(9.09).min(x.abs());
    if L::GRADUAL {
        a = x.splat(TINY).max(a);
    }
    // Half binades of a shifted argument: narrow intervals near 0, wide ones where tanh is flat.
    let interval = a.mul_add(x.splat(SCALE), x.splat(BIAS)).sub_bits(x.splat_bits(OFFSET)).shr_bits::<22>();
    let t = a - interval.lookup(&CENTRE);
    let mut y = interval.lookup(&C[6]);
    for k in [5, 4, 3, 2, 1, 0] {
        y = y.mul_add(t, interval.lookup(&C[k]));
    }
    let y = y.copysign(x);
    if L::GRADUAL { L::select(x.abs().lt(x.splat(TINY)), x, y) } else { y }
}

const SCALE: f64 = 2.967_032_909_393_310_5;
const BIAS: f64 = 1.799_999_952_316_284_2;
const OFFSET: u64 = 2_516_582;

/// The centre of each interval.
const CENTRE: [f32; 8] = [0.438_085_62, 0.876_123_8, 1.482_799_3, 2.357_199_4, 3.554_782_2, 5.330_849_6, 7.768_46, 0.0];

/// The coefficients by degree, then interval; error at most 0.66 * 2^-24.
const C: [[f32; 8]; 7] = [
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

/// With h = (1 - e^-2|x|) / 2, tanh |x| = h / (1 - h) = h + h (h / (1 - h)): the second form damps the rounding of the
/// division, and 1 - h has less of an error if it is computed on its own.
#[inline(always)]
fn by_exponential<L: Lanes>(x: L) -> L {
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
