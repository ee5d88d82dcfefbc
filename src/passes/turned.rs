//! Copies of short contiguous rows in which the rows lie interleaved, for the passes of [`super::panel`].
//!
//! A lane value that is loaded from a row of 10 elements has 6 idle lanes in every pass, and its maximum and its sum
//! have to be folded over the lanes. In a turned copy a lane value is one element of 16 rows:
//!
//! ```text
//! row 0:  a0 a1 a2 ..                line 0:  a0 b0 c0 ..
//! row 1:  b0 b1 b2 ..                line 1:  a1 b1 c1 ..
//! row 2:  c0 c1 c2 ..                line 2:  a2 b2 c2 ..
//! ```
//!
//! [`Turn`] makes the copy of a tile, and [`TurnBack`] writes the output from it. Groups of rows without gaps are turned
//! where they are, by whole lane values: what is loaded beyond a row stays in lines that nothing reads, and what is
//! stored beyond a row is overwritten when the next one is stored. The last rows of a tile and rows with gaps go through
//! lines of their own.

use super::RowLines;
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, ROWS, Real, Rows, ShortRows, Simd};

/// Copies rows of up to one lane value. Line `i * groups + g` of a copy has element i of the rows of group g. What is
/// behind the last element does not matter.
pub struct Turn<'s, 'a, T: Real, const N: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, 0>,
    /// The distance, in elements, to the same row of the next tile, which is prefetched. 0 if there is none.
    pub prefetch_distance: usize,
    /// A copy for each source. Lanes beyond the last row hold numbers that do not matter.
    pub copies: &'s mut [RowLines<T>; N],
}

impl<T: Real, const N: usize> Kernel for Turn<'_, '_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, prefetch_distance, copies } = self;
        let (count, axis) = (rows.len(), rows.shape().axis);
        let groups = count.div_ceil(T::LANES);
        let mut rows = rows.short_rows();
        for k in 0..N {
            copies[k].resize(T::LANES * groups);
        }
        for g in 0..groups {
            if let Some(group) = rows.take_group() {
                if prefetch_distance > 0 {
                    group.prefetch(simd, prefetch_distance);
                }
                for k in 0..N {
                    group.turn(simd, k, axis, &mut copies[k].lines_mut()[g..], groups);
                }
                continue;
            }
            let mut lines = [[Line::<T>::PLACEHOLDER; ROWS]; N];
            for r in 0..T::LANES.min(count - g * T::LANES) {
                let x: [T::Lanes<S>; N] = rows.take_row().load(simd);
                for k in 0..N {
                    lines[k][r] = Line(x[k].to_array());
                }
            }
            for k in 0..N {
                if let Some(group) = ShortRows::of_lines(&mut lines[k]).take_group() {
                    group.turn(simd, 0, axis, &mut copies[k].lines_mut()[g..], groups);
                }
            }
        }
    }
}

/// Writes the output of rows from a copy.
pub struct TurnBack<'s, 'a, T: Real, const N: usize, const M: usize> {
    /// The rows.
    pub rows: &'s mut Rows<'a, T, N, M>,
    /// The copy.
    pub copy: &'s [Line<T>],
}

impl<T: Real, const N: usize, const M: usize> Kernel for TurnBack<'_, '_, T, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if M == 0 {
            return;
        }
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (count, axis) = (self.rows.len(), self.rows.shape().axis);
        let groups = count.div_ceil(T::LANES);
        let mut rows = self.rows.short_rows();
        for g in 0..groups {
            let columns = &self.copy[g..];
            if let Some(group) = rows.take_group() {
                group.turn_back(simd, axis, columns, groups);
                continue;
            }
            let mut lines = [Line::<T>::PLACEHOLDER; ROWS];
            if let Some(group) = ShortRows::of_lines(&mut lines).take_group() {
                group.turn_back(simd, axis, columns, groups);
            }
            for r in 0..T::LANES.min(count - g * T::LANES) {
                rows.take_row().store_all([lines[r].load(zero); M]);
            }
        }
    }
}
