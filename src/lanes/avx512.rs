//! AVX-512: one register per lane value, masks in mask registers.
// The argument of an intrinsic may be an intrinsic: unsafe blocks are then nested.
#![allow(unsafe_code, unused_unsafe)]

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::{Fold, Lanes, Mask, Memory, ROWS, Simd, gradual};

/// The token of the AVX-512 lanes: AVX-512 F, VL, DQ and BW, AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The CPU must have every feature that `dispatch::avx512::run` enables.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx512 {
    type F32 = F32;
    type F64 = F64;
    const UNROLL: usize = 4;
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
        // SAFETY: the types have 32 bytes without invariants, and those after the conversion 64. The token proves that the
        // instruction exists.
        unsafe {
            let bits = std::mem::transmute::<[u16; 16], __m256i>(bits);
            std::mem::transmute::<__m512, [f32; 16]>(_mm512_cvtph_ps(bits))
        }
    }
    #[cfg(feature = "half")]
    #[inline(always)]
    fn narrow_f16(self, numbers: [f32; 16]) -> [u16; 16] {
        // SAFETY: as in `widen_f16`.
        unsafe {
            let numbers = std::mem::transmute::<[f32; 16], __m512>(numbers);
            std::mem::transmute::<__m256i, [u16; 16]>(_mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(numbers))
        }
    }
}

/// 16 `f32`.
#[derive(Clone, Copy)]
pub struct F32(__m512);

/// 8 `f64`.
#[derive(Clone, Copy)]
pub struct F64(__m512d);

/// One bit per lane.
#[derive(Clone, Copy)]
pub struct BitMask<T>(T);

macro_rules! mask {
    ($bits:ident) => {
        impl Mask for BitMask<$bits> {
            #[inline(always)]
            fn all(self) -> bool {
                self.0 == $bits::MAX
            }
        }
    };
}

mask!(__mmask16);
mask!(__mmask8);

/// Calls an intrinsic.
///
/// Why that is sound, for all intrinsics of this module: a value of its lane types is made from the token or from
/// another such value, and the token is made only where the CPU has the features. So a function that has a lane value,
/// or the token, may call them.
macro_rules! avx512 {
    ($intrinsic:ident $(::<$n:tt>)? ($($argument:expr),*)) => {{
        // SAFETY: the lane values prove that the features exist, as said above.
        unsafe { $intrinsic $(::<$n>)? ($($argument),*) }
    }};
}

macro_rules! operator {
    ($lanes:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(avx512!($intrinsic(self.0, other.0)))
            }
        }
    };
}

operator!(F32, Add, add, _mm512_add_ps);
operator!(F32, Sub, sub, _mm512_sub_ps);
operator!(F32, Mul, mul, _mm512_mul_ps);
operator!(F32, Div, div, _mm512_div_ps);
operator!(F64, Add, add, _mm512_add_pd);
operator!(F64, Sub, sub, _mm512_sub_pd);
operator!(F64, Mul, mul, _mm512_mul_pd);
operator!(F64, Div, div, _mm512_div_pd);

/// Folds two vectors into one of the same size: one shuffle gathers the first operands, another the second ones.
macro_rules! fold {
    ($fold:ident, $shuffle:ident, $low:literal, $high:literal, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        Self(avx512!($shuffle::<$low>(a.0, b.0))).$fold(Self(avx512!($shuffle::<$high>(a.0, b.0))))
    }};
}

/// Folds each of 16 rows of `f32`: lanes i and i + 8, then 4, 2, 1 apart.
///
/// The rows that are combined at each step are chosen so that row r ends in lane r.
macro_rules! fold_f32 {
    ($rows:ident, $fold:ident) => {{
        macro_rules! four {
            ($p:literal) => {{
                let a = fold!($fold, _mm512_shuffle_f32x4, 0x44, 0xEE, $rows[$p], $rows[$p + 4]);
                let b = fold!($fold, _mm512_shuffle_f32x4, 0x44, 0xEE, $rows[$p + 8], $rows[$p + 12]);
                fold!($fold, _mm512_shuffle_f32x4, 0x88, 0xDD, a, b)
            }};
        }
        let even = fold!($fold, _mm512_shuffle_ps, 0x44, 0xEE, four!(0), four!(1));
        let odd = fold!($fold, _mm512_shuffle_ps, 0x44, 0xEE, four!(2), four!(3));
        fold!($fold, _mm512_shuffle_ps, 0x88, 0xDD, even, odd)
    }};
}

/// Folds each of 8 rows of `f64`: lanes i and i + 4, then 2, 1 apart.
macro_rules! fold_f64 {
    ($rows:ident, $fold:ident) => {{
        macro_rules! four {
            ($p:literal) => {{
                let a = fold!($fold, _mm512_shuffle_f64x2, 0x44, 0xEE, $rows[$p], $rows[$p + 2]);
                let b = fold!($fold, _mm512_shuffle_f64x2, 0x44, 0xEE, $rows[$p + 4], $rows[$p + 6]);
                fold!($fold, _mm512_shuffle_f64x2, 0x88, 0xDD, a, b)
            }};
        }
        fold!($fold, _mm512_shuffle_pd, 0x00, 0xFF, four!(0), four!(1))
    }};
}

