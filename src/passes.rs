//! Passes over the rows of a tensor: the loops that softmax, its relatives and their gradients are made of.
//!
//! # Words
//!
//! A *row* is a set of elements that are reduced together: the elements along the axis of a softmax. The elements of a
//! row are `inner` apart in memory. Where `inner` is 1, rows are contiguous. Elsewhere `inner` rows are interleaved:
//! element i of all of them is one contiguous run of memory, and element i + 1 is the next run.
//!
//! - A *lane value* is 16 `f32` or 8 `f64`, on every instruction set (see [`crate::lanes`]). A *line* is a lane value
//!   in memory that belongs to this crate. It is 64 bytes, one cache line.
//! - A *group* is 16 rows of `f32`, 8 of `f64`: as many as there are lanes.
//! - A *row value* is a number that belongs to a row, such as its maximum. The values of a group are one line: lane r
//!   belongs to row r of the group ([`RowValues`]). So a function of row values, a division or a logarithm, is
//!   evaluated for a group of rows at a time.
//! - A *tile* is the rows that are worked on before the next rows are touched: up to [`GROUPS`] groups.
//! - A *slot* is a line that holds the elements of one short row.
//! - A *panel* is a tile of interleaved rows.
//! - A *piece* is a part of a single long row that one thread works on.
//! - A *block* of a sum is 8 lane values of one row: 128 `f32` or 64 `f64`.
//! - The *terms* of a row are the numbers that are summed, for a softmax the exponentials.
//! - The *lane sums* of a row are the sums of its terms by their place: lane k has summed elements k, k + 16, k + 32,
//!   .. of `f32`, every eighth of `f64`.
//!
//! # Passes and recipes
//!
//! Every operation on rows is a [`Recipe`], a sequence of passes over a tile. There are five:
//!
//! | pass | result |
//! |---|---|
//! | [`max`](Tile::max) | the largest element of each row |
//! | [`sum`](Tile::sum) | the sum of a function of the elements, in `f64`, for each row |
//! | [`replace_and_sum`](Tile::replace_and_sum) | the same, and the terms are kept for a `map` |
//! | [`per_row`](Tile::per_row) | a function of row values |
//! | [`map`](Tile::map) | a function of each element and of row values, written to the output |
//!
//! Logarithms need the sum of all terms but the largest, which [`log_others`](Tile::log_others) finds: see [`mod@others`].
//!
//! This is the recipe of a softmax. The left column is what happens to one row, the right one the pass that does it for
//! all rows of the tile:
//!
//! ```text
//! m = max of x[i]                                               max
//! (c, low, e) = shift(m)                                        per_row, lane r is row r
//! for each i
//!     t[i] = exp(max(low, x[i] - c)) * 2^e                      replace_and_sum
//!     lane_sum[i mod 16] += t[i]        (in the shape below)
//! s = fold of lane_sum, in f64                                  replace_and_sum, a group at a time
//! (h, l) = 1 / s, in two parts                                  per_row
//! for each i
//!     y[i] = t[i] h + t[i] l            (without FMA: t[i] / s) map
//! ```
//!
//! The function of an element is a type parameter of the pass. The loop is compiled for each function, element type,
//! instruction set and layout, and its body is straight-line arithmetic on lane values. The recipes, and the driver
//! that cuts a tensor into tiles ([`mod@drive`]), are compiled once for each element type. They call passes through a
//! [`Level`] and know no instruction set. The alternative, one kernel for each operation and layout, would compile the
//! same maximum and the same sum many times.
//!
//! A recipe goes through the elements of a tile two or three times. A tile is therefore small where that is possible:
//! only the first pass waits for memory, and the later ones find the elements in the first-level cache.
//!
//! # Layouts
//!
//! A pass has one loop for each way in which rows can lie in memory. [`mod@drive`] chooses:
//!
//! | layout | rows | how memory is read | where terms are kept |
//! |---|---|---|---|
//! | [`short`] | contiguous, up to one lane value | each row once, in one load, into its slot | in the slots |
//! | [`long`] | contiguous, longer | each row from front to back, once a pass | in the output |
//! | [`panel`] | interleaved | up to 512 contiguous bytes, then `inner` elements further on | in a buffer of lines |
//! | [`pieces`] | a single long one, on several threads | each piece from front to back, once a pass | in the output |
//!
//! - Short: a pass that is called for one row of 10 elements would cost more than the arithmetic. One call takes up to
//!   128 rows, and the passes after the first load whole, aligned lines.
//! - Long: a tile has about 4096 elements, or a single row if that is longer.
//! - Panel: lane r of a lane value that is loaded from memory belongs to row r already. No transpose and no fold over
//!   the lanes of a maximum are needed. If `inner` is less than a lane value, more rows are first copied next to each
//!   other.
//! - Pieces: only in a parallel call on a single contiguous row that is worth a second thread.
//!
//! The exact tier of softmax has passes of its own, [`wide`], with the layouts long and panel.
//!
//! # The shape of a sum
//!
//! Floating-point addition is not associative. The bits of a sum depend on the order of the additions, and results must
//! not depend on the layout, the instruction set or the threads. So the order is part of the contract, see
//! [`crate::sum`]: the length of a row fixes it, and every layout follows it.
//!
//! ```text
//! lane k      sums elements k, k + 16, .. of a block of 8 lane values, in order, from +0
//! blocks      are combined, lane by lane, by a balanced binary tree over the block's index
//! fold        lane k and lane k + 8 are added in f64, then k and k + 4, k + 2, k + 1
//! ```
//!
//! Blocks and the tree work in the element type. The order of their additions also bounds the rounding error: it grows
//! with the logarithm of the number of blocks, not with the length. What differs between layouts is where the lane sums
//! are. For contiguous rows they are the lanes of one lane value, and [`fold`] adds lanes. In a panel lane sum k is a
//! line of its own, whose lanes are rows, and [`fold`] adds lines, in the same order. Lanes that a row does not reach
//! are +0. They change no bit, because a sum that begins at +0 is never -0. The threads of [`pieces`] cut a row where
//! the tree has a branch.
//!
//! # What is written, and when
//!
//! In place and out of place are one code path. A pass loads the elements of a position from all sources before it
//! stores to that position. In the short layout all elements of the tile are in slots before the first store.
//!
//! - Short and panel: only [`map`](Tile::map) writes to the output.
//! - Long and pieces: [`replace_and_sum`](Tile::replace_and_sum) writes the terms to the output. From then on the
//!   output is the first source, and `map` overwrites it. An output that is not initialised is filled with zeros first,
//!   tile by tile, because it will be read.
//!
//! Gaps between rows are neither read nor written.

