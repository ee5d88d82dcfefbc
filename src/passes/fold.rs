//! The sums of rows from the partial sums of their lanes.
//!
//! Lane i is added to lane i + n/2, then the halves of that in the same way, down to one.

use super::Values;
use crate::dispatch::Kernel;
use crate::lanes::{Fold, Lanes, Line, Memory, ROWS, Real, Simd};

/// The sums of rows whose elements lie along the lanes: one line for each row, whole groups.
pub struct Rows<'s, T: Real> {
    /// The partial sums.
    pub lines: &'s [Line<T>],
    /// The number of rows.
    pub rows: usize,
    /// The results.
    pub sums: &'s mut [Values<f64>; 2],
}

impl<T: Real> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for lines in self.lines.chunks_exact(T::LANES) {
            let mut sums = sum_of_one(lines[0].load(zero));
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

/// The largest element of each row, from one lane value of each.
#[inline(always)]
pub fn max<L: Fold>(rows: &[L; ROWS], count: usize) -> L {
    if count > 1 {
        return L::fold_max(rows);
    }
    // The same without the other rows: most of the time of a short row.
    let mut lanes = rows[0].to_array();
    let all = lanes.as_mut();
    let mut half = all.len() / 2;
    while half > 0 {
        for i in 0..half {
            all[i] = if all[i] > all[i + half] { all[i] } else { all[i + half] };
        }
        half /= 2;
    }
    rows[0].with_array(lanes)
}

/// The sum of a single row, in the first lane of the first half.
#[inline(always)]
fn sum_of_one<L: Lanes>(row: L) -> [L::Double; 2] {
    let [a, b] = row.widen();
    let mut lanes = if L::Float::IS_F32 { a + b } else { a }.to_array();
    for half in [4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    [a.with_array(lanes); 2]
}

/// The sums of interleaved rows: a line of each group for each place along a lane value, of which the first `used` are.
pub struct Columns<'s, T: Real> {
    /// The partial sums.
    pub lines: &'s [Line<T>],
    /// The number of groups.
    pub groups: usize,
    /// The places that have elements.
    pub used: usize,
    /// The results.
    pub sums: &'s mut [Values<f64>; 2],
}

impl<T: Real> Kernel for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        for g in 0..self.groups {
            let mut lanes = [zero.widen(); ROWS];
            for i in 0..self.used {
                lanes[i] = self.lines[i * self.groups + g].load(zero).widen();
            }
            let sums = add_halves::<_, ROWS>(lanes, self.used);
            for half in 0..2 {
                self.sums[half].push_line(Line(sums[half].to_array()));
            }
        }
    }
}

/// The sum over the first `used` places, in the order in which lanes are folded.
#[inline(always)]
pub fn add_halves<D: Lanes, const PLACES: usize>(mut lanes: [[D; 2]; PLACES], mut used: usize) -> [D; 2] {
    let mut half = PLACES / 2;
    while half > 0 {
        // The places of a short row that are not used are zeros.
        for k in half..used {
            let [a, b] = lanes[k];
            lanes[k - half] = [lanes[k - half][0] + a, lanes[k - half][1] + b];
        }
        used = used.min(half);
        half /= 2;
    }
    lanes[0]
}
