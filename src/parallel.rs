//! The parallel twins: the only user of rayon.

use crate::isa::Isa;
use crate::lanes::{Rows, Slices};
use crate::real::Real;

/// Elements below which work is not cut further: about 20 µs of it.
pub const GRAIN: usize = 1 << 15;

/// Work on many pieces that can be cut in two between any of them.
pub trait Split: Sized + Send {
    /// The number of pieces.
    fn len(&self) -> usize;
    /// The elements of each.
    fn each(&self) -> usize;
    /// The work on the first `mid` pieces and the rest.
    fn split_at(self, mid: usize) -> (Self, Self);
}

impl<T: Real, const N: usize> Split for Slices<'_, T, N> {
    fn len(&self) -> usize {
        self.len()
    }
    fn each(&self) -> usize {
        1
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
}

impl<T: Real, const N: usize, const OUTPUT: bool> Split for Rows<'_, T, N, OUTPUT> {
    fn len(&self) -> usize {
        self.len()
    }
    fn each(&self) -> usize {
        self.shape().axis
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
}

/// Runs `work` on parts of the whole, on rayon's current pool.
pub fn split<W: Split>(whole: W, work: impl Fn(W) + Sync) {
    let isa = Isa::current();
    halve(whole, &|part| isa.with(|| work(part)));
}

fn halve<W: Split>(whole: W, work: &(impl Fn(W) + Sync)) {
    let len = whole.len();
    if len * whole.each() < 2 * GRAIN || len < 2 || rayon::current_num_threads() == 1 {
        return work(whole);
    }
    let (first, second) = whole.split_at(len / 2);
    rayon::join(|| halve(first, work), || halve(second, work));
}

/// Runs both, perhaps at once, on rayon's current pool.
pub fn join<R: Send>(first: impl FnOnce() -> R + Send, second: impl FnOnce() -> R + Send) -> (R, R) {
    let isa = Isa::current();
    rayon::join(|| isa.with(first), || isa.with(second))
}
