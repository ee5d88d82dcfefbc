//! One long row, whose passes are dealt out to threads.

use super::long::{row_map, row_max, row_scale_wide, row_sum, row_sum_wide};
use super::{Element, Group, arrays, fold_wide};
use crate::isa::{Kernel, dispatch};
use crate::lanes::{Fold, Lanes, Memory, ROWS, Simd, Slices};
use crate::parallel;
use crate::real::Real;
use crate::sum::Tree;

/// Nanoseconds an element of each pass.
const MAX: f64 = 0.04;
const SUM: f64 = 0.2;
const MAP: f64 = 0.1;

/// One row, in memory.
pub struct Spread<'a, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    pub simd: S,
    pub slices: Slices<'a, T, N, OUTPUT>,
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Spread<'_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn whole(&mut self) -> Slices<'_, T, N, OUTPUT> {
        let len = self.slices.len();
        self.slices.part(0, len)
    }
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Spread<'_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn rows(&self) -> usize {
        1
    }
    #[inline(always)]
    fn get(&self, _: usize, column: usize) -> T {
        self.slices.get(0, column)
    }
    #[inline(always)]
    fn set(&mut self, _: usize, column: usize, value: T) {
        self.slices.set(column, value);
    }
    #[inline(always)]
    fn max(&mut self) -> T::Lanes<S> {
        let max = largest(self.whole());
        <T::Lanes<S> as Memory>::zero(self.simd).broadcast(max)
    }
    #[inline(always)]
    fn sum<const REPLACE: bool, const P: usize>(
        &mut self,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
    ) -> [S::F64; 2] {
        let lanes = partial_sums::<T, _, N, P, OUTPUT, REPLACE>(self.whole(), f, first(by_row));
        if REPLACE {
            self.slices.read_output();
        }
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let mut sums = [zero; ROWS];
        sums[0] = zero.with_array(lanes);
        Fold::fold_sum(&sums)
    }
    /// On this thread: the threads that [`sum`](Self::sum) starts could not put their terms down in one place.
    #[inline(always)]
    fn sum_wide(&mut self, max: T::Lanes<S>, terms: &mut Vec<[S::F64; 2]>) -> [S::F64; 2] {
        let mut sums = [max.splat(0.0).widen(); ROWS];
        terms.reserve(self.slices.len().div_ceil(T::LANES));
        sums[0] = row_sum_wide(self.simd, self.whole(), max, terms);
        fold_wide::<T, S::F64>(&sums)
    }
    #[inline(always)]
    fn scale_wide(&mut self, terms: &[[S::F64; 2]], factor: [S::F64; 2]) {
        row_scale_wide(self.simd, self.whole(), terms, factor[0].to_array()[0]);
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        map(self.whole(), f, first(by_row));
    }
}

// Outside of the functions that are compiled for each instruction set: what deals out is compiled once.

fn largest<T: Real, const N: usize, const OUTPUT: bool>(row: Slices<T, N, OUTPUT>) -> T {
    parallel::fold(row, MAX, |slices| dispatch(Max(slices)), |a, b| if a > b { a } else { b })
}

fn partial_sums<T: Real, F: Element<N, P>, const N: usize, const P: usize, const OUTPUT: bool, const REPLACE: bool>(
    row: Slices<T, N, OUTPUT>,
    f: F,
    by_row: [T; P],
) -> T::Array {
    let work = |slices| dispatch(Sum::<T, _, N, P, OUTPUT, REPLACE> { slices, f, by_row });
    parallel::fold(row, SUM, work, |mut a: T::Array, b: T::Array| {
        for (a, b) in a.as_mut().iter_mut().zip(b.as_ref()) {
            *a = *a + *b;
        }
        a
    })
}

fn map<T: Real, F: Element<N, P>, const N: usize, const P: usize, const OUTPUT: bool>(
    row: Slices<T, N, OUTPUT>,
    f: F,
    by_row: [T; P],
) {
    parallel::split(row, MAP, |slices| dispatch(Map { slices, f, by_row }));
}

/// What belongs to the first row.
#[inline(always)]
fn first<L: Lanes, const P: usize>(by_row: [L; P]) -> [L::Float; P] {
    arrays(by_row).map(|array| array.as_ref()[0])
}

/// The largest element of a part of the row.
struct Max<'a, T, const N: usize, const OUTPUT: bool>(Slices<'a, T, N, OUTPUT>);

impl<T: Real, const N: usize, const OUTPUT: bool> Kernel for Max<'_, T, N, OUTPUT> {
    type Output = T;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> T {
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let mut rows = [lowest; ROWS];
        rows[0] = row_max(simd, self.0, lowest);
        T::Lanes::<S>::fold_max(&rows).to_array().as_ref()[0]
    }
}

/// The partial sums of a function of a part of the row.
struct Sum<'a, T, F, const N: usize, const P: usize, const OUTPUT: bool, const REPLACE: bool> {
    slices: Slices<'a, T, N, OUTPUT>,
    f: F,
    by_row: [T; P],
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize, const OUTPUT: bool, const REPLACE: bool> Kernel
    for Sum<'_, T, F, N, P, OUTPUT, REPLACE>
{
    type Output = T::Array;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> T::Array {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let row = self.by_row.map(|value| zero.broadcast(value));
        row_sum::<T, S, N, P, OUTPUT, REPLACE>(simd, self.slices, self.f, row, &mut Tree::new(zero)).to_array()
    }
}

/// A function of a part of the row.
struct Map<'a, T, F, const N: usize, const P: usize, const OUTPUT: bool> {
    slices: Slices<'a, T, N, OUTPUT>,
    f: F,
    by_row: [T; P],
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize, const OUTPUT: bool> Kernel
    for Map<'_, T, F, N, P, OUTPUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        row_map(simd, self.slices, self.f, self.by_row.map(|value| zero.broadcast(value)));
    }
}
