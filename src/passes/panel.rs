//! Passes over interleaved rows, in place: a panel of up to [`GROUPS`] neighbouring lane values of rows is swept from
//! element to element, so that memory is read a few cache lines at a time and needs no copy.
//!
//! ```text
//! for each element i of the rows          (a stride apart)
//!     for each group g of the panel       (side by side)
//!         sum[i % 16][g] += f(x)
//! ```
//!
//! Terms that take the place of the elements go to lines of their own: an output that is written, read and written again a
//! stride apart would cost more. Only [`Map`] writes to memory.
//!
//! A row's sum has the shape that it would have along the lanes (see [`crate::sum`]): what lane i would sum is one sum
//! here, and after each block of 8 lane values, 128 elements, these sums go into a tree.

use super::{Element, GROUPS, Partials, Values};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, Real, Rows, Simd};
use crate::sum::BLOCK;

/// How many elements ahead the first pass fetches.
const AHEAD: usize = 8;

/// Memory that the panels of a tensor share.
pub struct Buffers<T: Real> {
    /// The terms that took the place of the elements: the lines of element 0, of element 1, ..
    terms: Vec<Line<T>>,
    /// The levels of the trees.
    levels: Vec<Line<T>>,
}

impl<T: Real> Buffers<T> {
    /// For panels of rows of this length.
    pub fn new(axis: usize) -> Self {
        let blocks = axis / (BLOCK * T::LANES);
        let levels = (usize::BITS - blocks.leading_zeros()) as usize;
        Self { terms: Vec::new(), levels: vec![Line::PLACEHOLDER; levels * T::LANES * GROUPS] }
    }

    /// The terms that took the place of the elements.
    pub fn terms(&self) -> &[Line<T>] {
        &self.terms
    }

    /// Makes room for terms.
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
    /// The results.
    pub max: &'s mut Values<T>,
}

impl<T: Real> Kernel for Max<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let count = self.rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = self.rows.interleaved(0, count);
        let mut max = [<T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY); GROUPS];
        for i in 0..columns.axis() {
            columns.prefetch(simd, i + AHEAD);
            let mut blocks = columns.elements(i).blocks();
            for g in 0..GROUPS {
                let Some(partial) = blocks.partial() else { break };
                max[g] = max[g].max(partial.load(simd)[0]);
            }
        }
        for g in 0..groups {
            self.max.push_line(Line(max[g].to_array()));
        }
    }
}

/// The sum of a function over each row; with `REPLACE` the terms take the place of the first source.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const P: usize, const REPLACE: bool> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
    /// A place for terms and trees.
    pub buffers: &'s mut Buffers<T>,
    /// The results: see [`super::fold::Columns`].
    pub partials: &'s mut Partials<T>,
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize, const REPLACE: bool> Kernel
    for Sum<'_, '_, T, F, N, P, REPLACE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, by_row, buffers: Buffers { terms, levels }, partials } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (terms, levels) = (terms.as_mut_slice(), levels.as_mut_slice());
        let count = rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = rows.interleaved(0, count);
        let axis = columns.axis();
        let mut blocks_done = 0;
        for i in 0..axis {
            if i > 0 && i % (BLOCK * T::LANES) == 0 {
                finish_block(zero, partials.lines_mut(), levels, blocks_done);
                blocks_done += 1;
            }
            if F::IS_FIRST_PASS {
                columns.prefetch(simd, i + AHEAD);
            }
            let place = i % T::LANES * groups;
            let mut blocks = columns.elements(i).blocks();
            for g in 0..groups {
                let Some(partial) = blocks.partial() else { break };
                let term = f.apply(of_group(zero, &by_row, g), partial.load(simd));
                if i < T::LANES {
                    // The first element of this place.
                    partials.push_line(Line((zero + term).to_array()));
                } else {
                    let sum = &mut partials.lines_mut()[place + g];
                    *sum = Line((sum.load(zero) + term).to_array());
                }
                if REPLACE {
                    terms[i * groups + g] = Line(term.to_array());
                }
            }
        }
        for level in 0..usize::BITS as usize {
            if blocks_done >> level & 1 == 1 {
                add_level(zero, partials.lines_mut(), levels, level);
            }
        }
    }
}

/// Moves the sums of a block, the `blocks`-th, into the trees, and leaves zeros.
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

/// Adds a level of the trees to the sums.
#[inline(always)]
fn add_level<L: Lanes>(zero: L, lines: &mut [Line<L::Float>], levels: &[Line<L::Float>], level: usize) {
    let levels = &levels[level * lines.len()..];
    for k in 0..lines.len() {
        lines[k] = Line((levels[k].load(zero) + lines[k].load(zero)).to_array());
    }
}

/// Writes a function of every element.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N>,
    /// What took the place of the first source, where the function is of that.
    pub terms: &'s [Line<T>],
    /// The function.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, f, by_row } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let count = rows.len();
        let groups = count.div_ceil(T::LANES);
        let mut columns = rows.interleaved(0, count);
        for i in 0..columns.axis() {
            let mut blocks = columns.elements(i).blocks();
            for g in 0..groups {
                let Some(partial) = blocks.partial() else { break };
                let mut x = [zero; N];
                if F::IS_OF_TERMS {
                    x[0] = terms[i * groups + g].load(zero);
                } else {
                    x = partial.load(simd);
                }
                partial.store(f.apply(of_group(zero, &by_row, g), x));
            }
        }
    }
}

/// Values of the rows of a group.
#[inline(always)]
fn of_group<L: Lanes, const P: usize>(like: L, by_row: &[&[Line<L::Float>]; P], group: usize) -> [L; P] {
    let mut values = [like; P];
    for p in 0..P {
        values[p] = by_row[p][group].load(like);
    }
    values
}
