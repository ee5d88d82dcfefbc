//! Views of the caller's slices, cut into blocks of whole lane values and one partial.
//!
//! In place and out of place are one type here: the sources and the output may be the same memory,
//! as long as every block is loaded before it is stored. All pointer arithmetic of the crate stands
//! in this file.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::Memory;
use crate::float::Float;

/// A read-only view of one slice.
#[derive(Clone, Copy)]
pub struct Input<'a, T> {
    start: *const T,
    len: usize,
    _borrow: PhantomData<&'a [T]>,
}

/// `N` sources and one output of the same length; the output may be one of the sources.
///
/// Invariant: each pointer is valid for `len` elements for `'a`, sources for reads and the output for
/// reads and writes; nobody else uses the output's elements during `'a`; where a source overlaps the
/// output, it is the output.
pub struct Slices<'a, T, const N: usize> {
    sources: [*const T; N],
    output: *mut T,
    len: usize,
    _borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: an `Input` is a `&[T]`, and `Slices` are some `&[T]` and a `&mut [T]`, or a `&mut [T]` alone.
unsafe impl<T: Sync> Send for Input<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, const N: usize> Send for Slices<'_, T, N> {}

impl<'a, T> From<&'a [T]> for Input<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [T]) -> Self {
        Self { start: slice.as_ptr(), len: slice.len(), _borrow: PhantomData }
    }
}

impl<'a, T: Float> Input<'a, T> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The `len` elements from `start` on.
    #[inline(always)]
    pub fn part(&self, start: usize, len: usize) -> Self {
        assert!(start <= self.len && len <= self.len - start);
        Self { start: self.start.wrapping_add(start), len, _borrow: PhantomData }
    }

    /// Element `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> T {
        assert!(i < self.len);
        // SAFETY: just checked.
        unsafe { *self.start.add(i) }
    }

    /// The whole blocks of `V` lane values, then the rest as one block of fewer.
    #[inline(always)]
    pub fn blocks<const V: usize>(self) -> impl Iterator<Item = View<'a, T, V>> {
        let (sources, output) = ([self.start], self.start.cast_mut());
        let slices = Slices { sources, output, len: self.len, _borrow: PhantomData };
        // A `View` can only load, so that nothing ever writes through this output.
        slices.blocks().map(View)
    }
}

impl<'a, T> Slices<'a, T, 1> {
    /// One source, one output.
    #[inline(always)]
    pub fn new(source: &'a [T], output: &'a mut [T]) -> Self {
        assert_eq!(source.len(), output.len());
        Self { sources: [source.as_ptr()], output: output.as_mut_ptr(), len: output.len(), _borrow: PhantomData }
    }

    /// The output is the source.
    #[inline(always)]
    pub fn in_place(slice: &'a mut [T]) -> Self {
        let (output, len) = (slice.as_mut_ptr(), slice.len());
        Self { sources: [output], output, len, _borrow: PhantomData }
    }
}

impl<'a, T> Slices<'a, T, 2> {
    /// Two sources, one output.
    #[inline(always)]
    pub fn new(first: &'a [T], second: &'a [T], output: &'a mut [T]) -> Self {
        assert!(first.len() == output.len() && second.len() == output.len());
        let sources = [first.as_ptr(), second.as_ptr()];
        Self { sources, output: output.as_mut_ptr(), len: output.len(), _borrow: PhantomData }
    }

    /// The output is the second source.
    #[inline(always)]
    pub fn in_place(first: &'a [T], second: &'a mut [T]) -> Self {
        assert_eq!(first.len(), second.len());
        let (output, len) = (second.as_mut_ptr(), second.len());
        Self { sources: [first.as_ptr(), output], output, len, _borrow: PhantomData }
    }
}

