//! The 16-bit element types, `f16` and `bf16`, and their conversions to `f32` and back.
//!
//! A conversion is done on 16 numbers at a time. `f16` has instructions on AVX2 (F16C) and AVX-512. All else is integer
//! arithmetic, which the compiler turns into vector instructions:
//!
//! ```text
//! f16 to f32      normal: the exponent moved by 112; subnormal: the integer times 2^-24; inf and NaN: the largest exponent
//! f32 to f16      normal: half of the last place added, less one unless the last bit is odd, then cut;
//!                 below 2^-14: |x| + 0.5, whose last place is the smallest f16
//! bf16 to f32     16 bits more
//! f32 to bf16     rounded as above, NaN kept
//! ```
//!
//! Every conversion rounds to nearest even and keeps subnormal numbers and NaN, whose payload may change.

use ::half::slice::HalfFloatSliceExt;
use ::half::{bf16, f16};

use super::{Element, Simd};

/// The numbers that are converted at once.
pub const COUNT: usize = 16;

/// A 16-bit element type.
pub trait Half: Element {
    /// Whether this is `bf16`. Otherwise it is `f16`.
    const IS_BF16: bool;
    /// The bit patterns.
    fn bits(numbers: &[Self]) -> &[u16];
    /// The bit patterns.
    fn bits_mut(numbers: &mut [Self]) -> &mut [u16];
}

macro_rules! half {
    ($half:ident, $is_bf16:literal) => {
        impl Element for $half {
            const MIN_POSITIVE: f64 = $half::MIN_POSITIVE.to_f64_const();
            const MAX_FINITE: f64 = $half::MAX.to_f64_const();
            const EPSILON: f64 = $half::EPSILON.to_f64_const();
            const LANES: usize = 16;
            fn from_f64(value: f64) -> Self {
                $half::from_f64(value)
            }
            fn to_f64(self) -> f64 {
                $half::to_f64(self)
            }
        }

        impl Half for $half {
            const IS_BF16: bool = $is_bf16;
            fn bits(numbers: &[Self]) -> &[u16] {
                numbers.reinterpret_cast()
            }
            fn bits_mut(numbers: &mut [Self]) -> &mut [u16] {
                numbers.reinterpret_cast_mut()
            }
        }
    };
}

half!(f16, false);
half!(bf16, true);

/// 16-bit numbers to `f32`.
#[inline(always)]
pub fn widen<S: Simd>(simd: S, bits: [u16; COUNT], is_bf16: bool) -> [f32; COUNT] {
    if !is_bf16 {
        return simd.widen_f16(bits);
    }
    let mut wide = [0.0; COUNT];
    for i in 0..COUNT {
        wide[i] = f32::from_bits(u32::from(bits[i]) << 16);
    }
    wide
}

/// `f32` to 16-bit numbers.
#[inline(always)]
pub fn narrow<S: Simd>(simd: S, numbers: [f32; COUNT], is_bf16: bool) -> [u16; COUNT] {
    if !is_bf16 {
        return simd.narrow_f16(numbers);
    }
    let mut bits = [0; COUNT];
    for i in 0..COUNT {
        let x = numbers[i].to_bits();
        let rounded = (x.wrapping_add(0x7fff + (x >> 16 & 1))) >> 16;
        let nan = x >> 16 | 0x40;
        bits[i] = if x & 0x7fff_ffff > 0x7f80_0000 { nan } else { rounded } as u16;
    }
    bits
}

/// `f16` to `f32` by integers.
#[inline(always)]
pub fn widen_f16(bits: [u16; COUNT]) -> [f32; COUNT] {
    let mut wide = [0.0; COUNT];
    for i in 0..COUNT {
        let x = u32::from(bits[i]);
        let (sign, magnitude) = ((x & 0x8000) << 16, x & 0x7fff);
        let subnormal = (magnitude as i32 as f32 * 2_f32.powi(-24)).to_bits();
        let normal = (magnitude << 13) + (112 << 23);
        let special = (magnitude << 13) + (224 << 23);
        let finite = if magnitude < 0x400 { subnormal } else { normal };
        wide[i] = f32::from_bits(if magnitude < 0x7c00 { finite } else { special } | sign);
    }
    wide
}

/// `f32` to `f16` by integers.
#[inline(always)]
pub fn narrow_f16(numbers: [f32; COUNT]) -> [u16; COUNT] {
    let mut bits = [0; COUNT];
    for i in 0..COUNT {
        let x = numbers[i].to_bits();
        let (sign, magnitude) = (x >> 16 & 0x8000, x & 0x7fff_ffff);
        let normal = magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + (magnitude >> 13 & 1)) >> 13;
        let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits());
        let finite = if magnitude < 0x3880_0000 { subnormal } else { normal };
        // From 65520 on, half way between the largest number and the next power of two, the result is infinite.
        let number = if magnitude < 0x477f_f000 { finite } else { 0x7c00 };
        bits[i] = (if magnitude > 0x7f80_0000 { 0x7e00 } else { number } | sign) as u16;
    }
    bits
}
