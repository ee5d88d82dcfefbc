//! The element types: those that are stored, and of these `f32` and `f64`, which have lanes.

use std::fmt::{Debug, Display};
use std::ops::Add;

use super::{Fold, Lanes, Memory, Simd};

/// A number format that slices have. All its bits 0 are the number 0.
pub trait Element: Copy + Default + PartialOrd + Debug + Display + Send + Sync + 'static {
    /// The smallest positive normal number.
    const MIN_POSITIVE: f64;
    /// The largest finite number.
    const MAX_FINITE: f64;
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The number of lanes of the type that it is computed in.
    const LANES: usize;
    /// The number of this type nearest to `value`.
    fn from_f64(value: f64) -> Self;
    /// This number as `f64`, exactly.
    fn to_f64(self) -> f64;
}

/// An element type with lanes: its lane type on each instruction set.
pub trait Real: Element + Add<Output = Self> {
    /// The lane type on instruction set `S`.
    type Lanes<S: Simd>: Lanes<Float = Self, Double = S::F64> + Memory<Simd = S> + Fold;
    /// The lanes of a lane value, in order.
    type Array: AsRef<[Self]> + AsMut<[Self]> + Copy + Send + Sync;
    /// The numbers 0, 1, 2, ..
    const IOTA: Self::Array;
    /// Whether this is `f32`. Otherwise it is `f64`.
    const IS_F32: bool;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The bit pattern, or its low bits where `usize` is shorter.
    fn low_bits(self) -> usize;
}

macro_rules! real {
    ($float:ident, $lanes:ident, $count:literal) => {
        impl Element for $float {
            const MIN_POSITIVE: f64 = $float::MIN_POSITIVE as f64;
            const MAX_FINITE: f64 = $float::MAX as f64;
            const EPSILON: f64 = $float::EPSILON as f64;
            const LANES: usize = $count;
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
        }

        impl Real for $float {
            type Lanes<S: Simd> = S::$lanes;
            type Array = [$float; $count];
            const IOTA: [$float; $count] = {
                let mut lanes = [0.0; $count];
                let mut i = 0;
                while i < $count {
                    lanes[i] = i as $float;
                    i += 1;
                }
                lanes
            };
            const IS_F32: bool = $count == 16;
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn low_bits(self) -> usize {
                self.to_bits() as usize
            }
        }
    };
}

real!(f32, F32, 16);
real!(f64, F64, 8);
