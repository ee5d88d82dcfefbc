//! What work costs, and from when on it is worth more than one thread.
//!
//! All numbers are nanoseconds on AVX2 or AVX-512, less rather than more.

use crate::dispatch::Level;
use crate::lanes::Shape;

/// Nanoseconds an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost(f64);

impl Cost {
    /// Loads, a few operations and stores: bound by memory outside of the caches.
    pub const CHEAP: Cost = Cost(0.06);
    /// Any gradient from the output.
    pub const GRADIENT: Cost = Cost(0.1);
    /// A function with an exponential or a polynomial like one.
    pub const FUNCTION: Cost = Cost(0.2);

    /// Finding the largest element of a row.
    pub const MAX_PASS: Cost = Cost(0.04);
    /// Summing exponentials of a row.
    pub const SUM_PASS: Cost = Cost(0.2);
    /// Writing each result of a row.
    pub const MAP_PASS: Cost = Cost(0.1);

    /// All passes over the rows of a tensor.
    pub const fn rows(shape: Shape) -> Cost {
        if shape.axis > 32 { Cost(0.25) } else { Cost(0.7) }
    }

    /// Whether a large slice waits for memory, so that non-temporal stores pay.
    pub const fn is_memory_bound(self) -> bool {
        self.0 <= 0.1
    }
}

/// The time from which on a cut is worth it, once the pool's threads are awake.
pub const CUT: f64 = 24_000.0;
/// The time from which on it is worth waking the pool's threads: 5 to 75 µs, the more the longer they slept, and most in
/// virtual machines.
pub const WAKE: f64 = 100_000.0;
/// Never more than one thread for so few elements, whatever they cost: most calls need no estimate.
const FEW: usize = 1024;
/// How many times slower the other instruction sets are.
const SLOWNESS: f64 = 3.0;

/// Whether work on this many elements takes at least `least` nanoseconds.
#[inline]
pub fn is_worth(least: f64, elements: usize, cost: Cost, level: Level) -> bool {
    let time = elements as f64 * cost.0;
    elements > FEW && time * if level.is_avx() { 1.0 } else { SLOWNESS } >= least
}
