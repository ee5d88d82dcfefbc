//! The arithmetic that softmax-like recipes share: terms, probabilities, logarithms.
//!
//! The textbook term e^(x - m), m being the row's largest element, rounds x - m before the exponential. Near -100
//! that is an error of up to 2^-18, and of 32 to 64 ulp in the term. Here the shift is an integer that is added to
//! the term's exponent instead, so that nothing is rounded before the exponential's own argument reduction:
//!
//! ```text
//! n    = m log2 e, rounded to an integer                        once a row (TermShift)
//! t(x) = e^x 2^(60 - n) = 2^60 e^(x - m), but for a factor of about 1 that the whole row shares
//! ```
//!
//! The exponential builds e^x from a power of two whose exponent it has as an integer. 60 - n is added to that integer,
//! which is one instruction more than e^x takes. The shared factor, between 2^-1/2 and 2^1/2, cancels in t / sum. For
//! the logarithm it is divided out: ln of the sum of e^(x - m) is ln(sum / t(m)).
//!
//! The steps, for the exponents of `f32`:
//!
//! ```text
//! TermShift(m)        c = m if |m| >= 2^10, else -2^-60
//!                     n = rint((m - c) log2 e)
//!                     low = (n - 167) ln 2
//! Term(x)             t = e^max(low, x - c) 2^(70 - n)          between about 2^-97 and 2^70
//! SumInverse(m, s)    h = f32(1 / s), l = f32(1 / s - h)        NaN if m is not finite
//! Probability(t)      t h + t l, or t / s without FMA
//! ```
//!
//! # The sum of the others
//!
//! A logarithm needs the sum R of all terms but the largest: ln(s / t(m)) = ln(1 + R / t(m)). If one class is nearly
//! certain, R is far below the rounding error of s, and it is all there is to the result.
//!
//! ```text
//! R = s - t(m), in f64                       if the next line gives more than 0.998 t(m)
//! R = the sum of t(x) over x != m            else: another pass over the tile
//! R = max(0, R - raised)
//! log = ln_1p(R / t(m))
//! ```
//!
//! Below t(m) no second element equals m, since its term alone would be as much: only one term is left out. With R near
//! t(m), the error of s - t(m) is at most twice that of s. Where rows are a single lane value of `f32`, s is a sum of
//! `f32` numbers in `f64`, and the difference is good down to 2^-25 t(m).
//!
//! The term of an element that was raised to `low` may be far too large. There can be no more than `axis` of them, each at
//! most 2^-166 t(m): this is `raised`. So R is exactly 0 if all others were raised, and else its error is below 2^-166 t(m)
//! times the number of elements, where the smallest subnormal number is 2^-149.

use crate::lanes::{Element, Gradual, Lanes, Mask, Real};
use crate::math;
use crate::passes::{ElementFunction, RowFunction};

/// The exponents of the largest and of the smallest term. What is below has no effect: a probability of 2^-167 (2^-1106
/// in `f64`) rounds to 0, and so does the sum of 2^17 (2^31) of them. The range keeps every intermediate, including
/// 1 / sum and its rounding error, normal.
#[inline(always)]
fn exponents<T: Real>() -> (f64, f64) {
    if T::IS_F32 { (70.0, -97.0) } else { (500.0, -606.0) }
}

/// The exponent of a term whose probability rounds to 0, and which has normal products with everything in
/// [`Probability`].
#[inline(always)]
fn least_exponent<T: Real>() -> i32 {
    if T::IS_F32 { -90 } else { -578 }
}

/// The term t(x): a positive number, e^(x - max) times a factor that is the same for the whole row.
#[derive(Clone, Copy)]
pub struct Term;

impl<const N: usize> ElementFunction<N, 3> for Term {
    #[inline(always)]
    fn apply<L: Lanes>(self, [offset, lowest, exponent]: [L; 3], x: [L; N]) -> L {
        math::exp_scaled(lowest.max(x[0] - offset), exponent)
    }
}

/// From the largest element of each row, the three numbers that [`Term`] takes: the offset c, the lowest argument low,
/// and 70 - n as the bits that add it to an exponent.
#[derive(Clone, Copy)]
pub struct TermShift;

impl RowFunction<1, 3> for TermShift {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], _: [L::Double; 2]) -> [L; 3] {
        let format = math::format::<L::Float>();
        // Beyond 2^10 the argument reduction's product of n and ln 2 is not exact on every instruction set. There x -
        // max is exact instead, for every x near enough to the maximum that its term affects the sum.
        let is_huge = max.splat(2_f64.powi(10)).le(max.abs());
        // Otherwise c changes the term by far less than its rounding. It is not 0, so that x - c is normal where x is
        // subnormal: a product of a subnormal number is slow.
        let offset = L::select(is_huge, max, max.splat(-format.negligible));
        let rounder = max.splat(format.rounder);
        let n = (max - offset).mul_add(max.splat(std::f64::consts::LOG2_E), rounder) - rounder;
        let (largest, smallest) = exponents::<L::Float>();
        let lowest = (n + max.splat(smallest - largest)) * max.splat(std::f64::consts::LN_2);
        [offset, lowest, math::exponent_bits(max.splat(largest) - n + rounder)]
    }
}

