//! Work on rayon's current pool. No other module uses rayon.
//!
//! Work is split in two, again and again, until the expected time of a part is below [`cost::MIN_TIME_TO_SPLIT`]. The
//! time decides and not the size, because an element of a relu costs less than that of a softmax. A split costs little
//! once the pool's threads are awake, and small parts keep all of them busy to the end.
//!
//! ```text
//! enter(whole):                                    reduce(whole):
//!     on a thread of the pool: reduce(whole)           too short to split: work(whole)
//!     too short to wake it:    work(whole)             otherwise:          split whole at `cut`,
//!     otherwise: reduce(whole) in the pool                                 reduce both parts in parallel, merge
//! ```

use crate::cost::{self, Cost};
use crate::dispatch::Level;
use crate::lanes::{Element, Slices, Split};
use crate::sum::BLOCK;

/// Runs `work` on parts of `whole`, or on all of it on this thread where parallel work does not pay.
pub fn split<W: Split>(level: Level, cost: Cost, whole: W, work: &(dyn Fn(W) + Sync)) {
    // Multiples of 64, so that threads do not write to the same cache line, except in short slices.
    let half = |len: usize| if len < 256 { len / 2 } else { (len / 2).next_multiple_of(64) };
    enter(whole, &Plan { level, cost, cut: half, work, merge: &|(), ()| () });
}

/// The results of `work` on parts of some slices, merged by the binary tree of [`crate::sum`].
pub fn fold<'a, T: Element, const N: usize, const M: usize, R: Send>(
    level: Level,
    cost: Cost,
    slices: Slices<'a, T, N, M>,
    work: &(dyn Fn(Slices<'a, T, N, M>) -> R + Sync),
    merge: &(dyn Fn(R, R) -> R + Sync),
) -> R {
    // The first 2^k blocks, 2^k being the largest power of two below their number, are a subtree of their own.
    let cut = |len: usize| len.div_ceil(BLOCK * T::LANES).next_power_of_two() / 2 * (BLOCK * T::LANES);
    enter(slices, &Plan { level, cost, cut, work, merge })
}

/// The parameters of a parallel call, the same for all its parts.
struct Plan<'f, W, R> {
    level: Level,
    cost: Cost,
    /// The number of elements or rows in the first part, of this many.
    cut: fn(usize) -> usize,
    work: &'f (dyn Fn(W) -> R + Sync),
    merge: &'f (dyn Fn(R, R) -> R + Sync),
}

impl<W: Split, R> Plan<'_, W, R> {
    /// Whether work on `whole` takes at least `min_time` nanoseconds, and there are threads to share it.
    fn is_worth(&self, min_time: f64, whole: &W) -> bool {
        let elements = whole.len() * whole.unit_len();
        cost::takes_at_least(min_time, elements, self.cost, self.level) && rayon::current_num_threads() > 1
    }
}

/// Runs work from any thread. Moves to the pool once, not for each split, if the work is worth waking it.
fn enter<W: Split, R: Send>(whole: W, plan: &Plan<W, R>) -> R {
    if rayon::current_thread_index().is_some() {
        return reduce(whole, plan);
    }
    if !plan.is_worth(cost::MIN_TIME_TO_WAKE, &whole) {
        return (plan.work)(whole);
    }
    let (mut whole, mut result) = (Some(whole), None);
    in_pool(&mut || result = whole.take().map(|whole| reduce(whole, plan)));
    result.expect("the work was done")
}

/// Runs work on a thread of the pool.
fn reduce<W: Split, R: Send>(whole: W, plan: &Plan<W, R>) -> R {
    if !plan.is_worth(cost::MIN_TIME_TO_SPLIT, &whole) {
        return (plan.work)(whole);
    }
    let mid = (plan.cut)(whole.len());
    if mid == 0 || mid == whole.len() {
        return (plan.work)(whole.shared());
    }
    let (first, second) = whole.split_at(mid);
    let (mut parts, mut results) = ([Some(first), Some(second)], [None, None]);
    let [first, second] = parts.each_mut();
    let [first_result, second_result] = results.each_mut();
    both(&mut || *first_result = first.take().map(|part| reduce(part, plan)), &mut || {
        *second_result = second.take().map(|part| reduce(part, plan))
    });
    let [Some(first), Some(second)] = results else { unreachable!("both halves were done") };
    (plan.merge)(first, second)
}

// These take the work by pointer, so that rayon's code is compiled once and not for each type of work.

/// Runs work on a thread of the pool.
fn in_pool(work: &mut (dyn FnMut() + Send)) {
    rayon::scope(|_| work());
}

/// Runs both, in parallel if a thread is free.
fn both(first: &mut (dyn FnMut() + Send), second: &mut (dyn FnMut() + Send)) {
    rayon::join(first, second);
}
