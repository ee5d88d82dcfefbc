//! Passes over a single contiguous row, whose pieces run in parallel.
//!
//! A pass is cut at each level of [`crate::parallel`], and each piece is worked on as a row of its own by the pass of
//! [`super::long`]:
//!
//! ```text
//! max    the largest element of each piece, then the largest of these
//! sum    the lane sums of each piece, added lane by lane in the shape of the tree; then one fold
//! map    each piece on its own
//! ```
//!
//! A row's sum keeps its shape, whatever the number of threads: [`parallel::fold`] cuts after the largest power of two
//! of blocks, which is where the tree of the sum has its topmost branch, and so on in both parts. The terms that a sum
//! writes to the output are ready when all pieces are, so that the map may be cut elsewhere.

use super::{ElementFunction, RowLines, RowValues, long};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::lanes::{Line, Real, Rows};
use crate::parallel;

/// The largest element.
pub fn max<T: Real>(level: Level, row: &mut Rows<'_, T, 1, 0>, max: &mut RowValues<T>) {
    let piece_max = |piece| {
        let mut max = RowValues::new();
        level.run(long::Max { rows: &mut Rows::single(piece), max: &mut max });
        max.lines()[0]
    };
    let larger = |a: Line<T>, b: Line<T>| if a.0.as_ref()[0] > b.0.as_ref()[0] { a } else { b };
    max.push_line(parallel::fold(level, Cost::MAX_PASS, row.row(0), &piece_max, &larger));
}

/// The lane sums of a function. If there is an output, the terms are written to it.
pub fn sum<T: Real, F: ElementFunction<N, P>, const N: usize, const M: usize, const P: usize>(
    level: Level,
    row: &mut Rows<'_, T, N, M>,
    f: F,
    row_values: [&[Line<T>]; P],
    lane_sums: &mut RowLines<T>,
) {
    let piece_sum = |piece| {
        let mut lane_sums = RowLines::new();
        level.run(long::Sum { rows: &mut Rows::single(piece), f, row_values, lane_sums: &mut lane_sums });
        lane_sums.lines()[0]
    };
    let add = |mut a: Line<T>, b: Line<T>| {
        for (a, b) in a.0.as_mut().iter_mut().zip(b.0.as_ref()) {
            *a = *a + *b;
        }
        a
    };
    lane_sums.push_line(parallel::fold(level, Cost::SUM_PASS, row.row(0), &piece_sum, &add));
    // The fold takes whole groups. For a single row it reads the first line only.
    (1..T::LANES).for_each(|_| lane_sums.push_line(Line::PLACEHOLDER));
}

/// Writes a function of each element to the output.
pub fn map<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize>(
    level: Level,
    row: &mut Rows<'_, T, N>,
    f: F,
    row_values: [&[Line<T>]; P],
) {
    let map_piece = |piece| level.run(long::Map { rows: &mut Rows::single(piece), f, row_values });
    parallel::split(level, Cost::MAP_PASS, row.row(0), &map_piece);
}
