//! The parallel twins: the only user of rayon.
//!
//! Work is cut by its expected time, not by its size: a join costs some 5 µs when it comes from outside the pool, and the
//! smallest pieces take twice that.

use crate::isa::Isa;
use crate::lanes::{Rows, Slices};
use crate::real::Real;
use crate::sum::BLOCK;

/// Nanoseconds of the smallest piece of work.
const PIECE: f64 = 12_000.0;
/// How much longer everything takes on the other instruction sets.
const SLOWNESS: f64 = 3.0;

/// Work that can be cut in two between any of its elements or rows.
pub trait Split: Sized + Send {
    /// The number of elements or rows.
    fn len(&self) -> usize;
    /// The elements of each.
    fn each(&self) -> usize {
        1
    }
    /// The work on the first `mid` and on the rest.
    fn split_at(self, mid: usize) -> (Self, Self);
    /// The work on a single element or row, dealt out to threads within, where it can be.
    fn spread(self) -> Self {
        self
    }
}

impl<T: Real, const N: usize, const OUTPUT: bool> Split for Slices<'_, T, N, OUTPUT> {
    fn len(&self) -> usize {
        self.len()
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
    fn spread(self) -> Self {
        self.spread()
    }
}

/// Runs `work`, which takes about so many nanoseconds an element, on parts of the whole, on rayon's current pool.
#[inline]
pub fn split<W: Split>(whole: W, cost: f64, work: impl Fn(W) + Sync) {
    if !is_worthwhile(&whole, cost) {
        return work(whole);
    }
    // Halves of whole cache lines, where there are as many.
    let half = |len: usize| if len < 256 { len / 2 } else { (len / 2).next_multiple_of(64) };
    in_pool(whole, cost, &Plan { cut: half, work: &work, merge: &|(), ()| () });
}

/// The results of `work` on parts of some slices, merged in the shape of [`crate::sum`].
pub fn fold<'a, T: Real, const N: usize, const OUTPUT: bool, R: Send>(
    slices: Slices<'a, T, N, OUTPUT>,
    cost: f64,
    work: impl Fn(Slices<'a, T, N, OUTPUT>) -> R + Sync,
    merge: impl Fn(R, R) -> R + Sync,
) -> R {
    // The blocks before the largest power of two are a tree of their own.
    let cut = |len: usize| len.div_ceil(BLOCK * T::LANES).next_power_of_two() / 2 * (BLOCK * T::LANES);
    reduce(slices, cost, &Plan { cut, work: &work, merge: &merge })
}

/// Whether there is more than one piece of work here, and more than one thread for it.
#[inline]
pub fn is_worthwhile<W: Split>(whole: &W, cost: f64) -> bool {
    // The costs are those of the wide instruction sets.
    let time = whole.len() as f64 * whole.each() as f64 * cost;
    let slowness = || if matches!(Isa::current(), Isa::Scalar | Isa::Portable) { SLOWNESS } else { 1.0 };
    time * SLOWNESS >= 2.0 * PIECE && time * slowness() >= 2.0 * PIECE && rayon::current_num_threads() > 1
}

/// What is done with the whole: behind pointers, so that rayon's part is compiled once for a type and not for each kernel.
struct Plan<'f, W, R> {
    /// Where to cut so many elements or rows.
    cut: fn(usize) -> usize,
    work: &'f (dyn Fn(W) -> R + Sync),
    merge: &'f (dyn Fn(R, R) -> R + Sync),
}

/// Moves to the pool once, and not for each cut.
fn in_pool<W: Split>(whole: W, cost: f64, plan: &Plan<W, ()>) {
    let isa = Isa::current();
    rayon::scope(|_| isa.with(|| reduce(whole, cost, plan)));
}

fn reduce<W: Split, R: Send>(whole: W, cost: f64, plan: &Plan<W, R>) -> R {
    if !is_worthwhile(&whole, cost) {
        return (plan.work)(whole);
    }
    let mid = (plan.cut)(whole.len());
    if mid == 0 || mid == whole.len() {
        return (plan.work)(whole.spread());
    }
    let isa = Isa::current();
    let (first, second) = whole.split_at(mid);
    let half = |part| move || isa.with(|| reduce(part, cost, plan));
    let (first, second) = rayon::join(half(first), half(second));
    (plan.merge)(first, second)
}
