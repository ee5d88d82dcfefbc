//! Passes over rows of up to one lane value.
//!
//! The rows of a tile are copied first, each to a slot of one lane value: the passes load and store whole lane values, and
//! what replaces the elements stays in the slots. Only [`Map`] writes to memory.

use super::{Element, Partials, Values, of_row};
use crate::dispatch::Kernel;
use crate::lanes::{End, Fold, Lanes, Line, Memory, ROWS, Real, Rows, Simd, Stack};

/// Copies each row to its slot, for all sources.
pub struct Stage<'s, 'a, T: Real, const N: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// The slots, for each source.
    pub slots: &'s mut [Partials<T>; N],
}

impl<T: Real, const N: usize> Kernel for Stage<'_, '_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut slots = self.slots.each_mut().map(Stack::end);
        for r in 0..self.rows.len() {
            let x: [T::Lanes<S>; N] = self.rows.lane_value(r).load(simd);
            for k in 0..N {
                slots[k].push(x[k]);
            }
        }
        slots.into_iter().for_each(End::finish);
    }
}

/// The largest element of each row.
pub struct Max<'s, T: Real> {
    /// The number of rows.
    pub rows: usize,
    /// The elements of each.
    pub axis: usize,
    /// The slots.
    pub slots: &'s Partials<T>,
    /// The results.
    pub max: &'s mut Values<T>,
}

impl<T: Real> Kernel for Max<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        for slots in self.slots.lines()[..self.rows].chunks(T::LANES) {
            let mut rows = [lowest; ROWS];
            for r in 0..slots.len() {
                rows[r] = slots[r].load(lowest).keep(self.axis, lowest);
            }
            self.max.push_line(Line(<T::Lanes<S> as Fold>::fold_max(&rows).to_array()));
        }
    }
}

/// The terms of each row's sum; with `REPLACE` they take the place of the first source.
pub struct Sum<'s, T: Real, F, const N: usize, const P: usize, const REPLACE: bool> {
    /// The number of rows.
    pub rows: usize,
    /// The elements of each.
    pub axis: usize,
    /// The slots.
    pub slots: &'s mut [Partials<T>; N],
    /// The function that gives the terms.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
    /// The results.
    pub partials: &'s mut Partials<T>,
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize, const REPLACE: bool> Kernel
    for Sum<'_, T, F, N, P, REPLACE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, axis, slots, f, by_row, partials } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let slots = slots.each_mut().map(|slots| &mut slots.lines_mut()[..rows]);
        let mut partials = partials.end();
        for first in (0..rows).step_by(T::LANES) {
            for r in 0..T::LANES.min(rows - first) {
                let mut x = [zero; N];
                for k in 0..N {
                    x[k] = slots[k][first + r].load(zero);
                }
                let term = f.apply(of_row(zero, &by_row, first / T::LANES, r), x);
                partials.push(zero + term.keep(axis, zero));
                if REPLACE {
                    slots[0][first + r] = Line(term.to_array());
                }
            }
        }
        partials.finish();
    }
}

/// Writes a function of every element.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// Where the results go.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The elements.
    pub slots: &'s [Partials<T>; N],
    /// The function.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, slots, f, by_row } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let count = rows.len();
        let slots = slots.each_ref().map(|slots| &slots.lines()[..count]);
        for first in (0..count).step_by(T::LANES) {
            for r in 0..T::LANES.min(count - first) {
                let mut x = [zero; N];
                for k in 0..N {
                    x[k] = slots[k][first + r].load(zero);
                }
                let y = f.apply(of_row(zero, &by_row, first / T::LANES, r), x);
                // What a store writes beyond its row the next row's overwrites.
                rows.lane_value(first + r).store(y);
            }
        }
    }
}
