//! The lane vocabulary: what a kernel may do with one value of many lanes.
//!
//! A lane value is always 16 `f32` or 8 `f64`, on every instruction set: one AVX-512 register, two
//! of AVX2, four of SSE2 or NEON, or a plain array. Partial sums, tails and interleaving therefore
//! look the same everywhere, and so do the bits of every result.
//!
//! A lane value is its own proof that its instructions exist. Only a [`Simd`] token, which dispatch
//! alone hands out, makes the first one; constants come from a lane value that is already there.
//! So the lane types can be type arguments of safe code, and kernels need no `unsafe`.
//!
//! Everything here and in the kernels is `#[inline(always)]`, down to the one `#[target_feature]`
//! function of each instruction set: what is compiled outside it would turn every instruction into
//! a call.

use std::ops::{Add, Div, Mul, Sub};

mod gradual;
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
pub use lines::{End, Line, Stack};
pub use portable::{FUSED as PORTABLE_IS_FUSED, Portable};
pub use real::Real;
pub use rows::{Columns, Rows, Shape};
#[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use scalar::Scalar;
pub use slices::{Block, Input, Partial, Slices, initialise};
pub use split::Split;

/// The number of rows that [`Fold`] takes at once.
pub const ROWS: usize = 16;

/// A token that proves that an instruction set exists on this CPU; made by dispatch alone.
pub trait Simd: Copy {
    /// 16 lanes of `f32`.
    type F32: Lanes<Float = f32, Double = Self::F64> + Memory<Simd = Self> + Fold;
    /// 8 lanes of `f64`.
    type F64: Lanes<Float = f64, Double = Self::F64> + Memory<Simd = Self> + Fold;
    /// How many lane values a driver works on at once: 4, 2 or 1.
    const VALUES: usize;
    /// Whether [`Memory::stream`] goes past the caches.
    const STREAMS: bool = false;

    /// Fetches a cache line to the first-level cache, where there is an instruction for it. Any address will do.
    #[inline(always)]
    fn prefetch<T>(self, _: *const T) {}

    /// Makes what was streamed visible to other threads before anything that comes later.
    #[inline(always)]
    fn fence(self) {}
}

/// The result of comparing two lane values, one truth value per lane.
pub trait Mask: Copy {
    /// Whether the comparison holds in every lane.
    fn all(self) -> bool;
}

/// One value of many lanes.
///
/// Arithmetic is IEEE, lane by lane, in the default environment. `max` and `min` follow the x86
/// instructions on every instruction set: they return the *second* operand if either is NaN.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// The type of one lane.
    type Float: Real;
    /// What a comparison gives.
    type Mask: Mask;
    /// The lanes of `f64` on the same instruction set.
    type Double: Lanes<Float = f64, Double = Self::Double>;

    /// Whether [`mul_add`](Self::mul_add) rounds once.
    const FUSED: bool;
    /// Whether `*` computes subnormal products without a microcode assist: see [`Gradual`].
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
    /// The magnitude.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// `self > other ? self : other`: NaN in either gives `other`.
    fn max(self, other: Self) -> Self;
    /// `self < other ? self : other`: NaN in either gives `other`.
    fn min(self, other: Self) -> Self;
    /// `self < other`, false for NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`, false for NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The wrapping sum of the bit patterns.
    fn add_bits(self, other: Self) -> Self;
    /// The wrapping difference of the bit patterns.
    fn sub_bits(self, other: Self) -> Self;
    /// The bit pattern, shifted left.
    fn shl_bits<const N: u32>(self) -> Self;
    /// The bit pattern, shifted right, zeros coming in.
    fn shr_bits<const N: u32>(self) -> Self;
    /// For each lane the table entry that the low three bits of its pattern name.
    #[inline(always)]
    fn lookup(self, table: &[f32; 8]) -> Self {
        let mut lanes = self.to_array();
        for lane in lanes.as_mut() {
            *lane = Self::Float::from_f64(table[lane.low_bits() & 7].into());
        }
        self.with_array(lanes)
    }

    /// The mask of the first `count` lanes.
    fn first(self, count: usize) -> Self::Mask;
    /// The first `count` lanes, the others replaced by `fill`.
    #[inline(always)]
    fn keep(self, count: usize, fill: Self) -> Self {
        Self::select(self.first(count), self, fill)
    }
    /// The lanes as `f64`, first half and second half. `f64` lanes give themselves twice.
    fn widen(self) -> [Self::Double; 2];
    /// The inverse of [`widen`](Self::widen), rounding each lane once.
    fn narrow(halves: [Self::Double; 2]) -> Self;
    /// The product, subnormal operands and results included, without a microcode assist.
    fn gradual_mul(self, other: Self) -> Self;

    /// The lanes in order.
    fn to_array(self) -> <Self::Float as Real>::Array;
    /// A lane value with these lanes.
    fn with_array(self, lanes: <Self::Float as Real>::Array) -> Self;
}

/// Folds over the lanes of many rows at once.
pub trait Fold: Lanes {
    /// Lane `r` of the result is the maximum over all lanes of `rows[r]`. `f64` lanes use 8 rows.
    fn fold_max(rows: &[Self; ROWS]) -> Self;
    /// Lane `r` of the result is the sum over all lanes of `rows[r]`, in `f64`: lane `i` is added
    /// to lane `i + n/2`, then the halves of that in the same way, down to one.
    fn fold_sum(rows: &[Self; ROWS]) -> [Self::Double; 2];
}

/// Loads and stores of the lane types that exist in hardware.
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
    /// Stores all lanes, past the caches where [`Simd::STREAMS`]; a [`Simd::fence`] must follow before the call returns.
    ///
    /// # Safety
    /// `to` must be valid for writes of all lanes, and aligned to 64 bytes.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn stream(self, to: *mut Self::Float) {
        // SAFETY: the caller's promise is more than what `store` needs.
        unsafe { self.store(to) }
    }
    /// Stores the first `count` lanes.
    ///
    /// # Safety
    /// `to` must be valid for writes of `count` elements, and `count` at most the lane count.
    #[allow(unsafe_code)]
    unsafe fn store_partial(self, to: *mut Self::Float, count: usize);
}

/// [`Fold`] with plain loops.
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
