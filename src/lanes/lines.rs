//! Lane values in memory of the crate's own: [`Line`], and [`Stack`]s of them.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{Lanes, Real};

/// One lane value in memory, which fills and is aligned to a cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Line<T: Real>(pub T::Array);

impl<T: Real> Line<T> {
    /// A line whose lanes do not matter, to fill an array with.
    pub const PLACEHOLDER: Self = Self(T::IOTA);

    /// The lane value.
    #[inline(always)]
    pub fn load<L: Lanes<Float = T>>(&self, like: L) -> L {
        like.with_array(self.0)
    }

    /// Lane `i` in every lane.
    #[inline(always)]
    pub fn broadcast<L: Lanes<Float = T>>(&self, like: L, i: usize) -> L {
        like.broadcast(self.0.as_ref()[i])
    }
}

/// A vector of up to `CAPACITY` lines, on the call stack. Making an empty one writes no memory but its length.
///
/// Invariant: the first `len` lines are initialised.
pub struct Stack<T: Real, const CAPACITY: usize> {
    lines: MaybeUninit<[Line<T>; CAPACITY]>,
    len: usize,
}

impl<T: Real, const CAPACITY: usize> Stack<T, CAPACITY> {
    /// An empty stack.
    #[inline(always)]
    pub fn new() -> Self {
        Self { lines: MaybeUninit::uninit(), len: 0 }
    }

    /// `N` empty stacks.
    #[inline(always)]
    pub fn array<const N: usize>() -> [Self; N] {
        // `[const { .. }; N]` would copy a constant, uninitialised bytes included.
        std::array::from_fn(|_| Self::new())
    }

    /// Removes all lines.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a line.
    #[inline(always)]
    pub fn push_line(&mut self, line: Line<T>) {
        let mut appender = self.appender();
        appender.push_line(line);
        appender.finish();
    }

    /// An appender that writes behind the last line.
    #[inline(always)]
    pub fn appender(&mut self) -> Appender<'_, T> {
        let (lines, capacity) = (self.lines.as_mut_ptr().cast(), CAPACITY);
        Appender { lines, capacity, len: self.len, total: &mut self.len }
    }

    /// The lines in order.
    #[inline(always)]
    pub fn lines(&self) -> &[Line<T>] {
        // SAFETY: the first `len` lines are initialised.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// Lane `i`, counted through all lines.
    pub fn get(&self, i: usize) -> T {
        self.lines()[i / T::LANES].0.as_ref()[i % T::LANES]
    }

    /// The lines in order, to be changed.
    #[inline(always)]
    pub fn lines_mut(&mut self) -> &mut [Line<T>] {
        // SAFETY: the first `len` lines are initialised.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Appends lines to a [`Stack`]. The count is a field of its own, so that loops can keep it in a register.
///
/// Invariant: `lines` is valid for writes of `capacity` lines, of which the first `len` are initialised.
pub struct Appender<'s, T: Real> {
    lines: *mut Line<T>,
    capacity: usize,
    len: usize,
    total: &'s mut usize,
}

impl<T: Real> Appender<'_, T> {
    /// Appends a lane value.
    #[inline(always)]
    pub fn push<L: Lanes<Float = T>>(&mut self, lanes: L) {
        self.push_line(Line(lanes.to_array()));
    }

    /// Appends a line.
    #[inline(always)]
    pub fn push_line(&mut self, line: Line<T>) {
        assert!(self.len < self.capacity);
        // SAFETY: there is room, as the assertion has checked.
        unsafe { self.lines.add(self.len).write(line) };
        self.len += 1;
    }

    /// Makes the appended lines part of the stack. Without this call the stack stays as it was.
    #[inline(always)]
    pub fn finish(self) {
        *self.total = self.len;
    }
}
