//! The cost model: how long work takes on one thread, and how long it must take to be worth several.
//!
//! All times are nanoseconds on AVX2 or AVX-512, rounded down: too few threads cost less than too many.

use crate::dispatch::Level;
use crate::lanes::Shape;

/// Nanoseconds per element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost(f64);

impl Cost {
    /// A few operations between load and store: relu, clipping. Bound by memory outside the caches.
    pub const CHEAP: Cost = Cost(0.06);
    /// The gradient of any activation, from its output.
    pub const GRADIENT: Cost = Cost(0.1);
    /// An activation with an exponential, or with a polynomial of similar length.
    pub const FUNCTION: Cost = Cost(0.2);

    /// The pass over a row that finds its largest element.
    pub const MAX_PASS: Cost = Cost(0.04);
    /// The pass over a row that sums exponentials.
    pub const SUM_PASS: Cost = Cost(0.2);
    /// The pass over a row that writes the results.
    pub const MAP_PASS: Cost = Cost(0.1);

    /// All passes over rows of different lengths, most of them short.
    pub const RAGGED: Cost = Cost(0.7);

    /// All passes over the rows of a tensor. Short rows cost more per element.
    pub const fn rows(shape: Shape) -> Cost {
        if shape.axis > 32 { Cost(0.25) } else { Cost(0.7) }
    }

    /// The cost of one kind of work and then another.
    pub const fn and(self, other: Cost) -> Cost {
        Cost(self.0 + other.0)
    }

    /// Whether the operation is memory-bound outside the caches, so that non-temporal stores pay.
    pub const fn is_memory_bound(self) -> bool {
        self.0 <= 0.1
    }
}

/// The least time of work that is worth splitting in two, once the pool's threads are awake.
pub const MIN_TIME_TO_SPLIT: f64 = 24_000.0;
/// The least time of work that is worth waking the pool's threads. Waking takes 5 to 75 µs: more the longer they slept,
/// and most in virtual machines.
pub const MIN_TIME_TO_WAKE: f64 = 100_000.0;
/// Work on up to this many elements stays on one thread, whatever it costs. Most calls end with this comparison.
const ONE_THREAD: usize = 1024;
/// How many times longer work takes on instruction sets other than AVX2 and AVX-512.
const SLOWDOWN_WITHOUT_AVX: f64 = 3.0;

/// Whether work on this many elements takes at least `min_time` nanoseconds.
#[inline]
pub fn takes_at_least(min_time: f64, elements: usize, cost: Cost, level: Level) -> bool {
    let time = elements as f64 * cost.0;
    elements > ONE_THREAD && time * if level.is_avx() { 1.0 } else { SLOWDOWN_WITHOUT_AVX } >= min_time
}