impl F32 {
    #[inline(always)]
    fn int(self) -> __m512i {
        avx512!(_mm512_castps_si512(self.0))
    }
    #[inline(always)]
    fn from_int(bits: __m512i) -> Self {
        Self(avx512!(_mm512_castsi512_ps(bits)))
    }
}

impl F64 {
    #[inline(always)]
    fn int(self) -> __m512i {
        avx512!(_mm512_castpd_si512(self.0))
    }
    #[inline(always)]
    fn from_int(bits: __m512i) -> Self {
        Self(avx512!(_mm512_castsi512_pd(bits)))
    }
    #[inline(always)]
    fn sum_rows(rows: &[Self]) -> Self {
        fold_f64!(rows, add)
    }
}

macro_rules! shared_methods {
    ($float:ident, $count:literal, $mask:ident, $int:ident, [$set1:ident, $set1_bits:ident, $fmadd:ident, $fnmadd:ident,
      $abs:ident, $max:ident, $min:ident, $cmp:ident, $blend:ident, $add:ident, $sub:ident, $shl:ident, $shr:ident]) => {
        type Float = $float;
        type Mask = BitMask<$mask>;
        type Double = F64;
        const FUSED: bool = true;

        #[inline(always)]
        fn splat(self, value: f64) -> Self {
            Self(avx512!($set1(value as $float)))
        }
        #[inline(always)]
        fn broadcast(self, element: $float) -> Self {
            Self(avx512!($set1(element)))
        }
        #[inline(always)]
        fn splat_bits(self, bits: u64) -> Self {
            Self::from_int(avx512!($set1_bits(bits as $int)))
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, term: Self) -> Self {
            Self(avx512!($fmadd(self.0, factor.0, term.0)))
        }
        #[inline(always)]
        fn neg_mul_add(self, factor: Self, term: Self) -> Self {
            Self(avx512!($fnmadd(self.0, factor.0, term.0)))
        }
        #[inline(always)]
        fn abs(self) -> Self {
            Self(avx512!($abs(self.0)))
        }
        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            let bit = self.splat(-0.0).int();
            // For each bit: that of `sign` where `bit` is set, else that of `self`.
            Self::from_int(avx512!(_mm512_ternarylogic_epi32::<0xD8>(self.int(), sign.int(), bit)))
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(avx512!($max(self.0, other.0)))
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(avx512!($min(self.0, other.0)))
        }
        #[inline(always)]
        fn lt(self, other: Self) -> Self::Mask {
            BitMask(avx512!($cmp::<_CMP_LT_OQ>(self.0, other.0)))
        }
        #[inline(always)]
        fn le(self, other: Self) -> Self::Mask {
            BitMask(avx512!($cmp::<_CMP_LE_OQ>(self.0, other.0)))
        }
        #[inline(always)]
        fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
            Self(avx512!($blend(mask.0, no.0, yes.0)))
        }
        #[inline(always)]
        fn first_lanes(self, count: usize) -> Self::Mask {
            BitMask(first_bits(count) as $mask)
        }
        #[inline(always)]
        fn add_bits(self, other: Self) -> Self {
            Self::from_int(avx512!($add(self.int(), other.int())))
        }
        #[inline(always)]
        fn sub_bits(self, other: Self) -> Self {
            Self::from_int(avx512!($sub(self.int(), other.int())))
        }
        #[inline(always)]
        fn shl_bits<const N: u32>(self) -> Self {
            Self::from_int(avx512!($shl::<N>(self.int())))
        }
        #[inline(always)]
        fn shr_bits<const N: u32>(self) -> Self {
            Self::from_int(avx512!($shr::<N>(self.int())))
        }
        #[inline(always)]
        fn gradual_mul(self, other: Self) -> Self {
            gradual::product::$float(self, other)
        }
    };
}

impl Lanes for F32 {
    shared_methods!(
        f32,
        16,
        __mmask16,
        i32,
        [
            _mm512_set1_ps,
            _mm512_set1_epi32,
            _mm512_fmadd_ps,
            _mm512_fnmadd_ps,
            _mm512_abs_ps,
            _mm512_max_ps,
            _mm512_min_ps,
            _mm512_cmp_ps_mask,
            _mm512_mask_blend_ps,
            _mm512_add_epi32,
            _mm512_sub_epi32,
            _mm512_slli_epi32,
            _mm512_srli_epi32
        ]
    );