/// From the largest element of each row its term, and the numbers of [`TermShift`].
#[derive(Clone, Copy)]
pub struct LogShift;

impl RowFunction<1, 4> for LogShift {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], sum: [L::Double; 2]) -> [L; 4] {
        let [offset, lowest, exponent] = TermShift.apply([max], sum);
        [Term.apply([offset, lowest, exponent], [max]), offset, lowest, exponent]
    }
}

/// The term t(x). Its sum excludes the largest.
#[derive(Clone, Copy)]
pub struct OtherTerm;

impl ElementFunction<1, 4> for OtherTerm {
    const EXCLUDES_LARGEST: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, [_, offset, lowest, exponent]: [L; 4], x: [L; 1]) -> L {
        Term.apply([offset, lowest, exponent], x)
    }
}

/// A term that was kept. Its sum excludes the largest.
#[derive(Clone, Copy)]
pub struct OtherKeptTerm;

impl ElementFunction<1, 1> for OtherKeptTerm {
    const EXCLUDES_LARGEST: bool = true;
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 1], [term]: [L; 1]) -> L {
        term
    }
}

/// The element of the second source. Its sum brings both sources.
#[derive(Clone, Copy)]
pub struct SecondSource;

impl ElementFunction<2, 0> for SecondSource {
    const IS_FIRST_PASS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [_, x]: [L; 2]) -> L {
        x
    }
}

/// True for the rows whose maximum is finite.
#[inline(always)]
pub fn is_finite<L: Lanes>(max: L) -> L::Mask {
    max.abs().lt(max.splat(f64::INFINITY))
}

/// `value`, or NaN in the rows whose maximum is not finite: rows with +inf, and rows of only -inf. A row with NaN and
/// a finite maximum has a NaN in its sum already.
#[inline(always)]
pub fn nan_unless_finite<L: Lanes>(max: L, value: L) -> L {
    L::select(is_finite(max), value, max.splat(f64::NAN))
}

/// A term divided by its row's sum. Exactly 1 where they are equal.
#[derive(Clone, Copy)]
pub struct Probability;

/// From the largest element and the sum of each row, the three numbers that [`Probability`] takes: the inverse h, its
/// remainder l, and the sum.
#[derive(Clone, Copy)]
pub struct SumInverse;

impl RowFunction<1, 3> for SumInverse {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], sum: [L::Double; 2]) -> [L; 3] {
        let one = sum[0].splat(1.0);
        let inverse = L::narrow([one / sum[0], one / sum[1]]);
        let wide = inverse.widen();
        // The rounding error of the inverse.
        let remainder = L::narrow([one / sum[0] - wide[0], one / sum[1] - wide[1]]);
        [nan_unless_finite(max, inverse), remainder, nan_unless_finite(max, L::narrow(sum))]
    }
}

impl ElementFunction<1, 3> for Probability {
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, [inverse, remainder, sum]: [L; 3], [term]: [L; 1]) -> L {
        // From here up the result is so large that term * remainder, at least 2^-53 of it or 0, is a normal number too.
        let least = sum.splat(L::Float::MIN_POSITIVE * 2_f64.powi(54)) * sum;
        if least.le(term).all() {
            return quotient(term, inverse, remainder, sum);
        }
        // Often all small results are 0, those of logits of -inf.
        let negligible = term.lt(term.splat(2_f64.powi(least_exponent::<L::Float>())));
        let other = L::select(negligible, least, term);
        let term = L::select(negligible, term.splat(0.0), term);
        if least.le(other).all() {
            return quotient(term, inverse, remainder, sum);
        }
        // Some result is small or subnormal: compute it times 2^100 and scale down in one product of gradual lanes. The
        // product of the smallest term and of the remainder, which may have lost digits, is then normal too.
        let (up, down) = (term.splat(2_f64.powi(100)), term.splat(2_f64.powi(-100)));
        (Gradual(quotient(term, inverse * up, remainder * up, sum * down)) * Gradual(down)).0
    }
}

/// term / sum, for a normal result.
#[inline(always)]
fn quotient<L: Lanes>(term: L, inverse: L, remainder: L, sum: L) -> L {
    if !L::FUSED {
        term / sum
    } else if L::Float::IS_F32 {
        // The sum is an f64: its inverse in two parts keeps the digits that an f32 has not.
        term.mul_add(inverse, term * remainder)
    } else {
        // The sum is an f64 like the term: a first quotient, corrected by the remainder term - quotient * sum.
        let quotient = term * inverse;
        quotient.neg_mul_add(sum, term).mul_add(inverse, quotient)
    }
}
