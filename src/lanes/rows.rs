//! Views of the rows along any axis of a tensor. They can be split between rows.
//!
//! A row is all elements that differ only in their index along the axis. With `inner` = 1 the elements of a row lie
//! side by side. Otherwise `inner` rows lie interleaved: element i of the next row follows element i of this one.
//!
//! ```text
//! element i of row r is at    r / inner * stride + r % inner + i * inner
//! inner = 1, stride = 3       r0 r0 r0 r1 r1 r1 ..
//! inner = 2, stride = 6       r0 r1 r0 r1 r0 r1 r2 r3 ..
//! ```
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{Element, Partial, Real, Simd, Slices};
use crate::check;

/// The layout of the rows of a tensor: see the head of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The number of elements of a row.
    pub axis: usize,
    /// The stride between the elements of a row, which is also the number of interleaved rows.
    pub inner: usize,
    /// The stride between groups of interleaved rows: `axis * inner`, or more if there are gaps between the rows. Only
    /// rows whose `inner` is 1 have gaps.
    pub stride: usize,
}

/// Some consecutive rows of a tensor, in all sources and outputs of [`Slices`].
///
/// Rows are counted in the order of their first elements.
///
/// Invariant: the tensor consists of whole rows of this shape and has the rows `first..first + len`, for whose elements
/// the invariant of [`Slices`] holds.
pub struct Rows<'a, T, const N: usize, const M: usize = 1> {
    sources: [*const T; N],
    outputs: [*mut T; M],
    shape: Shape,
    first: usize,
    len: usize,
    is_uninit: bool,
    is_shared: bool,
    _borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: the elements of the rows are some `&[T]` and some `&mut [T]`, which both can go to another thread.
unsafe impl<T: Send + Sync, const N: usize, const M: usize> Send for Rows<'_, T, N, M> {}

impl<'a, T: Element, const N: usize, const M: usize> Rows<'a, T, N, M> {
    /// All rows of a tensor. `name` is the name of the first slice, for the message of a panic.
    ///
    /// # Panics
    ///
    /// If the slices are not whole rows of this shape.
    #[track_caller]
    #[inline(always)]
    pub fn new(slices: Slices<'a, T, N, M>, name: &str, shape: Shape) -> Self {
        let len = check::whole_rows(name, slices.len, shape.axis, shape.inner, shape.stride);
        let Slices { sources, outputs, is_uninit, .. } = slices;
        Self { sources, outputs, shape, first: 0, len, is_uninit, is_shared: false, _borrow: PhantomData }
    }

    /// The number of rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The layout of the rows.
    #[inline(always)]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The same rows, marked as a single row whose pieces threads share. Without effect on several rows, and on a row
    /// whose elements do not lie side by side.
    pub fn shared(self) -> Self {
        Self { is_shared: self.len == 1 && self.shape.inner == 1, ..self }
    }

