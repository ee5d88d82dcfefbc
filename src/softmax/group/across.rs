//! Rows that run across a tensor, side by side in memory.

use super::{Element, Group};
use crate::lanes::{Lanes, Memory, ROWS, Simd, Slices};
use crate::real::Real;
use crate::sum::{BLOCK, Tree};

/// Row r starts at element `start + r`, and its elements are `stride` apart.
pub struct Across<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    pub simd: S,
    pub slices: Slices<'a, T, N, OUTPUT>,
    pub start: usize,
    pub rows: usize,
    pub stride: usize,
    pub tree: &'t mut Tree<T::Lanes<S>>,
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Across<'_, '_, T, S, N, OUTPUT> {
    /// The sum of every LANES-th element from element `i` of the tensor on: what one lane sums in a row that lies
    /// along the lanes.
    #[inline(always)]
    fn lane<const REPLACE: bool, const P: usize>(
        &mut self,
        mut i: usize,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
        zero: T::Lanes<S>,
    ) -> T::Lanes<S> {
        let (mut sum, mut added) = (zero, 0);
        while i < self.slices.len() {
            if added == BLOCK {
                self.tree.add(sum);
                (sum, added) = (zero, 0);
            }
            let partial = self.slices.partial(i, self.rows);
            let term = f.apply(by_row, partial.load(self.simd));
            sum = sum + term;
            added += 1;
            if REPLACE {
                partial.store(term);
            }
            i += T::LANES * self.stride;
        }
        self.tree.finish(sum)
    }
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Across<'_, '_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.rows
    }
    #[inline(always)]
    fn get(&self, row: usize, column: usize) -> T {
        self.slices.get(0, self.start + row + column * self.stride)
    }
    #[inline(always)]
    fn set(&mut self, row: usize, column: usize, value: T) {
        self.slices.set(self.start + row + column * self.stride, value);
    }
    #[inline(always)]
    fn max(&mut self) -> T::Lanes<S> {
        let mut max = <T::Lanes<S> as Memory>::zero(self.simd).splat(f64::NEG_INFINITY);
        let mut i = self.start;
        while i < self.slices.len() {
            max = max.max(self.slices.partial(i, self.rows).load::<T::Lanes<S>>(self.simd)[0]);
            i += self.stride;
        }
        max
    }
    #[inline(always)]
    fn sum<const REPLACE: bool, const P: usize>(
        &mut self,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
    ) -> [S::F64; 2] {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let mut lanes = [zero.widen(); ROWS];
        let mut used = 0;
        let mut i = self.start;
        while used < T::LANES && i < self.slices.len() {
            lanes[used] = self.lane::<REPLACE, P>(i, f, by_row, zero).widen();
            used += 1;
            i += self.stride;
        }
        if REPLACE {
            self.slices.read_output();
        }
        let mut half = T::LANES / 2;
        while half > 0 {
            // The lanes of a short row that are not used are zeros.
            for k in half..used {
                let [a, b] = lanes[k];
                lanes[k - half] = [lanes[k - half][0] + a, lanes[k - half][1] + b];
            }
            used = used.min(half);
            half /= 2;
        }
        lanes[0]
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let mut i = self.start;
        while i < self.slices.len() {
            let partial = self.slices.partial(i, self.rows);
            let y = f.apply(by_row, partial.load(self.simd));
            partial.store(y);
            i += self.stride;
        }
    }
}
