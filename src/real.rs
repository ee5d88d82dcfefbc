//! The element types.

use std::fmt::{Debug, Display};
use std::ops::Add;

use crate::lanes::{Fold, Lanes, Memory, Simd};
use crate::math::Elementary;

/// An element type as the kernels see it.
pub trait Real:
    Copy + Default + PartialOrd + Add<Output = Self> + Debug + Display + Send + Sync + 'static + Elementary
{
    type Lanes<S: Simd>: Lanes<Float = Self, Double = S::F64> + Memory<Simd = S> + Fold;
    type Array: AsRef<[Self]> + AsMut<[Self]> + Copy + Send;
    const LANES: usize;
    const IOTA: Self::Array;
    const MIN_POSITIVE: f64;
    fn low_bits(self) -> usize;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
}

macro_rules! float {
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
            const MIN_POSITIVE: f64 = $float::MIN_POSITIVE as f64;
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

float!(f32, F32, 16);
float!(f64, F64, 8);
