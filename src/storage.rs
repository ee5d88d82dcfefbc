//! How element types are stored and computed: `f32` and `f64` as they are, `f16` and `bf16` in `f32`, through buffers.
//!
//! ```text
//! blocks, f32 and f64:   run(all)
//! blocks, f16 and bf16:  for each block of 2048 elements: sources to f32; run(the buffers); outputs rounded, stored
//! rows, f16 and bf16:    the same with some whole rows at a time, 4096 elements or one row
//! ```
//!
//! So no kernel knows of 16-bit numbers, and a result is the `f32` result, rounded once.

#[cfg(feature = "half")]
mod convert;

#[cfg(feature = "half")]
use convert::{narrow, widen};

use crate::dispatch::Level;
use crate::elementwise::{self, Map};
use crate::lanes::{Element, Real, Rows, Slices};
#[cfg(feature = "half")]
use crate::lanes::{Half, Shape};
use crate::sum::{Sum, Terms};

/// An element type of slices, and the type that it is computed in.
pub trait Storage: Element {
    /// The type of the arithmetic, and of numbers of which a row has one: `f64` for `f64`, else `f32`.
    type Arithmetic: Real;

    /// Runs work on all slices, or on one block of them after another. Each call gets the block's first index. Work writes
    /// all outputs, each element from the sources at its index.
    #[doc(hidden)]
    fn blocks<const N: usize, const M: usize>(
        level: Level,
        slices: &mut Slices<Self, N, M>,
        run: impl FnMut(usize, &mut Slices<Self::Arithmetic, N, M>),
    );

    /// Runs work on all rows, or on some rows after others. Each call gets the index of its first row.
    #[doc(hidden)]
    fn rows<const N: usize, const M: usize>(
        level: Level,
        rows: &mut Rows<Self, N, M>,
        run: impl FnMut(usize, &mut Rows<Self::Arithmetic, N, M>),
    );

    /// Applies a map.
    #[doc(hidden)]
    #[inline(always)]
    fn map<F: Map<N, M>, const N: usize, const M: usize>(level: Level, map: F, slices: &mut Slices<Self, N, M>) {
        Self::blocks(level, slices, |_, slices| elementwise::run(level, map, slices));
    }
}

impl<T: Real> Storage for T {
    type Arithmetic = T;

    #[inline(always)]
    fn blocks<const N: usize, const M: usize>(
        _: Level,
        slices: &mut Slices<T, N, M>,
        mut run: impl FnMut(usize, &mut Slices<T, N, M>),
    ) {
        run(0, slices);
    }

    #[inline(always)]
    fn rows<const N: usize, const M: usize>(
        _: Level,
        rows: &mut Rows<T, N, M>,
        mut run: impl FnMut(usize, &mut Rows<T, N, M>),
    ) {
        run(0, rows);
    }
}

/// The elements of a block. A sum of blocks has the shape of [`crate::sum`] because this is a power of two.
#[cfg(feature = "half")]
const BLOCK: usize = 2048;
/// The elements of a block of short slices, whose buffers are quickly made.
#[cfg(feature = "half")]
const SHORT_BLOCK: usize = 128;
/// The elements behind a buffer: a load from one must not have the low address bits of a store to another just before.
#[cfg(feature = "half")]
const PADDING: usize = 80;
/// The elements of a block of rows, if there are several.
#[cfg(feature = "half")]
const ROW_ELEMENTS: usize = 4096;

#[cfg(feature = "half")]
macro_rules! half {
    ($half:ident) => {
        impl Storage for ::half::$half {
            type Arithmetic = f32;

            #[inline]
            fn blocks<const N: usize, const M: usize>(
                level: Level,
                slices: &mut Slices<Self, N, M>,
                mut run: impl FnMut(usize, &mut Slices<f32, N, M>),
            ) {
                if slices.len() <= SHORT_BLOCK {
                    half_blocks::<Self, N, M, { SHORT_BLOCK + PADDING }>(level, slices, &mut run);
                } else {
                    half_blocks::<Self, N, M, { BLOCK + PADDING }>(level, slices, &mut run);
                }
            }

            #[inline]
            fn rows<const N: usize, const M: usize>(
                level: Level,
                rows: &mut Rows<Self, N, M>,
                mut run: impl FnMut(usize, &mut Rows<f32, N, M>),
            ) {
                half_rows(level, rows, &mut run);
            }
        }
    };
}

#[cfg(feature = "half")]
half!(f16);
#[cfg(feature = "half")]
half!(bf16);

/// [`Storage::blocks`], with buffers of `B` elements.
#[cfg(feature = "half")]
fn half_blocks<H: Half, const N: usize, const M: usize, const B: usize>(
    level: Level,
    slices: &mut Slices<H, N, M>,
    run: &mut dyn FnMut(usize, &mut Slices<f32, N, M>),
) {
    let (mut sources, mut outputs) = ([[0.0; B]; N], [[0.0; B]; M]);
    for start in (0..slices.len()).step_by(B - PADDING) {
        let len = (B - PADDING).min(slices.len() - start);
        let mut part = slices.part(start, len);
        for (k, source) in sources.iter_mut().enumerate() {
            widen(level, part.source(k), &mut source[..len]);
        }
        let views =
            (sources.each_ref().map(|source| &source[..len]), outputs.each_mut().map(|output| &mut output[..len]));
        run(start, &mut Slices::between(views.0, views.1));
        for (m, output) in outputs.iter().enumerate() {
            narrow(level, &output[..len], part.output(m));
        }
    }
    slices.mark_written();
}

