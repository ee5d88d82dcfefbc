//! The natural logarithm of an `f64`, for sums of at least 1.

use crate::lanes::Lanes;

/// ln x for finite x >= 1: exactly 0 at 1, never negative, within 1.5 ulp. NaN gives NaN.
///
/// x = 2^n m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m - 1) / (m + 1).
/// Constants: `scripts/constants.py`.
#[inline(always)]
pub fn ln<L: Lanes<Float = f64>>(x: L) -> L {
    // Shifting the exponent's bias by the pattern of sqrt(1/2) makes its upper bits n.
    let bias = x.splat(std::f64::consts::FRAC_1_SQRT_2);
    let exponent = x.sub_bits(bias).shr_bits::<52>();
    let m = x.sub_bits(exponent.shl_bits::<52>());
    // An integer below 2^52 becomes a float in the low bits of 2^52.
    let offset = x.splat(2_f64.powi(52));
    let n = exponent.add_bits(offset) - offset;

    let one = x.splat(1.0);
    let s = (m - one) / (m + one);
    let z = s * s;
    let mut c = x.splat(ATANH[8]);
    for k in [7, 6, 5, 4, 3, 2, 1, 0] {
        c = c.mul_add(z, x.splat(ATANH[k]));
    }
    // ln m = 2 s + 2 s z c, and 2 s = m - 1 - s (m - 1): the first term is exact.
    let difference = m - one;
    let ln_m = difference - s * (difference - (z + z) * c);
    // ln 2 in two parts, the first ending in zero bits.
    let (high, low) = (x.splat(0.693_147_180_559_890_3), x.splat(5.497_923_018_708_371e-14));
    let result = n.mul_add(high, n.mul_add(low, ln_m));
    // A NaN has a pattern like any other until here.
    L::select(x.le(x), result, x)
}

/// (atanh(s) / s - 1) / s^2 in s^2, for s up to 3 - 2 sqrt 2, error 0.005 * 2^-53.
const ATANH: [f64; 9] = [
    0.333_333_333_333_333_3,
    0.200_000_000_000_030_13,
    0.142_857_142_842_837_01,
    0.111_111_114_160_372_23,
    0.090_908_746_428_637_62,
    0.076_945_131_141_524_63,
    0.065_864_156_156_592_65,
    0.074_239_829_904_705_9,
    -0.066_854_342_815_550_49,
];
