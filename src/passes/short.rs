//! Passes over rows of up to one lane value.
//!
//! The first pass copies each row of a tile to a slot of one lane value. The others load and store whole lane values, and
//! what replaces the elements stays in the slots. Only [`Map`] writes to memory.

use super::{Element, Partials, Values, fold, of_row};
use crate::dispatch::Kernel;
use crate::lanes::{Appender, Lanes, Line, Memory, ROWS, Real, Rows, Simd, Stack};

/// The largest element of each row. It copies the rows to their slots.
pub struct Max<'s, 'a, T: Real> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, 1, 0>,
    /// How far ahead to prefetch.
    pub ahead: usize,
    /// The slots: empty, and then whole groups.
    pub slots: &'s mut Partials<T>,
    /// The results.
    pub max: &'s mut Values<T>,
}

impl<T: Real> Kernel for Max<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let (count, first) = (self.rows.len(), lowest.first_lanes(self.rows.shape().axis));
        let (mut rows, mut slots) = (self.rows.short_rows(), self.slots.appender());
        for start in (0..count).step_by(T::LANES) {
            let mut max = [lowest; ROWS];
            for r in 0..T::LANES {
                if start + r < count {
                    rows.prefetch(simd, self.ahead);
                    let [x] = rows.take_row().load(simd);
                    slots.push(x);
                    max[r] = Lanes::select(first, x, lowest);
                } else {
                    slots.push(lowest);
                }
            }
            self.max.push_line(Line(fold::max(&max, count).to_array()));
        }
        slots.finish();
    }
}

/// The terms of each row's sum; with `REPLACE` they take the place of the first source.
///
/// If it is the first pass it copies the rows to their slots.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const P: usize, const REPLACE: bool> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// How far ahead to prefetch.
    pub ahead: usize,
    /// The slots.
    pub slots: &'s mut [Partials<T>; N],
    /// The function that gives the terms.
    pub f: F,
    /// Its values of each row.
    pub by_row: [&'s [Line<T>]; P],
    /// The results: a line for each row, and zeros to a whole group.
    pub partials: &'s mut Partials<T>,
}

impl<T: Real, F: Element<N, P>, const N: usize, const P: usize, const REPLACE: bool> Kernel
    for Sum<'_, '_, T, F, N, P, REPLACE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, ahead, slots, f, by_row, partials } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (all, first) = (rows.len(), zero.first_lanes(rows.shape().axis));
        let (mut rows, mut partials) = (rows.short_rows(), partials.appender());
        for group in 0..all.div_ceil(T::LANES) {
            let start = group * T::LANES;
            let count = T::LANES.min(all - start);
            if F::IS_FIRST_PASS {
                let mut slots = slots.each_mut().map(Stack::appender);
                for r in 0..T::LANES {
                    let mut x = [zero; N];
                    let mut term = zero;
                    if r < count {
                        rows.prefetch(simd, ahead);
                        x = rows.take_row().load(simd);
                        term = Lanes::select(first, f.apply(of_row(zero, &by_row, group, r), x), zero);
                    }
                    for k in 0..N {
                        slots[k].push(x[k]);
                    }
                    partials.push(zero + term);
                }
                slots.into_iter().for_each(Appender::finish);
                continue;
            }
            let slots = slots.each_mut().map(|slots| &mut slots.lines_mut()[start..start + T::LANES]);
            for r in 0..count {
                let term = f.apply(of_row(zero, &by_row, group, r), loaded(zero, &slots, r));
                partials.push(zero + Lanes::select(first, term, zero));
                if REPLACE {
                    slots[0][r] = Line(term.to_array());
                }
            }
            for _ in count..T::LANES {
                partials.push(zero);
            }
        }
        partials.finish();
    }
}

/// The elements of row `r`.
#[inline(always)]
fn loaded<L: Lanes, const N: usize>(like: L, slots: &[&mut [Line<L::Float>]; N], r: usize) -> [L; N] {
    let mut x = [like; N];
    for k in 0..N {
        x[k] = slots[k][r].load(like);
    }
    x
}

/// Writes a function of every element.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// Where the results go.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The elements.
    pub slots: &'s mut [Partials<T>; N],
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
        let mut rows = rows.short_rows();
        for group in 0..count.div_ceil(T::LANES) {
            let start = group * T::LANES;
            let slots = slots.each_mut().map(|slots| &mut slots.lines_mut()[start..start + T::LANES]);
            for r in 0..T::LANES.min(count - start) {
                let y = f.apply(of_row(zero, &by_row, group, r), loaded(zero, &slots, r));
                // What a store writes beyond its row the next row's overwrites.
                rows.take_row().store(y);
            }
        }
    }
}
