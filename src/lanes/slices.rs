//! Views of the caller's slices: sources and outputs of one length, walked through in blocks of lane values.
//!
//! ```text
//! Slices -> blocks() -> whole::<V>()      a Block of V lane values, while V are left
//!                    -> partial()         a Partial: at most one lane value, the tail
//! ```
//!
//! One type serves in place and out of place: an output may be the same memory as a source. That works because every
//! block is loaded before it is stored, and it is why the views hold pointers. All pointer arithmetic on the caller's
//! memory is in this module and in `rows`.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

#[cfg(doc)]
use super::Simd;
use super::{Element, Memory, Real};
use crate::check;
use crate::stream::is_above_threshold;

/// The size in bytes of a cache line, and of a lane value.
const LINE: usize = 64;

/// A slice, and the name of its argument in the public method, for messages.
pub type Named<'a, T> = (&'static str, &'a [T]);
/// An output, and its name likewise.
pub type NamedMut<'a, T> = (&'static str, &'a mut [T]);

/// `N` sources and `M` outputs of the same length; an output may be one of the sources.
///
/// `streams` is set for an output that is not a source and is larger than the [`crate::streaming_threshold`].
///
/// A function that takes such a view by value must write every element of the outputs: `initialise` relies on that.
///
/// Invariant: during `'a`, the sources are valid for reads of `len` elements, and the outputs for writes of `len`
/// elements that nothing else uses meanwhile. A source or output that overlaps an output is that output. With
/// `is_uninit` the outputs are not initialised, and none of them is a source.
pub struct Slices<'a, T, const N: usize, const M: usize = 1> {
    pub(super) sources: [*const T; N],
    pub(super) outputs: [*mut T; M],
    pub(super) len: usize,
    pub(super) streams: bool,
    pub(super) is_uninit: bool,
    pub(super) _borrow: PhantomData<&'a mut [T]>,
}

/// One of the slices, as a source.
#[derive(Clone, Copy)]
pub enum Operand {
    Source(usize),
    Output(usize),
}

/// A read-only view of one slice.
pub type Input<'a, T> = Slices<'a, T, 1, 0>;

// SAFETY: `Slices` are some `&[T]` and some `&mut [T]`, which both can go to another thread.
unsafe impl<T: Send + Sync, const N: usize, const M: usize> Send for Slices<'_, T, N, M> {}

impl<'a, T> From<&'a [T]> for Input<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [T]) -> Self {
        let (sources, len) = ([slice.as_ptr()], slice.len());
        Self { sources, outputs: [], len, streams: false, is_uninit: false, _borrow: PhantomData }
    }
}

