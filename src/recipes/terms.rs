//! The arithmetic of a softmax: its terms, its probabilities, its logarithm.
//!
//! The terms are e^x times a power of two near e^-max: the shift is an addition to the exponent, and
//! nothing is rounded before the polynomial, where x - max would be.

use crate::lanes::{Gradual, Lanes, Mask, Real};
use crate::math;
use crate::passes::{Element, RowFunction};

/// The exponents of the largest and of the smallest term. Terms below 2^-95 (2^-581 in `f64`) cannot affect the sum. The
/// range keeps every intermediate, 1 / sum and its rounding error included, normal.
#[inline(always)]
fn exponents<T: Real>() -> (f64, f64) {
    if T::IS_F32 { (60.0, -95.0) } else { (500.0, -581.0) }
}

/// A positive number close to e^(x - max), times a power of two that is the same for the whole row.
#[derive(Clone, Copy)]
pub struct Term;

impl<const N: usize> Element<N, 3> for Term {
    #[inline(always)]
    fn apply<L: Lanes>(self, [first, lowest, exponent]: [L; 3], x: [L; N]) -> L {
        math::exp_scaled(lowest.max(x[0] - first), exponent)
    }
}

/// What [`Term`] needs to know of rows with these largest elements.
#[derive(Clone, Copy)]
pub struct Shift;

impl RowFunction<1, 3> for Shift {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], _: [L::Double; 2]) -> [L; 3] {
        let format = math::format::<L::Float>();
        // Beyond it n ln 2 is not exact on every instruction set, but x - max is, where it matters.
        let is_huge = max.splat(2_f64.powi(10)).le(max.abs());
        // Otherwise a number far below every rounding, so that a subnormal x is not multiplied.
        let first = L::select(is_huge, max, max.splat(-format.negligible));
        let rounder = max.splat(format.rounder);
        let n = (max - first).mul_add(max.splat(std::f64::consts::LOG2_E), rounder) - rounder;
        let (head, least) = exponents::<L::Float>();
        let lowest = (n + max.splat(least - head)) * max.splat(std::f64::consts::LN_2);
        [first, lowest, math::exponent_bits(max.splat(head) - n + rounder)]
    }
}

/// ln of the sum of e^(x - max): at least 0, and exactly 0 where the largest term is all there is.
#[inline(always)]
pub fn log_sum<L: Lanes>(max: L, shift: [L; 3], sum: [L::Double; 2]) -> [L::Double; 2] {
    let top = Term.apply(shift, [max]).widen();
    [math::ln(sum[0] / top[0]), math::ln(sum[1] / top[1])]
}

/// The rows whose maximum is finite.
#[inline(always)]
pub fn is_finite<L: Lanes>(max: L) -> L::Mask {
    max.abs().lt(max.splat(f64::INFINITY))
}

/// NaN in the rows without a finite maximum: they have no probabilities.
#[inline(always)]
pub fn or_nan<L: Lanes>(max: L, value: L) -> L {
    L::select(is_finite(max), value, max.splat(f64::NAN))
}

/// A term over the sum, exactly 1 where they are equal.
#[derive(Clone, Copy)]
pub struct Probability;

/// What [`Probability`] needs to know of rows with these largest elements and sums.
#[derive(Clone, Copy)]
pub struct Inverse;

impl RowFunction<1, 3> for Inverse {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], sum: [L::Double; 2]) -> [L; 3] {
        let one = sum[0].splat(1.0);
        let inverse = L::narrow([one / sum[0], one / sum[1]]);
        let wide = inverse.widen();
        // What the inverse lost when it was rounded.
        let rest = L::narrow([one / sum[0] - wide[0], one / sum[1] - wide[1]]);
        [or_nan(max, inverse), rest, or_nan(max, L::narrow(sum))]
    }
}

impl Element<1, 3> for Probability {
    const IS_OF_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, [inverse, rest, sum]: [L; 3], [term]: [L; 1]) -> L {
        // Far enough up that the smaller of two products is a normal number too.
        let least = sum.splat(L::Float::MIN_POSITIVE * 2_f64.powi(28)) * sum;
        if least.le(term).all() {
            return quotient(term, inverse, rest, sum);
        }
        // A result near or among the subnormals: divide far from there, then shift down.
        let (up, down) = (term.splat(2_f64.powi(64)), term.splat(2_f64.powi(-64)));
        (Gradual(quotient(term, inverse * up, rest * up, sum * down)) * Gradual(down)).0
    }
}

#[inline(always)]
fn quotient<L: Lanes>(term: L, inverse: L, rest: L, sum: L) -> L {
    if !L::FUSED {
        term / sum
    } else if L::Float::IS_F32 {
        // The inverse in two parts: the sum has more digits than an f32.
        term.mul_add(inverse, term * rest)
    } else {
        // The sum is exact here: a quotient, and its correction by what it leaves of the term.
        let quotient = term * inverse;
        quotient.neg_mul_add(sum, term).mul_add(inverse, quotient)
    }
}