impl<'a, T: Float, const N: usize> Slices<'a, T, N> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The `len` elements from `start` on, of every source and of the output.
    #[inline(always)]
    pub fn part(&mut self, start: usize, len: usize) -> Slices<'_, T, N> {
        assert!(start <= self.len && len <= self.len - start);
        let sources = self.sources.map(|source| source.wrapping_add(start));
        Slices { sources, output: self.output.wrapping_add(start), len, _borrow: PhantomData }
    }

    /// The first `mid` elements and the rest.
    #[inline(always)]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len);
        let sources = self.sources.map(|source| source.wrapping_add(mid));
        let rest = Self { sources, output: self.output.wrapping_add(mid), len: self.len - mid, _borrow: PhantomData };
        (Self { len: mid, ..self }, rest)
    }

    /// A view of source `k`.
    #[inline(always)]
    pub fn source(&self, k: usize) -> Input<'_, T> {
        Input { start: self.sources[k], len: self.len, _borrow: PhantomData }
    }

    /// The output, as both source and output.
    #[inline(always)]
    pub fn output(&mut self) -> Slices<'_, T, 1> {
        Slices { sources: [self.output], output: self.output, len: self.len, _borrow: PhantomData }
    }

    /// Sets element `i` of the output.
    #[inline(always)]
    pub fn set(&mut self, i: usize, value: T) {
        assert!(i < self.len);
        // SAFETY: just checked.
        unsafe { *self.output.add(i) = value }
    }

    /// The block of up to one lane value that starts at element `start`.
    #[inline(always)]
    pub fn block(&mut self, start: usize, len: usize) -> Block<'_, T, N, 1> {
        assert!(len <= T::LANES && start <= self.len && len <= self.len - start);
        let sources = self.sources.map(|source| source.wrapping_add(start));
        Block { sources, output: self.output.wrapping_add(start), len, _borrow: PhantomData }
    }

    /// The whole blocks of `V` lane values, then the rest as one block of fewer.
    #[inline(always)]
    pub fn blocks<const V: usize>(self) -> Blocks<'a, T, N, V> {
        Blocks { rest: self }
    }
}

/// An iterator over the blocks of some slices.
pub struct Blocks<'a, T, const N: usize, const V: usize> {
    rest: Slices<'a, T, N>,
}

impl<'a, T: Float, const N: usize, const V: usize> Iterator for Blocks<'a, T, N, V> {
    type Item = Block<'a, T, N, V>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = &mut self.rest;
        if rest.len == 0 {
            return None;
        }
        let len = if rest.len < V * T::LANES { rest.len } else { V * T::LANES };
        let block = Block { sources: rest.sources, output: rest.output, len, _borrow: PhantomData };
        rest.sources = rest.sources.map(|source| source.wrapping_add(len));
        rest.output = rest.output.wrapping_add(len);
        rest.len = rest.len.wrapping_sub(len);
        Some(block)
    }
}

/// Up to `V` lane values of some slices; only the last block of a slice holds fewer than `V`.
pub struct Block<'a, T, const N: usize, const V: usize> {
    sources: [*const T; N],
    output: *mut T,
    len: usize,
    _borrow: PhantomData<&'a mut [T]>,
}

impl<T: Float, const N: usize, const V: usize> Block<'_, T, N, V> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the block holds `V` whole lane values.
    #[inline(always)]
    pub fn is_whole(&self) -> bool {
        self.len == V * T::LANES
    }

    /// Loads source `k`; lanes beyond the end are zero.
    #[inline(always)]
    pub fn load<L: Memory<Float = T>>(&self, simd: L::Simd, k: usize) -> [L; V] {
        let mut lanes = [L::zero(simd); V];
        let start = self.sources[k];
        if self.is_whole() {
            for (i, lane) in lanes.iter_mut().enumerate() {
                // SAFETY: a whole block has V lane values.
                *lane = unsafe { L::load(simd, start.wrapping_add(i.wrapping_mul(T::LANES))) };
            }
        } else {
            let mut left = self.len;
            for (i, lane) in lanes.iter_mut().enumerate() {
                let count = if left < T::LANES { left } else { T::LANES };
                // SAFETY: `left` elements are left from here on, and `count` is no more.
                *lane = unsafe { L::load_partial(simd, start.wrapping_add(i.wrapping_mul(T::LANES)), count) };
                left = left.wrapping_sub(count);
            }
        }
        lanes
    }

    /// Stores the output, as much of it as the block holds.
    #[inline(always)]
    pub fn store<L: Memory<Float = T>>(&mut self, lanes: [L; V]) {
        if self.is_whole() {
            for (i, lane) in lanes.into_iter().enumerate() {
                // SAFETY: a whole block has V lane values.
                unsafe { lane.store(self.output.wrapping_add(i.wrapping_mul(T::LANES))) };
            }
        } else {
            let mut left = self.len;
            for (i, lane) in lanes.into_iter().enumerate() {
                let count = if left < T::LANES { left } else { T::LANES };
                // SAFETY: `left` elements are left from here on, and `count` is no more.
                unsafe { lane.store_partial(self.output.wrapping_add(i.wrapping_mul(T::LANES)), count) };
                left = left.wrapping_sub(count);
            }
        }
    }
}

/// A block of an [`Input`].
pub struct View<'a, T, const V: usize>(Block<'a, T, 1, V>);

impl<T: Float, const V: usize> View<'_, T, V> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Loads the block; lanes beyond the end are zero.
    #[inline(always)]
    pub fn load<L: Memory<Float = T>>(&self, simd: L::Simd) -> [L; V] {
        self.0.load(simd, 0)
    }
}
