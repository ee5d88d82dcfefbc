//! AVX2 with FMA: two registers per lane value, masks as lane patterns.
// The argument of an intrinsic may be an intrinsic: unsafe blocks are then nested.
#![allow(unsafe_code, unused_unsafe)]

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::{Fold, Lanes, Mask, Memory, ROWS, Simd, gradual};

/// The token of the AVX2 lanes: AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The CPU must have every feature that `dispatch::avx2::run` enables.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    type F32 = F32;
    type F64 = F64;
    const UNROLL: usize = 2;
    const STREAMS: bool = true;

    #[inline(always)]
    fn prefetch<T>(self, at: *const T) {
        // SAFETY: every x86-64 has the instruction, which takes any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    fn fence(self) {
        // SAFETY: every x86-64 has the instruction.
        unsafe { _mm_sfence() }
    }
    #[cfg(feature = "half")]
    #[inline(always)]
    fn widen_f16(self, bits: [u16; 16]) -> [f32; 16] {
        // SAFETY: the types have 32 bytes without invariants, and those after the conversions 64. The token proves that the
        // instructions exist.
        unsafe {
            let [a, b] = std::mem::transmute::<[u16; 16], [__m128i; 2]>(bits);
            std::mem::transmute::<[__m256; 2], [f32; 16]>([_mm256_cvtph_ps(a), _mm256_cvtph_ps(b)])
        }
    }
    #[cfg(feature = "half")]
    #[inline(always)]
    fn narrow_f16(self, numbers: [f32; 16]) -> [u16; 16] {
        // SAFETY: as in `widen_f16`.
        unsafe {
            let [a, b] = std::mem::transmute::<[f32; 16], [__m256; 2]>(numbers);
            let round = |x| _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x);
            std::mem::transmute::<[__m128i; 2], [u16; 16]>([round(a), round(b)])
        }
    }
}

/// 16 `f32`.
#[derive(Clone, Copy)]
pub struct F32([__m256; 2]);

/// 8 `f64`.
#[derive(Clone, Copy)]
pub struct F64([__m256d; 2]);

/// All ones or all zeros in each lane.
#[derive(Clone, Copy)]
pub struct VectorMask<V>([V; 2]);

/// Calls an intrinsic.
///
/// Why that is sound, for all intrinsics of this module: a value of its lane types is made from the token or from
/// another such value, and the token is made only where the CPU has the features. So a function that has a lane value,
/// or the token, may call them.
macro_rules! avx2 {
    ($intrinsic:ident $(::<$n:tt>)? ($($argument:expr),*)) => {{
        // SAFETY: the lane values prove that the features exist, as said above.
        unsafe { $intrinsic $(::<$n>)? ($($argument),*) }
    }};
}

/// Calls an intrinsic on both registers of each operand.
macro_rules! both {
    ($intrinsic:ident $(::<$n:tt>)? ($($argument:expr),*)) => {
        [avx2!($intrinsic $(::<$n>)? ($($argument[0]),*)), avx2!($intrinsic $(::<$n>)? ($($argument[1]),*))]
    };
}

macro_rules! mask {
    ($vector:ident, $and:ident, $movemask:ident, $all:literal) => {
        impl Mask for VectorMask<$vector> {
            #[inline(always)]
            fn all(self) -> bool {
                avx2!($movemask(avx2!($and(self.0[0], self.0[1])))) == $all
            }
        }
    };
}

mask!(__m256, _mm256_and_ps, _mm256_movemask_ps, 0xFF);
mask!(__m256d, _mm256_and_pd, _mm256_movemask_pd, 0xF);

macro_rules! operator {
    ($lanes:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(both!($intrinsic(self.0, other.0)))
            }
        }
    };
}

operator!(F32, Add, add, _mm256_add_ps);
operator!(F32, Sub, sub, _mm256_sub_ps);
operator!(F32, Mul, mul, _mm256_mul_ps);
operator!(F32, Div, div, _mm256_div_ps);
operator!(F64, Add, add, _mm256_add_pd);
operator!(F64, Sub, sub, _mm256_sub_pd);
operator!(F64, Mul, mul, _mm256_mul_pd);
operator!(F64, Div, div, _mm256_div_pd);

