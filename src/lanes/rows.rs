//! Views of the rows along any axis of a tensor, which may be dealt out to threads row by row.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{Partial, Slices};
use crate::real::Real;

/// The axis of a contiguous tensor `[.., axis, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The elements of a row.
    pub axis: usize,
    /// How far apart they are, and the rows that lie side by side.
    pub inner: usize,
}

/// Some rows of a tensor that [`Slices`] hold: all of them, until they are split.
///
/// Rows are counted in the order of their first elements.
///
/// Invariant: the tensor is whole rows of this shape, has the rows `first..first + len`, and for their elements the
/// invariant of [`Slices`] holds.
pub struct Rows<'a, T, const N: usize, const OUTPUT: bool = true> {
    sources: [*const T; N],
    output: *mut T,
    shape: Shape,
    first: usize,
    len: usize,
    #[cfg(feature = "rayon")]
    spread: bool,
    _borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: the elements of the rows are some `&[T]` and at most one `&mut [T]`, which both can go to another thread.
unsafe impl<T: Send + Sync, const N: usize, const OUTPUT: bool> Send for Rows<'_, T, N, OUTPUT> {}

impl<'a, T: Real, const N: usize, const OUTPUT: bool> Rows<'a, T, N, OUTPUT> {
    /// All rows of a tensor.
    #[inline(always)]
    pub fn new(slices: Slices<'a, T, N, OUTPUT>, shape: Shape) -> Self {
        let len = slices.len() / shape.axis;
        assert!(len * shape.axis == slices.len() && len.is_multiple_of(shape.inner));
        Self {
            sources: slices.sources,
            output: slices.output,
            shape,
            first: 0,
            len,
            #[cfg(feature = "rayon")]
            spread: false,
            _borrow: PhantomData,
        }
    }

    /// The number of rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where their elements are.
    #[inline(always)]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A single row, to be dealt out to threads if its elements lie side by side.
    #[cfg(feature = "rayon")]
    pub fn spread(self) -> Self {
        Self { spread: self.len == 1 && self.shape.inner == 1, ..self }
    }

    /// Whether this is a single row to be dealt out to threads.
    #[cfg(feature = "rayon")]
    #[inline(always)]
    pub fn is_spread(&self) -> bool {
        self.spread
    }

    /// The first `mid` rows and the rest.
    #[inline(always)]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len);
        // No row is in both, so no element is.
        (Self { len: mid, ..self }, Self { first: self.first + mid, len: self.len - mid, ..self })
    }

    /// `len` rows from row `start` on.
    #[inline(always)]
    pub fn part(&mut self, start: usize, len: usize) -> Rows<'_, T, N, OUTPUT> {
        assert!(start <= self.len && len <= self.len - start);
        Rows { first: self.first + start, len, _borrow: PhantomData, ..*self }
    }

    /// `len` rows from row `start` on, which lie one after the other.
    #[inline(always)]
    pub fn in_a_row(&mut self, start: usize, len: usize) -> Slices<'_, T, N, OUTPUT> {
        assert!(self.shape.inner == 1 && start <= self.len && len <= self.len - start);
        let axis = self.shape.axis;
        self.slices((self.first + start) * axis, len * axis)
    }

    /// At most `most` rows from row `start` on, which lie side by side.
    #[inline(always)]
    pub fn side_by_side(&mut self, start: usize, most: usize) -> Columns<'_, T, N, OUTPUT> {
        assert!(start < self.len);
        let shape @ Shape { axis, inner } = self.shape;
        let (outer, column) = ((self.first + start) / inner, (self.first + start) % inner);
        let rows = most.min(self.len - start).min(inner - column);
        Columns { slices: self.slices(outer * axis * inner + column, rows), shape }
    }

    /// Elements of own rows.
    #[inline(always)]
    fn slices(&mut self, start: usize, len: usize) -> Slices<'_, T, N, OUTPUT> {
        let sources = self.sources.map(|source| source.wrapping_add(start));
        Slices { sources, output: self.output.wrapping_add(start), len, streams: false, _borrow: PhantomData }
    }
}

/// Rows that lie side by side.
///
/// Invariant: that of [`Slices`] holds for `slices`, the first elements of the rows, and for what is a multiple of
/// `inner` behind them, up to `axis` elements a row.
pub struct Columns<'a, T, const N: usize, const OUTPUT: bool> {
    slices: Slices<'a, T, N, OUTPUT>,
    shape: Shape,
}

impl<T: Real, const N: usize, const OUTPUT: bool> Columns<'_, T, N, OUTPUT> {
    /// The number of rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.slices.len
    }

    /// Element `i` of every row.
    #[inline(always)]
    pub fn elements(&mut self, i: usize) -> Slices<'_, T, N, OUTPUT> {
        assert!(i < self.shape.axis);
        let start = i * self.shape.inner;
        let sources = self.slices.sources.map(|source| source.wrapping_add(start));
        Slices { sources, output: self.slices.output.wrapping_add(start), ..self.slices }
    }

    /// Element `i` of every row as one lane value.
    #[inline(always)]
    pub fn partial(&mut self, i: usize) -> Partial<'_, T, N, OUTPUT> {
        self.elements(i).into_partial()
    }
}
