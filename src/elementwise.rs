//! Elementwise operations: what is compiled for each formula, and the driver that is compiled once.
//!
//! A [`Map`] is a formula. For each formula, element type and instruction set there are two loops and no more:
//!
//! ```text
//! quick(slices):                          careful(slices):
//!     for each block of V lane values         for each lane value
//!         if it has a hard element                store map(x), on gradual lanes
//!             return the elements done
//!         store map(x), on plain lanes
//!     the same for single lane values,
//!     the last one masked
//! ```
//!
//! An element is hard where the formula would make a subnormal or infinite number on its way: on many CPUs that takes 20
//! to 150 times as long. [`Gradual`] lanes take a longer way around it, with the same bits. The hot loop has no call: it
//! returns, and [`finish`] works through the hard block and goes on.

use crate::dispatch::{Kernel, Level};
use crate::lanes::{Block, Gradual, Lanes, Real, Simd, Slices};
use crate::math;

/// A function of `N` lane values, applied to each position of `N` slices.
pub trait Map<const N: usize>: Copy {
    /// Whether it is bound by memory outside the caches: then large outputs are written with non-temporal stores.
    const IS_MEMORY_BOUND: bool;
    /// Whether there are hard elements.
    const HAS_HARD: bool = true;
    /// min(margin, distance from x to the nearest hard element), or what else [`math::is_ordinary`] tells hard ones by.
    #[inline(always)]
    fn margin<L: Lanes>(self, _: [L; N], margin: L) -> L {
        margin
    }
    /// The function: on plain lanes where no element is hard, on [`Gradual`] ones everywhere.
    fn apply<L: Lanes>(self, x: [L; N]) -> L;
}

/// Applies a map to every position.
#[inline(always)]
pub fn run<T: Real, M: Map<N>, const N: usize>(level: Level, map: M, slices: &mut Slices<'_, T, N>) {
    let done = level.run(Quick { map, slices });
    if M::HAS_HARD && done < slices.len() {
        finish(level, &map, slices, done);
    }
}

/// The loops of a map, behind a pointer.
trait Loops<T, const N: usize> {
    /// Runs [`Quick`].
    fn quick(&self, level: Level, slices: &mut Slices<'_, T, N>) -> usize;
    /// Runs [`Careful`].
    fn careful(&self, level: Level, slices: &mut Slices<'_, T, N>);
}

impl<T: Real, M: Map<N>, const N: usize> Loops<T, N> for M {
    fn quick(&self, level: Level, slices: &mut Slices<'_, T, N>) -> usize {
        level.run(Quick { map: *self, slices })
    }
    fn careful(&self, level: Level, slices: &mut Slices<'_, T, N>) {
        level.run(Careful { map: *self, slices });
    }
}

/// The elements that the careful loop takes at a time: twice as many whenever the block after them is hard too.
const HARD: [usize; 2] = [64, 1024];

/// Goes on where the quick loop met a hard block.
#[cold]
#[inline(never)]
fn finish<T: Real, const N: usize>(
    level: Level,
    map: &dyn Loops<T, N>,
    slices: &mut Slices<'_, T, N>,
    mut done: usize,
) {
    let (len, [least, most]) = (slices.len(), HARD);
    let mut hard = least;
    while done < len {
        let taken = hard.min(len - done);
        map.careful(level, &mut slices.part(done, taken));
        done += taken;
        let quick = map.quick(level, &mut slices.part(done, len - done));
        done += quick;
        hard = if quick == 0 { most.min(2 * hard) } else { least };
    }
}

/// The loop over ordinary blocks. It returns the number of elements before the first hard block.
///
/// The slices come by reference: registers hold it, and a struct on its way through memory costs a short call its time.
struct Quick<'s, 'a, T, M, const N: usize> {
    map: M,
    slices: &'s mut Slices<'a, T, N>,
}

impl<T: Real, M: Map<N>, const N: usize> Kernel for Quick<'_, '_, T, M, N> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        // As many values at a time as the registers hold: the arithmetic units stay busy while one result waits.
        match S::UNROLL {
            4 => self.blocks_of::<S, 4>(simd),
            2 => self.blocks_of::<S, 2>(simd),
            _ => self.blocks_of::<S, 1>(simd),
        }
    }
}

impl<T: Real, M: Map<N>, const N: usize> Quick<'_, '_, T, M, N> {
    #[inline(always)]
    fn blocks_of<S: Simd, const V: usize>(self, simd: S) -> usize {
        let Self { map, slices } = self;
        let (len, streams) = (slices.len(), S::STREAMS && M::IS_MEMORY_BOUND && slices.streams());
        let mut blocks = slices.part(0, len).blocks();
        // Non-temporal stores begin at a cache line.
        let mut head = if streams { blocks.before_line() } else { 0 };
        // Every formula stands here twice and no more: for a block, and for a lane value or a part of one.
        loop {
            if head == 0 {
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
                        if streams { block.stream(v, y) } else { block.store(v, y) }
                    }
                }
            }
            let left = blocks.remaining();
            let partial = if head > 0 { Some(blocks.take_partial(head)) } else { blocks.partial() };
            head = 0;
            let Some(partial) = partial else {
                fence(simd, streams);
                return len;
            };
            let x: [T::Lanes<S>; N] = partial.load(simd);
            if !is_ordinary(map, [x]) {
                fence(simd, streams);
                return len - left;
            }
            partial.store(map.apply(x));
        }
    }
}

/// Makes non-temporal stores visible to other threads before anything that comes later.
#[inline(always)]
fn fence<S: Simd>(simd: S, streams: bool) {
    if streams {
        simd.fence();
    }
}

/// The lane values of a block.
#[inline(always)]
fn load<T: Real, S: Simd, const N: usize, const V: usize>(simd: S, block: &Block<T, N, 1, V>) -> [[T::Lanes<S>; N]; V] {
    let mut x = [block.load(simd, 0); V];
    for v in 1..V {
        x[v] = block.load(simd, v);
    }
    x
}

/// Whether no element is hard.
#[inline(always)]
fn is_ordinary<L: Lanes, M: Map<N>, const N: usize, const V: usize>(map: M, x: [[L; N]; V]) -> bool {
    let mut margin = x[0][0].splat(f64::INFINITY);
    for v in 0..V {
        margin = map.margin(x[v], margin);
    }
    !M::HAS_HARD || math::is_ordinary(margin)
}

/// The loop over blocks of which some are hard.
struct Careful<'s, 'a, T, M, const N: usize> {
    map: M,
    slices: &'s mut Slices<'a, T, N>,
}

impl<T: Real, M: Map<N>, const N: usize> Kernel for Careful<'_, '_, T, M, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if !M::HAS_HARD {
            return;
        }
        let len = self.slices.len();
        let mut blocks = self.slices.part(0, len).blocks();
        while let Some(partial) = blocks.partial() {
            let x: [T::Lanes<S>; N] = partial.load(simd);
            partial.store(self.map.apply(x.map(Gradual)).0);
        }
    }
}
