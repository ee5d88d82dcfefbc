//! The sum R of the terms of a row but the largest, and its logarithm: see [`crate::recipes`].
//!
//! ```text
//! s = sum of t(x)                                     a pass
//! R = s - t(m), in f64                                LogOthers
//! if R has too few digits in some row:
//!     r = sum of t(x) over all but the largest        a pass that excludes it, or RemoveLargest and a fold
//!     R = r where r is small                          LogOthers
//! log = ln_1p(R / t(m))                               LogOthers
//! ```
//!
//! In rows of up to one lane value the lane sums are terms, and [`RemoveLargest`] makes them those of the second sum.

use super::{RowValues, broadcast_row, load_group};
use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Mask, Memory, Real, Simd, Stack};
use crate::math;

/// A difference that is not this many times a small one is not small when it is summed again.
pub const MAY_BE_SMALL: f64 = 1.001;

/// The sums of a tile that are known.
#[derive(Clone, Copy)]
pub enum Sums<'v> {
    /// The sums of all terms.
    All(&'v [RowValues<f64>; 2]),
    /// The sums of all terms, and those that exclude the largest.
    Both(&'v [RowValues<f64>; 2], &'v [RowValues<f64>; 2]),
    /// The sums that exclude the largest term, of rows where that is one term.
    Others(&'v [RowValues<f64>; 2]),
}

/// The sum of the others of each row, and what follows from it. All are NaN for a row without probabilities.
pub struct Logs<T: Real> {
    /// The sum of all terms but the largest.
    pub others: [RowValues<f64>; 2],
    /// ln of the sum of e^(x - max).
    pub log: [RowValues<f64>; 2],
    /// The same, rounded to the element type.
    pub rounded: RowValues<T>,
    /// ln of the sum of e^x, added in `f64` and rounded once.
    pub log_sum_exp: RowValues<T>,
}

impl<T: Real> Logs<T> {
    /// No rows.
    #[inline(always)]
    pub fn new() -> Self {
        let (others, log) = (Stack::array(), Stack::array());
        Self { others, log, rounded: Stack::new(), log_sum_exp: Stack::new() }
    }
}

/// Computes [`Logs`].
///
/// Returns false if some R has too few digits without the other sum. With both sums, if R is the second one in some row.
pub struct LogOthers<'v, T: Real> {
    /// The largest element of each row.
    pub max: &'v [Line<T>],
    /// The largest term of each row.
    pub largest: &'v [Line<T>],
    /// R is the sum that excludes the largest term where that is less than this share of the largest term.
    pub small: f64,
    /// An upper bound of all raised terms together, as a share of the largest term.
    pub raised: f64,
    /// What is known.
    pub sums: Sums<'v>,
    /// The results.
    pub logs: &'v mut Logs<T>,
    /// The number of rows. Lanes beyond the last one have a largest term of NaN.
    pub rows: usize,
}

