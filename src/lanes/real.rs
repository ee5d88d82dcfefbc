//! The element types.

use std::fmt::{Debug, Display};
use std::ops::Add;

use super::{Fold, Lanes, Memory, Simd};

/// An element type: its format, and its lanes on each instruction set.
pub trait Real: Copy + Default + PartialOrd + Add<Output = Self> + Debug + Display + Send + Sync + 'static {
    /// The lane values of this type.
    type Lanes<S: Simd>: Lanes<Float = Self, Double = S::F64> + Memory<Simd = S> + Fold;
    /// The lanes of one value, in order.
    type Array: AsRef<[Self]> + AsMut<[Self]> + Copy + Send + Sync;
    /// The number of lanes.
    const LANES: usize;
    /// 0, 1, 2, ..
    const IOTA: Self::Array;
    /// Whether this is `f32`; it is `f64` else.
    const IS_F32: bool;
    /// The smallest positive normal number.
    const MIN_POSITIVE: f64;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The low bits of the bit pattern.
    fn low_bits(self) -> usize;
    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
}

macro_rules! real {
    ($float:ident, $lanes:ident, $count:literal) => {
        impl Real for $float {
            type Lanes<S: Simd> = S::$lanes;
            type Array = [$float; $count];
            const LANES: usize = $count;
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
            const MIN_POSITIVE: f64 = $float::MIN_POSITIVE as f64;
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn low_bits(self) -> usize {
                self.to_bits() as usize
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
        }
    };
}

real!(f32, F32, 16);
real!(f64, F64, 8);
