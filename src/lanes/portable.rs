//! Lanes of the `wide` crate, which picks its instructions at compile time: SSE2 in a plain x86-64 build, NEON on
//! aarch64, simd128 on wasm where enabled, or those of `-C target-cpu`.
//!
//! `wide` has vectors of 16 `f32` and 8 `f64` on every target. Where its operation has other results than [`Lanes`]
//! asks for, or is a call in debug builds of the caller, the operation is written out here.

use std::ops::{Add, Div, Mul, Sub};

use wide::bytemuck::cast;
use wide::{f32x4, f32x16, f64x2, f64x8, i32x16, i64x8};

use super::{Fold, Lanes, Mask, Memory, ROWS, Real, Simd, fold_by_arrays, gradual};

/// The token of the portable lanes.
#[derive(Clone, Copy)]
pub struct Portable;

impl Simd for Portable {
    type F32 = F32;
    type F64 = F64;
    const UNROLL: usize = 1;
}

/// Whether `mul_add` of `wide` rounds once. `wide` decides that when it is compiled, by these conditions.
pub const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// 16 `f32`.
#[derive(Clone, Copy)]
pub struct F32(f32x16);

/// 8 `f64`.
#[derive(Clone, Copy)]
pub struct F64(f64x8);

/// A mask of all ones or all zeros in each lane.
#[derive(Clone, Copy)]
pub struct VectorMask<V>(V);

macro_rules! operator {
    ($lanes:ident, $trait:ident, $method:ident, $op:tt) => {
        impl $trait for $lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
    };
}

macro_rules! lanes {
    ($lanes:ident, $float:ident, $wide:ident, $quarter:ident, $signed:ident, $unsigned:ident, $int:ident, $count:literal) => {
        operator!($lanes, Add, add, +);
        operator!($lanes, Sub, sub, -);
        operator!($lanes, Mul, mul, *);
        operator!($lanes, Div, div, /);

        impl Mask for VectorMask<$wide> {
            #[inline(always)]
            fn all(self) -> bool {
                let [a, b, c, d]: [$quarter; 4] = cast(self.0);
                ((a & b) & (c & d)).all()
            }
        }

        impl Lanes for $lanes {
            type Float = $float;
            type Mask = VectorMask<$wide>;
            type Double = F64;
            const FUSED: bool = FUSED;

            #[inline(always)]
            fn splat(self, value: f64) -> Self {
                Self($wide::splat(value as $float))
            }
            #[inline(always)]
            fn broadcast(self, element: $float) -> Self {
                Self($wide::splat(element))
            }
            #[inline(always)]
            fn splat_bits(self, bits: u64) -> Self {
                Self(cast($signed::splat(bits as $int)))
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                Self(self.0.mul_add(factor.0, term.0))
            }
            #[inline(always)]
            fn neg_mul_add(self, factor: Self, term: Self) -> Self {
                Self(self.0.mul_neg_add(factor.0, term.0))
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.abs())
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                let bit = $wide::splat(-0.0);
                Self(self.0.abs() | (sign.0 & bit))
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // On x86 `fast_max` is the instruction with these semantics. Elsewhere it is not.
                if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
                    Self(self.0.fast_max(other.0))
                } else {
                    Self::select(VectorMask(self.0.simd_gt(other.0)), self, other)
                }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
                    Self(self.0.fast_min(other.0))
                } else {
                    Self::select(VectorMask(self.0.simd_lt(other.0)), self, other)
                }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> Self::Mask {
                VectorMask(self.0.simd_lt(other.0))
            }
            #[inline(always)]
            fn le(self, other: Self) -> Self::Mask {
                VectorMask(self.0.simd_le(other.0))
            }
            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                Self(mask.0.bitselect(yes.0, no.0))
            }
            #[inline(always)]
            fn first_lanes(self, count: usize) -> Self::Mask {
                let lane = self.with_array($float::IOTA);
                lane.lt(self.splat(count as f64))
            }
            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                Self(cast(cast::<_, $signed>(self.0) + cast::<_, $signed>(other.0)))
            }
            #[inline(always)]
            fn sub_bits(self, other: Self) -> Self {
                Self(cast(cast::<_, $signed>(self.0) - cast::<_, $signed>(other.0)))
            }
            #[inline(always)]
            fn shl_bits<const N: u32>(self) -> Self {
                // A loop over integers: in debug builds of the caller the shift of `wide` takes its count from memory.
                let mut bits: [$unsigned; $count] = cast(self.0);
                for i in 0..$count {
                    bits[i] <<= N;
                }
                Self(cast(bits))
            }
            #[inline(always)]
            fn shr_bits<const N: u32>(self) -> Self {
                let mut bits: [$unsigned; $count] = cast(self.0);
                for i in 0..$count {
                    bits[i] >>= N;
                }
                Self(cast(bits))
            }
            #[inline(always)]
            fn to_array(self) -> [$float; $count] {
                cast(self.0)
            }
            #[inline(always)]
            fn with_array(self, lanes: [$float; $count]) -> Self {
                Self(cast(lanes))
            }
            #[inline(always)]
            fn gradual_mul(self, other: Self) -> Self {
                gradual_mul::$float(self, other)
            }
            conversions!($float);
        }

        impl Fold for $lanes {
            fold_by_arrays!();
        }

        // These lanes exist in every build. The methods are unsafe because of their pointers alone.
        #[allow(unsafe_code)]
        impl Memory for $lanes {
            type Simd = Portable;
            #[inline(always)]
            fn zero(_: Portable) -> Self {
                Self($wide::splat(0.0))
            }
            #[inline(always)]
            unsafe fn load(_: Portable, from: *const $float) -> Self {
                // SAFETY: the caller promises all lanes. An array of floats has the alignment of one float.
                Self(cast(unsafe { from.cast::<[$float; $count]>().read() }))
            }
            #[inline(always)]
            unsafe fn load_partial(_: Portable, from: *const $float, count: usize) -> Self {
                let mut lanes = [0.0; $count];
                // SAFETY: the caller promises `count` elements, at most the length of the array.
                unsafe { copy_few(from, lanes.as_mut_ptr(), count) };
                Self(cast(lanes))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the caller promises all lanes. An array of floats has the alignment of one float.
                unsafe { to.cast::<[$float; $count]>().write(cast(self.0)) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $float, count: usize) {
                let lanes: [$float; $count] = cast(self.0);
                // SAFETY: the caller promises `count` elements, at most the length of the array.
                unsafe { copy_few(lanes.as_ptr(), to, count) }
            }
        }
    };
}

