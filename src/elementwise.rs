//! Elementwise operations: the loops that are compiled for each formula, and the driver that is compiled once.
//!
//! A [`Map`] is a formula: a function of one lane value of each source. For each map, element type and instruction set
//! there are two loops:
//!
//! ```text
//! quick(slices):                              careful(slices):
//!     for each block of V lane values             for each lane value, the last one masked
//!         if an element is hard                       store map(x), on gradual lanes
//!             return the number of elements done
//!         store map(x), on plain lanes
//!     for each single lane value that is left, the last one masked
//!         the same
//!     return the number of elements, all done
//! ```
//!
//! An element is *hard* if the formula would make a subnormal or infinite intermediate of it. On many CPUs an
//! instruction that reads or makes a subnormal number takes 20 to 150 times as long. [`Gradual`] lanes compute the same
//! bits from normal numbers and integers, but more slowly, so that they are used for hard blocks only. The test of a
//! block costs a few instructions: [`Map::margin`] reduces its elements to one lane value, and one comparison of that
//! decides.
//!
//! The quick loop has no call in it: across a call the registers that hold constants would have to be saved. Where it
//! meets a hard block it returns, and the driver goes on:
//!
//! ```text
//! run:                 done = quick(all); if elements are left, finish_carefully
//! finish_carefully:    while elements are left
//!                          careful(a stretch of 64 elements, and twice as many after each stretch
//!                                  that is followed by a hard block at once, up to 1024)
//!                          quick(the rest)
//! ```
//!
//! The tail of a slice goes through the same arithmetic as the rest: loads and stores of the last lane value are
//! masked. The length of a slice and the position in it cannot change a result.
//!
//! Large outputs of maps that are bound by memory are written with non-temporal stores, on whole cache lines: the
//! elements before the first line of the output are one masked lane value.

use crate::dispatch::{Kernel, Level};
use crate::lanes::{Block, Gradual, Lanes, Real, Simd, Slices};
use crate::math;

/// A function of `N` lane values, applied at each position of `N` slices.
pub trait Map<const N: usize, const M: usize = 1>: Copy {
    /// True if memory-bound outside the caches: non-temporal stores pay for large outputs.
    const IS_MEMORY_BOUND: bool;
    /// Whether any element is hard. If not, the careful loop is never run.
    const HAS_HARD: bool = true;
    /// min(margin, a measure of how far `x` is from being hard). Where an element is hard the measure is less than
    /// [`math::least_factor`], elsewhere it should not be.
    #[inline(always)]
    fn margin<L: Lanes>(self, _: [L; N], margin: L) -> L {
        margin
    }
    /// The function. On plain lanes no element is hard. On [`Gradual`] lanes elements are arbitrary.
    fn apply<L: Lanes>(self, x: [L; N]) -> [L; M];
}

/// Applies a map at every position of the slices.
#[inline(always)]
pub fn run<T: Real, F: Map<N, M>, const N: usize, const M: usize>(
    level: Level,
    map: F,
    slices: &mut Slices<'_, T, N, M>,
) {
    let done = level.run(Quick { map, slices });
    if F::HAS_HARD && done < slices.len() {
        finish_carefully(level, &map, slices, done);
    }
    slices.mark_written();
}

/// The two loops of a map, callable by pointer: [`finish_carefully`] is compiled once for all maps.
trait Loops<T, const N: usize, const M: usize> {
    /// Runs [`Quick`].
    fn quick(&self, level: Level, slices: &mut Slices<'_, T, N, M>) -> usize;
    /// Runs [`Careful`].
    fn careful(&self, level: Level, slices: &mut Slices<'_, T, N, M>);
}

impl<T: Real, F: Map<N, M>, const N: usize, const M: usize> Loops<T, N, M> for F {
    fn quick(&self, level: Level, slices: &mut Slices<'_, T, N, M>) -> usize {
        level.run(Quick { map: *self, slices })
    }
    fn careful(&self, level: Level, slices: &mut Slices<'_, T, N, M>) {
        level.run(Careful { map: *self, slices });
    }
}

/// The least and the largest number of elements that the careful loop takes at a time. 64 `f32` are one block of the
/// quick loop on AVX-512. Longer stretches save calls where most blocks are hard.
const CAREFUL_STRETCH: [usize; 2] = [64, 1024];

/// Works on the elements from `done` on, which begin with a hard block.
#[cold]
#[inline(never)]
fn finish_carefully<T: Real, const N: usize, const M: usize>(
    level: Level,
    map: &dyn Loops<T, N, M>,
    slices: &mut Slices<'_, T, N, M>,
    mut done: usize,
) {
    let (len, [least, most]) = (slices.len(), CAREFUL_STRETCH);
    let mut stretch = least;
    while done < len {
        let taken = stretch.min(len - done);
        map.careful(level, &mut slices.part(done, taken));
        done += taken;
        let quick = map.quick(level, &mut slices.part(done, len - done));
        done += quick;
        stretch = if quick == 0 { most.min(2 * stretch) } else { least };
    }
}

/// The loop over ordinary blocks. Returns the number of elements before the first hard block.
///
/// The slices are passed by reference, in a register. To copy the view to memory takes as long as the work of a short
/// call.
struct Quick<'s, 'a, T, F, const N: usize, const M: usize> {
    map: F,
    slices: &'s mut Slices<'a, T, N, M>,
}

impl<T: Real, F: Map<N, M>, const N: usize, const M: usize> Kernel for Quick<'_, '_, T, F, N, M> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        // As many independent values at a time as the registers hold, to hide the latency of the arithmetic.
        match S::UNROLL {
            4 => self.blocks_of::<S, 4>(simd),
            2 => self.blocks_of::<S, 2>(simd),
            _ => self.blocks_of::<S, 1>(simd),
        }
    }
}

