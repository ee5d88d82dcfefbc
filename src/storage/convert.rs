//! The conversions of whole slices between 16-bit types and `f32`.

use crate::dispatch::{Kernel, Level};
use crate::lanes::{self, CONVERTED, Half, Simd};

/// Converts numbers to `f32`.
pub fn widen<H: Half>(level: Level, from: &[H], to: &mut [f32]) {
    level.run(Widen { from: H::bits(from), to, is_bf16: H::IS_BF16 });
}

/// Rounds numbers to a 16-bit type.
pub fn narrow<H: Half>(level: Level, from: &[f32], to: &mut [H]) {
    level.run(Narrow { from, to: H::bits_mut(to), is_bf16: H::IS_BF16 });
}

/// [`widen`].
struct Widen<'a> {
    from: &'a [u16],
    to: &'a mut [f32],
    is_bf16: bool,
}

impl Kernel for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        assert!(self.from.len() == self.to.len());
        let (from, last) = self.from.as_chunks();
        let (to, last_to) = self.to.as_chunks_mut();
        for i in 0..from.len() {
            to[i] = lanes::widen(simd, from[i], self.is_bf16);
        }
        if last.is_empty() {
            return;
        }
        let mut padded = [0; CONVERTED];
        padded[..last.len()].copy_from_slice(last);
        last_to.copy_from_slice(&lanes::widen(simd, padded, self.is_bf16)[..last.len()]);
    }
}

/// [`narrow`].
struct Narrow<'a> {
    from: &'a [f32],
    to: &'a mut [u16],
    is_bf16: bool,
}

impl Kernel for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        assert!(self.from.len() == self.to.len());
        let (from, last) = self.from.as_chunks();
        let (to, last_to) = self.to.as_chunks_mut();
        for i in 0..from.len() {
            to[i] = lanes::narrow(simd, from[i], self.is_bf16);
        }
        if last.is_empty() {
            return;
        }
        let mut padded = [0.0; CONVERTED];
        padded[..last.len()].copy_from_slice(last);
        last_to.copy_from_slice(&lanes::narrow(simd, padded, self.is_bf16)[..last.len()]);
    }
}
