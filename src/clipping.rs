//! The kernels of gradient clipping.

use crate::dispatch::Kernel;
use crate::elementwise::Map;
use crate::lanes::{Input, Lanes, Memory, Real, Simd};
use crate::math;
use crate::sum::{BLOCK, Levels, Tree};

/// Limits to `[-limit, limit]`.
#[derive(Clone, Copy)]
pub struct Clamp(pub f64);

impl Map<1> for Clamp {
    const IS_MEMORY_BOUND: bool = true;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        math::clamp(x, self.0)
    }
}

/// Multiplies by both factors in `f64`, rounding once.
#[derive(Clone, Copy)]
pub struct Scale(pub [f64; 2]);

impl Map<1> for Scale {
    const IS_MEMORY_BOUND: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        let [factor, one] = self.0;
        // An f32 times a factor is normal in f64, where the factors are ordinary themselves.
        if L::Float::IS_F32 && factor > 1e-200 && one == 1.0 {
            margin
        } else if factor > 1e-150 && one == 1.0 {
            math::margin(x, margin)
        } else {
            x.splat(0.0)
        }
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        let [a, b] = x.widen();
        let (first, second) = (a.splat(self.0[0]), a.splat(self.0[1]));
        L::narrow([a * first * second, b * first * second])
    }
}

/// The sum of the squares of a slice, each element times a power of two, as one partial sum a lane.
pub struct SumSquares<'a, T> {
    /// The elements.
    pub input: Input<'a, T>,
    /// The power of two.
    pub factor: f64,
}

impl<T: Real> Kernel for SumSquares<'_, T> {
    type Output = [f64; 8];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; 8] {
        let zero = <S::F64 as Memory>::zero(simd);
        let factor = zero.splat(self.factor);
        let mut levels = Levels::new();
        let mut tree = Tree::new(&mut levels);
        let mut blocks = self.input.blocks();
        while let Some(block) = blocks.whole::<BLOCK>() {
            let mut sum = zero;
            for v in 0..BLOCK {
                let [x]: [T::Lanes<S>; 1] = block.load(simd, v);
                sum = sum + square(x, factor);
            }
            tree.add(sum);
        }
        let mut sum = zero;
        while let Some(partial) = blocks.partial() {
            let [x]: [T::Lanes<S>; 1] = partial.load(simd);
            sum = sum + square(x, factor);
        }
        tree.finish(sum).to_array()
    }
}

/// The squares of a lane value's elements, each times the factor first, in 8 sums.
#[inline(always)]
fn square<L: Lanes>(x: L, factor: L::Double) -> L::Double {
    let [a, b] = x.widen();
    let (a, b) = (a * factor, b * factor);
    if L::Float::IS_F32 { a * a + b * b } else { a * a }
}
