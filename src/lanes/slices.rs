//! Views of the caller's slices, cut into whole lane values and one partial.
//!
//! In place and out of place are one type here: the sources and the output may be the same memory,
//! as long as every block is loaded before it is stored. All pointer arithmetic of the crate stands
//! here and in `rows`.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::Memory;
#[cfg(doc)]
use super::Simd;
use crate::real::Real;
use crate::stream::streaming_threshold;

/// The bytes of a cache line, and of a lane value.
const LINE: usize = 64;

/// `N` sources and one output of the same length; the output may be one of the sources.
///
/// Without `OUTPUT` there is none, and storing panics: see [`Input`]. An output that is no source `streams` where it is
/// larger than the [`streaming_threshold`].
///
/// Invariant: all pointers are valid for reads of `len` elements for `'a`; with `OUTPUT` the output is
/// also valid for writes, nobody else uses its elements during `'a`, and where a source overlaps the
/// output, it is the output.
pub struct Slices<'a, T, const N: usize, const OUTPUT: bool = true> {
    pub(super) sources: [*const T; N],
    pub(super) output: *mut T,
    pub(super) len: usize,
    pub(super) streams: bool,
    pub(super) _borrow: PhantomData<&'a mut [T]>,
}

/// A read-only view of one slice.
pub type Input<'a, T> = Slices<'a, T, 1, false>;

// SAFETY: `Slices` are some `&[T]` and at most one `&mut [T]`, which both can go to another thread.
unsafe impl<T: Send + Sync, const N: usize, const OUTPUT: bool> Send for Slices<'_, T, N, OUTPUT> {}

impl<'a, T> From<&'a [T]> for Input<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [T]) -> Self {
        let (source, len) = (slice.as_ptr(), slice.len());
        Self { sources: [source], output: source.cast_mut(), len, streams: false, _borrow: PhantomData }
    }
}

impl<'a, T> Slices<'a, T, 1> {
    /// One source, one output.
    #[inline(always)]
    pub fn new(source: &'a [T], output: &'a mut [T]) -> Self {
        assert_eq!(source.len(), output.len());
        let streams = size_of_val(output) > streaming_threshold();
        Self {
            sources: [source.as_ptr()],
            output: output.as_mut_ptr(),
            len: output.len(),
            streams,
            _borrow: PhantomData,
        }
    }

    /// The output is the source.
    #[inline(always)]
    pub fn in_place(slice: &'a mut [T]) -> Self {
        let (output, len) = (slice.as_mut_ptr(), slice.len());
        Self { sources: [output], output, len, streams: false, _borrow: PhantomData }
    }
}

impl<'a, T> Slices<'a, T, 2> {
    /// Two sources, one output.
    #[inline(always)]
    pub fn new(first: &'a [T], second: &'a [T], output: &'a mut [T]) -> Self {
        assert!(first.len() == output.len() && second.len() == output.len());
        let sources = [first.as_ptr(), second.as_ptr()];
        let streams = size_of_val(output) > streaming_threshold();
        Self { sources, output: output.as_mut_ptr(), len: output.len(), streams, _borrow: PhantomData }
    }

    /// The output is the second source.
    #[inline(always)]
    pub fn in_place(first: &'a [T], second: &'a mut [T]) -> Self {
        assert_eq!(first.len(), second.len());
        let (output, len) = (second.as_mut_ptr(), second.len());
        Self { sources: [first.as_ptr(), output], output, len, streams: false, _borrow: PhantomData }
    }
}

impl<'a, T: Real, const N: usize, const OUTPUT: bool> Slices<'a, T, N, OUTPUT> {
    /// The number of elements of each slice.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The `len` elements from `start` on, of every source and of the output.
    #[inline(always)]
    pub fn part(&mut self, start: usize, len: usize) -> Slices<'_, T, N, OUTPUT> {
        assert!(start <= self.len && len <= self.len - start);
        let sources = self.sources.map(|source| source.wrapping_add(start));
        Slices { sources, output: self.output.wrapping_add(start), len, ..*self }
    }

    /// The first `mid` elements and the rest.
    #[inline(always)]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len);
        let sources = self.sources.map(|source| source.wrapping_add(mid));
        let rest = Self { sources, output: self.output.wrapping_add(mid), len: self.len - mid, ..self };
        (Self { len: mid, ..self }, rest)
    }

    /// Element `i` of source `k`.
    #[inline(always)]
    pub fn get(&self, k: usize, i: usize) -> T {
        assert!(i < self.len);
        // SAFETY: just checked.
        unsafe { *self.sources[k].wrapping_add(i) }
    }

    /// The `len` elements from `start` on as one lane value.
    #[inline(always)]
    pub fn partial(&mut self, start: usize, len: usize) -> Partial<'_, T, N, OUTPUT> {
        self.part(start, len).into_partial()
    }

    /// All elements as one lane value.
    #[inline(always)]
    pub fn into_partial(self) -> Partial<'a, T, N, OUTPUT> {
        assert!(self.len <= T::LANES);
        Partial(self)
    }

    /// Whether the output shall be written past the caches.
    #[inline(always)]
    pub fn streams(&self) -> bool {
        self.streams
    }

    /// The slices from front to back.
    #[inline(always)]
    pub fn blocks(self) -> Blocks<'a, T, N, OUTPUT> {
        Blocks(self)
    }

    /// Makes the output the first source, from now on.
    #[inline(always)]
    pub fn read_output(&mut self) {
        self.sources[0] = self.output;
    }

    /// Sets element `i` of the output.
    #[inline(always)]
    pub fn set(&mut self, i: usize, value: T) {
        assert!(OUTPUT && i < self.len);
        // SAFETY: just checked.
        unsafe { *self.output.wrapping_add(i) = value }
    }
}

