//! Work on rayon's current pool: the only user of rayon.
//!
//! Work is cut by its expected time, not by its size. Once the pool's threads are awake a cut costs little, and small pieces
//! keep them all busy to the end.

use crate::cost::{self, Cost};
use crate::dispatch::Level;
use crate::lanes::{Real, Slices, Split};
use crate::sum::BLOCK;

/// Runs `work` on parts of the whole.
pub fn split<W: Split>(level: Level, cost: Cost, whole: W, work: &(dyn Fn(W) + Sync)) {
    // Halves of whole cache lines, where there are as many.
    let half = |len: usize| if len < 256 { len / 2 } else { (len / 2).next_multiple_of(64) };
    enter(whole, &Plan { level, cost, cut: half, work, merge: &|(), ()| () });
}

/// The results of `work` on parts of some slices, merged in the shape of [`crate::sum`].
pub fn fold<'a, T: Real, const N: usize, const M: usize, R: Send>(
    level: Level,
    cost: Cost,
    slices: Slices<'a, T, N, M>,
    work: &(dyn Fn(Slices<'a, T, N, M>) -> R + Sync),
    merge: &(dyn Fn(R, R) -> R + Sync),
) -> R {
    // The blocks before the largest power of two are a tree of their own.
    let cut = |len: usize| len.div_ceil(BLOCK * T::LANES).next_power_of_two() / 2 * (BLOCK * T::LANES);
    enter(slices, &Plan { level, cost, cut, work, merge })
}

/// How to work on the whole.
struct Plan<'f, W, R> {
    level: Level,
    cost: Cost,
    /// Where to cut this many elements or rows.
    cut: fn(usize) -> usize,
    work: &'f (dyn Fn(W) -> R + Sync),
    merge: &'f (dyn Fn(R, R) -> R + Sync),
}

impl<W: Split, R> Plan<'_, W, R> {
    fn is_worth(&self, least: f64, whole: &W) -> bool {
        let elements = whole.len() * whole.unit_len();
        cost::is_worth(least, elements, self.cost, self.level) && rayon::current_num_threads() > 1
    }
}

/// Moves to the pool, once and not for each cut, if that is worth waking it.
fn enter<W: Split, R: Send>(whole: W, plan: &Plan<W, R>) -> R {
    if rayon::current_thread_index().is_some() {
        return reduce(whole, plan);
    }
    if !plan.is_worth(cost::WAKE, &whole) {
        return (plan.work)(whole);
    }
    let (mut whole, mut result) = (Some(whole), None);
    in_pool(&mut || result = whole.take().map(|whole| reduce(whole, plan)));
    result.expect("the work was done")
}

fn reduce<W: Split, R: Send>(whole: W, plan: &Plan<W, R>) -> R {
    if !plan.is_worth(cost::CUT, &whole) {
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

// Behind pointers, so that rayon's part is compiled once and not for each type of work.

/// Runs work in the pool.
fn in_pool(work: &mut (dyn FnMut() + Send)) {
    rayon::scope(|_| work());
}

/// Runs both, in parallel if there is a thread for it.
fn both(first: &mut (dyn FnMut() + Send), second: &mut (dyn FnMut() + Send)) {
    rayon::join(first, second);
}
