//! Lanes: the operations that a kernel may do, on each instruction set.
//!
//! A *lane value* is a vector of 16 `f32` or 8 `f64`, on every instruction set: one AVX-512 register, two of AVX2, four
//! of SSE2 or NEON, or a plain array. A *lane* is one of its elements. Because the width is the same everywhere, so are
//! the partial sums of a row, the place where a tail begins and the order of every addition. A kernel is written once,
//! and its results have the same bits on every instruction set with a fused multiply-add.
//!
//! # Layers
//!
//! From the instruction set up to the caller's memory:
//!
//! - [`Simd`], the token. A value of it proves that the CPU has the instructions. Only [`crate::dispatch`] makes one.
//! - [`Lanes`] and [`Mask`], the arithmetic of one lane value and the result of a comparison. Formulas in
//!   [`crate::math`] and the activations use nothing else. [`Fold`] folds many rows at once.
//! - [`Memory`], loads and stores through pointers, which only the views below call.
//! - [`Real`], the element types `f32` and `f64`: `T::Lanes<S>` is the lane type of element type T with token S.
//! - [`Gradual`], a wrapper of any lane type, whose `*` takes subnormal numbers without a microcode assist.
//! - The views. [`Slices`] are the caller's slices, sources and outputs together, and [`Rows`] the rows along an axis
//!   of them. They are walked block by block or row by row and [`Split`] among threads. [`Stack`] and [`Line`] keep
//!   lane values in memory of the crate's own.
//!
//! Nothing above the views sees a pointer, so kernels and formulas need no `unsafe`.
//!
//! # Proofs
//!
//! An intrinsic is sound only where its instruction exists. Here every lane value is a proof of that: the first one is
//! loaded with a token, and all others come from a lane value that is already there. For this reason constants are
//! methods (`x.splat(1.0)`), whose receiver is the proof and whose lanes are ignored.
//!
//! # A file of an instruction set
//!
//! `avx2`, `avx512`, `portable` and `scalar` have the same parts in about the same order:
//!
//! 1. the token and its [`Simd`], with prefetch, fence and the number of lane values that the registers hold,
//! 2. `F32`, `F64` and the mask types,
//! 3. a macro that calls an intrinsic, with the one safety comment for all of them (`avx2`, `avx512`),
//! 4. the operators and a macro with the [`Lanes`] methods that differ between the two types in the name of an
//!    intrinsic,
//! 5. [`Lanes`] of each type: that macro and the methods that differ in more, such as conversions,
//! 6. [`Fold`], by shuffles or by plain loops,
//! 7. a macro with [`Memory`].
//!
//! In `portable` and `scalar` parts 4 to 7 are one macro, because the two types differ in little but names.
//!
//! `docs/porting.md` says how to add an instruction set.
//!
//! # Inlining
//!
//! Everything here, in the formulas and in the kernels is `#[inline(always)]`, up to the one `#[target_feature]`
//! function of each instruction set in [`crate::dispatch`]. A function that is compiled on its own has only the
//! features of the build, and in it every intrinsic becomes a call.

use std::ops::{Add, Div, Mul, Sub};

mod gradual;
#[cfg(feature = "half")]
mod half;
mod lines;
mod portable;
mod real;
mod rows;
#[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod scalar;
mod slices;
mod split;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use gradual::Gradual;
#[cfg(feature = "half")]
pub use half::{COUNT as CONVERTED, Half, narrow, widen};
pub use lines::{Appender, Line, Stack};
pub use portable::{FUSED as PORTABLE_IS_FUSED, Portable};
pub use real::{Element, Real};
pub use rows::{Columns, Rows, Shape};
#[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use scalar::{Scalar, count_assists};
pub use slices::{Block, Input, Operand, Partial, Slices, initialise};
pub use split::Split;

/// The number of rows that [`Fold`] takes at once: the lanes of `f32`.
pub const ROWS: usize = 16;

/// A token: a value of it proves that this CPU has the instruction set. Only [`crate::dispatch`] makes one.
pub trait Simd: Copy {
    /// 16 lanes of `f32`.
    type F32: Lanes<Float = f32, Double = Self::F64> + Memory<Simd = Self> + Fold;
    /// 8 lanes of `f64`.
    type F64: Lanes<Float = f64, Double = Self::F64> + Memory<Simd = Self> + Fold;
    /// The number of lane values that a loop works on at once: 4, 2 or 1. As many as the registers hold, since the
    /// arithmetic units then stay busy while one result waits.
    const UNROLL: usize;
    /// Whether [`Memory::stream`] is a non-temporal store.
    const STREAMS: bool = false;