/// What is left of some slices that are walked through from the front.
pub struct Blocks<'a, T, const N: usize, const OUTPUT: bool>(Slices<'a, T, N, OUTPUT>);

impl<'a, T: Real, const N: usize, const OUTPUT: bool> Blocks<'a, T, N, OUTPUT> {
    /// The next `V` whole lane values, if there are as many.
    #[inline(always)]
    pub fn whole<const V: usize>(&mut self) -> Option<Block<'a, T, N, V, OUTPUT>> {
        let len = V.wrapping_mul(T::LANES);
        if self.0.len < len { None } else { Some(Block(self.take(len))) }
    }

    /// The elements before the output's next cache line, less than a lane value.
    #[inline(always)]
    pub fn before_line(&mut self) -> Partial<'a, T, N, OUTPUT> {
        let elements = (self.0.output.addr().wrapping_neg() % LINE) / size_of::<T>();
        Partial(self.take(elements.min(self.0.len)))
    }

    /// The next lane value, or what is left of one.
    #[inline(always)]
    pub fn partial(&mut self) -> Option<Partial<'a, T, N, OUTPUT>> {
        let len = if self.0.len < T::LANES { self.0.len } else { T::LANES };
        if len == 0 { None } else { Some(Partial(self.take(len))) }
    }

    /// The first `len` elements, of which there are as many.
    #[inline(always)]
    fn take(&mut self, len: usize) -> Slices<'a, T, N, OUTPUT> {
        let rest = &mut self.0;
        let first = Slices { len, ..*rest };
        rest.sources = rest.sources.map(|source| source.wrapping_add(len));
        rest.output = rest.output.wrapping_add(len);
        rest.len = rest.len.wrapping_sub(len);
        first
    }
}

/// `V` whole lane values of some slices.
pub struct Block<'a, T, const N: usize, const V: usize, const OUTPUT: bool>(Slices<'a, T, N, OUTPUT>);

impl<T: Real, const N: usize, const V: usize, const OUTPUT: bool> Block<'_, T, N, V, OUTPUT> {
    /// Loads lane value `v` of all sources.
    #[inline(always)]
    pub fn load<L: Memory<Float = T>>(&self, simd: L::Simd, v: usize) -> [L; N] {
        assert!(v < V);
        let mut lanes = [L::zero(simd); N];
        for k in 0..N {
            // SAFETY: a block has V whole lane values.
            lanes[k] = unsafe { L::load(simd, self.0.sources[k].wrapping_add(v * T::LANES)) };
        }
        lanes
    }

    /// Stores lane value `v` of the output.
    #[inline(always)]
    pub fn store<L: Memory<Float = T>>(&mut self, v: usize, lanes: L) {
        assert!(OUTPUT && v < V);
        // SAFETY: a block has V whole lane values.
        unsafe { lanes.store(self.0.output.wrapping_add(v * T::LANES)) };
    }

    /// Stores lane value `v` of the output past the caches; [`Simd::fence`] must follow.
    #[inline(always)]
    pub fn stream<L: Memory<Float = T>>(&mut self, v: usize, lanes: L) {
        assert!(OUTPUT && v < V && self.0.output.addr().is_multiple_of(LINE));
        // SAFETY: a block has V whole lane values, each of which is a cache line.
        unsafe { lanes.stream(self.0.output.wrapping_add(v * T::LANES)) };
    }
}

/// Up to one lane value of some slices.
pub struct Partial<'a, T, const N: usize, const OUTPUT: bool>(Slices<'a, T, N, OUTPUT>);

impl<T: Real, const N: usize, const OUTPUT: bool> Partial<'_, T, N, OUTPUT> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Loads the lane value of all sources; lanes beyond the end are zero.
    #[inline(always)]
    pub fn load<L: Memory<Float = T>>(&self, simd: L::Simd) -> [L; N] {
        let mut lanes = [L::zero(simd); N];
        for k in 0..N {
            let (source, len) = (self.0.sources[k], self.0.len);
            // SAFETY: the source has `len` elements, no more than a lane value.
            lanes[k] =
                unsafe { if len == T::LANES { L::load(simd, source) } else { L::load_partial(simd, source, len) } };
        }
        lanes
    }

    /// Stores the output, as much of it as there is.
    #[inline(always)]
    pub fn store<L: Memory<Float = T>>(self, lanes: L) {
        assert!(OUTPUT);
        let (output, len) = (self.0.output, self.0.len);
        // SAFETY: the output has `len` elements, no more than a lane value.
        unsafe { if len == T::LANES { lanes.store(output) } else { lanes.store_partial(output, len) } };
    }
}
