//! A tile, and the passes over it: each chooses the loop for the layout of the rows.

use super::others::{LogOthers, Logs, MAY_BE_SMALL, RemoveLargest, Sums};
#[cfg(feature = "rayon")]
use super::pieces;
#[cfg(feature = "exact")]
use super::wide::{self, WideElementFunction};
use super::{ElementFunction, PerRow, RowFunction, RowLines, RowValues, fold, long, panel, short};
use crate::dispatch::Level;
use crate::lanes::{Element, Line, Real, Rows, Stack};

/// The rows of `N` sources and `M` outputs that a recipe works on at a time.
///
/// Passes take views of the rows by reference. To copy a view into the arguments of a call takes as long as the work on
/// a short row.
pub struct Tile<'a, T: Real, const N: usize, const M: usize> {
    pub(super) level: Level,
    pub(super) rows: Rows<'a, T, N, M>,
    /// The distance, in elements, to the same row of the next tile, which the first pass prefetches. 0 in the last
    /// tile.
    pub(super) prefetch_distance: usize,
    pub(super) layout: Layout<'a, T, N>,
    pub(super) lane_sums: &'a mut RowLines<T>,
}

/// Where the elements of a tile are, and what a pass over them needs.
pub(super) enum Layout<'a, T: Real, const N: usize> {
    /// Contiguous rows of up to one lane value: one list of slots for each source, empty before the first pass.
    Short(&'a mut [RowLines<T>; N]),
    /// Contiguous rows, in memory.
    Long,
    /// Interleaved rows, in memory. The terms are in a buffer.
    Panel(&'a mut panel::Buffers<T>),
    /// A single contiguous row, in memory, whose pieces run in parallel.
    #[cfg(feature = "rayon")]
    Pieces,
}

impl<T: Real, const N: usize> Layout<'_, T, N> {
    /// Whether [`Tile::replace_and_sum`] writes the terms to the output.
    fn keeps_terms_in_output(&self) -> bool {
        !matches!(self, Layout::Short(_) | Layout::Panel(_))
    }

    /// Whether the rows are interleaved.
    fn is_panel(&self) -> bool {
        matches!(self, Layout::Panel(_))
    }
}