    /// Whether this is a single row whose pieces threads share.
    #[inline(always)]
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The sources alone.
    #[inline(always)]
    pub fn inputs(&self) -> Rows<'_, T, N, 0> {
        let &Self { sources, shape, first, len, is_shared, .. } = self;
        Rows { sources, outputs: [], shape, first, len, is_uninit: false, is_shared, _borrow: PhantomData }
    }

    /// The first source alone.
    #[inline(always)]
    pub fn first_source(&self) -> Rows<'_, T, 1, 0> {
        let Rows { sources, shape, first, len, is_uninit, is_shared, .. } = self.inputs();
        Rows { sources: [sources[0]], outputs: [], shape, first, len, is_uninit, is_shared, _borrow: PhantomData }
    }

    /// The first source, and the outputs.
    #[inline(always)]
    pub fn with_first_source(&mut self) -> Rows<'_, T, 1, M> {
        let &mut Self { sources, outputs, shape, first, len, is_uninit, is_shared, .. } = self;
        Rows { sources: [sources[0]], outputs, shape, first, len, is_uninit, is_shared, _borrow: PhantomData }
    }

    /// The first `mid` rows and the rest.
    #[inline(always)]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len);
        // No row is in both parts, so no element is.
        (Self { len: mid, ..self }, Self { first: self.first + mid, len: self.len - mid, ..self })
    }

    /// `len` rows from row `start` on.
    #[inline(always)]
    pub fn part(&mut self, start: usize, len: usize) -> Rows<'_, T, N, M> {
        assert!(start <= self.len && len <= self.len - start);
        Rows { first: self.first + start, len, _borrow: PhantomData, ..*self }
    }

    /// Slices as a single row.
    #[inline(always)]
    pub fn single(slices: Slices<'a, T, N, M>) -> Self {
        let Slices { sources, outputs, len, is_uninit, .. } = slices;
        let shape = Shape { axis: len, inner: 1, stride: len };
        Self { sources, outputs, shape, first: 0, len: 1, is_uninit, is_shared: false, _borrow: PhantomData }
    }

    /// Changes the number of elements of a row, to one that is at most that of [`new`](Self::new).
    pub fn set_axis(&mut self, axis: usize) {
        assert!(axis <= self.shape.stride / self.shape.inner);
        self.shape.axis = axis;
    }

    /// The offset of element `i` of row `r` in each slice.
    #[inline(always)]
    fn offset(&self, r: usize, i: usize) -> usize {
        let Shape { axis, inner, stride } = self.shape;
        assert!(r < self.len && i < axis);
        let r = self.first + r;
        // In most calls `inner` is 1, which saves the division.
        if inner == 1 { r * stride + i } else { r / inner * stride + r % inner + i * inner }
    }

    /// Element `i` of row `r` of source `k`.
    #[inline(always)]
    pub fn get(&self, k: usize, r: usize, i: usize) -> T {
        // SAFETY: `offset` has checked that there is such an element.
        unsafe { *self.sources[k].wrapping_add(self.offset(r, i)) }
    }

    /// Sets element `i` of row `r` of output `m`.
    #[inline(always)]
    pub fn set(&mut self, m: usize, r: usize, i: usize, value: T) {
        // SAFETY: `offset` has checked that there is such an element.
        unsafe { *self.outputs[m].wrapping_add(self.offset(r, i)) = value }
    }

    /// Element `i` of row `r` of output `m`, which must be initialised.
    #[inline(always)]
    pub fn get_output(&self, m: usize, r: usize, i: usize) -> T {
        assert!(!self.is_uninit);
        // SAFETY: `offset` has checked that there is such an element.
        unsafe { *self.outputs[m].wrapping_add(self.offset(r, i)) }
    }

    /// Row `r`, whose elements lie side by side.
    #[inline(always)]
    pub fn row(&mut self, r: usize) -> Slices<'_, T, N, M> {
        assert!(self.shape.inner == 1 && r < self.len);
        self.slices((self.first + r) * self.shape.stride, self.shape.axis)
    }

    /// The elements of all rows, between which there are no gaps.
    pub fn all(&mut self) -> Slices<'_, T, N, M> {
        let Shape { axis, inner, stride } = self.shape;
        assert!(inner == 1 && stride == axis);
        self.slices(self.first * stride, self.len * stride)
    }

    /// The rows from row `start` on that lie interleaved with it, at most `most`.
    #[inline(always)]
    pub fn interleaved(&mut self, start: usize, most: usize) -> Columns<'_, T, N, M> {
        assert!(start < self.len);
        let shape = self.shape;
        let (group, column) = ((self.first + start) / shape.inner, (self.first + start) % shape.inner);
        let rows = most.min(self.len - start).min(shape.inner - column);
        Columns { slices: self.slices(group * shape.stride + column, rows), shape }
    }

    /// From now on the first source is output 0, which must be initialised.
    #[inline(always)]
    pub fn replace_source_by_output(&mut self) {
        assert!(!self.is_uninit);
        self.sources[0] = self.outputs[0];
    }

    /// Whether the first source is output 0.
    pub fn reads_output(&self) -> bool {
        M > 0 && std::ptr::eq(self.sources[0], self.outputs[0])
    }

    /// Copies the sources to buffers, in which these rows alone lie interleaved.
    pub fn copy_to(&mut self, buffers: &mut [Vec<T>; N]) {
        self.move_columns(|columns, i, at| {
            let slices = columns.elements(i);
            for k in 0..N {
                // SAFETY: the slices have `len` elements. The buffer is the crate's own memory, so they do not overlap.
                unsafe {
                    buffers[k][at..][..slices.len].as_mut_ptr().copy_from_nonoverlapping(slices.sources[k], slices.len)
                };
            }
        });
    }

    /// Copies a buffer of the layout of [`copy_to`](Self::copy_to) to the outputs.
    pub fn copy_from(&mut self, buffer: &[T]) {
        self.move_columns(|columns, i, at| {
            let slices = columns.elements(i);
            for output in slices.outputs {
                // SAFETY: the slices have `len` elements. The buffer is the crate's own memory, so they do not overlap.
                unsafe { output.copy_from_nonoverlapping(buffer[at..][..slices.len].as_ptr(), slices.len) };
            }
        });
    }

    /// Calls `copy(columns, i, at)` for element `i` of each group of interleaved rows, `at` being its offset in a
    /// buffer.
    fn move_columns(&mut self, mut copy: impl FnMut(&mut Columns<'_, T, N, M>, usize, usize)) {
        let (mut done, count) = (0, self.len);
        while done < count {
            let mut columns = self.interleaved(done, count - done);
            for i in 0..columns.axis() {
                copy(&mut columns, i, i * count + done);
            }
            done += columns.len();
        }
    }

    /// The `len` rows from row `start` on, after their outputs were filled with zeros if they were not initialised.
    #[inline(always)]
    pub fn with_zeroed_outputs(&mut self, start: usize, len: usize) -> Rows<'_, T, N, M> {
        let Shape { axis, inner, .. } = self.shape;
        if self.is_uninit && inner == 1 {
            (start..start + len).for_each(|r| self.row(r).zero_uninit());
        } else if self.is_uninit {
            let mut done = 0;
            while done < len {
                let mut columns = self.interleaved(start + done, len - done);
                (0..axis).for_each(|i| columns.elements(i).zero_uninit());
                done += columns.len();
            }
        }
        Rows { is_uninit: false, ..self.part(start, len) }
    }

    /// `len` elements from offset `start` on, which must be elements of these rows.
    #[inline(always)]
    fn slices(&mut self, start: usize, len: usize) -> Slices<'_, T, N, M> {
        let sources = self.sources.map(|source| source.wrapping_add(start));
        let outputs = self.outputs.map(|output| output.wrapping_add(start));
        Slices { sources, outputs, len, streams: false, is_uninit: self.is_uninit, _borrow: PhantomData }
    }
}

