//! Passes over a panel: interleaved rows, where they are in memory.
//!
//! The rows of a panel are next to each other: element i of up to 128 of them (of `f32`) is one contiguous run of up to
//! [`GROUPS`] lane values, and element i + 1 is `inner` elements further on. A pass goes from element to element:
//!
//! ```text
//! for each element i of the rows          (inner apart)
//!     for each group g of the panel       (contiguous)
//!         lane_sum[i mod 16][g] += f(x)   lane r is row r of the group
//! ```
//!
//! So memory is read a few neighbouring cache lines at a time, no transpose is needed, and the sweep touches each line
//! once a pass. The stride may be too long for the hardware's prefetcher, so the first pass fetches the
//! run [`PREFETCH_ELEMENTS`] elements ahead.
//!
//! Terms that replace the elements go to lines of their own, in the order in which they are made. Written to the
//! output, they would be written, read and written again with a stride. Only [`Map`] writes to memory.
//!
//! A row's sum has the shape that it would have in contiguous memory (see [`crate::sum`]). What lane k would sum is
//! a line here, `lane_sum[k]`, for each group. After each block, 128 elements of `f32`, the lines go into a
//! tree and start again from zero:
//!
//! ```text
//! levels[l]    the sum of 2^l blocks, where bit l of the count of finished blocks is set
//! block done   for each level below the lowest bit that is not set: lane_sum = levels[level] + lane_sum
//!              then levels[that bit] = lane_sum, and lane_sum = 0
//! row done     for each level whose bit is set, from the lowest: lane_sum = levels[level] + lane_sum
//! ```

use super::others::exclude;
use super::{ElementFunction, GROUPS, RowLines, RowValues, load_group};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, Real, Rows, Simd};
use crate::sum::BLOCK;

/// The number of elements that the first pass prefetches ahead.
const PREFETCH_ELEMENTS: usize = 8;

/// Buffers that the panels of a call use one after the other.
pub struct Buffers<T: Real> {
    /// The terms: one line a group of element 0, then of element 1, ..
    terms: Vec<Line<T>>,
    /// The levels of the trees: each has as many lines as there are lane sums.
    levels: Vec<Line<T>>,
}

impl<T: Real> Buffers<T> {
    /// Buffers for rows of this length. Terms need [`reserve_terms`](Self::reserve_terms).
    pub fn new(axis: usize) -> Self {
        let blocks = axis / (BLOCK * T::LANES);
        let levels = (usize::BITS - blocks.leading_zeros()) as usize;
        Self { terms: Vec::new(), levels: vec![Line::PLACEHOLDER; levels * T::LANES * GROUPS] }
    }

    /// The terms that the last sum with `REPLACE` kept.
    pub fn terms(&self) -> &[Line<T>] {
        &self.terms
    }

    /// The term of element `i` of row `r` of a panel of `rows` rows.
    pub fn term(&self, rows: usize, r: usize, i: usize) -> T {
        self.terms[i * rows.div_ceil(T::LANES) + r / T::LANES].0.as_ref()[r % T::LANES]
    }

    /// Makes room for the terms of `rows` rows of length `axis`.
    pub fn reserve_terms(&mut self, axis: usize, rows: usize) {
        let lines = axis * rows.div_ceil(T::LANES);
        if self.terms.len() < lines {
            self.terms.resize(lines, Line::PLACEHOLDER);
        }
    }
}

/// The largest element of each row.
pub struct Max<'s, 'a, T: Real> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, 1, 0>,
    /// The results: a line for each group, -inf beyond the last row.
    pub max: &'s mut RowValues<T>,
}

impl<T: Real> Kernel for Max<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let count = self.rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = self.rows.interleaved(0, count);
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let mut max = [lowest; GROUPS];
        for i in 0..columns.axis() {
            columns.prefetch(simd, i + PREFETCH_ELEMENTS);
            let mut blocks = columns.elements(i).blocks();
            for g in 0..GROUPS {
                let Some(partial) = blocks.partial() else { break };
                max[g] = max[g].max(partial.load(simd)[0]);
            }
        }
        for g in 0..groups {
            let max = max[g].keep_first(T::LANES.min(count - g * T::LANES), lowest);
            self.max.push_line(Line(max.to_array()));
        }
    }
}

