//! The driver over slices of the elementwise operations.

use crate::isa::Kernel;
use crate::lanes::{Block, Gradual, Lanes, Partial, Simd, Slices};
use crate::math;
use crate::real::Real;

/// A function of `N` lane values, applied to each position of `N` slices.
pub trait Map<const N: usize>: Copy {
    /// Whether it waits for memory where its slices are there, so that writing past the caches pays.
    const IS_CHEAP: bool;
    /// The smaller of `margin` and of what keeps `x` from making anything subnormal or out of range on the way:
    /// [`math::is_ordinary`] judges it.
    fn margin<L: Lanes>(self, x: [L; N], margin: L) -> L;
    /// The function, valid at ordinary positions on plain lanes and everywhere on [`Gradual`] ones.
    fn apply<L: Lanes>(self, x: [L; N]) -> L;
}

/// The kernel that applies a [`Map`] to slices.
pub struct Elementwise<'a, T, M, const N: usize> {
    /// The function.
    pub map: M,
    /// Its arguments and results.
    pub slices: Slices<'a, T, N>,
}

impl<T: Real, M: Map<N>, const N: usize> Kernel for Elementwise<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // As many values at a time as the registers hold: the arithmetic units stay busy while one result waits.
        match S::VALUES {
            4 => self.by::<S, 4>(simd),
            2 => self.by::<S, 2>(simd),
            _ => self.by::<S, 1>(simd),
        }
    }
}

impl<T: Real, M: Map<N>, const N: usize> Elementwise<'_, T, M, N> {
    #[inline(always)]
    fn by<S: Simd, const V: usize>(self, simd: S) {
        let (map, streams) = (self.map, S::STREAMS && M::IS_CHEAP && self.slices.streams());
        let mut blocks = self.slices.blocks();
        if streams {
            one(simd, map, blocks.before_line());
            while let Some(mut block) = blocks.whole::<V>() {
                let y = apply(map, load(simd, &block));
                for v in 0..V {
                    block.stream(v, y[v]);
                }
            }
            simd.fence();
        }
        while let Some(mut block) = blocks.whole::<V>() {
            let y = apply(map, load(simd, &block));
            for v in 0..V {
                block.store(v, y[v]);
            }
        }
        while let Some(partial) = blocks.partial() {
            one(simd, map, partial);
        }
    }
}

#[inline(always)]
fn load<T: Real, S: Simd, const N: usize, const V: usize>(
    simd: S,
    block: &Block<T, N, V, true>,
) -> [[T::Lanes<S>; N]; V] {
    let mut x = [block.load(simd, 0); V];
    for v in 1..V {
        x[v] = block.load(simd, v);
    }
    x
}

#[inline(always)]
fn one<T: Real, S: Simd, M: Map<N>, const N: usize>(simd: S, map: M, partial: Partial<T, N, true>) {
    let x: [T::Lanes<S>; N] = partial.load(simd);
    let [y] = apply(map, [x]);
    partial.store(y);
}

/// Applies a map to `V` lane values: on plain lanes if all are ordinary.
#[inline(always)]
fn apply<L: Lanes, M: Map<N>, const N: usize, const V: usize>(map: M, x: [[L; N]; V]) -> [L; V] {
    let mut y = [x[0][0]; V];
    let mut margin = x[0][0].splat(f64::INFINITY);
    for v in 0..V {
        margin = map.margin(x[v], margin);
    }
    if math::is_ordinary(margin) {
        for v in 0..V {
            y[v] = map.apply(x[v]);
        }
    } else {
        for v in 0..V {
            y[v] = map.apply(x[v].map(Gradual)).0;
        }
    }
    y
}
