//! The last step of a sum: the lane sums of a row are added up.
//!
//! The order is fixed, see [`crate::sum`]. Lane sums of `f32` are widened first, so that these additions round in `f64`
//! and the result is rounded to `f32` only where a recipe needs that:
//!
//! ```text
//! lanes of f32   16 -> 8: lane k + lane k + 8
//!                 8 -> 4: lane k + lane k + 4
//!                 4 -> 2: lane k + lane k + 2
//!                 2 -> 1: lane 0 + lane 1            (lanes of f64 begin with 8 -> 4)
//! ```
//!
//! Contiguous rows have one line each, and a whole group is folded at once by transposing additions
//! ([`Fold::fold_sum`]). Interleaved rows have a line for each lane sum, whose lanes are rows, so that the same
//! additions are additions of lines. A fold of maxima is the same with `max` in place of `+`.

use super::RowValues;
use crate::dispatch::Kernel;
use crate::lanes::{Fold, Lanes, Line, Memory, ROWS, Real, Simd};

/// The sums of contiguous rows, from one line of lane sums for each row, in whole groups.
pub struct ContiguousRows<'s, T: Real> {
    /// The lane sums.
    pub lines: &'s [Line<T>],
    /// The number of rows.
    pub rows: usize,
    /// The results: a line for each group and half of a lane value.
    pub sums: &'s mut [RowValues<f64>; 2],
}

impl<T: Real> Kernel for ContiguousRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for lines in self.lines.chunks_exact(T::LANES) {
            let mut sums = fold_single_row(lines[0].load(zero));
            if self.rows > 1 {
                let mut rows = [zero; ROWS];
                for r in 0..T::LANES {
                    rows[r] = lines[r].load(zero);
                }
                sums = <T::Lanes<S> as Fold>::fold_sum(&rows);
            }
            for half in 0..2 {
                self.sums[half].push_line(Line(sums[half].to_array()));
            }
        }
    }
}

/// The largest lane of each row's lane value: lane r of the result belongs to row r. Beyond `count` rows it is -inf.
#[inline(always)]
pub fn max<L: Fold>(rows: &[L; ROWS], count: usize) -> L {
    if count > 1 {
        return L::fold_max(rows);
    }
    // A single row: to fold all rows of the group would take most of the time of a short one.
    let mut lanes = rows[0].to_array();
    let all = lanes.as_mut();
    let mut half = all.len() / 2;
    while half > 0 {
        for i in 0..half {
            all[i] = if all[i] > all[i + half] { all[i] } else { all[i + half] };
        }
        half /= 2;
    }
    rows[0].with_array(lanes).keep_first(1, rows[0].splat(f64::NEG_INFINITY))
}

/// The sum of a single row, in lane 0 of the first half. What the other lanes hold is not used.
#[inline(always)]
fn fold_single_row<L: Lanes>(row: L) -> [L::Double; 2] {
    let [a, b] = row.widen();
    let mut lanes = if L::Float::IS_F32 { a + b } else { a }.to_array();
    for half in [4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    [a.with_array(lanes); 2]
}

/// The sums of interleaved rows. Line `k * groups + g` holds lane sum k of the rows of group g.
pub struct InterleavedRows<'s, T: Real> {
    /// The lane sums.
    pub lines: &'s [Line<T>],
    /// The number of groups.
    pub groups: usize,
    /// The number of lane sums that have an element: rows shorter than a lane value have fewer than there are lanes.
    pub used: usize,
    /// The results: a line for each group and half of a lane value.
    pub sums: &'s mut [RowValues<f64>; 2],
}

impl<T: Real> Kernel for InterleavedRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for g in 0..self.groups {
            let sums = [self.half::<_, 0>(zero, g), self.half::<_, 1>(zero, g)];
            for half in 0..2 {
                self.sums[half].push_line(Line(sums[half].to_array()));
            }
        }
    }
}

impl<T: Real> InterleavedRows<'_, T> {
    /// The sums of half of the rows of group g.
    #[inline(always)]
    fn half<L: Lanes<Float = T>, const HALF: usize>(&self, zero: L, g: usize) -> L::Double {
        // Beyond `used` the lane sums would be +0, and adding that changes no bit.
        let mut sums = [zero.widen()[HALF]; 8];
        for k in 0..8 {
            if k < self.used {
                sums[k] = self.lines[k * self.groups + g].load(zero).widen()[HALF];
            }
            if k + 8 < self.used {
                sums[k] = sums[k] + self.lines[(k + 8) * self.groups + g].load(zero).widen()[HALF];
            }
        }
        for k in 0..4 {
            sums[k] = sums[k] + sums[k + 4];
        }
        (sums[0] + sums[2]) + (sums[1] + sums[3])
    }
}

/// The sum of the first `used` lane sums, in the order of the module's head.
#[inline(always)]
pub fn fold_places<D: Lanes, const PLACES: usize>(mut lanes: [[D; 2]; PLACES], mut used: usize) -> [D; 2] {
    let mut half = PLACES / 2;
    while half > 0 {
        // The others would be +0, and adding that changes no bit.
        for k in half..used {
            let [a, b] = lanes[k];
            lanes[k - half] = [lanes[k - half][0] + a, lanes[k - half][1] + b];
        }
        used = used.min(half);
        half /= 2;
    }
    lanes[0]
}
