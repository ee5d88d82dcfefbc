//! Passes over rows of more than one lane value, in memory.

use super::{Element, Partials, Values, fold, of_row};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, ROWS, Real, Rows, Simd};
use crate::sum::{BLOCK, Levels, Tree};

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
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let count = self.rows.len();
        for start in (0..count).step_by(T::LANES) {
            let of_group = T::LANES.min(count - start);
            let mut rows = [lowest; ROWS];
            for r in 0..of_group {
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
            self.max.push_line(Line(fold::max(&rows, of_group).to_array()));
        }
    }
}

/// The sum of a function over each row. With an output, the terms are written to it.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const M: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, M>,
    /// The function that gives the terms.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
    /// The results: a line for each row, and zeros to whole groups.
    pub partials: &'s mut Partials<T>,
}

impl<T: Real, F: Element<N, P>, const N: usize, const M: usize, const P: usize> Kernel for Sum<'_, '_, T, F, N, M, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, by_row, partials } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let mut levels = Levels::new();
        let mut tree = Tree::new(&mut levels);
        for r in 0..rows.len() {
            let by_row = of_row(zero, &by_row, r / T::LANES, r % T::LANES);
            let mut blocks = rows.row(r).blocks();
            while let Some(mut block) = blocks.whole::<BLOCK>() {
                let mut sum = zero;
                for v in 0..BLOCK {
                    let term = f.apply(by_row, block.load(simd, v));
                    sum = sum + term;
                    if M > 0 {
                        block.store(v, term);
                    }
                }
                tree.add(sum);
            }
            let mut sum = zero;
            while let Some(partial) = blocks.partial() {
                let term = f.apply(by_row, partial.load(simd));
                sum = sum + term.keep_first(partial.len(), zero);
                if M > 0 {
                    partial.store(term);
                }
            }
            partials.push_line(Line(tree.finish(sum).to_array()));
        }
        for _ in rows.len()..rows.len().next_multiple_of(T::LANES) {
            partials.push_line(Line(zero.to_array()));
        }
    }
}

/// Writes a function of every element.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The function.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, by_row } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for r in 0..rows.len() {
            let by_row = of_row(zero, &by_row, r / T::LANES, r % T::LANES);
            let mut blocks = rows.row(r).blocks();
            while let Some(mut block) = blocks.whole::<4>() {
                for v in 0..4 {
                    block.store(v, f.apply(by_row, block.load(simd, v)));
                }
            }
            while let Some(partial) = blocks.partial() {
                let y = f.apply(by_row, partial.load(simd));
                partial.store(y);
            }
        }
    }
}
