//! The natural logarithm of an `f64` that is at least 1, and of 1 + x, for the sums of a softmax.
//!
//! ```text
//! x = 2^n m                         m in [sqrt(1/2), sqrt(2)), so that n = 0 near 1
//! d = m - 1                         exact
//! s = d / (m + 1)
//! ln m = 2 atanh(s) = 2 s + 2 s^3 c(s^2)
//!      = d - s (d - 2 s^2 c(s^2))   since 2 s = d - s d
//! ln x = n ln 2 + ln m              ln 2 in two parts
//! ```
//!
//! The division rounds s, and 2 s would carry that error whole. In the form used, the largest term d is exact and s
//! only enters a correction. At x = 1 all terms are 0, so the result is exactly 0.
//!
//! Constants: `scripts/constants.py`.

use crate::lanes::{Lanes, Real};

/// ln x for finite x >= 1: exactly 0 at 1, never negative, within 1.5 ulp. NaN gives NaN.
#[inline(always)]
fn ln<L: Lanes<Float = f64>>(x: L) -> L {
    // The exponent field of the difference to the pattern of sqrt(1/2) is n.
    let bias = x.splat(std::f64::consts::FRAC_1_SQRT_2);
    let exponent = x.sub_bits(bias).shr_bits::<52>();
    let m = x.sub_bits(exponent.shl_bits::<52>());
    // Added to the pattern of 2^52, an integer n below 2^52 gives the float 2^52 + n.
    let offset = x.splat(2_f64.powi(52));
    let n = exponent.add_bits(offset) - offset;

    let one = x.splat(1.0);
    let s = (m - one) / (m + one);
    let z = s * s;
    let mut c = x.splat(ATANH[8]);
    for k in [7, 6, 5, 4, 3, 2, 1, 0] {
        c = c.mul_add(z, x.splat(ATANH[k]));
    }
    let difference = m - one;
    let ln_m = difference - s * (difference - (z + z) * c);
    // ln 2 in two parts. The first ends in 11 zero bits, so that n times it is exact.
    let (high, low) = (x.splat(0.693_147_180_559_890_3), x.splat(5.497_923_018_708_371e-14));
    let result = n.mul_add(high, n.mul_add(low, ln_m));
    // The integer arithmetic above turns a NaN into some number.
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

/// ln(1 + x) for finite x >= 0, within 2.5 ulp: x itself where it is small, also a subnormal one. NaN gives NaN.
///
/// ```text
/// u = 1 + x, rounded
/// ln(1 + x) = ln u + e      e = x - (u - 1), the rounding error of u, if x < 1
///           = ln u          else
/// ```
///
/// The exact correction is ln(1 + e / u). Where x is small it is e, where x is large it is below the last digit, and in
/// between e and e / u differ by less than that.
#[inline(always)]
pub fn ln_1p<L: Lanes<Float = f64>>(x: L) -> L {
    let one = x.splat(1.0);
    let sum = one + x;
    let error = L::select(x.lt(one), x - (sum - one), x.splat(0.0));
    ln(sum) + error
}

/// ln(1 + x) and 1 / (1 + x), for x between 2^-60 and 1, and NaN.
///
/// For `f32` the logarithm is x - x^2 P(x) / Q(x), and both have one division:
///
/// ```text
/// i          = 1 / ((1 + x) Q)
/// 1 / (1+x)  = Q i,    P / Q = P (1 + x) i
/// ```
///
/// `f64` takes [`ln_1p`].
#[inline(always)]
pub fn ln_1p_and_inverse<L: Lanes>(x: L) -> (L, L) {
    let one = x.splat(1.0);
    let sum = one + x;
    if !L::Float::IS_F32 {
        let [half, _] = x.widen();
        return (L::narrow([ln_1p(half); 2]), one / sum);
    }
    let p = x.splat(P[2]).mul_add(x, x.splat(P[1])).mul_add(x, x.splat(P[0]));
    let q = x.splat(Q[3]).mul_add(x, x.splat(Q[2])).mul_add(x, x.splat(Q[1])).mul_add(x, one);
    let inverse = one / (sum * q);
    ((x * x).neg_mul_add(p * sum * inverse, x), q * inverse)
}

/// P and Q: (x - ln(1 + x)) / x^2 = P(x) / Q(x) on [0, 1].
const P: [f64; 3] = [0.5, 0.455_069_214_1, 0.074_013_926_1];
const Q: [f64; 4] = [1.0, 1.576_803_088_2, 0.699_258_744_7, 0.077_608_324_6];
