//! Rows of more than one lane value, in memory.

use super::{Element, Group, arrays, fold_wide, keep_wide, row, wide_term};
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
    fn row(&mut self, r: usize) -> Slices<'_, T, N, OUTPUT> {
        self.slices.part(r * self.axis, self.axis)
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
            rows[r] = row_max(self.simd, self.row(r), lowest);
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
            let by_row = row(zero, &by_row, r);
            let part = self.slices.part(r * self.axis, self.axis);
            sums[r] = row_sum::<T, S, N, P, OUTPUT, REPLACE>(self.simd, part, f, by_row, self.tree);
        }
        if REPLACE {
            self.slices.read_output();
        }
        Fold::fold_sum(&sums)
    }
    #[inline(always)]
    fn sum_wide(&mut self, max: T::Lanes<S>, terms: &mut Vec<[S::F64; 2]>) -> [S::F64; 2] {
        let max = arrays([max]);
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let mut sums = [zero.widen(); ROWS];
        terms.reserve(self.rows * self.axis.div_ceil(T::LANES));
        for r in 0..self.rows {
            let [max] = row(zero, &max, r);
            sums[r] = row_sum_wide(self.simd, self.row(r), max, terms);
        }
        fold_wide::<T, S::F64>(&sums)
    }
    #[inline(always)]
    fn scale_wide(&mut self, terms: &[[S::F64; 2]], factor: [S::F64; 2]) {
        let factor = factor.map(Lanes::to_array);
        let of_row = self.axis.div_ceil(T::LANES);
        for r in 0..self.rows {
            row_scale_wide(self.simd, self.row(r), &terms[r * of_row..], factor[r / 8][r % 8]);
        }
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let by_row = arrays(by_row);
        for r in 0..self.rows {
            row_map(self.simd, self.row(r), f, row(zero, &by_row, r));
        }
    }
}

/// The largest elements of a row, or of a part of one, from every LANES-th on.
#[inline(always)]
pub fn row_max<T: Real, S: Simd, const N: usize, const OUTPUT: bool>(
    simd: S,
    row: Slices<T, N, OUTPUT>,
    lowest: T::Lanes<S>,
) -> T::Lanes<S> {
    let mut max = [lowest; 4];
    let mut blocks = row.blocks();
    while let Some(block) = blocks.whole::<4>() {
        for v in 0..4 {
            max[v] = max[v].max(block.load(simd, v)[0]);
        }
    }
    while let Some(partial) = blocks.partial() {
        let x = partial.load::<T::Lanes<S>>(simd)[0];
        max[0] = max[0].max(x.keep(partial.len(), lowest));
    }
    max[0].max(max[1]).max(max[2].max(max[3]))
}

/// The partial sums of `f` over a row, or over a part of one that is a tree of its own.
#[inline(always)]
pub fn row_sum<T: Real, S: Simd, const N: usize, const P: usize, const OUTPUT: bool, const REPLACE: bool>(
    simd: S,
    row: Slices<T, N, OUTPUT>,
    f: impl Element<N, P>,
    by_row: [T::Lanes<S>; P],
    tree: &mut Tree<T::Lanes<S>>,
) -> T::Lanes<S> {
    let zero = <T::Lanes<S> as Memory>::zero(simd);
    let mut blocks = row.blocks();
    while let Some(mut block) = blocks.whole::<BLOCK>() {
        let mut sum = zero;
        for v in 0..BLOCK {
            let term = f.apply(by_row, block.load(simd, v));
            sum = sum + term;
            if REPLACE {
                block.store(v, term);
            }
        }
        tree.add(sum);
    }
    let mut sum = zero;
    while let Some(partial) = blocks.partial() {
        let term = f.apply(by_row, partial.load(simd));
        sum = sum + term.keep(partial.len(), zero);
        if REPLACE {
            partial.store(term);
        }
    }
    tree.finish(sum)
}

/// Writes `f` of every element of a row, or of a part of one.
#[inline(always)]
pub fn row_map<T: Real, S: Simd, const N: usize, const P: usize, const OUTPUT: bool>(
    simd: S,
    row: Slices<T, N, OUTPUT>,
    f: impl Element<N, P>,
    by_row: [T::Lanes<S>; P],
) {
    let mut blocks = row.blocks();
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

/// The partial sums of e^(x - max) over a row in `f64`. The terms are put down behind those that are there.
#[inline(always)]
pub fn row_sum_wide<T: Real, S: Simd, const N: usize, const OUTPUT: bool>(
    simd: S,
    row: Slices<T, N, OUTPUT>,
    max: T::Lanes<S>,
    terms: &mut Vec<[S::F64; 2]>,
) -> [S::F64; 2] {
    let mut sum = max.splat(0.0).widen();
    let mut blocks = row.blocks();
    while let Some(partial) = blocks.partial() {
        let term = wide_term(max, partial.load(simd)[0]);
        terms.push(term);
        let [a, b] = if partial.len() == T::LANES { term } else { keep_wide::<T, S::F64>(term, partial.len()) };
        sum = [sum[0] + a, sum[1] + b];
    }
    sum
}

/// Writes the first terms times a factor to a row.
#[inline(always)]
pub fn row_scale_wide<T: Real, S: Simd, const N: usize, const OUTPUT: bool>(
    simd: S,
    row: Slices<T, N, OUTPUT>,
    terms: &[[S::F64; 2]],
    factor: f64,
) {
    let factor = <S::F64 as Memory>::zero(simd).broadcast(factor);
    let (mut blocks, mut v) = (row.blocks(), 0);
    while let Some(partial) = blocks.partial() {
        let [a, b] = terms[v];
        partial.store(<T::Lanes<S> as Lanes>::narrow([a * factor, b * factor]));
        v += 1;
    }
}