    /// Fetches a cache line to the first-level cache, where there is an instruction for it. The address may be invalid.
    #[inline(always)]
    fn prefetch<T>(self, _: *const T) {}

    /// Converts `f16` to `f32`, given their bit patterns.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn widen_f16(self, bits: [u16; 16]) -> [f32; 16] {
        half::widen_f16(bits)
    }

    /// Rounds `f32` to `f16`.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn narrow_f16(self, numbers: [f32; 16]) -> [u16; 16] {
        half::narrow_f16(numbers)
    }

    /// Orders all [`Memory::stream`] before any later store, so that another thread which sees the later one sees them.
    #[inline(always)]
    fn fence(self) {}
}

/// The result of comparing two lane values, one truth value per lane.
pub trait Mask: Copy {
    /// Whether the comparison holds in every lane.
    fn all(self) -> bool;
}

/// A lane value: 16 `f32` or 8 `f64`.
///
/// Arithmetic is IEEE 754, lane by lane, rounding to nearest, with subnormal numbers. Every method gives the same bits
/// on every instruction set, except for the multiply-adds, which depend on [`FUSED`](Self::FUSED), and for the sign and
/// payload of a NaN. [`max`](Self::max) and [`min`](Self::min) follow the x86 instructions, not IEEE: they return the
/// *second* operand if either is NaN or if both are zeros.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// The type of one lane.
    type Float: Real;
    /// The result of a comparison.
    type Mask: Mask;
    /// The lanes of `f64` on the same instruction set.
    type Double: Lanes<Float = f64, Double = Self::Double>;

    /// Whether [`mul_add`](Self::mul_add) rounds once.
    const FUSED: bool;
    /// Whether `*` takes subnormal operands and results without a microcode assist: see [`Gradual`].
    const GRADUAL: bool = false;

    /// The same value in every lane, rounded to the lane type.
    fn splat(self, value: f64) -> Self;
    /// The same element in every lane, bit for bit.
    fn broadcast(self, element: Self::Float) -> Self;
    /// The same bit pattern in every lane; an `f32` lane takes the low 32 bits.
    fn splat_bits(self, bits: u64) -> Self;
    /// `self * factor + term`, rounded once where [`FUSED`](Self::FUSED).
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`, rounded once where [`FUSED`](Self::FUSED).
    fn neg_mul_add(self, factor: Self, term: Self) -> Self;
    /// The magnitude: the sign bit cleared, of NaN too.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// `self > other ? self : other`: NaN in either, and two zeros, give `other`.
    fn max(self, other: Self) -> Self;
    /// `self < other ? self : other`: NaN in either, and two zeros, give `other`.
    fn min(self, other: Self) -> Self;
    /// `self < other`, false for NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`, false for NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, else `no`, bit for bit.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The wrapping sum of the bit patterns as unsigned integers of the lane's width.
    fn add_bits(self, other: Self) -> Self;
    /// The wrapping difference of the bit patterns.
    fn sub_bits(self, other: Self) -> Self;
    /// The bit pattern, shifted left.
    fn shl_bits<const N: u32>(self) -> Self;
    /// The bit pattern, shifted right and filled with zeros.
    fn shr_bits<const N: u32>(self) -> Self;
    /// For each lane the table entry whose index is the low three bits of the lane's pattern. For `f32` lanes with FMA.
    #[inline(always)]
    fn lookup(self, table: &[f32; 8]) -> Self {
        let mut lanes = self.to_array();
        for lane in lanes.as_mut() {
            *lane = Self::Float::from_f64(table[lane.low_bits() & 7].into());
        }
        self.with_array(lanes)
    }

    /// The mask of the first `count` lanes, `count` being at most the lane count.
    fn first_lanes(self, count: usize) -> Self::Mask;
    /// The first `count` lanes, the others replaced by `fill`.
    #[inline(always)]
    fn keep_first(self, count: usize, fill: Self) -> Self {
        Self::select(self.first_lanes(count), self, fill)
    }
    /// The lanes as `f64`, first half and second half. `f64` lanes return themselves twice.
    fn widen(self) -> [Self::Double; 2];
    /// The inverse of [`widen`](Self::widen), each lane rounded once, to a subnormal number too. `f64` lanes return the
    /// first half.
    fn narrow(halves: [Self::Double; 2]) -> Self;
    /// The product without a microcode assist, also where operands or result are subnormal: see [`Gradual`].
    fn gradual_mul(self, other: Self) -> Self;

    /// The lanes in order.
    fn to_array(self) -> <Self::Float as Real>::Array;
    /// These lanes as a lane value. The lanes of `self` do not matter.
    fn with_array(self, lanes: <Self::Float as Real>::Array) -> Self;
}

