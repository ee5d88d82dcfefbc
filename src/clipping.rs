//! The kernels of gradient clipping: two maps of [`crate::elementwise`] and a sum.
//!
//! ```text
//! Clamp         y = max(-limit, min(limit, x))
//! Scale         y = T(x * first * second), both products in f64
//! SumSquares    lane sums of (x * factor)^2 in f64, in the shape of crate::sum
//! ```

use crate::dispatch::Kernel;
use crate::elementwise::Map;
use crate::lanes::{Input, Lanes, Memory, Real, Simd};
use crate::math;
use crate::sum::{BLOCK, Levels, Tree};

/// Limits each element to `[-limit, limit]`. NaN stays NaN.
#[derive(Clone, Copy)]
pub struct Clamp(pub f64);

impl Map<1> for Clamp {
    const IS_MEMORY_BOUND: bool = true;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        [math::clamp(x, self.0)]
    }
}

/// Multiplies each element by two factors in `f64`, one after the other, and rounds to the element type. The second is
/// 1 unless the product of both is near the subnormal range.
#[derive(Clone, Copy)]
pub struct Scale(pub [f64; 2]);

impl Map<1> for Scale {
    const IS_MEMORY_BOUND: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        let [first, second] = [self.0[0].abs(), self.0[1]];
        // The smallest f32 is 1.4e-45: times 1e-200 it is a normal f64, so that no f32 is hard. The smallest ordinary
        // f64 is 2^-500, and times 1e-150 normal. Below these factors every element is taken as hard.
        if L::Float::IS_F32 && first > 1e-200 && second == 1.0 {
            margin
        } else if first > 1e-150 && second == 1.0 {
            math::margin(x, margin)
        } else {
            x.splat(0.0)
        }
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        let [a, b] = x.widen();
        let (first, second) = (a.splat(self.0[0]), a.splat(self.0[1]));
        [L::narrow([a * first * second, b * first * second])]
    }
}

/// The lane sums of the squares of a slice, each element times a power of two first, in `f64`.
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

/// The squares of a lane value's elements, each times the factor first. The two halves of 16 `f32` are added.
#[inline(always)]
fn square<L: Lanes>(x: L, factor: L::Double) -> L::Double {
    let [a, b] = x.widen();
    if L::Float::IS_F32 {
        let (a, b) = (a * factor, b * factor);
        return a * a + b * b;
    }
    let a = math::product(a, factor);
    math::product(a, a)
}
