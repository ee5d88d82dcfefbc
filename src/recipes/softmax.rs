//! Softmax, its logarithm and its normaliser.
//!
//! With t(x), the shift and the quotient as in [`super::terms`]:
//!
//! ```text
//! Softmax        m = max x                          max
//!                (c, low, 70 - n) = TermShift(m)    per row
//!                s = sum of t(x), t kept            replace_and_sum
//!                (h, l) = SumInverse(m, s)          per row
//!                y = t h + t l                      map
//!
//! LogSoftmax     m, shift and s as above, x stays   max, per row, sum
//!                R, the sum of the others           per row; where R is small also sum
//!                log = f32(ln_1p(R / t(m)))         per row
//!                y = (x - m) - log                  map
//!
//! LogSumExp      m, shift, s and R as above         max, per row, sum
//!                f32(m + ln_1p(R / t(m)))           per row
//!                if m is not finite in some row: one more sum, which is NaN for a row with NaN
//! ```
//!
//! A row has no probabilities if its maximum is not finite or it holds NaN. Its results are NaN, but for [`LogSumExp`],
//! which gives the infinite maximum unless there is NaN.

use super::terms::{
    LargestTerm, LowestTerm, OtherKeptTerm, OtherTerm, Probability, SumInverse, Term, TermShift, is_finite, log_sum,
    nan_unless_finite,
};
use crate::lanes::{Lanes, Real, Stack};
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Tile};

/// The maximum, the shift and the sum of the terms of each row of a tile: the first steps of every recipe here.
pub struct RowSums<T: Real> {
    /// The largest logit.
    pub max: RowValues<T>,
    /// The numbers that [`Term`] takes.
    pub shift: [RowValues<T>; 3],
    /// The term of the largest logit.
    pub largest_term: [RowValues<T>; 1],
    /// The sum of the terms, or of the others.
    pub sum: [RowValues<f64>; 2],
}

impl<T: Real> RowSums<T> {
    /// No rows.
    #[inline(always)]
    pub fn new() -> Self {
        Self { max: RowValues::new(), shift: Stack::array(), largest_term: Stack::array(), sum: Stack::array() }
    }

    /// Sums the terms of a tile, whose shift is known. The logits stay where they are.
    pub fn sum_terms<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>) {
        tile.sum(Term, self.shift.each_ref(), &mut self.sum);
    }

    /// Sums the terms of a tile, whose shift is known. The terms are kept for a map.
    pub fn replace_and_sum_terms(&mut self, tile: &mut Tile<'_, T, 1, 1>) {
        tile.replace_and_sum(Term, self.shift.each_ref(), &mut self.sum);
    }

    /// Takes the largest term out of the sum, while the logits stay where they are.
    pub fn exclude_largest<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>) {
        self.exclude(tile, |tile, [offset, lowest, exponent], terms, others| {
            let [largest_term, lowest_term] = terms;
            tile.sum(OtherTerm, [offset, lowest, exponent, largest_term, lowest_term], others);
        });
    }

    /// Takes the largest term out of the sum, while the terms are kept.
    pub fn exclude_largest_kept(&mut self, tile: &mut Tile<'_, T, 1, 1>) {
        self.exclude(tile, |tile, _, terms, others| tile.sum(OtherKeptTerm, terms, others));
    }

    /// Takes the largest term out of the sum. Where the difference has too few digits, `sum_others` sums the others.
    /// It gets the shift, and the largest and the lowest term.
    fn exclude<const M: usize>(
        &mut self,
        tile: &mut Tile<'_, T, 1, M>,
        sum_others: impl FnOnce(&mut Tile<'_, T, 1, M>, [&RowValues<T>; 3], [&RowValues<T>; 2], &mut [RowValues<f64>; 2]),
    ) {
        let Self { max, shift, largest_term, sum } = self;
        let [offset, lowest, exponent] = shift.each_ref();
        let is_single = tile.is_single_lane_value();
        let least = if T::IS_F32 && is_single { 2_f64.powi(-25) } else { 0.5 };
        if !tile.subtract(LargestTerm, [max, offset, lowest, exponent], least, sum, largest_term) {
            return;
        }
        let (mut lowest_term, mut others) = ([RowValues::new()], Stack::array());
        tile.per_row(LowestTerm, [lowest, exponent], None, &mut lowest_term);
        let terms = [&largest_term[0], &lowest_term[0]];
        if is_single {
            // Each lane sum is a term.
            tile.sum_lane_sums(OtherKeptTerm, terms, &mut others);
        } else {
            sum_others(tile, shift.each_ref(), terms, &mut others);
        }
        tile.replace_small(&largest_term[0], least, &others, sum);
    }

    /// Computes the maximum and the shift.
    pub fn find_shift<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>) {
        tile.max(&mut self.max);
        tile.per_row(TermShift, [&self.max], None, &mut self.shift);
    }
}