impl<T: Real, const N: usize, const M: usize> Tile<'_, T, N, M> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Element `i` of row `r` of source `k`. Of the first one it must not be called after [`replace_and_sum`](Tile::replace_and_sum),
    /// which may have overwritten it.
    pub fn get(&self, k: usize, r: usize, i: usize) -> T {
        self.rows.get(k, r, i)
    }

    /// The number of elements of a row.
    pub fn axis(&self) -> usize {
        self.rows.shape().axis
    }

    /// Sets the sum of row r to `sum(tile, r)`, for all rows of the tile.
    pub fn sum_by_row(&self, sums: &mut [RowValues<f64>; 2], sum: &dyn Fn(&Self, usize) -> f64) {
        sums.iter_mut().for_each(Stack::clear);
        for first in (0..self.len()).step_by(T::LANES) {
            for half in 0..2 {
                let mut line = Line::<f64>::PLACEHOLDER;
                let start = if T::IS_F32 { first + 8 * half } else { first };
                for (lane, r) in line.0.as_mut().iter_mut().zip(start..self.len()) {
                    *lane = sum(self, r);
                }
                sums[half].push_line(line);
            }
        }
    }

    /// The sum of row `r`.
    pub fn row_sum(&self, sums: &[RowValues<f64>; 2], r: usize) -> f64 {
        let (group, lane) = (r / T::LANES, r % T::LANES);
        sums[lane / 8].lines()[group].0[lane % 8]
    }

    /// Sets the row value of row r to `value(r)`, for all rows of the tile.
    pub fn set_row_values(&self, values: &mut RowValues<T>, value: impl Fn(usize) -> T) {
        values.clear();
        for first in (0..self.len()).step_by(T::LANES) {
            let mut line = Line::<T>::PLACEHOLDER;
            for (lane, r) in line.0.as_mut().iter_mut().zip(first..self.len()) {
                *lane = value(r);
            }
            values.push_line(line);
        }
    }

    /// Whether the condition holds for the row value of every row.
    pub fn all_rows(&self, values: &RowValues<T>, condition: impl Fn(T) -> bool) -> bool {
        let mut left = self.len();
        values.lines().iter().all(|line| {
            let count = left.min(T::LANES);
            left -= count;
            line.0.as_ref()[..count].iter().fold(true, |all, value| all & condition(*value))
        })
    }

    /// Writes the row value of each row to the front of `results`, in the order of the rows.
    pub fn write_row_values(&self, values: &RowValues<T>, results: &mut [T]) {
        let results = results[..self.len()].chunks_mut(T::LANES);
        for (results, line) in results.zip(values.lines()) {
            results.copy_from_slice(&line.0.as_ref()[..results.len()]);
        }
    }

    /// The largest element of each row of the first source. Unspecified for a row with NaN.
    pub fn max(&mut self, max: &mut RowValues<T>) {
        max.clear();
        let (level, prefetch_distance, rows) = (self.level, self.prefetch_distance, &mut self.rows.first_source());
        match &mut self.layout {
            Layout::Short(slots) => {
                level.run(short::Max { rows, prefetch_distance, slots: &mut slots[0], max });
            }
            Layout::Long => level.run(long::Max { rows, max }),
            Layout::Panel(_) => level.run(panel::Max { rows, max }),
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::max(level, rows, max),
        }
    }

    /// The sum of `f` over each row, in `f64`, as [`RowFunction::apply`] takes it. Returns true if exactly one term of each
    /// row was [excluded](ElementFunction::EXCLUDES_LARGEST), and this is known.
    pub fn sum<F: ElementFunction<N, P>, const P: usize>(
        &mut self,
        f: F,
        row_values: [&RowValues<T>; P],
        sums: &mut [RowValues<f64>; 2],
    ) -> bool {
        let (level, prefetch_distance, row_values) = (self.level, self.prefetch_distance, row_values.map(Stack::lines));
        self.lane_sums.clear();
        let (rows, lane_sums) = (&mut self.rows.inputs(), &mut *self.lane_sums);
        let mut excluded_one = false;
        match &mut self.layout {
            Layout::Short(slots) => {
                if F::IS_FIRST_PASS {
                    slots.iter_mut().for_each(Stack::clear);
                }
                level.run(short::Sum::<_, _, N, P, false> { rows, prefetch_distance, slots, f, row_values, lane_sums });
            }
            Layout::Long => excluded_one = level.run(long::Sum { rows, f, row_values, lane_sums }),
            Layout::Panel(buffers) => {
                level.run(panel::Sum::<_, _, N, P, false> { rows, f, row_values, buffers, lane_sums });
            }
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::sum(level, rows, f, row_values, lane_sums),
        }
        self.fold(sums);
        excluded_one
    }

    /// Folds the lane sums of each row to its sum.
    fn fold(&mut self, sums: &mut [RowValues<f64>; 2]) {
        sums.iter_mut().for_each(Stack::clear);
        let lines = self.lane_sums.lines();
        match self.layout {
            Layout::Panel(_) => {
                let used = self.rows.shape().axis.min(T::LANES);
                self.level.run(fold::InterleavedRows { lines, groups: self.rows.len().div_ceil(T::LANES), used, sums });
            }
            _ => self.level.run(fold::ContiguousRows { lines, rows: self.rows.len(), sums }),
        }
    }

    /// `f` of the row values, and of the sum if there is one, of each row.
    pub fn per_row<F: RowFunction<I, O>, const I: usize, const O: usize>(
        &self,
        f: F,
        values: [&RowValues<T>; I],
        sums: Option<&[RowValues<f64>; 2]>,
        results: &mut [RowValues<T>; O],
    ) {
        results.iter_mut().for_each(Stack::clear);
        let values = values.map(Stack::lines);
        let groups = self.rows.len().div_ceil(T::LANES);
        let sums = sums.map_or([&[][..]; 2], |sums| sums.each_ref().map(Stack::lines));
        self.level.run(PerRow { f, groups, values, sums, results });
    }
}