impl<T: Real> Kernel for LogOthers<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { max, largest, small, raised, sums, logs, rows } = self;
        let (zero, zero_f64) = (<T::Lanes<S> as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        let (small, raised, one) = (zero_f64.splat(small), zero_f64.splat(raised), zero_f64.splat(1.0));
        // A difference from here up is not small when it is summed again.
        let not_small = small * zero_f64.splat(MAY_BE_SMALL);
        let mut has_digits = one;
        logs.others.iter_mut().chain(logs.log.iter_mut()).for_each(Stack::clear);
        logs.rounded.clear();
        logs.log_sum_exp.clear();
        for g in 0..rows.div_ceil(T::LANES) {
            let (max, largest) = (max[g].load(zero).widen(), largest[g].load(zero).widen());
            let mut log = [zero_f64; 2];
            for half in 0..2 {
                if T::IS_F32 && g * T::LANES + 8 * half >= rows {
                    logs.others[half].push_line(Line::PLACEHOLDER);
                    logs.log[half].push_line(Line::PLACEHOLDER);
                    continue;
                }
                let largest = largest[half];
                let line = |sums: &[RowValues<f64>; 2]| sums[half].lines()[g];
                // Comparisons with NaN are false.
                let (others, lacks_digits) = match sums {
                    Sums::All(all) => {
                        let difference = line(all).load(zero_f64) - largest;
                        (difference, difference.lt(largest * not_small))
                    }
                    Sums::Both(all, excluding) => {
                        let (difference, r) = (line(all).load(zero_f64) - largest, line(excluding).load(zero_f64));
                        // Of a largest term that the row has twice both are excluded: then the difference is not small.
                        let may_be_small = difference.lt(largest * not_small);
                        let is_small = r.lt(S::F64::select(may_be_small, largest * small, zero_f64));
                        (S::F64::select(is_small, r, difference), is_small)
                    }
                    Sums::Others(excluding) => {
                        let r = line(excluding).load(zero_f64);
                        (r, (largest * small).le(r))
                    }
                };
                has_digits = S::F64::select(lacks_digits, zero_f64, has_digits);
                let others = zero_f64.max(largest.neg_mul_add(raised, others));
                log[half] = math::ln_1p(ratio::<T::Lanes<S>>(others, largest));
                logs.others[half].push_line(Line(others.to_array()));
                logs.log[half].push_line(Line(log[half].to_array()));
            }
            logs.rounded.push_line(Line(<T::Lanes<S> as Lanes>::narrow(log).to_array()));
            let log_sum_exp = <T::Lanes<S> as Lanes>::narrow([max[0] + log[0], max[1] + log[1]]);
            logs.log_sum_exp.push_line(Line(log_sum_exp.to_array()));
        }
        one.le(has_digits).all()
    }
}

/// A term, or 0 if it is the largest of its row.
#[inline(always)]
pub fn exclude<L: Lanes>(largest: L, term: L) -> L {
    L::select(largest.le(term), term.splat(0.0), term)
}

/// The number of terms of a row that were [excluded](exclude), by lane.
#[derive(Clone, Copy)]
pub struct Count<L>(L);

impl<L: Lanes> Count<L> {
    /// None.
    #[inline(always)]
    pub fn new(zero: L) -> Self {
        Self(zero)
    }

    /// Counts the term if it is excluded.
    #[inline(always)]
    pub fn add(&mut self, largest: L, term: L) {
        self.0 = self.0.add_bits(L::select(largest.le(term), term.splat_bits(1), term.splat(0.0)));
    }

    /// The number of terms of the row.
    #[inline(always)]
    pub fn total(self) -> usize {
        self.0.to_array().as_ref().iter().fold(0, |total, count| total + count.low_bits())
    }
}

/// others / sum, for sums of terms. Of `f64` it may be subnormal: then a normal number first, and a product of gradual
/// lanes.
#[inline(always)]
pub fn ratio<L: Lanes>(others: L::Double, sum: L::Double) -> L::Double {
    if L::Float::IS_F32 {
        return others / sum;
    }
    let down = sum.splat(2_f64.powi(-128));
    (others / (sum * down)).gradual_mul(down)
}

/// Takes the largest term out of lane sums that are single terms: see the head of this module.
pub struct RemoveLargest<'v, T: Real> {
    /// The largest term of each row.
    pub largest: &'v [Line<T>],
    /// The lane sums.
    pub lane_sums: &'v mut [Line<T>],
    /// The number of rows.
    pub rows: usize,
    /// Whether the rows are interleaved.
    pub is_panel: bool,
}

impl<T: Real> Kernel for RemoveLargest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { largest, lane_sums, rows, is_panel } = self;
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let groups = rows.div_ceil(T::LANES);
        // Lines beyond the last row hold zeros, which stay.
        let count = if is_panel { lane_sums.len() } else { rows };
        for k in 0..count {
            let [largest] = if is_panel {
                load_group(zero, &[largest], k % groups)
            } else {
                broadcast_row(zero, &[largest], k / T::LANES, k % T::LANES)
            };
            let term = lane_sums[k].load(zero);
            lane_sums[k] = Line(Lanes::select(largest.le(term), zero, term).to_array());
        }
    }
}
