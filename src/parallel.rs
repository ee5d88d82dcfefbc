//! The parallel twins: the only user of rayon.
//!
//! Work is cut by its expected time, not by its size. Once the pool's threads are awake a cut costs little, and small pieces
//! keep them all busy to the end. Waking them costs 5 to 75 µs, the more the longer they slept, virtual machines most.

use crate::isa::Isa;
use crate::lanes::{Rows, Slices};
use crate::real::Real;
use crate::sum::BLOCK;

/// Nanoseconds of work that are worth a cut.
const CUT: f64 = 24_000.0;
/// Nanoseconds of work that are worth waking the pool.
const WAKE: f64 = 100_000.0;
/// Elements that never take as long: what is quick shall not wait for a product of floats.
const FEW: usize = 1024;
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
    if !is_worthwhile(&whole, cost, CUT) {
        return work(whole);
    }
    // Halves of whole cache lines, where there are as many.
    let half = |len: usize| if len < 256 { len / 2 } else { (len / 2).next_multiple_of(64) };
    enter(whole, cost, &Plan { cut: half, work: &work, merge: &|(), ()| () });
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
    enter(slices, cost, &Plan { cut, work: &work, merge: &merge })
}

/// Whether work on so many elements takes at least `least` nanoseconds, and there is more than one thread for it.
#[inline]
fn is_worthwhile<W: Split>(whole: &W, cost: f64, least: f64) -> bool {
    let elements = whole.len() * whole.each();
    if elements <= FEW {
        return false;
    }
    // The costs are those of the wide instruction sets.
    let time = elements as f64 * cost;
    let slowness = || if matches!(Isa::current(), Isa::Scalar | Isa::Portable) { SLOWNESS } else { 1.0 };
    time * SLOWNESS >= least && time * slowness() >= least && rayon::current_num_threads() > 1
}

/// What is done with the whole: behind pointers, so that rayon's part is compiled once for a type and not for each kernel.
struct Plan<'f, W, R> {
    /// Where to cut so many elements or rows.
    cut: fn(usize) -> usize,
    work: &'f (dyn Fn(W) -> R + Sync),
    merge: &'f (dyn Fn(R, R) -> R + Sync),
}

/// Moves to the pool, once and not for each cut, if that is worth waking it.
fn enter<W: Split, R: Send>(whole: W, cost: f64, plan: &Plan<W, R>) -> R {
    if rayon::current_thread_index().is_some() {
        return reduce(whole, cost, plan);
    }
    if !is_worthwhile(&whole, cost, WAKE) {
        return (plan.work)(whole);
    }
    let isa = Isa::current();
    rayon::scope(|_| isa.with(|| reduce(whole, cost, plan)))
}

fn reduce<W: Split, R: Send>(whole: W, cost: f64, plan: &Plan<W, R>) -> R {
    if !is_worthwhile(&whole, cost, CUT) {
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