impl<T: Real, const N: usize, const M: usize> Tile<'_, T, N, M> {
    /// The sum of all terms but the largest of each row, and its logarithm. Returns whether the sums that are given are
    /// enough, see [`LogOthers`].
    pub fn log_others(&self, [max, largest]: [&RowValues<T>; 2], sums: Sums<'_>, logs: &mut Logs<T>) -> bool {
        let (axis, rows, small) = (self.rows.shape().axis, self.rows.len(), self.small());
        // A raised term is at most 2^-166 (`f64`: 2^-1105) of the largest.
        let raised = axis as f64 * if T::IS_F32 { 2_f64.powi(-166) } else { f64::MIN_POSITIVE * 2_f64.powi(-83) };
        let (max, largest) = (max.lines(), largest.lines());
        self.level.run(LogOthers { max, largest, small, raised, sums, logs, rows })
    }

    /// The largest term of the rows whose difference may be small, and NaN for the others, of which a sum that excludes
    /// the largest term is not needed.
    pub fn largest_of_small(&self, largest: &RowValues<T>, logs: &Logs<T>) -> RowValues<T> {
        let (mut values, small) = (RowValues::new(), MAY_BE_SMALL * self.small());
        self.set_row_values(&mut values, |r| {
            let largest = largest.get(r);
            if self.row_sum(&logs.others, r) < small * largest.to_f64() { largest } else { T::from_f64(f64::NAN) }
        });
        values
    }

    /// The share of the largest term below which the sum of the others is summed on its own.
    fn small(&self) -> f64 {
        // A sum of a few terms of `f32` is exact in `f64`. Elsewhere the difference to the largest term has the error of a
        // sum that is at most twice as large. From 1 on, the row may have its largest term twice.
        if T::IS_F32 && self.is_single_lane_value() { 2_f64.powi(-25) } else { 0.998 }
    }

    /// The sums of the last sum without the largest term, for rows whose lane sums are single terms.
    pub fn sum_without(&mut self, largest: &RowValues<T>, sums: &mut [RowValues<f64>; 2]) {
        assert!(self.is_single_lane_value());
        let (lane_sums, rows, is_panel) = (self.lane_sums.lines_mut(), self.rows.len(), self.layout.is_panel());
        self.level.run(RemoveLargest { largest: largest.lines(), lane_sums, rows, is_panel });
        self.fold(sums);
    }

    /// Runs passes over the first `len` elements of the rows alone.
    pub fn with_first_elements<R>(&mut self, len: usize, passes: impl FnOnce(&mut Self) -> R) -> R {
        let axis = self.rows.shape().axis;
        self.rows.set_axis(len);
        let result = passes(self);
        self.rows.set_axis(axis);
        result
    }

    /// Whether the lane sums of a row are single elements.
    pub fn is_single_lane_value(&self) -> bool {
        self.rows.shape().axis <= T::LANES
    }
}