macro_rules! shared_methods {
    ($float:ident, $vector:ident, $int:ident, [$cast:ident, $cast_back:ident, $set1:ident, $set1_bits:ident, $fmadd:ident, $fnmadd:ident,
      $and:ident, $andnot:ident, $or:ident, $max:ident, $min:ident, $cmp:ident, $blend:ident, $add:ident, $sub:ident,
      $shl:ident, $shr:ident]) => {
        type Float = $float;
        type Mask = VectorMask<$vector>;
        type Double = F64;
        const FUSED: bool = true;

        #[inline(always)]
        fn splat(self, value: f64) -> Self {
            Self([avx2!($set1(value as $float)); 2])
        }
        #[inline(always)]
        fn broadcast(self, element: $float) -> Self {
            Self([avx2!($set1(element)); 2])
        }
        #[inline(always)]
        fn splat_bits(self, bits: u64) -> Self {
            Self([avx2!($cast_back(avx2!($set1_bits(bits as $int)))); 2])
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, term: Self) -> Self {
            Self(both!($fmadd(self.0, factor.0, term.0)))
        }
        #[inline(always)]
        fn neg_mul_add(self, factor: Self, term: Self) -> Self {
            Self(both!($fnmadd(self.0, factor.0, term.0)))
        }
        #[inline(always)]
        fn abs(self) -> Self {
            let bit = self.splat(-0.0);
            Self(both!($andnot(bit.0, self.0)))
        }
        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            let bit = self.splat(-0.0);
            let (magnitude, sign) = (both!($andnot(bit.0, self.0)), both!($and(bit.0, sign.0)));
            Self(both!($or(magnitude, sign)))
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(both!($max(self.0, other.0)))
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(both!($min(self.0, other.0)))
        }
        #[inline(always)]
        fn lt(self, other: Self) -> Self::Mask {
            VectorMask(both!($cmp::<_CMP_LT_OQ>(self.0, other.0)))
        }
        #[inline(always)]
        fn le(self, other: Self) -> Self::Mask {
            VectorMask(both!($cmp::<_CMP_LE_OQ>(self.0, other.0)))
        }
        #[inline(always)]
        fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
            Self(both!($blend(no.0, yes.0, mask.0)))
        }
        #[inline(always)]
        fn add_bits(self, other: Self) -> Self {
            let (a, b) = (both!($cast(self.0)), both!($cast(other.0)));
            let sum = both!($add(a, b));
            Self(both!($cast_back(sum)))
        }
        #[inline(always)]
        fn sub_bits(self, other: Self) -> Self {
            let (a, b) = (both!($cast(self.0)), both!($cast(other.0)));
            let difference = both!($sub(a, b));
            Self(both!($cast_back(difference)))
        }
        #[inline(always)]
        fn shl_bits<const N: u32>(self) -> Self {
            // The compiler emits the form with an immediate count, whose intrinsic wants N as an `i32` constant.
            let (a, count) = (both!($cast(self.0)), [avx2!(_mm_cvtsi32_si128(N as i32)); 2]);
            let shifted = both!($shl(a, count));
            Self(both!($cast_back(shifted)))
        }
        #[inline(always)]
        fn shr_bits<const N: u32>(self) -> Self {
            let (a, count) = (both!($cast(self.0)), [avx2!(_mm_cvtsi32_si128(N as i32)); 2]);
            let shifted = both!($shr(a, count));
            Self(both!($cast_back(shifted)))
        }
        #[inline(always)]
        fn gradual_mul(self, other: Self) -> Self {
            gradual::product::$float(self, other)
        }
    };
}

/// Folds each of 4 rows of `f64`: lanes 2 apart, then 1, so that row r ends in lane r.
#[inline(always)]
fn sum_rows(rows: [__m256d; 4]) -> __m256d {
    macro_rules! halves {
        ($a:expr, $b:expr) => {
            avx2!(_mm256_add_pd(
                avx2!(_mm256_permute2f128_pd::<0x20>($a, $b)),
                avx2!(_mm256_permute2f128_pd::<0x31>($a, $b))
            ))
        };
    }
    let (a, b) = (halves!(rows[0], rows[2]), halves!(rows[1], rows[3]));
    avx2!(_mm256_add_pd(avx2!(_mm256_unpacklo_pd(a, b)), avx2!(_mm256_unpackhi_pd(a, b))))
}