mod drive;
mod fold;
mod long;
mod others;
mod panel;
#[cfg(feature = "rayon")]
mod pieces;
mod short;
#[cfg(feature = "exact")]
mod wide;

pub use drive::drive;
#[cfg(feature = "exact")]
pub use wide::WideElementFunction;

use crate::dispatch::{Kernel, Level};
use crate::lanes::{Lanes, Line, Memory, ROWS, Real, Rows, Simd, Stack};
use others::{LogOthers, RemoveLargest};
pub use others::{Logs, Sums, ratio};

/// The largest number of groups in a tile: 8 lines, 512 bytes, of each element of a panel.
pub const GROUPS: usize = 8;

/// A row value for each row of a tile: a line for each group, whose lane r belongs to row r of the group.
pub type RowValues<T> = Stack<T, GROUPS>;

/// One line for each row of a tile: the slots of short rows, or lane sums. The lane sums of a panel are one line for
/// each group and lane, which is as many.
pub type RowLines<T> = Stack<T, { GROUPS * ROWS }>;

/// A function of the elements at one position of `N` sources, and of `P` row values.
pub trait ElementFunction<const N: usize, const P: usize>: Copy + Send + Sync {
    /// Whether its sum is the first pass of the recipe, which must bring the rows from memory. In the other recipes
    /// [`Tile::max`] is the first pass: it brings the first source, and where there is another one a sum must follow that
    /// brings both.
    const IS_FIRST_PASS: bool = false;
    /// Whether its map takes the terms that [`Tile::replace_and_sum`] kept, in place of the first source.
    const TAKES_TERMS: bool = false;
    /// Whether its sum leaves out the largest term of each row, which is the first row value. Not for short rows.
    const EXCLUDES_LARGEST: bool = false;
    /// The function of the elements `x`, whose row has the values `row`.
    fn apply<L: Lanes>(self, row: [L; P], x: [L; N]) -> L;
}

