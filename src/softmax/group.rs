//! Rows in groups of up to one lane value, so that what is done once a row is done for a whole group at
//! once: lane r of a value "by row" belongs to row r.
//!
//! A group hides where the elements of its rows lie. There are three kinds: rows of up to one lane value,
//! kept in registers; longer rows; and rows across a tensor, whose elements are a stride apart and which
//! lie side by side in memory. A single very long row may be dealt out to threads. All sum in the same shape.

mod across;
mod long;
mod short;
#[cfg(feature = "rayon")]
mod spread;

use super::exact::wide_term;
use crate::isa::Kernel;
use crate::lanes::{Fold, Lanes, Memory, ROWS, Rows, Shape, Simd};
use crate::real::Real;
use crate::sum::Tree;
use across::{Across, Elements};
use long::Long;
use short::Short;
#[cfg(feature = "rayon")]
use spread::Spread;

/// A function of the elements at one position, and of `P` values that belong to their row.
pub trait Element<const N: usize, const P: usize>: Copy + Send + Sync {
    /// The function.
    fn apply<L: Lanes>(self, row: [L; P], x: [L; N]) -> L;
}

/// Some rows of `N` sources.
pub trait Group<L: Lanes, const N: usize> {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The element of the first source in this row and column.
    fn get(&self, row: usize, column: usize) -> L::Float;
    /// Replaces an element of the output.
    fn set(&mut self, row: usize, column: usize, value: L::Float);
    /// The largest element of each row of the first source, or NaN or not where there are NaNs.
    fn max(&mut self) -> L;
    /// The sum of `f` over each row. With `REPLACE` the first source is replaced by what was summed.
    fn sum<const REPLACE: bool, const P: usize>(&mut self, f: impl Element<N, P>, by_row: [L; P]) -> [L::Double; 2];
    /// The sum of e^(x - max) over each row of the first source, in `f64`; the terms are put down in their order.
    fn sum_wide(&mut self, max: L, terms: &mut Vec<[L::Double; 2]>) -> [L::Double; 2];
    /// Writes the terms of [`sum_wide`](Self::sum_wide) times their row's factor to the output.
    fn scale_wide(&mut self, terms: &[[L::Double; 2]], factor: [L::Double; 2]);
    /// Writes `f` of every element to the output.
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [L; P]);
}

/// What is done with each group of rows.
pub trait Work<T: Real, const N: usize> {
    /// Whether there are rows across a tensor; else nothing is compiled for them.
    const ACROSS: bool = true;
    /// Works on the group whose first row has this index among all rows.
    fn group<L: Lanes<Float = T>>(&mut self, zero: L, group: impl Group<L, N>, first: usize);
}

/// The kernel that does some [`Work`] with every group of a tensor.
pub struct ByGroup<'a, T, W, const N: usize, const OUTPUT: bool = true> {
    /// The work.
    pub work: W,
    /// The rows of the tensor.
    pub rows: Rows<'a, T, N, OUTPUT>,
}

/// Elements of long rows that are worked on together: they stay in the first-level cache.
const GROUP: usize = 4096;

impl<T: Real, W: Work<T, N>, const N: usize, const OUTPUT: bool> Kernel for ByGroup<'_, T, W, N, OUTPUT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Shape { axis, inner } = self.rows.shape();
        if self.rows.len() == 0 {
            // Any axis is possible here: no room for one.
            return;
        }
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let mut first = 0;
        #[cfg(feature = "rayon")]
        if self.rows.is_spread() {
            let slices = self.rows.in_a_row(0, 1);
            return self.work.group(zero, Spread { simd, slices }, 0);
        }
        if W::ACROSS && inner > 1 {
            let mut elements = vec![Elements([T::IOTA; N]); axis];
            let mut tree = Tree::new(zero);
            while first < self.rows.len() {
                let mut rows = T::LANES.min(self.rows.len() - first);
                if inner >= T::LANES {
                    rows = self.rows.side_by_side(first, rows).len();
                }
                let group = Across::new(simd, self.rows.part(first, rows), &mut elements, &mut tree);
                self.work.group(zero, group, first);
                first += rows;
            }
        } else if axis <= T::LANES {
            let mut elements = [[zero; N]; ROWS];
            while first < self.rows.len() {
                let rows = T::LANES.min(self.rows.len() - first);
                let group = Short::new(simd, self.rows.in_a_row(first, rows), rows, axis, &mut elements);
                self.work.group(zero, group, first);
                first += rows;
            }
        } else {
            let mut tree = Tree::new(zero);
            let most = (GROUP / axis).clamp(1, T::LANES);
            while first < self.rows.len() {
                let rows = most.min(self.rows.len() - first);
                let slices = self.rows.in_a_row(first, rows);
                self.work.group(zero, Long { simd, slices, rows, axis, tree: &mut tree }, first);
                first += rows;
            }
        }
    }
}

/// [`Fold::fold_sum`] of rows that are widened already.
#[inline(always)]
fn fold_wide<T: Real, D: Fold + Lanes<Double = D>>(rows: &[[D; 2]; ROWS]) -> [D; 2] {
    let mut halves = [[rows[0][0]; ROWS]; 2];
    for r in 0..T::LANES {
        let [a, b] = rows[r];
        halves[r / 8][r % 8] = if T::LANES == 16 { a + b } else { a };
    }
    [D::fold_sum(&halves[0])[0], D::fold_sum(&halves[1])[0]]
}

/// [`Lanes::keep`] of a value that is widened already, zeros coming in.
#[inline(always)]
fn keep_wide<T: Real, D: Lanes>([a, b]: [D; 2], count: usize) -> [D; 2] {
    let (zero, half) = (a.splat(0.0), if T::LANES == 16 { 8 } else { 0 });
    [a.keep(count.min(8), zero), b.keep(count.saturating_sub(half), zero)]
}

/// What belongs to row `r`, in every lane.
#[inline(always)]
fn row<L: Lanes, const P: usize>(like: L, by_row: &[<L::Float as Real>::Array; P], r: usize) -> [L; P] {
    let mut row = [like; P];
    for p in 0..P {
        row[p] = like.broadcast(by_row[p].as_ref()[r]);
    }
    row
}

/// By row, as arrays.
#[inline(always)]
fn arrays<L: Lanes, const P: usize>(by_row: [L; P]) -> [<L::Float as Real>::Array; P] {
    let mut arrays = [L::Float::IOTA; P];
    for p in 0..P {
        arrays[p] = by_row[p].to_array();
    }
    arrays
}