/// Products for hard elements. The long one of `f64` is a call: this module has no target feature that a call would
/// lose.
mod gradual_mul {
    use super::{F32, F64, gradual};

    #[inline(always)]
    pub fn f32(a: F32, b: F32) -> F32 {
        gradual::product::f32(a, b)
    }

    #[cold]
    #[inline(never)]
    pub fn f64(a: F64, b: F64) -> F64 {
        gradual::product::f64(a, b)
    }
}

/// Copies up to a lane value, by powers of two. A call of `memcpy` takes longer than the arithmetic of a short slice.
///
/// # Safety
/// `from` must be valid for reads, and `to` for writes, of `count` elements; they do not overlap.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn copy_few<T: Copy>(from: *const T, to: *mut T, count: usize) {
    let mut done = 0;
    macro_rules! copy {
        ($($size:literal)*) => {$(
            if count & $size != 0 {
                // SAFETY: `done` is the sum of the larger powers of two in `count`, so this copy ends at `count` at
                // most.
                unsafe { to.add(done).cast::<[T; $size]>().write_unaligned(from.add(done).cast::<[T; $size]>().read_unaligned()) };
                done += $size;
            }
        )*};
    }
    copy!(16 8 4 2 1);
    debug_assert!(done == count);
}

macro_rules! conversions {
    (f32) => {
        #[inline(always)]
        fn widen(self) -> [F64; 2] {
            let lanes = self.to_array();
            let mut halves = [[0.0_f64; 8]; 2];
            for i in 0..8 {
                (halves[0][i], halves[1][i]) = (lanes[i].into(), lanes[8 + i].into());
            }
            [F64(cast(halves[0])), F64(cast(halves[1]))]
        }
        #[inline(always)]
        fn narrow([a, b]: [F64; 2]) -> Self {
            let (a, b) = (a.to_array(), b.to_array());
            let mut lanes = [0.0_f32; 16];
            for i in 0..8 {
                (lanes[i], lanes[8 + i]) = (a[i] as f32, b[i] as f32);
            }
            Self(cast(lanes))
        }
    };
    (f64) => {
        #[inline(always)]
        fn widen(self) -> [F64; 2] {
            [self, self]
        }
        #[inline(always)]
        fn narrow([a, _]: [F64; 2]) -> Self {
            a
        }
    };
}

lanes!(F32, f32, f32x16, f32x4, i32x16, u32, i32, 16);
lanes!(F64, f64, f64x8, f64x2, i64x8, u64, i64, 8);
