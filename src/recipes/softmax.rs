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
    LogShift, OtherKeptTerm, OtherTerm, Probability, Rounded, SumInverse, Term, TermShift, is_finite,
};
use crate::lanes::{Lanes, Real, Stack};
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Sums, Tile};

/// What a logarithm of a softmax needs of each row of a tile.
pub struct LogSums<T: Real> {
    /// The largest logit.
    pub max: RowValues<T>,
    /// The term of the largest logit, and the numbers that [`Term`] takes.
    shift: [RowValues<T>; 4],
    /// The sum of all terms.
    pub all: [RowValues<f64>; 2],
    /// The sum of all terms but the largest.
    pub others: [RowValues<f64>; 2],
    /// ln of the sum of e^(x - max), and NaN for a row without probabilities.
    pub log: [RowValues<f64>; 2],
}

impl<T: Real> LogSums<T> {
    /// No rows.
    #[inline(always)]
    pub fn new() -> Self {
        Self { max: RowValues::new(), shift: Stack::array(), all: Stack::array(), others: Stack::array(), log: Stack::array() }
    }

    /// Finds the maximum and the shift.
    pub fn find_shift<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>) {
        tile.max(&mut self.max);
        tile.per_row(LogShift, [&self.max], None, &mut self.shift);
    }

    /// The term of the largest logit.
    pub fn largest_term(&self) -> &RowValues<T> {
        &self.shift[0]
    }

    /// Sums the terms and finds the logarithm. The logits stay where they are.
    ///
    /// If a class is nearly certain in every row, `all` may stay empty. `were_certain` tells that this was so in the rows
    /// before, and then whether it is in these.
    pub fn sum<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>, were_certain: &mut bool) {
        let Self { max, shift: [largest, offset, lowest, exponent], all, others, log } = self;
        let (values, mut excluding) = ([&*max, &*largest], Stack::array());
        let mut sum_others = |tile: &mut Tile<'_, T, 1, M>, excluding: &mut [RowValues<f64>; 2]| {
            tile.sum(OtherTerm, [largest, offset, lowest, exponent], excluding)
        };
        let others_first = *were_certain && !tile.is_single_lane_value();
        if others_first && sum_others(tile, &mut excluding) {
            if tile.log_others(values, Sums::Others(&excluding), others, log) {
                return;
            }
        }
        tile.sum(Term, [offset, lowest, exponent], all);
        if *were_certain || !tile.log_others(values, Sums::All(all), others, log) {
            if tile.is_single_lane_value() {
                tile.sum_without(largest, &mut excluding);
            } else if !others_first {
                sum_others(tile, &mut excluding);
            }
            *were_certain = !tile.log_others(values, Sums::Both(all, &excluding), others, log);
        }
    }

    /// The same, and the terms are kept for a map.
    pub fn replace_and_sum(&mut self, tile: &mut Tile<'_, T, 1, 1>, were_certain: &mut bool) {
        let Self { max, shift: [largest, offset, lowest, exponent], all, others, log } = self;
        let (values, mut excluding) = ([&*max, &*largest], Stack::array());
        tile.replace_and_sum(Term, [offset, lowest, exponent], all);
        if *were_certain || !tile.log_others(values, Sums::All(all), others, log) {
            if tile.is_single_lane_value() {
                tile.sum_without(largest, &mut excluding);
            } else {
                tile.sum(OtherKeptTerm, [largest], &mut excluding);
            }
            *were_certain = !tile.log_others(values, Sums::Both(all, &excluding), others, log);
        }
    }
}

/// The softmax of each row.
pub struct Softmax;

impl<T: Real> Recipe<T, 1, 1> for Softmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut max, mut shift) = (RowValues::new(), Stack::array());
        let (mut sum, mut inverse) = (Stack::array(), Stack::array());
        tile.max(&mut max);
        tile.per_row(TermShift, [&max], None, &mut shift);
        tile.replace_and_sum(Term, shift.each_ref(), &mut sum);
        tile.per_row(SumInverse, [&max], Some(&sum), &mut inverse);
        tile.map(Probability, inverse.each_ref());
    }
}

/// The logarithm of the softmax of each row.
#[derive(Default)]
pub struct LogSoftmax {
    were_certain: bool,
}

impl<T: Real> Recipe<T, 1, 1> for LogSoftmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut sums, mut log) = (LogSums::new(), [RowValues::new()]);
        sums.find_shift(tile);
        sums.sum(tile, &mut self.were_certain);
        tile.per_row(Rounded, [], Some(&sums.log), &mut log);
        tile.map(LogProbability, [&sums.max, &log[0]]);
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

/// ln of the sum of e^x of each row.
pub struct LogSumExp<'a, T> {
    results: &'a mut [T],
    were_certain: bool,
}

impl<'a, T> LogSumExp<'a, T> {
    /// The recipe that writes to this slice.
    pub fn new(results: &'a mut [T]) -> Self {
        Self { results, were_certain: false }
    }
}

impl<T: Real> Recipe<T, 1, 0> for LogSumExp<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let (mut sums, mut result) = (LogSums::new(), [RowValues::new()]);
        sums.find_shift(tile);
        sums.sum(tile, &mut self.were_certain);
        let LogSums { max, log, .. } = &sums;
        tile.per_row(MaxPlusLog, [max], Some(log), &mut result);
        if !tile.all_rows(max, T::is_finite) {
            let (mut nan, finite) = (Stack::array(), result);
            tile.sum(ZeroOrNan, [], &mut nan);
            result = [RowValues::new()];
            tile.per_row(FiniteOrMax, [max, &finite[0]], Some(&nan), &mut result);
        }
        tile.write_row_values(&result[0], &mut self.results[first_row..]);
    }
}

/// max + ln of the sum of e^(x - max), added in `f64` and rounded once.
#[derive(Clone, Copy)]
struct MaxPlusLog;

impl RowFunction<1, 1> for MaxPlusLog {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], log: [L::Double; 2]) -> [L; 1] {
        let wide = max.widen();
        [L::narrow([wide[0] + log[0], wide[1] + log[1]])]
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