impl<'a, T, const N: usize> Slices<'a, T, N> {
    /// Sources, and an output that is none of them.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[track_caller]
    #[inline(always)]
    pub fn new(sources: [Named<'a, T>; N], (name, output): NamedMut<'a, T>) -> Self {
        let (pointer, len) = (output.as_mut_ptr(), output.len());
        Self::checked(sources, name, pointer, len)
    }

    /// Sources, and an output that is not initialised.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[track_caller]
    #[inline(always)]
    pub fn uninit(sources: [Named<'a, T>; N], (name, output): (&'static str, &'a mut [MaybeUninit<T>])) -> Self {
        let (pointer, len) = (output.as_mut_ptr().cast(), output.len());
        Self { is_uninit: true, ..Self::checked(sources, name, pointer, len) }
    }

    /// Sources and an output, whose lengths are compared.
    #[track_caller]
    #[inline(always)]
    fn checked(sources: [Named<'a, T>; N], name: &'static str, output: *mut T, len: usize) -> Self {
        let (first, first_len) = (sources[0].0, sources[0].1.len());
        for k in 1..N {
            check::same_len(first, first_len, sources[k].0, sources[k].1.len());
        }
        check::same_len(first, first_len, name, len);
        let sources = sources.map(|(_, source)| source.as_ptr());
        let streams = is_above_threshold(len * size_of::<T>());
        Self { sources, outputs: [output], len, streams, is_uninit: false, _borrow: PhantomData }
    }
}

impl<'a, T, const N: usize> Slices<'a, T, N, 0> {
    /// Sources without an output.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[track_caller]
    #[inline(always)]
    pub fn sources(sources: [Named<'a, T>; N]) -> Self {
        let (first, len) = (sources[0].0, sources[0].1.len());
        for k in 1..N {
            check::same_len(first, len, sources[k].0, sources[k].1.len());
        }
        let sources = sources.map(|(_, source)| source.as_ptr());
        Self { sources, outputs: [], len, streams: false, is_uninit: false, _borrow: PhantomData }
    }
}

impl<'a, T, const N: usize> Slices<'a, T, N, 2> {
    /// Sources, and two outputs that are none of them.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[track_caller]
    #[inline(always)]
    pub fn two(sources: [Named<'a, T>; N], outputs: [NamedMut<'a, T>; 2]) -> Self {
        let Slices { sources: pointers, len, .. } = Slices::<T, N, 0>::sources(sources);
        // A panic in a closure would not have the caller's location.
        for (name, output) in &outputs {
            check::same_len(sources[0].0, len, name, output.len());
        }
        let outputs = outputs.map(|(_, output)| output.as_mut_ptr());
        Self { sources: pointers, outputs, len, streams: false, is_uninit: false, _borrow: PhantomData }
    }

    /// The second output first.
    pub fn with_outputs_exchanged(self) -> Self {
        let [first, second] = self.outputs;
        Self { outputs: [second, first], ..self }
    }
}

impl<'a, T> Slices<'a, T, 2> {
    /// The output is both outputs of a map. It holds the second result, which is stored last.
    pub fn with_output_twice(self) -> Slices<'a, T, 2, 2> {
        let Self { sources, outputs: [output], len, is_uninit, .. } = self;
        Slices { sources, outputs: [output; 2], len, streams: false, is_uninit, _borrow: PhantomData }
    }
}

impl<'a, T> Slices<'a, T, 1> {
    /// The source is both sources of a map.
    pub fn with_source_twice(self) -> Slices<'a, T, 2> {
        let Self { sources: [source], outputs, len, streams, is_uninit, _borrow } = self;
        Slices { sources: [source; 2], outputs, len, streams, is_uninit, _borrow }
    }

    /// The output is the source.
    #[inline(always)]
    pub fn in_place(slice: &'a mut [T]) -> Self {
        let (output, len) = (slice.as_mut_ptr(), slice.len());
        Self { sources: [output], outputs: [output], len, streams: false, is_uninit: false, _borrow: PhantomData }
    }
}

impl<'a, T> Slices<'a, T, 2> {
    /// The output is the second source.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[track_caller]
    #[inline(always)]
    pub fn in_place((first, source): Named<'a, T>, (second, output): NamedMut<'a, T>) -> Self {
        check::same_len(first, source.len(), second, output.len());
        let (output, len) = (output.as_mut_ptr(), output.len());
        Self {
            sources: [source.as_ptr(), output],
            outputs: [output],
            len,
            streams: false,
            is_uninit: false,
            _borrow: PhantomData,
        }
    }
}

impl<'a, T, const N: usize, const M: usize> Slices<'a, T, N, M> {
    /// Sources and outputs of the crate's own, of the same length.
    pub fn between(sources: [&'a [T]; N], outputs: [&'a mut [T]; M]) -> Self {
        let len = sources[0].len();
        assert!(sources.iter().all(|source| source.len() == len) && outputs.iter().all(|output| output.len() == len));
        let (sources, outputs) = (sources.map(<[T]>::as_ptr), outputs.map(<[T]>::as_mut_ptr));
        Self { sources, outputs, len, streams: false, is_uninit: false, _borrow: PhantomData }
    }

    /// Buffers of the crate's own, of the same length, as sources. The outputs are the last of them.
    #[inline(always)]
    pub fn buffers(buffers: &'a mut [Vec<T>; N]) -> Self {
        let len = buffers[0].len();
        let sources = buffers.each_mut().map(|buffer| {
            assert_eq!(buffer.len(), len);
            buffer.as_mut_ptr()
        });
        let outputs = [sources[N - 1]; M];
        let sources = sources.map(|source| source.cast_const());
        Self { sources, outputs, len, streams: false, is_uninit: false, _borrow: PhantomData }
    }
}

/// Runs `write` on a view of an output that is not initialised, and returns the output, which is initialised then.
#[track_caller]
#[inline(always)]
pub fn initialise<'a, T, const N: usize>(
    sources: [Named<'_, T>; N],
    (name, output): (&'static str, &'a mut [MaybeUninit<T>]),
    write: impl FnOnce(Slices<'_, T, N>),
) -> &'a mut [T] {
    write(Slices::uninit(sources, (name, &mut *output)));
    // SAFETY: a function that takes `Slices` by value writes every element of the outputs.
    unsafe { &mut *(output as *mut [MaybeUninit<T>] as *mut [T]) }
}

// The type is public only for what `activation!` expands to.
#[allow(clippy::len_without_is_empty)]
impl<'a, T: Element, const N: usize, const M: usize> Slices<'a, T, N, M> {
    /// The number of elements of each slice.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The sources alone.
    #[inline(always)]
    pub fn inputs(&self) -> Slices<'_, T, N, 0> {
        let (sources, len) = (self.sources, self.len);
        Slices { sources, outputs: [], len, streams: false, is_uninit: false, _borrow: PhantomData }
    }

    /// Some of the slices as sources, and output `m`.
    #[inline(always)]
    pub fn pick<const K: usize>(&mut self, operands: [Operand; K], m: usize) -> Slices<'_, T, K> {
        let sources = operands.map(|operand| match operand {
            Operand::Source(k) => self.sources[k],
            Operand::Output(m) => self.outputs[m].cast_const(),
        });
        assert!(!self.is_uninit);
        let (outputs, len) = ([self.outputs[m]], self.len);
        Slices { sources, outputs, len, streams: false, is_uninit: false, _borrow: PhantomData }
    }