/// Folds of many rows at once: a transposition and a fold in one, so that each row's result is a lane.
pub trait Fold: Lanes {
    /// Lane `r` of the result is the maximum over all lanes of `rows[r]`, in any order. It is unspecified where the row
    /// has a NaN, and so is the sign of a zero. `f64` lanes use the first 8 rows.
    fn fold_max(rows: &[Self; ROWS]) -> Self;
    /// Lane `r` of the result is the sum over all lanes of `rows[r]`, in `f64`. The order is part of the contract: of n
    /// lanes, lane `i` is added to lane `i + n/2`, then the n/2 sums in the same way, down to one. `f64` lanes use the
    /// first 8 rows and return their sums twice.
    fn fold_sum(rows: &[Self; ROWS]) -> [Self::Double; 2];
}

/// Loads and stores of the lane types that stand for registers: of all but [`Gradual`].
pub trait Memory: Lanes {
    /// The token that proves that the type's instructions exist.
    type Simd: Simd;

    /// Positive zero in every lane.
    fn zero(simd: Self::Simd) -> Self;
    /// Loads a whole lane value.
    ///
    /// # Safety
    /// `from` must be valid for reads of all lanes.
    #[allow(unsafe_code)]
    unsafe fn load(simd: Self::Simd, from: *const Self::Float) -> Self;
    /// Loads the first `count` lanes and sets the others to zero.
    ///
    /// # Safety
    /// `from` must be valid for reads of `count` elements, and `count` at most the lane count.
    #[allow(unsafe_code)]
    unsafe fn load_partial(simd: Self::Simd, from: *const Self::Float, count: usize) -> Self;
    /// Stores all lanes.
    ///
    /// # Safety
    /// `to` must be valid for writes of all lanes.
    #[allow(unsafe_code)]
    unsafe fn store(self, to: *mut Self::Float);
    /// Stores all lanes, with a non-temporal store where [`Simd::STREAMS`]. A [`Simd::fence`] must follow before the kernel
    /// returns.
    ///
    /// # Safety
    /// `to` must be valid for writes of all lanes, and aligned to 64 bytes.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn stream(self, to: *mut Self::Float) {
        // SAFETY: the caller promises what `store` needs, and alignment.
        unsafe { self.store(to) }
    }
    /// Stores the first `count` lanes.
    ///
    /// # Safety
    /// `to` must be valid for writes of `count` elements, and `count` at most the lane count.
    #[allow(unsafe_code)]
    unsafe fn store_partial(self, to: *mut Self::Float, count: usize);
}

/// The methods of [`Fold`], with plain loops over arrays.
macro_rules! fold_by_arrays {
    () => {
        #[inline(always)]
        fn fold_max(rows: &[Self; ROWS]) -> Self {
            let mut result = rows[0].to_array();
            for r in 0..result.len() {
                let lanes = rows[r].to_array();
                let mut max = lanes[0];
                for i in 1..lanes.len() {
                    max = if max > lanes[i] { max } else { lanes[i] };
                }
                result[r] = max;
            }
            rows[0].with_array(result)
        }

        #[inline(always)]
        fn fold_sum(rows: &[Self; ROWS]) -> [Self::Double; 2] {
            let mut halves = [[0.0; 8]; 2];
            for r in 0..rows[0].to_array().len() {
                let [a, b] = rows[r].widen();
                let mut lanes = if Self::Float::IS_F32 { (a + b).to_array() } else { a.to_array() };
                for half in [4, 2, 1] {
                    for i in 0..half {
                        lanes[i] += lanes[i + half];
                    }
                }
                halves[r / 8][r % 8] = lanes[0];
            }
            let like = rows[0].widen()[0];
            let first = like.with_array(halves[0]);
            [first, if Self::Float::IS_F32 { like.with_array(halves[1]) } else { first }]
        }
    };
}
use fold_by_arrays;
