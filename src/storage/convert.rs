//! The conversions of whole slices between 16-bit types and `f32`.

use crate::dispatch::{Kernel, Level};
use crate::lanes::{self, CONVERTED, Half, Simd};

/// Converts numbers to `f32`.
pub fn widen<H: Half>(level: Level, from: &[H], to: &mut [f32]) {
    level.run(Each { from: H::bits(from), to, conversion: Widen { is_bf16: H::IS_BF16 } });
}

/// Rounds numbers to a 16-bit type.
pub fn narrow<H: Half>(level: Level, from: &[f32], to: &mut [H]) {
    level.run(Each { from, to: H::bits_mut(to), conversion: Narrow { is_bf16: H::IS_BF16 } });
}

/// A conversion of numbers of type `A` to type `B`.
trait Conversion<A, B> {
    fn apply<S: Simd>(&self, simd: S, numbers: [A; CONVERTED]) -> [B; CONVERTED];
}

struct Widen {
    is_bf16: bool,
}

impl Conversion<u16, f32> for Widen {
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, bits: [u16; CONVERTED]) -> [f32; CONVERTED] {
        lanes::widen(simd, bits, self.is_bf16)
    }
}

struct Narrow {
    is_bf16: bool,
}

impl Conversion<f32, u16> for Narrow {
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, numbers: [f32; CONVERTED]) -> [u16; CONVERTED] {
        lanes::narrow(simd, numbers, self.is_bf16)
    }
}

/// A conversion of each number of a slice.
struct Each<'a, A, B, C> {
    from: &'a [A],
    to: &'a mut [B],
    conversion: C,
}

impl<A: Copy + Default, B: Copy, C: Conversion<A, B>> Kernel for Each<'_, A, B, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        assert!(self.from.len() == self.to.len());
        let (from, last) = self.from.as_chunks();
        let (to, last_to) = self.to.as_chunks_mut();
        for i in 0..from.len() {
            to[i] = self.conversion.apply(simd, from[i]);
        }
        if last.is_empty() {
            return;
        }
        let mut padded = [A::default(); CONVERTED];
        padded[..last.len()].copy_from_slice(last);
        last_to.copy_from_slice(&self.conversion.apply(simd, padded)[..last.len()]);
    }
}
