//! Rows of more than one lane value, in memory.

use super::{Element, Group, arrays, row};
use crate::lanes::{Fold, Lanes, Memory, ROWS, Simd, Slices};
use crate::real::Real;
use crate::sum::{BLOCK, Tree};

/// Rows of more than one lane value each.
pub struct Long<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    pub simd: S,
    pub slices: Slices<'a, T, N, OUTPUT>,
    pub rows: usize,
    pub axis: usize,
    pub tree: &'t mut Tree<T::Lanes<S>>,
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Long<'_, '_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn row_max(&mut self, r: usize, lowest: T::Lanes<S>) -> T::Lanes<S> {
        let mut max = [lowest; 4];
        let mut blocks = self.slices.part(r * self.axis, self.axis).blocks();
        while let Some(block) = blocks.whole::<4>() {
            for v in 0..4 {
                max[v] = max[v].max(block.load(self.simd, v)[0]);
            }
        }
        while let Some(partial) = blocks.partial() {
            let x = partial.load::<T::Lanes<S>>(self.simd)[0];
            max[0] = max[0].max(x.keep(partial.len(), lowest));
        }
        max[0].max(max[1]).max(max[2].max(max[3]))
    }

    #[inline(always)]
    fn row_sum<const REPLACE: bool, const P: usize>(
        &mut self,
        r: usize,
        f: impl Element<N, P>,
        row: [T::Lanes<S>; P],
        zero: T::Lanes<S>,
    ) -> T::Lanes<S> {
        let mut blocks = self.slices.part(r * self.axis, self.axis).blocks();
        while let Some(mut block) = blocks.whole::<BLOCK>() {
            let mut sum = zero;
            for v in 0..BLOCK {
                let term = f.apply(row, block.load(self.simd, v));
                sum = sum + term;
                if REPLACE {
                    block.store(v, term);
                }
            }
            self.tree.add(sum);
        }
        let mut sum = zero;
        while let Some(partial) = blocks.partial() {
            let term = f.apply(row, partial.load(self.simd));
            sum = sum + term.keep(partial.len(), zero);
            if REPLACE {
                partial.store(term);
            }
        }
        self.tree.finish(sum)
    }
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Long<'_, '_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.rows
    }
    #[inline(always)]
    fn get(&self, row: usize, column: usize) -> T {
        self.slices.get(0, row * self.axis + column)
    }
    #[inline(always)]
    fn set(&mut self, row: usize, column: usize, value: T) {
        self.slices.set(row * self.axis + column, value);
    }
    #[inline(always)]
    fn max(&mut self) -> T::Lanes<S> {
        let lowest = <T::Lanes<S> as Memory>::zero(self.simd).splat(f64::NEG_INFINITY);
        let mut rows = [lowest; ROWS];
        for r in 0..self.rows {
            rows[r] = self.row_max(r, lowest);
        }
        Fold::fold_max(&rows)
    }
    #[inline(always)]
    fn sum<const REPLACE: bool, const P: usize>(
        &mut self,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
    ) -> [S::F64; 2] {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let by_row = arrays(by_row);
        let mut sums = [zero; ROWS];
        for r in 0..self.rows {
            sums[r] = self.row_sum::<REPLACE, P>(r, f, row(zero, &by_row, r), zero);
        }
        if REPLACE {
            self.slices.read_output();
        }
        Fold::fold_sum(&sums)
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let by_row = arrays(by_row);
        for r in 0..self.rows {
            let row = row(zero, &by_row, r);
            let mut blocks = self.slices.part(r * self.axis, self.axis).blocks();
            while let Some(mut block) = blocks.whole::<4>() {
                for v in 0..4 {
                    block.store(v, f.apply(row, block.load(self.simd, v)));
                }
            }
            while let Some(partial) = blocks.partial() {
                let y = f.apply(row, partial.load(self.simd));
                partial.store(y);
            }
        }
    }
}