/// The same fold with the maximum in place of the sum.
#[inline(always)]
fn max_rows(rows: [__m256d; 4]) -> __m256d {
    macro_rules! halves {
        ($a:expr, $b:expr) => {
            avx2!(_mm256_max_pd(
                avx2!(_mm256_permute2f128_pd::<0x20>($a, $b)),
                avx2!(_mm256_permute2f128_pd::<0x31>($a, $b))
            ))
        };
    }
    let (a, b) = (halves!(rows[0], rows[2]), halves!(rows[1], rows[3]));
    avx2!(_mm256_max_pd(avx2!(_mm256_unpacklo_pd(a, b)), avx2!(_mm256_unpackhi_pd(a, b))))
}

impl Lanes for F32 {
    shared_methods!(
        f32,
        __m256,
        i32,
        [
            _mm256_castps_si256,
            _mm256_castsi256_ps,
            _mm256_set1_ps,
            _mm256_set1_epi32,
            _mm256_fmadd_ps,
            _mm256_fnmadd_ps,
            _mm256_and_ps,
            _mm256_andnot_ps,
            _mm256_or_ps,
            _mm256_max_ps,
            _mm256_min_ps,
            _mm256_cmp_ps,
            _mm256_blendv_ps,
            _mm256_add_epi32,
            _mm256_sub_epi32,
            _mm256_sll_epi32,
            _mm256_srl_epi32
        ]
    );

