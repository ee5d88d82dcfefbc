//! Passes of the exact tier of softmax: terms and sums in `f64`, results rounded once.
//!
//! ```text
//! for each element         [a, b] = f(x) in f64, kept in two lines; lane_sum += [a, b]
//! fold                     as in super::fold
//! for each element         y = f32([a, b] * (1 / sum))
//! ```
//!
//! A tile is one group. Contiguous rows of any length are read from front to back ([`Sum`], [`Divide`]), interleaved
//! ones element by element ([`PanelSum`], [`PanelDivide`]). The terms do not fit an output of `f32`, so that they are
//! kept in a buffer: two lines of `f64` for each lane value of `f32`.
//!
//! The lane sums are summed in order, without blocks and tree: `f64` has 29 more bits than the result. Both
//! layouts keep the same order. A single long row in a parallel call is summed and divided on one thread.

use super::fold::fold_places;
use super::{RowValues, broadcast_row};
use crate::dispatch::Kernel;
use crate::lanes::{Columns, Fold, Lanes, Line, Memory, ROWS, Rows, Simd};

/// A function of an `f32` element, and of a row value, with a result in `f64`.
pub trait WideElementFunction: Copy {
    /// The function of the elements `x`, whose row has the value `row`. The result is in two halves.
    fn apply<L: Lanes<Float = f32>>(self, row: L, x: L) -> [L::Double; 2];
}

/// The terms of contiguous rows, and their sum over each row.
pub struct Sum<'s, 'a, F> {
    /// Up to 16 rows.
    pub rows: &'s mut Rows<'a, f32, 1, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// The row value that the function takes.
    pub row_values: &'s [Line<f32>],
    /// The terms: two lines for each lane value, row after row.
    pub terms: &'s mut [Line<f64>],
    /// The sums: a line for each half of the group.
    pub sums: &'s mut [RowValues<f64>; 2],
}

impl<F: WideElementFunction> Kernel for Sum<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, row_values, terms, sums } = self;
        let (zero, zero_f64) = (<S::F32 as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        let mut lane_sums = [[zero_f64; 2]; ROWS];
        let mut at = 0;
        for r in 0..rows.len() {
            let [row] = broadcast_row(zero, &[row_values], 0, r);
            let mut blocks = rows.row(r).blocks();
            while let Some(partial) = blocks.partial() {
                let [a, b] = f.apply(row, partial.load(simd)[0]);
                (terms[at], terms[at + 1]) = (Line(a.to_array()), Line(b.to_array()));
                at += 2;
                let count = partial.len();
                let [sum_a, sum_b] = lane_sums[r];
                lane_sums[r] = [
                    sum_a + a.keep_first(count.min(8), zero_f64),
                    sum_b + b.keep_first(count.saturating_sub(8), zero_f64),
                ];
            }
        }
        let mut halves = [[zero_f64; ROWS]; 2];
        for r in 0..ROWS {
            halves[r / 8][r % 8] = lane_sums[r][0] + lane_sums[r][1];
        }
        for half in 0..2 {
            sums[half].push_line(Line(<S::F64 as Fold>::fold_sum(&halves[half])[0].to_array()));
        }
    }
}

/// The same for interleaved rows.
pub struct PanelSum<'s, 'a, F> {
    /// Up to 16 interleaved rows.
    pub rows: &'s mut Rows<'a, f32, 1, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// The row value that the function takes.
    pub row_values: &'s [Line<f32>],
    /// The terms: two lines for each element of the rows.
    pub terms: &'s mut [Line<f64>],
    /// The sums: a line for each half of the group.
    pub sums: &'s mut [RowValues<f64>; 2],
}

impl<F: WideElementFunction> Kernel for PanelSum<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, row_values, terms, sums } = self;
        let row = row_values[0].load(<S::F32 as Memory>::zero(simd));
        let mut places = [[<S::F64 as Memory>::zero(simd); 2]; ROWS];
        let mut columns = columns_of(rows);
        for i in 0..columns.axis() {
            let [a, b] = f.apply(row, columns.elements(i).into_partial().load(simd)[0]);
            (terms[2 * i], terms[2 * i + 1]) = (Line(a.to_array()), Line(b.to_array()));
            let place = &mut places[i % ROWS];
            *place = [place[0] + a, place[1] + b];
        }
        let used = columns.axis().min(ROWS);
        let results = fold_places(places, used);
        for half in 0..2 {
            sums[half].push_line(Line(results[half].to_array()));
        }
    }
}

/// Writes each term divided by the sum of its row to the output.
pub struct Divide<'s, 'a> {
    /// Up to 16 rows.
    pub rows: &'s mut Rows<'a, f32, 1>,
    /// The terms, as [`Sum`] leaves them.
    pub terms: &'s [Line<f64>],
    /// The sums.
    pub sums: &'s [RowValues<f64>; 2],
}

impl Kernel for Divide<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, sums } = self;
        let zero_f64 = <S::F64 as Memory>::zero(simd);
        let [a, b] = inverses(sums, zero_f64);
        let factors = [a.to_array(), b.to_array()];
        let mut at = 0;
        for r in 0..rows.len() {
            let factor = zero_f64.broadcast(factors[r / 8][r % 8]);
            let mut blocks = rows.row(r).blocks();
            while let Some(partial) = blocks.partial() {
                let (a, b) = (terms[at].load(zero_f64), terms[at + 1].load(zero_f64));
                partial.store(<S::F32 as Lanes>::narrow([a * factor, b * factor]));
                at += 2;
            }
        }
    }
}

/// The same for interleaved rows.
pub struct PanelDivide<'s, 'a> {
    /// Up to 16 interleaved rows.
    pub rows: &'s mut Rows<'a, f32, 1>,
    /// The terms, as [`PanelSum`] leaves them.
    pub terms: &'s [Line<f64>],
    /// The sums.
    pub sums: &'s [RowValues<f64>; 2],
}

impl Kernel for PanelDivide<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, sums } = self;
        let zero_f64 = <S::F64 as Memory>::zero(simd);
        let factors = inverses(sums, zero_f64);
        let mut columns = columns_of(rows);
        for i in 0..columns.axis() {
            let (a, b): (S::F64, S::F64) = (terms[2 * i].load(zero_f64), terms[2 * i + 1].load(zero_f64));
            let y = <S::F32 as Lanes>::narrow([a * factors[0], b * factors[1]]);
            columns.elements(i).into_partial().store(y);
        }
    }
}

/// The inverse of each sum.
#[inline(always)]
fn inverses<D: Lanes<Float = f64>>(sums: &[RowValues<f64>; 2], like: D) -> [D; 2] {
    let one = like.splat(1.0);
    [one / sums[0].lines()[0].load(like), one / sums[1].lines()[0].load(like)]
}

/// All rows of the panel, to be taken element by element.
#[inline(always)]
fn columns_of<'r, const M: usize>(rows: &'r mut Rows<'_, f32, 1, M>) -> Columns<'r, f32, 1, M> {
    let count = rows.len();
    rows.interleaved(0, count)
}