/// A function of `I` row values, and of a sum over the row, with `O` row values as results.
pub trait RowFunction<const I: usize, const O: usize>: Copy {
    /// The function, for a group of rows: lane r belongs to row r. The sum is in `f64`, as [`Lanes::widen`] splits a
    /// lane value: rows 0 to 7 and rows 8 to 15 of `f32`, all 8 rows twice of `f64`.
    fn apply<L: Lanes>(self, values: [L; I], sum: [L::Double; 2]) -> [L; O];
}

/// An operation as a sequence of passes over each tile.
pub trait Recipe<T: Real, const N: usize, const M: usize> {
    /// Whether it is made of the passes of [`wide`], which read rows of any length from memory and take one group at a
    /// time.
    fn uses_wide_passes(&self) -> bool {
        false
    }
    /// Runs the passes on a tile. `first_row` is the index of the tile's first row among all rows of the call.
    fn tile(&mut self, tile: &mut Tile<'_, T, N, M>, first_row: usize);
}

/// The rows of `N` sources and `M` outputs that a recipe works on at a time.
///
/// Passes take views of the rows by reference. To copy a view into the arguments of a call takes as long as the work on
/// a short row.
pub struct Tile<'a, T: Real, const N: usize, const M: usize> {
    level: Level,
    rows: Rows<'a, T, N, M>,
    /// The distance, in elements, to the same row of the next tile, which the first pass prefetches. 0 in the last
    /// tile.
    prefetch_distance: usize,
    layout: Layout<'a, T, N>,
    lane_sums: &'a mut RowLines<T>,
}

/// Where the elements of a tile are, and what a pass over them needs.
enum Layout<'a, T: Real, const N: usize> {
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
    /// enough, see [`LogOthers`](others::LogOthers).
    pub fn log_others(&self, [max, largest]: [&RowValues<T>; 2], sums: Sums<'_>, logs: &mut Logs<T>) -> bool {
        let (axis, rows) = (self.rows.shape().axis, self.rows.len());
        // A sum of a few terms of `f32` is exact in `f64`.
        let small = if T::IS_F32 && axis <= T::LANES { 2_f64.powi(-25) } else { 0.5 };
        // A raised term is at most 2^-166 (`f64`: 2^-1105) of the largest.
        let raised = axis as f64 * if T::IS_F32 { 2_f64.powi(-166) } else { f64::MIN_POSITIVE * 2_f64.powi(-83) };
        let (max, largest) = (max.lines(), largest.lines());
        self.level.run(LogOthers { max, largest, small, raised, sums, logs, rows })
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

/// A function of row values, evaluated for a group of rows at a time.
struct PerRow<'v, T: Real, F, const I: usize, const O: usize> {
    f: F,
    groups: usize,
    values: [&'v [Line<T>]; I],
    sums: [&'v [Line<f64>]; 2],
    results: &'v mut [RowValues<T>; O],
}

impl<T: Real, F: RowFunction<I, O>, const I: usize, const O: usize> Kernel for PerRow<'_, T, F, I, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (zero, zero_f64) = (<T::Lanes<S> as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        for g in 0..self.groups {
            let values = load_group(zero, &self.values, g);
            let mut sum = [zero_f64; 2];
            for half in 0..2 {
                if let Some(line) = self.sums[half].get(g) {
                    sum[half] = line.load(zero_f64);
                }
            }
            let results = self.f.apply(values, sum);
            for o in 0..O {
                self.results[o].push_line(Line(results[o].to_array()));
            }
        }
    }
}

/// The row values of row `r` of a group, each in every lane.
#[inline(always)]
fn broadcast_row<L: Lanes, const P: usize>(
    like: L,
    row_values: &[&[Line<L::Float>]; P],
    group: usize,
    r: usize,
) -> [L; P] {
    let mut row = [like; P];
    for p in 0..P {
        row[p] = row_values[p][group].broadcast(like, r);
    }
    row
}

/// The row values of a group: lane r belongs to row r.
#[inline(always)]
fn load_group<L: Lanes, const P: usize>(like: L, row_values: &[&[Line<L::Float>]; P], group: usize) -> [L; P] {
    let mut values = [like; P];
    for p in 0..P {
        values[p] = row_values[p][group].load(like);
    }
    values
}
