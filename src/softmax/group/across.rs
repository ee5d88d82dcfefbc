//! Rows that run across a tensor, side by side in memory.

use super::{Element, Group, wide_term};
use crate::lanes::{Lanes, Memory, ROWS, Rows, Simd};
use crate::real::Real;
use crate::sum::{BLOCK, Tree};

/// Up to one lane value of rows, copied to a place of their own: elements of a row that are far apart may share the few
/// places that a cache has for their addresses, and would have to be fetched anew for each pass.
pub struct Across<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    simd: S,
    rows: Rows<'a, T, N, OUTPUT>,
    elements: &'t mut [Elements<T, N>],
    tree: &'t mut Tree<T::Lanes<S>>,
}

/// One element of each row, from every source.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Elements<T: Real, const N: usize>(pub [T::Array; N]);

impl<T: Real, const N: usize> Elements<T, N> {
    #[inline(always)]
    fn load<L: Lanes<Float = T>>(&self, like: L) -> [L; N] {
        let mut lanes = [like; N];
        for k in 0..N {
            lanes[k] = like.with_array(self.0[k]);
        }
        lanes
    }
}

impl<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> Across<'a, 't, T, S, N, OUTPUT> {
    /// Copies the rows.
    #[inline(always)]
    pub fn new(
        simd: S,
        mut rows: Rows<'a, T, N, OUTPUT>,
        elements: &'t mut [Elements<T, N>],
        tree: &'t mut Tree<T::Lanes<S>>,
    ) -> Self {
        let (mut done, count) = (0, rows.len());
        while done < count {
            let mut columns = rows.side_by_side(done, count);
            for i in 0..elements.len() {
                if columns.len() == count {
                    let x: [T::Lanes<S>; N] = columns.partial(i).load(simd);
                    for k in 0..N {
                        elements[i].0[k] = x[k].to_array();
                    }
                } else {
                    let slices = columns.elements(i);
                    for (k, to) in elements[i].0.iter_mut().enumerate() {
                        for r in 0..slices.len() {
                            to.as_mut()[done + r] = slices.get(k, r);
                        }
                    }
                }
            }
            done += columns.len();
        }
        Self { simd, rows, elements, tree }
    }

    /// The sum of every LANES-th element from element `i` on: what one lane sums in a row that lies along the lanes.
    #[inline(always)]
    fn lane<const REPLACE: bool, const P: usize>(
        &mut self,
        mut i: usize,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
        zero: T::Lanes<S>,
    ) -> T::Lanes<S> {
        let (mut sum, mut added) = (zero, 0);
        while i < self.elements.len() {
            if added == BLOCK {
                self.tree.add(sum);
                (sum, added) = (zero, 0);
            }
            let term = f.apply(by_row, self.elements[i].load(zero));
            sum = sum + term;
            added += 1;
            if REPLACE {
                self.elements[i].0[0] = term.to_array();
            }
            i += T::LANES;
        }
        self.tree.finish(sum)
    }
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Across<'_, '_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.rows.len()
    }
    #[inline(always)]
    fn get(&self, row: usize, column: usize) -> T {
        self.elements[column].0[0].as_ref()[row]
    }
    #[inline(always)]
    fn set(&mut self, row: usize, column: usize, value: T) {
        self.rows.side_by_side(row, 1).elements(column).set(0, value);
    }
    #[inline(always)]
    fn max(&mut self) -> T::Lanes<S> {
        let lowest = <T::Lanes<S> as Memory>::zero(self.simd).splat(f64::NEG_INFINITY);
        let mut max = [lowest; 4];
        for four in self.elements.chunks(4) {
            for (k, elements) in four.iter().enumerate() {
                max[k] = max[k].max(elements.load(lowest)[0]);
            }
        }
        max[0].max(max[1]).max(max[2].max(max[3]))
    }
    #[inline(always)]
    fn sum<const REPLACE: bool, const P: usize>(
        &mut self,
        f: impl Element<N, P>,
        by_row: [T::Lanes<S>; P],
    ) -> [S::F64; 2] {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let mut lanes = [zero.widen(); ROWS];
        let used = T::LANES.min(self.elements.len());
        for i in 0..used {
            lanes[i] = self.lane::<REPLACE, P>(i, f, by_row, zero).widen();
        }
        fold(lanes, used)
    }
    #[inline(always)]
    fn sum_wide(&mut self, max: T::Lanes<S>, terms: &mut Vec<[S::F64; 2]>) -> [S::F64; 2] {
        let mut lanes = [max.splat(0.0).widen(); ROWS];
        terms.reserve(self.elements.len());
        for i in 0..self.elements.len() {
            let (term, sum) = (wide_term(max, self.elements[i].load(max)[0]), &mut lanes[i % T::LANES]);
            terms.push(term);
            *sum = [sum[0] + term[0], sum[1] + term[1]];
        }
        fold(lanes, T::LANES.min(self.elements.len()))
    }
    #[inline(always)]
    fn scale_wide(&mut self, terms: &[[S::F64; 2]], factor: [S::F64; 2]) {
        for (elements, [a, b]) in self.elements.iter_mut().zip(terms) {
            let y = <T::Lanes<S> as Lanes>::narrow([*a * factor[0], *b * factor[1]]);
            elements.0[0] = y.to_array();
        }
        self.map(First, []);
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let zero = <T::Lanes<S> as Memory>::zero(self.simd);
        let (mut done, count) = (0, self.rows.len());
        while done < count {
            let mut columns = self.rows.side_by_side(done, count);
            for i in 0..self.elements.len() {
                let y = f.apply(by_row, self.elements[i].load(zero));
                if columns.len() == count {
                    columns.partial(i).store(y);
                } else {
                    let (y, mut slices) = (y.to_array(), columns.elements(i));
                    for r in 0..slices.len() {
                        slices.set(r, y.as_ref()[done + r]);
                    }
                }
            }
            done += columns.len();
        }
    }
}

/// Adds up what the first `used` lanes of a row have summed, for many rows at once.
#[inline(always)]
fn fold<D: Lanes>(mut lanes: [[D; 2]; ROWS], mut used: usize) -> [D; 2] {
    let mut half = lanes.len() / 2;
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

/// The first source itself.
#[derive(Clone, Copy)]
struct First;

impl<const N: usize> Element<N, 0> for First {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], x: [L; N]) -> L {
        x[0]
    }
}
