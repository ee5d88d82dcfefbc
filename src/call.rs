//! Public methods in pairs: one description of a call, run on this thread or on rayon's current pool.
//!
//! ```text
//! Call { work, cost, run }.on(Serial)       run(level, work)
//! Call { work, cost, run }.on(Parallel)     run(level, part) for the parts of work, on the pool
//! ```
//!
//! Everything on a serial call's way is `#[inline(always)]`. Otherwise the view is passed by value, which copies it
//! through memory: the copy loads two words at once that were just stored one by one, and has to wait until both stores
//! are done.

use crate::cost::Cost;
use crate::dispatch::Level;
use crate::isa::level;
use crate::lanes::Split;

/// A call of a public method whose arguments were checked.
pub struct Call<W, C, F> {
    /// The views of the arguments.
    pub work: W,
    /// Returns the cost. Called by parallel calls only.
    pub cost: C,
    /// Does the work on the views, or on a part of them.
    pub run: F,
}

impl<W: Split, C: FnOnce() -> Cost, F: Fn(Level, W) + Sync> Call<W, C, F> {
    /// Runs the call on these threads, on the current instruction set.
    #[inline(always)]
    pub fn on(self, threads: impl Threads) {
        threads.run(level(), self);
    }
}

/// The threads that a call runs on.
pub trait Threads: Copy {
    /// Runs the call.
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>);
}

/// This thread.
#[derive(Clone, Copy)]
pub struct Serial;

impl Threads for Serial {
    #[inline(always)]
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>) {
        (call.run)(level, call.work);
    }
}

/// Rayon's current pool.
#[cfg(feature = "rayon")]
#[derive(Clone, Copy)]
pub struct Parallel;

#[cfg(feature = "rayon")]
impl Threads for Parallel {
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>) {
        crate::parallel::split(level, (call.cost)(), call.work, &|part| (call.run)(level, part));
    }
}

/// Declares a method and its parallel twin from one body, in which `threads` is [`Serial`] or `Parallel`:
/// `threads => fn serial | parallel [generics] (arguments) -> output { .. on(threads) }`.
macro_rules! twins {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis $threads:ident => fn $serial:ident | $parallel:ident
        [$($generics:tt)*] ($($arguments:tt)*) $(-> $output:ty)? $call:block
    )*) => {$(
        $(#[$attribute])*
        #[track_caller]
        #[inline]
        $visibility fn $serial<$($generics)*>($($arguments)*) $(-> $output)? {
            let $threads = $crate::call::Serial;
            $call
        }

        #[doc = concat!("`", stringify!($serial), "` on rayon's current pool, with the same bits.")]
        ///
        /// # Panics
        ///
        #[doc = concat!("As `", stringify!($serial), "`.")]
        #[cfg(feature = "rayon")]
        #[track_caller]
        $visibility fn $parallel<$($generics)*>($($arguments)*) $(-> $output)? {
            let $threads = $crate::call::Parallel;
            $call
        }
    )*};
}
pub(crate) use twins;