/// [`Storage::rows`].
#[cfg(feature = "half")]
fn half_rows<H: Half, const N: usize, const M: usize>(
    level: Level,
    rows: &mut Rows<H, N, M>,
    run: &mut dyn FnMut(usize, &mut Rows<f32, N, M>),
) {
    let (Shape { axis, inner, stride }, count) = (rows.shape(), rows.len());
    if count == 0 {
        return;
    }
    // Interleaved rows are copied first: each has some neighbours then.
    let most = (ROW_ELEMENTS / axis).clamp(if inner > 1 { H::LANES } else { 1 }, ROW_ELEMENTS).min(count);
    let mut buffers: [Vec<f32>; N] = std::array::from_fn(|_| vec![0.0; most * axis]);
    // A single source is overwritten. Two are not: a recipe may read the second after it has written.
    let mut outputs: [Vec<f32>; M] = std::array::from_fn(|_| if N > 1 { vec![0.0; most * axis] } else { Vec::new() });
    let copy = || if inner > 1 { vec![H::default(); most * axis] } else { Vec::new() };
    let mut copies: [Vec<H>; N] = std::array::from_fn(|_| copy());
    for first in (0..count).step_by(most) {
        let len = most.min(count - first);
        let mut part = rows.part(first, len);
        buffers.iter_mut().chain(&mut outputs).for_each(|buffer| buffer.truncate(len * axis));
        if inner > 1 {
            copies.iter_mut().for_each(|copy| copy.truncate(len * axis));
            part.copy_to(&mut copies);
            for (copy, buffer) in copies.iter().zip(&mut buffers) {
                widen(level, copy, buffer);
            }
        } else {
            for_contiguous(&mut part, stride == axis, |at, slices| {
                for (k, buffer) in buffers.iter_mut().enumerate() {
                    widen(level, slices.source(k), &mut buffer[at..at + slices.len()]);
                }
            });
        }
        let neighbours = if inner > 1 { len } else { 1 };
        let shape = Shape { axis, inner: neighbours, stride: axis * neighbours };
        let slices = match N {
            1 => Slices::buffers(&mut buffers),
            _ => Slices::between(buffers.each_ref().map(Vec::as_slice), outputs.each_mut().map(Vec::as_mut_slice)),
        };
        let block = Rows::new(slices, "block", shape);
        run(first, &mut if part.is_shared() { block.shared() } else { block });
        if M == 0 {
            continue;
        }
        let results = if N > 1 { &outputs[0] } else { &buffers[0] };
        if inner > 1 {
            narrow(level, results, &mut copies[0]);
            part.copy_from(&copies[0]);
        } else {
            for_contiguous(&mut part, stride == axis, |at, slices| {
                for m in 0..M {
                    narrow(level, &results[at..at + slices.len()], slices.output(m));
                }
            });
        }
    }
}

/// Calls `work` with each row, or with all at once if there are no gaps between them, and the index of its first element.
#[cfg(feature = "half")]
fn for_contiguous<H: Half, const N: usize, const M: usize>(
    rows: &mut Rows<H, N, M>,
    has_no_gaps: bool,
    mut work: impl FnMut(usize, &mut Slices<H, N, M>),
) {
    if has_no_gaps {
        return work(0, &mut rows.all());
    }
    let axis = rows.shape().axis;
    for r in 0..rows.len() {
        work(r * axis, &mut rows.row(r));
    }
}

/// The lane sums of some terms in `f64`, in the shape of [`crate::sum`].
pub fn lane_sums<T: Storage, F: Terms<N>, const N: usize>(
    level: Level,
    terms: F,
    mut slices: Slices<T, N, 0>,
) -> [f64; 8] {
    let mut sums = Blocks::default();
    T::blocks(level, &mut slices, |_, slices| sums.add(level.run(Sum { input: slices.inputs(), terms })));
    sums.finish()
}

/// Combines the sums of blocks of 2048 elements, of which the last one may be shorter, as
/// [`Tree`](crate::sum::Tree) does it. If there is one, as for `f32`, it is the result.
#[derive(Default)]
struct Blocks {
    last: Option<[f64; 8]>,
    /// Level k, and the sum of 2^k blocks.
    levels: Vec<(u32, [f64; 8])>,
}

impl Blocks {
    fn add(&mut self, next: [f64; 8]) {
        let Some(mut sum) = self.last.replace(next) else { return };
        let mut level = 0;
        while let Some((_, before)) = self.levels.pop_if(|(last, _)| *last == level) {
            sum = std::array::from_fn(|i| before[i] + sum[i]);
            level += 1;
        }
        self.levels.push((level, sum));
    }

    fn finish(self) -> [f64; 8] {
        let last = self.last.unwrap_or_default();
        self.levels.into_iter().rev().fold(last, |sum, (_, before)| std::array::from_fn(|i| before[i] + sum[i]))
    }
}
