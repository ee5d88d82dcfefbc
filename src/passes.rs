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
//! [`Level`](crate::dispatch::Level) and know no instruction set. The alternative, one kernel for each operation and layout, would compile the
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
mod tile;
#[cfg(feature = "exact")]
mod wide;

pub use drive::drive;
#[cfg(feature = "exact")]
pub use wide::WideElementFunction;

use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, ROWS, Real, Simd, Stack};
pub use others::{Logs, Sums, ratio};
pub use tile::Tile;

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
    /// Whether its sum leaves out the largest term of each row, which is the first row value, and may leave out rows where
    /// that is NaN. Not for short rows.
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
