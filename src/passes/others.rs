//! The sum of the terms of a row but the largest, for logarithms: see [`crate::recipes`].
//!
//! ```text
//! Subtract       sum -= f(row values), in f64; is some difference too small to have enough digits?
//! MapLaneSums    f of each lane sum, where lane sums are single terms: the sum again, without a term
//! ReplaceSmall   the differences that are too small, by another sum
//! ```

use super::{ElementFunction, RowFunction, RowValues, broadcast_row, load_group};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Mask, Memory, Real, Simd};

/// [`Tile::subtract`](super::Tile::subtract).
pub struct Subtract<'v, T: Real, F, const I: usize> {
    /// The function.
    pub f: F,
    /// The row values.
    pub values: [&'v [Line<T>]; I],
    /// The least share of what is subtracted that a difference may be.
    pub least: f64,
    /// The sums, and then the differences.
    pub sums: &'v mut [RowValues<f64>; 2],
    /// The number of rows.
    pub rows: usize,
    /// What is subtracted.
    pub result: &'v mut RowValues<T>,
}

impl<T: Real, F: RowFunction<I, 1>, const I: usize> Kernel for Subtract<'_, T, F, I> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let (zero, zero_f64) = (<T::Lanes<S> as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        let (mut smallest, one) = (zero_f64.splat(1.0), zero_f64.splat(1.0));
        for g in 0..self.rows.div_ceil(T::LANES) {
            let [result] = self.f.apply(load_group(zero, &self.values, g), [zero_f64; 2]);
            self.result.push_line(Line(result.to_array()));
            let subtrahend = result.widen();
            for half in 0..2 {
                let sums = self.sums[half].lines_mut();
                let difference = sums[g].load(zero_f64) - subtrahend[half];
                sums[g] = Line(difference.to_array());
                // Neither lanes beyond the last row count, nor NaN.
                let is_small = difference.lt(subtrahend[half] * zero_f64.splat(self.least));
                let first = g * T::LANES + if T::IS_F32 { half * 8 } else { 0 };
                let count = self.rows.saturating_sub(first).min(8);
                smallest = smallest.min(S::F64::select(is_small, zero_f64, one).keep_first(count, one));
            }
        }
        !one.le(smallest).all()
    }
}

/// A function of lane sums, in place, for [`Tile::sum_lane_sums`](super::Tile::sum_lane_sums).
pub struct MapLaneSums<'v, T: Real, F, const P: usize> {
    /// The function.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'v [Line<T>]; P],
    /// The lane sums.
    pub lane_sums: &'v mut [Line<T>],
    /// The number of rows.
    pub rows: usize,
    /// Whether the rows are interleaved.
    pub is_panel: bool,
}

impl<T: Real, F: ElementFunction<1, P>, const P: usize> Kernel for MapLaneSums<'_, T, F, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { f, row_values, lane_sums, rows, is_panel } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let groups = rows.div_ceil(T::LANES);
        // Lines beyond the last row hold zeros, which stay.
        let count = if is_panel { lane_sums.len() } else { rows };
        for k in 0..count {
            let values = if is_panel {
                load_group(zero, &row_values, k % groups)
            } else {
                broadcast_row(zero, &row_values, k / T::LANES, k % T::LANES)
            };
            let term = lane_sums[k].load(zero);
            // A lane without an element is 0.
            let result = Lanes::select(term.le(zero), term, f.apply(values, [term]));
            lane_sums[k] = Line(result.to_array());
        }
    }
}

/// [`Tile::replace_small`](super::Tile::replace_small).
pub struct ReplaceSmall<'v, T: Real> {
    /// The row values.
    pub values: &'v [Line<T>],
    /// The least share of what is subtracted that a difference may be.
    pub least: f64,
    /// The sums that replace small differences.
    pub others: &'v [RowValues<f64>; 2],
    /// The sums, and then the differences.
    pub sums: &'v mut [RowValues<f64>; 2],
}

impl<T: Real> Kernel for ReplaceSmall<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <S::F64 as Memory>::zero(simd);
        for g in 0..self.values.len() {
            let values = self.values[g].load(<T::Lanes<S> as Memory>::zero(simd)).widen();
            for half in 0..2 {
                let sums = self.sums[half].lines_mut();
                let (difference, other) = (sums[g].load(zero), self.others[half].lines()[g].load(zero));
                let is_small = difference.lt(values[half] * zero.splat(self.least));
                sums[g] = Line(S::F64::select(is_small, other, difference).to_array());
            }
        }
    }
}