    #[inline(always)]
    fn lookup(self, table: &[f32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = *table;
        let table = [avx2!(_mm256_setr_ps(a, b, c, d, e, f, g, h)); 2];
        let index = both!(_mm256_castps_si256(self.0));
        Self(both!(_mm256_permutevar8x32_ps(table, index)))
    }
    #[inline(always)]
    fn first_lanes(self, count: usize) -> Self::Mask {
        let masks = masks_f32(count);
        VectorMask(both!(_mm256_castsi256_ps(masks)))
    }
    #[inline(always)]
    fn widen(self) -> [F64; 2] {
        macro_rules! double {
            ($register:expr) => {
                F64([
                    avx2!(_mm256_cvtps_pd(avx2!(_mm256_castps256_ps128($register)))),
                    avx2!(_mm256_cvtps_pd(avx2!(_mm256_extractf128_ps::<1>($register)))),
                ])
            };
        }
        [double!(self.0[0]), double!(self.0[1])]
    }
    #[inline(always)]
    fn narrow([a, b]: [F64; 2]) -> Self {
        macro_rules! single {
            ($double:expr) => {
                avx2!(_mm256_insertf128_ps::<1>(
                    avx2!(_mm256_castps128_ps256(avx2!(_mm256_cvtpd_ps($double.0[0])))),
                    avx2!(_mm256_cvtpd_ps($double.0[1]))
                ))
            };
        }
        Self([single!(a), single!(b)])
    }
    #[inline(always)]
    fn to_array(self) -> [f32; 16] {
        let mut lanes = [0.0; 16];
        let (low, high) = lanes.split_at_mut(8);
        let all = avx2!(_mm256_set1_epi64x(-1));
        avx2!(_mm256_maskstore_ps(low.as_mut_ptr(), all, self.0[0]));
        avx2!(_mm256_maskstore_ps(high.as_mut_ptr(), all, self.0[1]));
        lanes
    }
    #[inline(always)]
    fn with_array(self, lanes: [f32; 16]) -> Self {
        let (low, high) = lanes.split_at(8);
        let all = avx2!(_mm256_set1_epi64x(-1));
        Self([avx2!(_mm256_maskload_ps(low.as_ptr(), all)), avx2!(_mm256_maskload_ps(high.as_ptr(), all))])
    }
}

impl Fold for F32 {
    #[inline(always)]
    fn fold_max(rows: &[Self; ROWS]) -> Self {
        // Lanes 8 apart are combined, then 4, 2, 1. The rows at each step are chosen so that row r ends in lane r.
        macro_rules! eighths {
            ($row:expr) => {
                avx2!(_mm256_max_ps(rows[$row].0[0], rows[$row].0[1]))
            };
        }
        macro_rules! quarters {
            ($p:expr) => {{
                let (a, b) = (eighths!($p), eighths!($p + 4));
                avx2!(_mm256_max_ps(
                    avx2!(_mm256_permute2f128_ps::<0x20>(a, b)),
                    avx2!(_mm256_permute2f128_ps::<0x31>(a, b))
                ))
            }};
        }
        macro_rules! pairs {
            ($p:expr) => {{
                let (a, b) = (quarters!($p), quarters!($p + 1));
                avx2!(_mm256_max_ps(avx2!(_mm256_shuffle_ps::<0x44>(a, b)), avx2!(_mm256_shuffle_ps::<0xEE>(a, b))))
            }};
        }
        macro_rules! singles {
            ($p:expr) => {{
                let (a, b) = (pairs!($p), pairs!($p + 2));
                avx2!(_mm256_max_ps(avx2!(_mm256_shuffle_ps::<0x88>(a, b)), avx2!(_mm256_shuffle_ps::<0xDD>(a, b))))
            }};
        }
        Self([singles!(0), singles!(8)])
    }
    #[inline(always)]
    fn fold_sum(rows: &[Self; ROWS]) -> [F64; 2] {
        macro_rules! quarters {
            ($row:expr) => {{
                let [low, high] = rows[$row].widen();
                let sum = low + high;
                avx2!(_mm256_add_pd(sum.0[0], sum.0[1]))
            }};
        }
        macro_rules! four {
            ($p:expr) => {
                sum_rows([quarters!($p), quarters!($p + 1), quarters!($p + 2), quarters!($p + 3)])
            };
        }
        [F64([four!(0), four!(4)]), F64([four!(8), four!(12)])]
    }
}

impl Lanes for F64 {
    shared_methods!(
        f64,
        __m256d,
        i64,
        [
            _mm256_castpd_si256,
            _mm256_castsi256_pd,
            _mm256_set1_pd,
            _mm256_set1_epi64x,
            _mm256_fmadd_pd,
            _mm256_fnmadd_pd,
            _mm256_and_pd,
            _mm256_andnot_pd,
            _mm256_or_pd,
            _mm256_max_pd,
            _mm256_min_pd,
            _mm256_cmp_pd,
            _mm256_blendv_pd,
            _mm256_add_epi64,
            _mm256_sub_epi64,
            _mm256_sll_epi64,
            _mm256_srl_epi64
        ]
    );

