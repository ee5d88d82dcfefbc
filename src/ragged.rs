//! Rows of different lengths, one behind the other: their view, and the driver that makes batches of them.
//!
//! ```text
//! while rows are left:
//!     n = the lane values that the next row fills
//!     n = 0:   nothing to do
//!     n > 4:   the row alone
//!     else:    it and the following rows that fill n, copied to buffers, each padded to n lane values, as one batch
//! ```
//!
//! Padding does not change a row's bits. A padded logit is -inf, whose term is too small for any sum, and a padded gradient
//! is 0. A sum has the same shape with more zeros behind it.

use crate::class::Offsets;
use crate::dispatch::Level;
use crate::lanes::{Rows, Shape, Slices, Split};
use crate::storage::Storage;

/// The most lane values of a row that is padded.
const PADDED: usize = 4;
/// The most elements of a batch.
const BATCH: usize = 4096;

/// Some rows, and one result for each of them if the operation has such.
pub struct Ragged<'a, T: Storage, const N: usize, const M: usize> {
    offsets: Offsets<'a>,
    /// The offset of the first element of the slices.
    start: usize,
    slices: Slices<'a, T, N, M>,
    results: &'a mut [T::Arithmetic],
}

impl<'a, T: Storage, const N: usize, const M: usize> Ragged<'a, T, N, M> {
    /// All rows of slices that are long enough for them.
    pub fn new(offsets: Offsets<'a>, slices: Slices<'a, T, N, M>, results: &'a mut [T::Arithmetic]) -> Self {
        Self { offsets, start: 0, slices, results }
    }
}

impl<T: Storage, const N: usize, const M: usize> Split for Ragged<'_, T, N, M> {
    fn len(&self) -> usize {
        self.offsets.rows()
    }
    fn unit_len(&self) -> usize {
        // The mean.
        self.slices.len().div_ceil(self.offsets.rows().max(1))
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (offsets, offsets_rest) = self.offsets.split_at(mid);
        let start = offsets_rest.get(0);
        let (slices, slices_rest) = self.slices.split_at(start - self.start);
        let (results, results_rest) = self.results.split_at_mut(mid.min(self.results.len()));
        let rest = Self { offsets: offsets_rest, start, slices: slices_rest, results: results_rest };
        (Self { offsets, start: self.start, slices, results }, rest)
    }
}

/// The kernel of an operation on rows of one length, with the results of these rows if it has such.
pub type RowsKernel<'f, T, const N: usize, const M: usize> =
    &'f dyn Fn(Level, &mut Rows<T, N, M>, &mut [<T as Storage>::Arithmetic]);

/// Runs a kernel on all rows that have elements. `padding` is the number behind the elements of each source.
pub fn drive<T: Storage, const N: usize, const M: usize>(
    level: Level,
    work: Ragged<T, N, M>,
    padding: [f64; N],
    kernel: RowsKernel<T, N, M>,
) {
    let Ragged { offsets, start, mut slices, results } = work;
    let padding = padding.map(T::from_f64);
    let place = |r: usize| (offsets.get(r) - start, offsets.get(r + 1) - offsets.get(r));
    let mut buffers: [Vec<T>; N] = std::array::from_fn(|_| Vec::new());
    // The first element and the length of each row of a batch.
    let mut batch = Vec::new();
    let (count, mut r) = (offsets.rows(), 0);
    while r < count {
        let (first, (at, len)) = (r, place(r));
        let n = len.div_ceil(T::LANES);
        r += 1;
        if n == 0 {
            continue;
        }
        let width = n * T::LANES;
        batch.clear();
        batch.push((at, len));
        let most = if n > PADDED { 1 } else { BATCH / width };
        while r < count && batch.len() < most {
            let (at, len) = place(r);
            if len + T::LANES <= width || len > width {
                break;
            }
            batch.push((at, len));
            r += 1;
        }
        let results = if results.is_empty() { &mut [][..] } else { &mut results[first..r] };
        if batch.len() == 1 {
            kernel(level, &mut Rows::single(slices.part(at, len)), results);
            continue;
        }
        for (k, buffer) in buffers.iter_mut().enumerate() {
            buffer.resize(batch.len() * width, padding[k]);
            let source = slices.source(k);
            for (row, place) in buffer.chunks_exact_mut(width).zip(&batch) {
                copy_padded(source, *place, padding[k], row);
            }
        }
        let shape = Shape { axis: width, inner: 1, stride: width };
        kernel(level, &mut Rows::new(Slices::buffers(&mut buffers), "batch", shape), results);
        if M > 0 {
            let output = slices.output(0);
            for (row, (at, len)) in buffers[N - 1].chunks_exact(width).zip(&batch) {
                copy_short(row, &mut output[*at..*at + *len]);
            }
        }
    }
}

/// Copies a row of `len` elements from `at` on, and padding behind it.
#[inline(always)]
fn copy_padded<T: Storage>(x: &[T], (at, len): (usize, usize), padding: T, row: &mut [T]) {
    if row.len() == T::LANES && at + T::LANES <= x.len() {
        // Without a branch that depends on the length: this is most of the time that short rows take.
        let (x, row) = (&x[at..at + T::LANES], &mut row[..T::LANES]);
        for i in 0..T::LANES {
            row[i] = if i < len { x[i] } else { padding };
        }
        return;
    }
    let (elements, rest) = row.split_at_mut(len);
    elements.copy_from_slice(&x[at..at + len]);
    rest.fill(padding);
}

/// Copies the first elements of a row. Those of a short one are two chunks that may overlap, which takes less than a call
/// of memcpy.
#[inline(always)]
fn copy_short<T: Copy>(row: &[T], to: &mut [T]) {
    let len = to.len();
    let mut chunks = |chunk: usize| {
        to[..chunk].copy_from_slice(&row[..chunk]);
        to[len - chunk..].copy_from_slice(&row[len - chunk..len]);
    };
    match len {
        8..=16 => chunks(8),
        4..8 => chunks(4),
        2..4 => chunks(2),
        _ => to.copy_from_slice(&row[..len]),
    }
}
