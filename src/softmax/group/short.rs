//! Rows of up to one lane value, kept in registers.

use super::{Element, Group, arrays, fold_wide, keep_wide, row, wide_term};
use crate::lanes::{Fold, Lanes, Partial, ROWS, Simd, Slices};
use crate::real::Real;

/// Rows of up to one lane value each.
pub struct Short<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    slices: Slices<'a, T, N, OUTPUT>,
    elements: &'t mut [[T::Lanes<S>; N]; ROWS],
    rows: usize,
    axis: usize,
}

impl<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> Short<'a, 't, T, S, N, OUTPUT> {
    /// Loads the rows. Their place is lent, because it is too large to be moved.
    #[inline(always)]
    pub fn new(
        simd: S,
        mut slices: Slices<'a, T, N, OUTPUT>,
        rows: usize,
        axis: usize,
        elements: &'t mut [[T::Lanes<S>; N]; ROWS],
    ) -> Self {
        for r in 0..rows {
            elements[r] = from_row(&mut slices, r, axis).load(simd);
        }
        Self { slices, elements, rows, axis }
    }
}

/// A lane value that begins with row `r`, and goes on into the rows after it: whole loads and stores are faster.
///
/// What a store writes beyond its row the next row's overwrites, and all rows are loaded before.
#[inline(always)]
fn from_row<'s, T: Real, const N: usize, const OUTPUT: bool>(
    slices: &'s mut Slices<T, N, OUTPUT>,
    r: usize,
    axis: usize,
) -> Partial<'s, T, N, OUTPUT> {
    let start = r * axis;
    slices.partial(start, T::LANES.min(slices.len() - start))
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Short<'_, '_, T, S, N, OUTPUT> {
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
        let lowest = self.elements[0][0].splat(f64::NEG_INFINITY);
        let mut rows = [lowest; ROWS];
        for r in 0..T::LANES {
            rows[r] = self.elements[r][0].keep(self.axis, lowest);
        }
        Fold::fold_max(&rows)
    }
    #[inline(always)]
    fn sum<const REPLACE: bool, const P: usize>(
        &mut self,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
    ) -> [S::F64; 2] {
        let zero = self.elements[0][0].splat(0.0);
        let by_row = arrays(by_row);
        let mut sums = [zero; ROWS];
        for r in 0..T::LANES {
            let term = f.apply(row(zero, &by_row, r), self.elements[r]);
            sums[r] = zero + term.keep(self.axis, zero);
            if REPLACE {
                self.elements[r][0] = term;
            }
        }
        Fold::fold_sum(&sums)
    }
    #[inline(always)]
    fn sum_wide(&mut self, max: T::Lanes<S>, terms: &mut Vec<[S::F64; 2]>) -> [S::F64; 2] {
        let max = arrays([max]);
        let mut sums = [self.elements[0][0].splat(0.0).widen(); ROWS];
        terms.reserve(ROWS);
        for r in 0..T::LANES {
            let x = self.elements[r][0];
            let term = wide_term(row(x, &max, r)[0], x);
            terms.push(term);
            sums[r] = keep_wide::<T, S::F64>(term, self.axis);
        }
        fold_wide::<T, S::F64>(&sums)
    }
    #[inline(always)]
    fn scale_wide(&mut self, terms: &[[S::F64; 2]], factor: [S::F64; 2]) {
        let factor = factor.map(Lanes::to_array);
        for r in 0..self.rows {
            let [a, b] = terms[r];
            let factor = a.broadcast(factor[r / 8][r % 8]);
            from_row(&mut self.slices, r, self.axis).store(<T::Lanes<S> as Lanes>::narrow([a * factor, b * factor]));
        }
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let by_row = arrays(by_row);
        for r in 0..self.rows {
            let x = self.elements[r];
            let y = f.apply(row(x[0], &by_row, r), x);
            from_row(&mut self.slices, r, self.axis).store(y);
        }
    }
}
