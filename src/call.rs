//! Public methods in pairs: one description of a call, run on this thread or on rayon's current pool.
//!
//! What a serial call passes through is always inlined: a view that is handed on by value is copied, and a load of two words
//! that were just stored one by one waits for both.

use crate::cost::Cost;
use crate::dispatch::Level;
use crate::isa::level;
use crate::lanes::Split;

/// What a method does, its arguments checked.
pub struct Call<W, C, F> {
    /// The views of its arguments.
    pub work: W,
    /// Its cost, which nobody asks for on one thread.
    pub cost: C,
    /// What is done with the views, or with a part of them.
    pub run: F,
}

impl<W: Split, C: FnOnce() -> Cost, F: Fn(Level, W) + Sync> Call<W, C, F> {
    /// Does the work.
    #[inline(always)]
    pub fn on(self, threads: impl Threads) {
        threads.run(level(), self);
    }
}

/// On which threads a call runs.
pub trait Threads: Copy {
    /// Does the work.
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>);
}

/// On this thread.
#[derive(Clone, Copy)]
pub struct Serial;

impl Threads for Serial {
    #[inline(always)]
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>) {
        (call.run)(level, call.work);
    }
}

/// On rayon's current pool.
#[cfg(feature = "rayon")]
#[derive(Clone, Copy)]
pub struct Parallel;

#[cfg(feature = "rayon")]
impl Threads for Parallel {
    fn run<W: Split, F: Fn(Level, W) + Sync>(self, level: Level, call: Call<W, impl FnOnce() -> Cost, F>) {
        crate::parallel::split(level, (call.cost)(), call.work, &|part| (call.run)(level, part));
    }
}

/// Declares methods and their parallel twins from one description of the call:
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