impl<T: Real, F: Map<N, M>, const N: usize, const M: usize> Quick<'_, '_, T, F, N, M> {
    #[inline(always)]
    fn blocks_of<S: Simd, const V: usize>(self, simd: S) -> usize {
        let Self { map, slices } = self;
        let (len, streams) = (slices.len(), S::STREAMS && F::IS_MEMORY_BOUND && slices.streams());
        let mut blocks = slices.part(0, len).blocks();
        // Non-temporal stores need whole cache lines: the elements before the first one are stored on their own.
        let mut before_line = if streams { blocks.before_line() } else { 0 };
        // The formula is inlined twice, for a block and for up to one lane value. Compile time depends on that.
        loop {
            if before_line == 0 {
                loop {
                    let left = blocks.remaining();
                    let Some(mut block) = blocks.whole::<V>() else { break };
                    let x = load(simd, &block);
                    if !is_ordinary(map, x) {
                        fence(simd, streams);
                        return len - left;
                    }
                    for v in 0..V {
                        let y = map.apply(x[v]);
                        if streams { block.stream(v, y[0]) } else { block.store_all(v, y) }
                    }
                }
            }
            let left = blocks.remaining();
            let partial = if before_line > 0 { Some(blocks.take_partial(before_line)) } else { blocks.partial() };
            before_line = 0;
            let Some(partial) = partial else {
                fence(simd, streams);
                return len;
            };
            let x: [T::Lanes<S>; N] = partial.load(simd);
            if !is_ordinary(map, [x]) {
                fence(simd, streams);
                return len - left;
            }
            partial.store_all(map.apply(x));
        }
    }
}

/// Orders the non-temporal stores, if there were any, before all later stores of this thread.
#[inline(always)]
fn fence<S: Simd>(simd: S, streams: bool) {
    if streams {
        simd.fence();
    }
}

/// The lane values of a block.
#[inline(always)]
fn load<T: Real, S: Simd, const N: usize, const M: usize, const V: usize>(
    simd: S,
    block: &Block<T, N, M, V>,
) -> [[T::Lanes<S>; N]; V] {
    let mut x = [block.load(simd, 0); V];
    for v in 1..V {
        x[v] = block.load(simd, v);
    }
    x
}

/// Whether no element of a block is hard.
#[inline(always)]
fn is_ordinary<L: Lanes, F: Map<N, M>, const N: usize, const M: usize, const V: usize>(map: F, x: [[L; N]; V]) -> bool {
    let mut margin = x[0][0].splat(f64::INFINITY);
    for v in 0..V {
        margin = map.margin(x[v], margin);
    }
    !F::HAS_HARD || math::is_ordinary(margin)
}

/// The loop on gradual lanes, for stretches with hard elements.
struct Careful<'s, 'a, T, F, const N: usize, const M: usize> {
    map: F,
    slices: &'s mut Slices<'a, T, N, M>,
}

impl<T: Real, F: Map<N, M>, const N: usize, const M: usize> Kernel for Careful<'_, '_, T, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if !F::HAS_HARD {
            return;
        }
        let len = self.slices.len();
        let mut blocks = self.slices.part(0, len).blocks();
        while let Some(partial) = blocks.partial() {
            let x: [T::Lanes<S>; N] = partial.load(simd);
            partial.store_all(self.map.apply(x.map(Gradual)).map(|y| y.0));
        }
    }
}