    /// The same slices and one source more, of the same length.
    #[inline(always)]
    pub fn with_source<'b>(&'b mut self, source: &'b [T]) -> Slices<'b, T, 3, M> {
        assert!(N == 2 && source.len() == self.len);
        let sources = [self.sources[0], self.sources[1], source.as_ptr()];
        Slices {
            sources,
            outputs: self.outputs,
            len: self.len,
            streams: false,
            is_uninit: self.is_uninit,
            _borrow: PhantomData,
        }
    }

    /// The `len` elements from `start` on, of every slice.
    #[inline(always)]
    pub fn part(&mut self, start: usize, len: usize) -> Slices<'_, T, N, M> {
        assert!(start <= self.len && len <= self.len - start);
        let sources = self.sources.map(|source| source.wrapping_add(start));
        let outputs = self.outputs.map(|output| output.wrapping_add(start));
        Slices { sources, outputs, len, ..*self }
    }

    /// The first `mid` elements and the rest.
    #[inline(always)]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len);
        let sources = self.sources.map(|source| source.wrapping_add(mid));
        let outputs = self.outputs.map(|output| output.wrapping_add(mid));
        let rest = Self { sources, outputs, len: self.len - mid, ..self };
        (Self { len: mid, ..self }, rest)
    }

    /// Whether the output is large enough for non-temporal stores.
    #[inline(always)]
    pub fn streams(&self) -> bool {
        self.streams
    }

    /// Source `k`.
    pub fn source(&self, k: usize) -> &[T] {
        // SAFETY: the source is valid for reads, and no output, which it may be, is written while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.sources[k], self.len) }
    }

    /// Output `m`, filled with zeros if it was not initialised.
    pub fn output(&mut self, m: usize) -> &mut [T] {
        self.zero_uninit();
        // SAFETY: the output is valid for writes and initialised, and no source, which it may be, is read meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.outputs[m], self.len) }
    }

    /// Says that all elements of the outputs were written.
    #[inline(always)]
    pub(crate) fn mark_written(&mut self) {
        self.is_uninit = false;
    }

    /// Fills the outputs with zeros if they are not initialised.
    #[inline(always)]
    pub fn zero_uninit(&mut self) {
        if self.is_uninit {
            for output in self.outputs {
                // SAFETY: the outputs are valid for writes, and the number with all bits 0 is 0.
                unsafe { output.write_bytes(0, self.len) };
            }
            self.is_uninit = false;
        }
    }
}

impl<'a, T: Real, const N: usize, const M: usize> Slices<'a, T, N, M> {
    /// All elements as a partial lane value. There must be no more than a lane value has.
    #[inline(always)]
    pub fn into_partial(self) -> Partial<'a, T, N, M> {
        assert!(self.len <= T::LANES);
        Partial(self)
    }

    /// Walks through the slices from front to back.
    #[inline(always)]
    pub fn blocks(self) -> Blocks<'a, T, N, M> {
        Blocks(self)
    }
}

/// The rest of some slices that are walked through from front to back.
pub struct Blocks<'a, T, const N: usize, const M: usize>(Slices<'a, T, N, M>);

impl<'a, T: Real, const N: usize, const M: usize> Blocks<'a, T, N, M> {
    /// The number of elements that are left.
    #[inline(always)]
    pub fn remaining(&self) -> usize {
        self.0.len
    }

