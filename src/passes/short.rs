//! Passes over contiguous rows of up to one lane value.
//!
//! The first pass of a recipe, [`Max`] or a [`Sum`] with [`ElementFunction::IS_FIRST_PASS`], copies each row to a slot,
//! one line:
//!
//! ```text
//! for each group of the tile                       max of the group
//!     for each row r of the group
//!         slot[r] = a lane value from memory, beginning at the row
//!         max[r]  = slot[r], lanes beyond the row -inf
//!     push (lane r: the largest lane of max[r])    one line
//! ```
//!
//! The load takes a whole lane value, what follows the row included, where the tile has as many elements: a masked load
//! is slower. The lanes beyond the row hold elements of the next rows, which are masked out of maxima and sums. A sum
//! has the general shape: a row is a single partial block, so that lane k is +0 plus element k.
//!
//! The later passes load and store slots, and terms that replace the elements stay in them. Only [`Map`] writes to
//! memory. It stores whole lane values too, and what it writes beyond a row is overwritten when the next row is stored.
//! The last rows of a tile, and rows with gaps between them, are stored with a mask.

use super::{ElementFunction, RowLines, RowValues, broadcast_row, fold};
use crate::dispatch::Kernel;
use crate::lanes::{Appender, Lanes, Line, Memory, ROWS, Real, Rows, Simd, Stack};

/// The largest element of each row. Copies the rows to their slots.
pub struct Max<'s, 'a, T: Real> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, 1, 0>,
    /// The distance to the elements to prefetch, or 0 for none.
    pub prefetch_distance: usize,
    /// The slots: empty on entry. On return one for each row, and more to a whole group.
    pub slots: &'s mut RowLines<T>,
    /// The results: a line for each group.
    pub max: &'s mut RowValues<T>,
}

impl<T: Real> Kernel for Max<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lowest = <T::Lanes<S> as Memory>::zero(simd).splat(f64::NEG_INFINITY);
        let (count, row_mask) = (self.rows.len(), lowest.first_lanes(self.rows.shape().axis));
        let (mut rows, mut slots) = (self.rows.short_rows(), self.slots.appender());
        for start in (0..count).step_by(T::LANES) {
            let mut max = [lowest; ROWS];
            for r in 0..T::LANES {
                if start + r < count {
                    rows.prefetch(simd, self.prefetch_distance);
                    let [x] = rows.take_row().load(simd);
                    slots.push(x);
                    max[r] = Lanes::select(row_mask, x, lowest);
                } else {
                    slots.push(lowest);
                }
            }
            self.max.push_line(Line(fold::max(&max, count).to_array()));
        }
        slots.finish();
    }
}

/// The lane sums of a function over each row. With `REPLACE` the terms take the place of the first source in its slots.
///
/// If this is the first pass, it copies the rows to their slots.
pub struct Sum<'s, 'a, T: Real, F, const N: usize, const P: usize, const REPLACE: bool> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// The distance to the elements to prefetch, or 0 for none.
    pub prefetch_distance: usize,
    /// The slots of each source.
    pub slots: &'s mut [RowLines<T>; N],
    /// The function that gives the terms.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
    /// The results: a line for each row, and lines of zeros to a whole group.
    pub lane_sums: &'s mut RowLines<T>,
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize, const REPLACE: bool> Kernel
    for Sum<'_, '_, T, F, N, P, REPLACE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, prefetch_distance, slots, f, row_values, lane_sums } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (row_count, row_mask) = (rows.len(), zero.first_lanes(rows.shape().axis));
        let (mut rows, mut lane_sums) = (rows.short_rows(), lane_sums.appender());
        for group in 0..row_count.div_ceil(T::LANES) {
            let start = group * T::LANES;
            let count = T::LANES.min(row_count - start);
            if F::IS_FIRST_PASS {
                let mut slots = slots.each_mut().map(Stack::appender);
                for r in 0..T::LANES {
                    let mut x = [zero; N];
                    let mut term = zero;
                    if r < count {
                        rows.prefetch(simd, prefetch_distance);
                        x = rows.take_row().load(simd);
                        term = Lanes::select(row_mask, f.apply(broadcast_row(zero, &row_values, group, r), x), zero);
                    }
                    for k in 0..N {
                        slots[k].push(x[k]);
                    }
                    lane_sums.push(zero + term);
                }
                slots.into_iter().for_each(Appender::finish);
                continue;
            }
            let slots = slots.each_mut().map(|slots| &mut slots.lines_mut()[start..start + T::LANES]);
            for r in 0..count {
                let term = f.apply(broadcast_row(zero, &row_values, group, r), load_slots(zero, &slots, r));
                lane_sums.push(zero + Lanes::select(row_mask, term, zero));
                if REPLACE {
                    slots[0][r] = Line(term.to_array());
                }
            }
            for _ in count..T::LANES {
                lane_sums.push(zero);
            }
        }
        lane_sums.finish();
    }
}

/// The elements of row `r`, of each source.
#[inline(always)]
fn load_slots<L: Lanes, const N: usize>(like: L, slots: &[&mut [Line<L::Float>]; N], r: usize) -> [L; N] {
    let mut x = [like; N];
    for k in 0..N {
        x[k] = slots[k][r].load(like);
    }
    x
}

/// Writes a function of each element to the output.
pub struct Map<'s, 'a, T: Real, F, const N: usize, const P: usize> {
    /// The rows, whose output is written.
    pub rows: &'s mut Rows<'a, T, N>,
    /// The slots of each source.
    pub slots: &'s mut [RowLines<T>; N],
    /// The function.
    pub f: F,
    /// The row values that the function takes.
    pub row_values: [&'s [Line<T>]; P],
}

impl<T: Real, F: ElementFunction<N, P>, const N: usize, const P: usize> Kernel for Map<'_, '_, T, F, N, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, slots, f, row_values } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let count = rows.len();
        let mut rows = rows.short_rows();
        for group in 0..count.div_ceil(T::LANES) {
            let start = group * T::LANES;
            let slots = slots.each_mut().map(|slots| &mut slots.lines_mut()[start..start + T::LANES]);
            for r in 0..T::LANES.min(count - start) {
                let y = f.apply(broadcast_row(zero, &row_values, group, r), load_slots(zero, &slots, r));
                // What this store writes beyond its row is overwritten by the store of the next row.
                rows.take_row().store(y);
            }
        }
    }
}
