//! Rows in groups of up to one lane value, so that what is done once a row is done for a whole group at
//! once: lane r of a value "by row" belongs to row r.
//!
//! A group hides where the elements of its rows lie. There are three kinds: rows of up to one lane value,
//! kept in registers; longer rows; and rows across a tensor, whose elements are a stride apart and which
//! lie side by side in memory. All sum in the same shape.

use super::Shape;
use crate::isa::Kernel;
use crate::lanes::{Fold, Lanes, Memory, ROWS, Simd, Slices};
use crate::real::Real;
use crate::sum::{BLOCK, Tree};

/// A function of the elements at one position, and of `P` values that belong to their row.
pub trait Element<const N: usize, const P: usize>: Copy {
    /// The function.
    fn apply<L: Lanes>(self, row: [L; P], x: [L; N]) -> L;
}

/// Some rows of `N` sources.
pub trait Group<L: Lanes, const N: usize> {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The element of the first source in this row and column.
    fn get(&self, row: usize, column: usize) -> L::Float;
    /// Replaces an element of the output.
    fn set(&mut self, row: usize, column: usize, value: L::Float);
    /// The largest element of each row of the first source, or NaN or not where there are NaNs.
    fn max(&mut self) -> L;
    /// The sum of `f` over each row. With `REPLACE` the first source is replaced by what was summed.
    fn sum<const REPLACE: bool, const P: usize>(&mut self, f: impl Element<N, P>, by_row: [L; P]) -> [L::Double; 2];
    /// Writes `f` of every element to the output.
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [L; P]);
}

/// What is done with each group of rows.
pub trait Work<T: Real, const N: usize> {
    /// Works on the group whose first row has this index among all rows.
    fn group<L: Lanes<Float = T>>(&mut self, zero: L, group: impl Group<L, N>, first: usize);
}

/// The kernel that does some [`Work`] with every group of a tensor.
pub struct ByGroup<'a, T, W, const N: usize, const OUTPUT: bool = true> {
    /// The work.
    pub work: W,
    /// The tensors.
    pub slices: Slices<'a, T, N, OUTPUT>,
    /// Where their rows are.
    pub shape: Shape,
}

/// Elements of long rows that are worked on together: they stay in the first-level cache.
const GROUP: usize = 4096;

impl<T: Real, W: Work<T, N>, const N: usize, const OUTPUT: bool> Kernel for ByGroup<'_, T, W, N, OUTPUT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Shape { axis, inner } = self.shape;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let len = self.slices.len();
        if inner > 1 {
            let mut tree = Tree::new(zero);
            for first in (0..len / axis).step_by(inner) {
                for start in (0..inner).step_by(T::LANES) {
                    let slices = self.slices.part(first * axis, axis * inner);
                    let rows = T::LANES.min(inner - start);
                    let group = Across { simd, slices, start, rows, stride: inner, tree: &mut tree };
                    self.work.group(zero, group, first + start);
                }
            }
        } else if axis <= T::LANES {
            for first in (0..len / axis).step_by(T::LANES) {
                let rows = T::LANES.min(len / axis - first);
                let group = Short::new(simd, self.slices.part(first * axis, rows * axis), rows, axis);
                self.work.group(zero, group, first);
            }
        } else {
            let mut tree = Tree::new(zero);
            let most = (GROUP / axis).clamp(1, T::LANES);
            for first in (0..len / axis).step_by(most) {
                let rows = most.min(len / axis - first);
                let slices = self.slices.part(first * axis, rows * axis);
                self.work.group(zero, Long { simd, slices, rows, axis, tree: &mut tree }, first);
            }
        }
    }
}

/// What belongs to row `r`, in every lane.
#[inline(always)]
fn row<L: Lanes, const P: usize>(like: L, by_row: &[<L::Float as Real>::Array; P], r: usize) -> [L; P] {
    let mut row = [like; P];
    for (row, by_row) in row.iter_mut().zip(by_row) {
        *row = like.splat(by_row.as_ref()[r].to_f64());
    }
    row
}

/// By row, as arrays.
#[inline(always)]
fn arrays<L: Lanes, const P: usize>(by_row: [L; P]) -> [<L::Float as Real>::Array; P] {
    let mut arrays = [L::Float::IOTA; P];
    for (array, by_row) in arrays.iter_mut().zip(by_row) {
        *array = by_row.to_array();
    }
    arrays
}

