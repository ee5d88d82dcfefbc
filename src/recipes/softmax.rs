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
//!                R, the sum of the others           log_others; where R is small also sum
//!                log = f32(ln_1p(R / t(m)))         log_others
//!                y = (x - m) - log                  map
//!
//! LogSumExp      m, shift, s and R as above         max, per row, sum
//!                f32(m + ln_1p(R / t(m)))           log_others
//!                if m is not finite in some row: one more sum, which is NaN for a row with NaN
//! ```
//!
//! A row has no probabilities if its maximum is not finite or it holds NaN. Its results are NaN, but for [`LogSumExp`],
//! which gives the infinite maximum unless there is NaN.

use super::terms::{LogShift, OtherKeptTerm, OtherTerm, Probability, SumInverse, Term, TermShift, is_finite};
use crate::lanes::{Lanes, Real, Stack};
use crate::passes::{ElementFunction, Logs, Recipe, RowFunction, RowValues, Sums, Tile};

/// Whether a class was nearly certain in the last tile, if there was one. Then it often is in the next, too, and the sum
/// of the others comes first: where all are small, the sum of all terms is not needed. It does not change results.
#[derive(Default)]
pub struct Certainty(Option<bool>);

/// The number of elements of a long row that tell of the first tile whether a class may be nearly certain.
const PROBE: usize = 1024;

/// What a logarithm of a softmax needs of each row of a tile.
pub struct LogSums<T: Real> {
    /// The largest logit.
    pub max: RowValues<T>,
    /// The term of the largest logit, and the numbers that [`Term`] takes.
    shift: [RowValues<T>; 4],
    /// The sum of the others and its logarithm.
    pub logs: Logs<T>,
}

impl<T: Real> LogSums<T> {
    /// No rows.
    #[inline(always)]
    pub fn new() -> Self {
        Self { max: RowValues::new(), shift: Stack::array(), logs: Logs::new() }
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
    pub fn sum<const M: usize>(&mut self, tile: &mut Tile<'_, T, 1, M>, certainty: &mut Certainty) {
        let are_short = tile.is_single_lane_value();
        let is_expected = certainty.0.unwrap_or_else(|| self.is_likely(tile));
        let Self { max, shift: [largest, offset, lowest, exponent], logs } = self;
        let (values, mut all, mut excluding) = ([&*max, &*largest], Stack::array(), Stack::array());
        let sum_others = |tile: &mut Tile<'_, T, 1, M>, largest, excluding: &mut [RowValues<f64>; 2]| {
            tile.sum(OtherTerm, [largest, offset, lowest, exponent], excluding)
        };
        // The other sum first, which may be enough.
        let others_first = is_expected && !are_short;
        if others_first {
            let excluded_one = sum_others(tile, largest, &mut excluding);
            if excluded_one && tile.log_others(values, Sums::Others(&excluding), logs) {
                certainty.0 = Some(true);
                return;
            }
        }
        tile.sum(Term, [offset, lowest, exponent], &mut all);
        certainty.0 = Some(is_expected || !tile.log_others(values, Sums::All(&all), logs));
        if certainty.0 == Some(true) {
            if are_short {
                tile.sum_without(largest, &mut excluding);
            } else if !others_first {
                sum_others(tile, &tile.largest_of_small(largest, logs), &mut excluding);
            }
            certainty.0 = Some(!tile.log_others(values, Sums::Both(&all, &excluding), logs));
        }
    }

    /// Whether a class may be nearly certain in each row, as far as the first elements of long rows tell.
    fn is_likely<const M: usize>(&self, tile: &mut Tile<'_, T, 1, M>) -> bool {
        let (axis, [largest, offset, lowest, exponent]) = (tile.axis(), &self.shift);
        if axis < 8 * PROBE {
            return false;
        }
        let mut excluding = Stack::array();
        tile.with_first_elements(PROBE, |tile| {
            tile.sum(OtherTerm, [largest, offset, lowest, exponent], &mut excluding)
        });
        let sum_of_row = |r| tile.row_sum(&excluding, r) * (axis / PROBE) as f64;
        (0..tile.len()).all(|r| sum_of_row(r) < 0.25 * largest.get(r).to_f64())
    }

    /// The same, and the terms are kept for a map.
    pub fn replace_and_sum(&mut self, tile: &mut Tile<'_, T, 1, 1>, certainty: &mut Certainty) {
        let Self { max, shift: [largest, offset, lowest, exponent], logs } = self;
        let (values, mut all, mut excluding) = ([&*max, &*largest], Stack::array(), Stack::array());
        tile.replace_and_sum(Term, [offset, lowest, exponent], &mut all);
        if certainty.0 == Some(true) || !tile.log_others(values, Sums::All(&all), logs) {
            if tile.is_single_lane_value() {
                tile.sum_without(largest, &mut excluding);
            } else if certainty.0 == Some(true) {
                tile.sum(OtherKeptTerm, [largest], &mut excluding);
            } else {
                tile.sum(OtherKeptTerm, [&tile.largest_of_small(largest, logs)], &mut excluding);
            }
            certainty.0 = Some(!tile.log_others(values, Sums::Both(&all, &excluding), logs));
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
pub struct LogSoftmax(Certainty);

impl<T: Real> Recipe<T, 1, 1> for LogSoftmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let mut sums = LogSums::new();
        sums.find_shift(tile);
        sums.sum(tile, &mut self.0);
        tile.map(LogProbability, [&sums.max, &sums.logs.rounded]);
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
    /// The index of the result of the first row.
    first_row: usize,
    certainty: Certainty,
}

impl<'a, T> LogSumExp<'a, T> {
    /// The recipe that writes to this slice.
    pub fn new(results: &'a mut [T]) -> Self {
        Self { results, first_row: 0, certainty: Certainty::default() }
    }

    /// The same for rows that begin with this one.
    pub fn at_row(&mut self, first_row: usize) -> &mut Self {
        self.first_row = first_row;
        self
    }
}

impl<T: Real> Recipe<T, 1, 0> for LogSumExp<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let mut sums = LogSums::new();
        sums.find_shift(tile);
        sums.sum(tile, &mut self.certainty);
        let (max, result) = (&sums.max, &sums.logs.log_sum_exp);
        let results = &mut self.results[self.first_row + first_row..];
        if tile.all_rows(max, T::is_finite) {
            return tile.write_row_values(result, results);
        }
        let (mut nan, mut right) = (Stack::array(), [RowValues::new()]);
        tile.sum(ZeroOrNan, [], &mut nan);
        tile.per_row(FiniteOrMax, [max, result], Some(&nan), &mut right);
        tile.write_row_values(&right[0], results);
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