    #[inline(always)]
    fn lookup(self, table: &[f32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = *table;
        // Twice the table, so that bit 3 of the index does not matter.
        let table = avx512!(_mm512_setr_ps(a, b, c, d, e, f, g, h, a, b, c, d, e, f, g, h));
        Self(avx512!(_mm512_permutexvar_ps(self.int(), table)))
    }
    #[inline(always)]
    fn widen(self) -> [F64; 2] {
        let low = avx512!(_mm512_castps512_ps256(self.0));
        let high = avx512!(_mm512_extractf32x8_ps::<1>(self.0));
        [F64(avx512!(_mm512_cvtps_pd(low))), F64(avx512!(_mm512_cvtps_pd(high)))]
    }
    #[inline(always)]
    fn narrow([a, b]: [F64; 2]) -> Self {
        let low = avx512!(_mm512_castps256_ps512(avx512!(_mm512_cvtpd_ps(a.0))));
        Self(avx512!(_mm512_insertf32x8::<1>(low, avx512!(_mm512_cvtpd_ps(b.0)))))
    }
    #[inline(always)]
    fn to_array(self) -> [f32; 16] {
        let mut lanes = [0.0; 16];
        avx512!(_mm512_mask_storeu_ps(lanes.as_mut_ptr(), u16::MAX, self.0));
        lanes
    }
    #[inline(always)]
    fn with_array(self, lanes: [f32; 16]) -> Self {
        Self(avx512!(_mm512_maskz_loadu_ps(u16::MAX, lanes.as_ptr())))
    }
}

impl Fold for F32 {
    #[inline(always)]
    fn fold_max(rows: &[Self; ROWS]) -> Self {
        fold_f32!(rows, max)
    }
    #[inline(always)]
    fn fold_sum(rows: &[Self; ROWS]) -> [F64; 2] {
        let mut sums = [rows[0].widen()[0]; ROWS];
        for r in 0..ROWS {
            let [low, high] = rows[r].widen();
            sums[r] = low + high;
        }
        let (first, second) = (F64::sum_rows(&sums[..8]), F64::sum_rows(&sums[8..]));
        [first, second]
    }
}

impl Lanes for F64 {
    shared_methods!(
        f64,
        8,
        __mmask8,
        i64,
        [
            _mm512_set1_pd,
            _mm512_set1_epi64,
            _mm512_fmadd_pd,
            _mm512_fnmadd_pd,
            _mm512_abs_pd,
            _mm512_max_pd,
            _mm512_min_pd,
            _mm512_cmp_pd_mask,
            _mm512_mask_blend_pd,
            _mm512_add_epi64,
            _mm512_sub_epi64,
            _mm512_slli_epi64,
            _mm512_srli_epi64
        ]
    );

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
        avx512!(_mm512_mask_storeu_pd(lanes.as_mut_ptr(), u8::MAX, self.0));
        lanes
    }
    #[inline(always)]
    fn with_array(self, lanes: [f64; 8]) -> Self {
        Self(avx512!(_mm512_maskz_loadu_pd(u8::MAX, lanes.as_ptr())))
    }
}

impl Fold for F64 {
    #[inline(always)]
    fn fold_max(rows: &[Self; ROWS]) -> Self {
        fold_f64!(rows, max)
    }
    #[inline(always)]
    fn fold_sum(rows: &[Self; ROWS]) -> [F64; 2] {
        let sums = Self::sum_rows(&rows[..8]);
        [sums, sums]
    }
}

// Whole loads and stores are masked ones with every bit set. The compiler makes plain ones of them. Plain intrinsics
// check their pointers in debug builds of the caller.
macro_rules! memory {
    ($lanes:ident, $float:ident, $mask:ident,
     [$zero:ident, $load:ident, $store:ident, $stream:ident]) => {
        impl Memory for $lanes {
            type Simd = Avx512;
            #[inline(always)]
            fn zero(_: Avx512) -> Self {
                Self(avx512!($zero()))
            }
            #[inline(always)]
            unsafe fn load(_: Avx512, from: *const $float) -> Self {
                // SAFETY: the token proves the features. The caller promises all lanes.
                Self(unsafe { $load($mask::MAX, from) })
            }
            #[inline(always)]
            unsafe fn load_partial(_: Avx512, from: *const $float, count: usize) -> Self {
                // SAFETY: the token proves the features. Lanes that are masked out are not read.
                Self(unsafe { $load(first_bits(count) as $mask, from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the value proves the features. The caller promises all lanes.
                unsafe { $store(to, $mask::MAX, self.0) }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $float) {
                // SAFETY: the value proves the features. The caller promises all lanes and their alignment.
                unsafe { $stream(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $float, count: usize) {
                // SAFETY: the value proves the features. Lanes that are masked out are not written.
                unsafe { $store(to, first_bits(count) as $mask, self.0) }
            }
        }
    };
}

/// The mask of the first `count` lanes.
#[inline(always)]
fn first_bits(count: usize) -> u32 {
    (1_u32 << count) - 1
}

memory!(F32, f32, __mmask16, [_mm512_setzero_ps, _mm512_maskz_loadu_ps, _mm512_mask_storeu_ps, _mm512_stream_ps]);
memory!(F64, f64, __mmask8, [_mm512_setzero_pd, _mm512_maskz_loadu_pd, _mm512_mask_storeu_pd, _mm512_stream_pd]);