/// Rows of up to one lane value each.
struct Short<'a, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    slices: Slices<'a, T, N, OUTPUT>,
    elements: [[T::Lanes<S>; N]; ROWS],
    rows: usize,
    axis: usize,
}

impl<'a, T: Real, S: Simd, const N: usize, const OUTPUT: bool> Short<'a, T, S, N, OUTPUT> {
    #[inline(always)]
    fn new(simd: S, mut slices: Slices<'a, T, N, OUTPUT>, rows: usize, axis: usize) -> Self {
        let mut elements = [[<T::Lanes<S> as Memory>::zero(simd); N]; ROWS];
        for (r, elements) in elements[..rows].iter_mut().enumerate() {
            *elements = slices.partial(r * axis, axis).load(simd);
        }
        Self { slices, elements, rows, axis }
    }
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Group<T::Lanes<S>, N> for Short<'_, T, S, N, OUTPUT> {
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
        for (row, x) in rows.iter_mut().zip(&self.elements) {
            *row = x[0].keep(self.axis, lowest);
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
        for (r, (sum, x)) in sums.iter_mut().zip(&mut self.elements).enumerate().take(T::LANES) {
            let term = f.apply(row(zero, &by_row, r), *x);
            *sum = zero + term.keep(self.axis, zero);
            if REPLACE {
                x[0] = term;
            }
        }
        Fold::fold_sum(&sums)
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        let by_row = arrays(by_row);
        for (r, x) in self.elements[..self.rows].iter().enumerate() {
            let y = f.apply(row(x[0], &by_row, r), *x);
            self.slices.partial(r * self.axis, self.axis).store(y);
        }
    }
}

/// Rows of more than one lane value each.
struct Long<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    simd: S,
    slices: Slices<'a, T, N, OUTPUT>,
    rows: usize,
    axis: usize,
    tree: &'t mut Tree<T::Lanes<S>>,
}

impl<T: Real, S: Simd, const N: usize, const OUTPUT: bool> Long<'_, '_, T, S, N, OUTPUT> {
    #[inline(always)]
    fn row_max(&mut self, r: usize, lowest: T::Lanes<S>) -> T::Lanes<S> {
        let mut max = [lowest; 4];
        let mut blocks = self.slices.part(r * self.axis, self.axis).blocks();
        while let Some(block) = blocks.whole::<4>() {
            for (v, max) in max.iter_mut().enumerate() {
                *max = max.max(block.load(self.simd, v)[0]);
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
        for (r, row) in rows[..self.rows].iter_mut().enumerate() {
            *row = self.row_max(r, lowest);
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
        for (r, sum) in sums[..self.rows].iter_mut().enumerate() {
            *sum = self.row_sum::<REPLACE, P>(r, f, row(zero, &by_row, r), zero);
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

/// Rows that run across a tensor: row r starts at element `start + r`, and its elements are `stride` apart.
struct Across<'a, 't, T: Real, S: Simd, const N: usize, const OUTPUT: bool> {
    simd: S,
    slices: Slices<'a, T, N, OUTPUT>,
    start: usize,
    rows: usize,
    stride: usize,
    tree: &'t mut Tree<T::Lanes<S>>,
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
        for i in (self.start..self.slices.len()).step_by(self.stride) {
            max = max.max(self.slices.partial(i, self.rows).load::<T::Lanes<S>>(self.simd)[0]);
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
        // What is lane k of a row that lies along the lanes is every LANES-th element here.
        let mut lanes = [zero.widen(); ROWS];
        for (k, lane) in lanes.iter_mut().enumerate().take(T::LANES) {
            let (mut sum, mut added) = (zero, 0);
            for i in (self.start + k * self.stride..self.slices.len()).step_by(T::LANES * self.stride) {
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
            }
            *lane = self.tree.finish(sum).widen();
        }
        if REPLACE {
            self.slices.read_output();
        }
        let mut half = T::LANES / 2;
        while half > 0 {
            for k in 0..half {
                lanes[k] = [lanes[k][0] + lanes[k + half][0], lanes[k][1] + lanes[k + half][1]];
            }
            half /= 2;
        }
        lanes[0]
    }
    #[inline(always)]
    fn map<const P: usize>(&mut self, f: impl Element<N, P>, by_row: [T::Lanes<S>; P]) {
        for i in (self.start..self.slices.len()).step_by(self.stride) {
            let partial = self.slices.partial(i, self.rows);
            let y = f.apply(by_row, partial.load(self.simd));
            partial.store(y);
        }
    }
}