impl<T: Real, const N: usize, const M: usize> Rows<'_, T, N, M> {
    /// The rows from front to back. Each is at most one lane value long, and its elements lie side by side.
    #[inline(always)]
    pub fn short_rows(&mut self) -> ShortRows<'_, T, N, M> {
        let Shape { axis, inner, stride } = self.shape;
        assert!(inner == 1 && axis <= T::LANES);
        let len = self.len * stride - (stride - axis) * usize::from(self.len > 0);
        ShortRows { rest: self.slices(self.first * stride, len), axis, stride }
    }
}

/// Iterates over rows of at most one lane value, whose elements lie side by side.
///
/// Invariant: `rest` begins with the next row, the invariant of [`Slices`] holds for the elements of all rows in `rest`,
/// and `axis` is at most the number of lanes.
pub struct ShortRows<'a, T, const N: usize, const M: usize> {
    rest: Slices<'a, T, N, M>,
    axis: usize,
    stride: usize,
}

impl<'a, T: Real, const N: usize, const M: usize> ShortRows<'a, T, N, M> {
    /// Prefetches the address `ahead` elements behind the start of the next row, in all sources. 0 means no prefetch.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, ahead: usize) {
        if ahead > 0 {
            for source in self.rest.sources {
                simd.prefetch(source.wrapping_add(ahead));
            }
        }
    }

    /// The next row, extended over the following elements to a whole lane value, because whole loads and stores are
    /// faster. At the end, and where there are gaps between rows, it is shorter.
    #[inline(always)]
    pub fn take_row(&mut self) -> Partial<'a, T, N, M> {
        let rest = &mut self.rest;
        let here = if self.stride == self.axis { rest.len.min(T::LANES) } else { self.axis };
        let first = Slices { len: here, ..*rest };
        assert!(rest.len >= self.axis);
        rest.sources = rest.sources.map(|source| source.wrapping_add(self.stride));
        rest.outputs = rest.outputs.map(|output| output.wrapping_add(self.stride));
        rest.len = rest.len.saturating_sub(self.stride);
        first.into_partial()
    }
}

/// Rows that lie interleaved: element i of all of them is a slice.
///
/// Invariant: `slices` are the first elements of the rows. The invariant of [`Slices`] holds for them, and for the
/// slices that lie i * `inner` elements behind them for all i < `axis`.
pub struct Columns<'a, T, const N: usize, const M: usize> {
    slices: Slices<'a, T, N, M>,
    shape: Shape,
}

impl<T: Element, const N: usize, const M: usize> Columns<'_, T, N, M> {
    /// The number of rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.slices.len
    }

    /// The number of elements of each row.
    #[inline(always)]
    pub fn axis(&self) -> usize {
        self.shape.axis
    }

    /// Prefetches element `i` of every row, in all sources. Does nothing beyond the end of the rows.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, i: usize) {
        if i < self.shape.axis {
            for source in self.slices.sources {
                for column in (0..self.slices.len).step_by(T::LANES) {
                    simd.prefetch(source.wrapping_add(i * self.shape.inner + column));
                }
            }
        }
    }

    /// Element `i` of every row.
    #[inline(always)]
    pub fn elements(&mut self, i: usize) -> Slices<'_, T, N, M> {
        assert!(i < self.shape.axis);
        let start = i * self.shape.inner;
        let sources = self.slices.sources.map(|source| source.wrapping_add(start));
        let outputs = self.slices.outputs.map(|output| output.wrapping_add(start));
        Slices { sources, outputs, ..self.slices }
    }
}