/// The lane sums of a function over each row. With `REPLACE` the terms are kept in the buffers.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const P: usize, const REPLACE: bool> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
    /// The terms and the levels of the trees.
    pub buffers: &'s mut Buffers<T>,
    /// The results, as [`super::fold::InterleavedRows`] takes them.
    pub lane_sums: &'s mut RowLines<T>,
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize, const REPLACE: bool> Kernel
    for Sum<'_, '_, T, F, N, P, REPLACE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, row_values, buffers: Buffers { terms, levels }, lane_sums } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (terms, levels) = (terms.as_mut_slice(), levels.as_mut_slice());
        let count = rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = rows.interleaved(0, count);
        let axis = columns.axis();
        let mut blocks_done = 0;
        for i in 0..axis {
            if i > 0 && i % (BLOCK * T::LANES) == 0 {
                finish_block(zero, lane_sums.lines_mut(), levels, blocks_done);
                blocks_done += 1;
            }
            if F::IS_FIRST_PASS {
                columns.prefetch(simd, i + PREFETCH_ELEMENTS);
            }
            let place = i % T::LANES * groups;
            let mut blocks = columns.elements(i).blocks();
            for g in 0..groups {
                let Some(partial) = blocks.partial() else { break };
                let mut x = partial.load(simd);
                if F::TAKES_TERMS {
                    x[0] = terms[i * groups + g].load(zero);
                }
                let values = load_group(zero, &row_values, g);
                let mut term = f.apply(values, x);
                if F::EXCLUDES_LARGEST {
                    term = exclude(values[0], term);
                }
                if i < T::LANES {
                    // The first element that goes to this lane sum.
                    lane_sums.push_line(Line((zero + term).to_array()));
                } else {
                    let sum = &mut lane_sums.lines_mut()[place + g];
                    *sum = Line((sum.load(zero) + term).to_array());
                }
                if REPLACE {
                    terms[i * groups + g] = Line(term.to_array());
                }
            }
        }
        for level in 0..usize::BITS as usize {
            if blocks_done >> level & 1 == 1 {
                add_level(zero, lane_sums.lines_mut(), levels, level);
            }
        }
    }
}

/// Moves the lane sums of a block into the trees and leaves zeros. `blocks` blocks are in the trees already.
#[inline(always)]
fn finish_block<L: Lanes>(zero: L, lines: &mut [Line<L::Float>], levels: &mut [Line<L::Float>], blocks: usize) {
    let level = blocks.trailing_ones() as usize;
    for below in 0..level {
        add_level(zero, lines, levels, below);
    }
    let len = lines.len();
    levels[level * len..][..len].copy_from_slice(lines);
    lines.fill(Line(zero.to_array()));
}

/// Adds a level of the trees to the lane sums.
#[inline(always)]
fn add_level<L: Lanes>(zero: L, lines: &mut [Line<L::Float>], levels: &[Line<L::Float>], level: usize) {
    let levels = &levels[level * lines.len()..];
    for k in 0..lines.len() {
        lines[k] = Line((levels[k].load(zero) + lines[k].load(zero)).to_array());
    }
}

/// Writes a function of each element to the output.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The terms, for a function that takes them in place of the first source.
    pub terms: &'s [Line<T>],
    /// The function.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, f, row_values } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let count = rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = rows.interleaved(0, count);
        for i in 0..columns.axis() {
            let mut blocks = columns.elements(i).blocks();
            for g in 0..groups {
                let Some(partial) = blocks.partial() else { break };
                let mut x = partial.load(simd);
                if F::TAKES_TERMS {
                    x[0] = terms[i * groups + g].load(zero);
                }
                partial.store(f.apply(load_group(zero, &row_values, g), x));
            }
        }
    }
}