    #[inline(always)]
    fn first_lanes(self, count: usize) -> Self::Mask {
        let masks = masks_f64(count);
        VectorMask(both!(_mm256_castsi256_pd(masks)))
    }
    #[inline(always)]
    fn widen(self) -> [F64; 2] {
        [self, self]
    }
    #[inline(always)]
    fn narrow([a, _]: [F64; 2]) -> Self {
        a
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        let mut lanes = [0.0; 8];
        let (low, high) = lanes.split_at_mut(4);
        let all = avx2!(_mm256_set1_epi64x(-1));
        avx2!(_mm256_maskstore_pd(low.as_mut_ptr(), all, self.0[0]));
        avx2!(_mm256_maskstore_pd(high.as_mut_ptr(), all, self.0[1]));
        lanes
    }
    #[inline(always)]
    fn with_array(self, lanes: [f64; 8]) -> Self {
        let (low, high) = lanes.split_at(4);
        let all = avx2!(_mm256_set1_epi64x(-1));
        Self([avx2!(_mm256_maskload_pd(low.as_ptr(), all)), avx2!(_mm256_maskload_pd(high.as_ptr(), all))])
    }
}

impl Fold for F64 {
    #[inline(always)]
    fn fold_max(rows: &[Self; ROWS]) -> Self {
        macro_rules! quarters {
            ($row:expr) => {
                avx2!(_mm256_max_pd(rows[$row].0[0], rows[$row].0[1]))
            };
        }
        macro_rules! four {
            ($p:expr) => {
                max_rows([quarters!($p), quarters!($p + 1), quarters!($p + 2), quarters!($p + 3)])
            };
        }
        Self([four!(0), four!(4)])
    }
    #[inline(always)]
    fn fold_sum(rows: &[Self; ROWS]) -> [F64; 2] {
        macro_rules! quarters {
            ($row:expr) => {
                avx2!(_mm256_add_pd(rows[$row].0[0], rows[$row].0[1]))
            };
        }
        macro_rules! four {
            ($p:expr) => {
                sum_rows([quarters!($p), quarters!($p + 1), quarters!($p + 2), quarters!($p + 3)])
            };
        }
        let sums = F64([four!(0), four!(4)]);
        [sums, sums]
    }
}

/// The masks of the first `count` lanes, one for each register: a window into a table of all ones followed by all
/// zeros.
macro_rules! masks {
    ($name:ident, $int:ident, $count:literal) => {
        #[inline(always)]
        fn $name(count: usize) -> [__m256i; 2] {
            static TABLE: [$int; 2 * $count] = {
                let mut table = [0; 2 * $count];
                let mut i = 0;
                while i < $count {
                    table[i] = -1;
                    i += 1;
                }
                table
            };
            assert!(count <= $count);
            let start = TABLE.as_ptr().wrapping_add($count - count);
            // SAFETY: only code that has a lane value or the token calls this, so the features exist: see `avx2!`. The
            // table is twice as long as the window, which starts at most half way into it.
            unsafe { [_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.wrapping_add($count / 2).cast())] }
        }
    };
}

masks!(masks_f32, i32, 16);
masks!(masks_f64, i64, 8);

// Whole loads and stores are masked ones with every lane set. The compiler makes plain ones of them. Plain intrinsics
// check their pointers in debug builds of the caller.
macro_rules! memory {
    ($lanes:ident, $float:ident, $count:literal, $masks:ident,
     [$zero:ident, $load:ident, $store:ident, $stream:ident]) => {
        impl Memory for $lanes {
            type Simd = Avx2;
            #[inline(always)]
            fn zero(_: Avx2) -> Self {
                Self([avx2!($zero()); 2])
            }
            #[inline(always)]
            unsafe fn load(_: Avx2, from: *const $float) -> Self {
                // SAFETY: the token proves the features. The caller promises all lanes.
                Self(unsafe {
                    let all = _mm256_set1_epi64x(-1);
                    [$load(from, all), $load(from.wrapping_add($count / 2), all)]
                })
            }
            #[inline(always)]
            unsafe fn load_partial(_: Avx2, from: *const $float, count: usize) -> Self {
                let [low, high] = $masks(count);
                // SAFETY: the token proves the features. Lanes that are masked out are not read, so their address may
                // be outside.
                Self(unsafe { [$load(from, low), $load(from.wrapping_add($count / 2), high)] })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the value proves the features. The caller promises all lanes.
                unsafe {
                    let all = _mm256_set1_epi64x(-1);
                    $store(to, all, self.0[0]);
                    $store(to.wrapping_add($count / 2), all, self.0[1]);
                }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $float) {
                // SAFETY: the value proves the features. The caller promises all lanes and their alignment.
                unsafe {
                    $stream(to, self.0[0]);
                    $stream(to.wrapping_add($count / 2), self.0[1]);
                }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $float, count: usize) {
                let [low, high] = $masks(count);
                // SAFETY: the value proves the features. Lanes that are masked out are not written.
                unsafe {
                    $store(to, low, self.0[0]);
                    $store(to.wrapping_add($count / 2), high, self.0[1]);
                }
            }
        }
    };
}

memory!(F32, f32, 16, masks_f32, [_mm256_setzero_ps, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_stream_ps]);
memory!(F64, f64, 8, masks_f64, [_mm256_setzero_pd, _mm256_maskload_pd, _mm256_maskstore_pd, _mm256_stream_pd]);