impl<T: Real, const N: usize> Tile<'_, T, N, 1> {
    /// The sum of `f` over each row. The terms are kept for a [`map`](Self::map) whose function
    /// [takes them](ElementFunction::TAKES_TERMS).
    pub fn replace_and_sum<F: ElementFunction<N, P>, const P: usize>(
        &mut self,
        f: F,
        row_values: [&RowValues<T>; P],
        sums: &mut [RowValues<f64>; 2],
    ) {
        let (level, row_values) = (self.level, row_values.map(Stack::lines));
        self.lane_sums.clear();
        let (prefetch_distance, rows, lane_sums) = (self.prefetch_distance, &mut self.rows, &mut *self.lane_sums);
        match &mut self.layout {
            Layout::Short(slots) => {
                let rows = &mut rows.inputs();
                level.run(short::Sum::<_, _, N, P, true> { rows, prefetch_distance, slots, f, row_values, lane_sums });
            }
            Layout::Long => {
                level.run(long::Sum { rows, f, row_values, lane_sums });
            }
            Layout::Panel(buffers) => {
                let rows = &mut rows.inputs();
                buffers.reserve_terms(rows.shape().axis, rows.len());
                level.run(panel::Sum::<_, _, N, P, true> { rows, f, row_values, buffers, lane_sums });
            }
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::sum(level, rows, f, row_values, lane_sums),
        }
        if self.layout.keeps_terms_in_output() {
            self.rows.replace_source_by_output();
        }
        self.fold(sums);
    }

    /// The term of element `i` of row `r`, which the last sum has kept.
    pub fn term(&self, r: usize, i: usize) -> T {
        match &self.layout {
            Layout::Short(slots) => slots[0].lines()[r].0.as_ref()[i],
            Layout::Panel(buffers) => buffers.term(self.rows.len(), r, i),
            _ => self.rows.get(0, r, i),
        }
    }

    /// Subtracts `value(r, i)` from element `i` of row `r` of the output, for all elements.
    pub fn subtract_from_output(&mut self, value: &dyn Fn(usize, usize) -> f64) {
        for r in 0..self.len() {
            for i in 0..self.axis() {
                let element = self.rows.get_output(0, r, i).to_f64() - value(r, i);
                self.rows.set(0, r, i, T::from_f64(element));
            }
        }
    }

    /// Sets all elements of row `r` of the output.
    pub fn fill(&mut self, r: usize, value: T) {
        for i in 0..self.axis() {
            self.rows.set(0, r, i, value);
        }
    }

    /// Sets element `i` of row `r` of the output.
    pub fn set(&mut self, r: usize, i: usize, value: T) {
        self.rows.set(0, r, i, value);
    }

    /// Writes `f` of every element to the output.
    pub fn map<F: ElementFunction<N, P>, const P: usize>(&mut self, f: F, row_values: [&RowValues<T>; P]) {
        let (level, rows) = (self.level, &mut self.rows);
        let row_values = row_values.map(Stack::lines);
        match &mut self.layout {
            Layout::Short(slots) => level.run(short::Map { rows, slots, f, row_values }),
            Layout::Long => level.run(long::Map { rows, f, row_values }),
            Layout::Panel(buffers) => level.run(panel::Map { rows, terms: buffers.terms(), f, row_values }),
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::map(level, rows, f, row_values),
        }
    }
}

impl<T: Real, const M: usize> Tile<'_, T, 2, M> {
    /// Runs passes over the first source alone. Terms that they keep take its place.
    pub fn with_first_source<R>(&mut self, passes: impl FnOnce(&mut Tile<'_, T, 1, M>) -> R) -> R {
        let Self { level, prefetch_distance, layout, rows, lane_sums } = self;
        let layout = match layout {
            Layout::Short(slots) => Layout::Short(std::array::from_mut(&mut slots[0])),
            Layout::Long => Layout::Long,
            Layout::Panel(buffers) => Layout::Panel(buffers),
            #[cfg(feature = "rayon")]
            Layout::Pieces => Layout::Pieces,
        };
        let (level, prefetch_distance) = (*level, *prefetch_distance);
        let mut tile = Tile { level, rows: rows.with_first_source(), prefetch_distance, layout, lane_sums };
        let result = passes(&mut tile);
        if tile.rows.reads_output() {
            self.rows.replace_source_by_output();
        }
        result
    }
}

#[cfg(feature = "exact")]
impl Tile<'_, f32, 1, 1> {
    /// The terms, which are `f` of each element in `f64`, and their sum over each row. The tile is one group.
    pub fn sum_wide(
        &mut self,
        f: impl WideElementFunction,
        row_values: &RowValues<f32>,
        terms: &mut Vec<Line<f64>>,
        sums: &mut [RowValues<f64>; 2],
    ) {
        sums.iter_mut().for_each(Stack::clear);
        let (level, axis, len) = (self.level, self.rows.shape().axis, self.rows.len());
        let (rows, row_values) = (&mut self.rows.inputs(), row_values.lines());
        let is_panel = self.layout.is_panel();
        let lane_values = if is_panel { axis } else { len * axis.div_ceil(f32::LANES) };
        if terms.len() < 2 * lane_values {
            terms.resize(2 * lane_values, Line::PLACEHOLDER);
        }
        if is_panel {
            level.run(wide::PanelSum { rows, f, row_values, terms, sums });
        } else {
            level.run(wide::Sum { rows, f, row_values, terms, sums });
        }
    }

    /// Writes each term divided by the sum of its row to the output.
    pub fn divide_wide(&mut self, terms: &[Line<f64>], sums: &[RowValues<f64>; 2]) {
        let (level, rows) = (self.level, &mut self.rows);
        if self.layout.is_panel() {
            level.run(wide::PanelDivide { rows, terms, sums });
        } else {
            level.run(wide::Divide { rows, terms, sums });
        }
    }
}
