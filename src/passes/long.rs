//! Passes over contiguous rows of more than one lane value, where they are in memory.
//!
//! Each row is read from front to back. The sum follows the shape of [`crate::sum`]:
//!
//! ```text
//! for each row r of the tile
//!     tree = empty
//!     while 8 lane values are left                    a block
//!         sum = +0
//!         for each of the 8
//!             term = f(x);  sum += term;  store term (if there is an output)
//!         tree.add(sum)
//!     sum = +0
//!     while elements are left                         the last block: whole lane values, then a masked one
//!         term = f(x);  sum += term in the lanes that have an element;  store term
//!     lane_sums[r] = tree.finish(sum)
//! ```
//!
//! [`Max`] keeps four maxima, because each waits for the one before, and [`Map`] takes four lane values at a time.
//! Neither has an order to keep: a maximum does not depend on it, and elements of a map do not depend on each other.

use super::others::{Count, exclude};
use super::{ElementFunction, RowLines, RowValues, broadcast_row, fold};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Mask, Memory, ROWS, Real, Rows, Simd};
use crate::sum::{BLOCK, Levels, Tree};

/// The largest element of each row.
pub struct Max<'s, 'a, T: Real> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, 1, 0>,
    /// The results: a line for each group.
    pub max: &'s mut RowValues<T>,
}

impl<T: Real> Kernel for Max<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let count = self.rows.len();
        for start in (0..count).step_by(T::LANES) {
            let group_len = T::LANES.min(count - start);
            let mut rows = [lowest; ROWS];
            for r in 0..group_len {
                let mut max = [lowest; 4];
                let mut blocks = self.rows.row(start + r).blocks();
                while let Some(block) = blocks.whole::<4>() {
                    for v in 0..4 {
                        max[v] = max[v].max(block.load(simd, v)[0]);
                    }
                }
                while let Some(partial) = blocks.partial() {
                    let x = partial.load::<T::Lanes<S>>(simd)[0];
                    max[0] = max[0].max(x.keep_first(partial.len(), lowest));
                }
                rows[r] = max[0].max(max[1]).max(max[2].max(max[3]));
            }
            self.max.push_line(Line(fold::max(&rows, group_len).to_array()));
        }
    }
}

/// The lane sums of a function over each row. If there is an output, the terms are written to it.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const M: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, M>,
    /// The function that gives the terms.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
    /// The results: a line for each row, and lines of zeros to a whole group.
    pub lane_sums: &'s mut RowLines<T>,
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const M: usize, const P: usize> Kernel
    for Sum<'_, '_, T, F, N, M, P>
{
    /// Whether exactly one term of each row was excluded.
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { rows, f, row_values, lane_sums } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let mut levels = Levels::new();
        let mut tree = Tree::new(&mut levels);
        let mut excluded_one = F::EXCLUDES_LARGEST;
        for r in 0..rows.len() {
            let row_values = broadcast_row(zero, &row_values, r / T::LANES, r % T::LANES);
            if F::EXCLUDES_LARGEST && !row_values[0].le(row_values[0]).all() {
                lane_sums.push_line(Line(zero.to_array()));
                continue;
            }
            let mut excluded = Count::new(zero);
            let mut blocks = rows.row(r).blocks();
            while let Some(mut block) = blocks.whole::<BLOCK>() {
                let mut sum = zero;
                for v in 0..BLOCK {
                    let mut term = f.apply(row_values, block.load(simd, v));
                    if F::EXCLUDES_LARGEST {
                        excluded.add(row_values[0], term);
                        term = exclude(row_values[0], term);
                    }
                    sum = sum + term;
                    if M > 0 {
                        block.store(v, term);
                    }
                }
                tree.add(sum);
            }
            let mut sum = zero;
            while let Some(partial) = blocks.partial() {
                let mut term = f.apply(row_values, partial.load(simd)).keep_first(partial.len(), zero);
                if F::EXCLUDES_LARGEST {
                    excluded.add(row_values[0], term);
                    term = exclude(row_values[0], term);
                }
                sum = sum + term;
                if M > 0 {
                    partial.store(term);
                }
            }
            if F::EXCLUDES_LARGEST {
                excluded_one &= excluded.total() == 1;
            }
            lane_sums.push_line(Line(tree.finish(sum).to_array()));
        }
        for _ in rows.len()..rows.len().next_multiple_of(T::LANES) {
            lane_sums.push_line(Line(zero.to_array()));
        }
        excluded_one
    }
}

/// Writes a function of each element to the output.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The function.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, row_values } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for r in 0..rows.len() {
            let row_values = broadcast_row(zero, &row_values, r / T::LANES, r % T::LANES);
            let mut blocks = rows.row(r).blocks();
            while let Some(mut block) = blocks.whole::<4>() {
                for v in 0..4 {
                    block.store(v, f.apply(row_values, block.load(simd, v)));
                }
            }
            while let Some(partial) = blocks.partial() {
                let y = f.apply(row_values, partial.load(simd));
                partial.store(y);
            }
        }
    }
}