/// The softmax of each row.
pub struct Softmax;

impl<T: Real> Recipe<T, 1, 1> for Softmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut sums, mut inverse) = (RowSums::new(), Stack::array());
        sums.find_shift(tile);
        sums.replace_and_sum_terms(tile);
        tile.per_row(SumInverse, [&sums.max], Some(&sums.sum), &mut inverse);
        tile.map(Probability, inverse.each_ref());
    }
}

/// The logarithm of the softmax of each row.
pub struct LogSoftmax;

impl<T: Real> Recipe<T, 1, 1> for LogSoftmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut sums, mut log) = (RowSums::new(), Stack::array());
        sums.find_shift(tile);
        sums.sum_terms(tile);
        sums.exclude_largest(tile);
        let RowSums { max, largest_term: [largest_term], sum, .. } = &sums;
        tile.per_row(MaxAndLog, [max, largest_term], Some(sum), &mut log);
        tile.map(LogProbability, log.each_ref());
    }
}

/// The largest logit, and ln of the sum of e^(x - max), NaN for a row without probabilities.
#[derive(Clone, Copy)]
struct MaxAndLog;

impl RowFunction<2, 2> for MaxAndLog {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, largest_term]: [L; 2], others: [L::Double; 2]) -> [L; 2] {
        [max, nan_unless_finite(max, L::narrow(log_sum(largest_term, others)))]
    }
}

/// (x - max) - log. Never above 0, because x is at most max and log at least 0.
#[derive(Clone, Copy)]
struct LogProbability;

impl ElementFunction<1, 2> for LogProbability {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, log]: [L; 2], [x]: [L; 1]) -> L {
        x - max - log
    }
}

/// ln of the sum of e^x of each row, written to this slice.
pub struct LogSumExp<'a, T>(pub &'a mut [T]);

impl<T: Real> Recipe<T, 1, 0> for LogSumExp<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let (mut sums, mut result) = (RowSums::new(), [RowValues::new()]);
        sums.find_shift(tile);
        sums.sum_terms(tile);
        sums.exclude_largest(tile);
        let RowSums { max, largest_term: [largest_term], sum, .. } = &sums;
        tile.per_row(MaxPlusLog, [max, largest_term], Some(sum), &mut result);
        if !tile.all_rows(max, T::is_finite) {
            let (mut nan, finite) = (Stack::array(), result);
            tile.sum(ZeroOrNan, [], &mut nan);
            result = [RowValues::new()];
            tile.per_row(FiniteOrMax, [max, &finite[0]], Some(&nan), &mut result);
        }
        tile.write_row_values(&result[0], &mut self.0[first_row..]);
    }
}

/// max + ln of the sum of e^(x - max), added in `f64` and rounded once.
#[derive(Clone, Copy)]
struct MaxPlusLog;

impl RowFunction<2, 1> for MaxPlusLog {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, largest_term]: [L; 2], others: [L::Double; 2]) -> [L; 1] {
        let ([max_a, max_b], [log_a, log_b]) = (max.widen(), log_sum(largest_term, others));
        [L::narrow([max_a + log_a, max_b + log_b])]
    }
}

/// NaN for NaN, else 0. Its sum tells whether a row holds NaN, which a maximum does not.
#[derive(Clone, Copy)]
struct ZeroOrNan;

impl ElementFunction<1, 0> for ZeroOrNan {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [x]: [L; 1]) -> L {
        L::select(x.abs().le(x.splat(f64::INFINITY)), x.splat(0.0), x)
    }
}

/// The result where the maximum is finite, else the maximum plus the sum of [`ZeroOrNan`].
#[derive(Clone, Copy)]
struct FiniteOrMax;

impl RowFunction<2, 1> for FiniteOrMax {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, result]: [L; 2], nan: [L::Double; 2]) -> [L; 1] {
        [L::select(is_finite(max), result, max + L::narrow(nan))]
    }
}
