//! Passes over a single long row, whose pieces run in parallel.
//!
//! A piece is worked on as a row of its own by the passes of [`super::long`], and the row's sum keeps its shape:
//! [`parallel::fold`] cuts where the tree of the sum has a branch.

use super::{Element, Partials, Values, long};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::lanes::{Line, Real, Rows};
use crate::parallel;

/// The largest element.
pub fn max<T: Real>(level: Level, row: &mut Rows<'_, T, 1, 0>, max: &mut Values<T>) {
    let of_piece = |piece| {
        let mut max = Values::new();
        level.run(long::Max { rows: &mut Rows::single(piece), max: &mut max });
        max.lines()[0]
    };
    let larger = |a: Line<T>, b: Line<T>| if a.0.as_ref()[0] > b.0.as_ref()[0] { a } else { b };
    max.push_line(parallel::fold(level, Cost::MAX_PASS, row.row(0), &of_piece, &larger));
}

/// The sum of a function; with an output, the terms are written to it.
pub fn sum<T: Real, F: Element<N, P>, const N: usize, const M: usize, const P: usize>(
    level: Level,
    row: &mut Rows<'_, T, N, M>,
    f: F,
    by_row: [&[Line<T>]; P],
    partials: &mut Partials<T>,
) {
    let of_piece = |piece| {
        let mut partials = Partials::new();
        level.run(long::Sum { rows: &mut Rows::single(piece), f, by_row, partials: &mut partials });
        partials.lines()[0]
    };
    let add = |mut a: Line<T>, b: Line<T>| {
        for (a, b) in a.0.as_mut().iter_mut().zip(b.0.as_ref()) {
            *a = *a + *b;
        }
        a
    };
    partials.push_line(parallel::fold(level, Cost::SUM_PASS, row.row(0), &of_piece, &add));
    // A whole group, of which the fold of one row reads no more.
    (1..T::LANES).for_each(|_| partials.push_line(Line::PLACEHOLDER));
}

/// Writes a function of every element.
pub fn map<T: Real, F: Element<N, P>, const N: usize, const P: usize>(
    level: Level,
    row: &mut Rows<'_, T, N>,
    f: F,
    by_row: [&[Line<T>]; P],
) {
    let of_piece = |piece| level.run(long::Map { rows: &mut Rows::single(piece), f, by_row });
    parallel::split(level, Cost::MAP_PASS, row.row(0), &of_piece);
}