    /// The next `V` whole lane values, if as many are left.
    #[inline(always)]
    pub fn whole<const V: usize>(&mut self) -> Option<Block<'a, T, N, M, V>> {
        let len = V.wrapping_mul(T::LANES);
        if self.0.len < len { None } else { Some(Block(self.take(len))) }
    }

    /// The number of elements up to the next cache line of output 0, at most as many as are left. Less than a lane value.
    #[inline(always)]
    pub fn before_line(&self) -> usize {
        let elements = (self.0.outputs[0].addr().wrapping_neg() % LINE) / size_of::<T>();
        elements.min(self.0.len)
    }

    /// The next `len` elements: at most as many as are left, and as a lane value has.
    #[inline(always)]
    pub fn take_partial(&mut self, len: usize) -> Partial<'a, T, N, M> {
        assert!(len <= self.0.len && len <= T::LANES);
        Partial(self.take(len))
    }

    /// The next lane value, or the elements that are left if they are fewer. None at the end.
    #[inline(always)]
    pub fn partial(&mut self) -> Option<Partial<'a, T, N, M>> {
        let len = if self.0.len < T::LANES { self.0.len } else { T::LANES };
        if len == 0 { None } else { Some(Partial(self.take(len))) }
    }

    /// Takes the next `len` elements. As many must be left.
    #[inline(always)]
    fn take(&mut self, len: usize) -> Slices<'a, T, N, M> {
        let rest = &mut self.0;
        let first = Slices { len, ..*rest };
        rest.sources = rest.sources.map(|source| source.wrapping_add(len));
        rest.outputs = rest.outputs.map(|output| output.wrapping_add(len));
        rest.len = rest.len.wrapping_sub(len);
        first
    }
}

/// `V` whole lane values of some slices.
pub struct Block<'a, T, const N: usize, const M: usize, const V: usize>(Slices<'a, T, N, M>);

impl<T: Real, const N: usize, const M: usize, const V: usize> Block<'_, T, N, M, V> {
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

    /// Stores lane value `v` of output 0.
    #[inline(always)]
    pub fn store<L: Memory<Float = T>>(&mut self, v: usize, lanes: L) {
        assert!(v < V);
        // SAFETY: a block has V whole lane values.
        unsafe { lanes.store(self.0.outputs[0].wrapping_add(v * T::LANES)) };
    }

    /// Stores lane value `v` of all outputs.
    #[inline(always)]
    pub fn store_all<L: Memory<Float = T>>(&mut self, v: usize, lanes: [L; M]) {
        assert!(v < V);
        for m in 0..M {
            // SAFETY: a block has V whole lane values.
            unsafe { lanes[m].store(self.0.outputs[m].wrapping_add(v * T::LANES)) };
        }
    }

    /// Stores lane value `v` of output 0 with non-temporal stores; [`Simd::fence`] must follow.
    #[inline(always)]
    pub fn stream<L: Memory<Float = T>>(&mut self, v: usize, lanes: L) {
        assert!(v < V && self.0.outputs[0].addr().is_multiple_of(LINE));
        // SAFETY: a block has V whole lane values, each of which is a cache line.
        unsafe { lanes.stream(self.0.outputs[0].wrapping_add(v * T::LANES)) };
    }
}

/// At most one lane value of some slices.
pub struct Partial<'a, T, const N: usize, const M: usize>(Slices<'a, T, N, M>);

impl<T: Real, const N: usize, const M: usize> Partial<'_, T, N, M> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Loads the lane value of all sources. Lanes beyond the end are 0.
    #[inline(always)]
    pub fn load<L: Memory<Float = T>>(&self, simd: L::Simd) -> [L; N] {
        let mut lanes = [L::zero(simd); N];
        for k in 0..N {
            let (source, len) = (self.0.sources[k], self.0.len);
            // SAFETY: the source has `len` elements, at most a lane value.
            lanes[k] =
                unsafe { if len == T::LANES { L::load(simd, source) } else { L::load_partial(simd, source, len) } };
        }
        lanes
    }

    /// Stores the first `len` lanes to all outputs.
    #[inline(always)]
    pub fn store_all<L: Memory<Float = T>>(self, lanes: [L; M]) {
        let len = self.0.len;
        for m in 0..M {
            let output = self.0.outputs[m];
            // SAFETY: the output has `len` elements, at most a lane value.
            unsafe { if len == T::LANES { lanes[m].store(output) } else { lanes[m].store_partial(output, len) } };
        }
    }

    /// Stores the first `len` lanes to output 0.
    #[inline(always)]
    pub fn store<L: Memory<Float = T>>(self, lanes: L) {
        let (output, len) = (self.0.outputs[0], self.0.len);
        // SAFETY: the output has `len` elements, at most a lane value.
        unsafe { if len == T::LANES { lanes.store(output) } else { lanes.store_partial(output, len) } };
    }
}
