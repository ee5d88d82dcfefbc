//! The parallel twins: the only user of rayon.

use crate::isa::Isa;
use crate::lanes::Slices;
use crate::real::Real;

/// Elements below which work is not cut further: about 20 µs of it.
pub const GRAIN: usize = 1 << 15;

/// Work on many elements that can be cut in two.
pub trait Split: Sized + Send {
    /// The number of elements.
    fn len(&self) -> usize;
    /// The work on the first `mid` elements and the rest.
    fn split_at(self, mid: usize) -> (Self, Self);
}

impl<T: Real, const N: usize> Split for Slices<'_, T, N> {
    fn len(&self) -> usize {
        self.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
}

/// Runs `work` on parts of the whole, each a multiple of `unit` elements, on rayon's current pool.
pub fn split<W: Split>(whole: W, unit: usize, work: impl Fn(W) + Sync) {
    let isa = Isa::current();
    halve(whole, unit, &|part| isa.with(|| work(part)));
}

fn halve<W: Split>(whole: W, unit: usize, work: &(impl Fn(W) + Sync)) {
    let units = whole.len() / unit;
    if whole.len() < 2 * GRAIN || units < 2 || rayon::current_num_threads() == 1 {
        return work(whole);
    }
    let (first, second) = whole.split_at(units / 2 * unit);
    rayon::join(|| halve(first, unit, work), || halve(second, unit, work));
}

/// Runs both, perhaps at once, on rayon's current pool.
pub fn join<R: Send>(first: impl FnOnce() -> R + Send, second: impl FnOnce() -> R + Send) -> (R, R) {
    let isa = Isa::current();
    rayon::join(|| isa.with(first), || isa.with(second))
}
