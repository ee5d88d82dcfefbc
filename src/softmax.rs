//! Softmax and its logarithm over rows.
//!
//! Up to one lane value of rows is worked on together, so that what is done once a row is done for
//! all of them in one lane value. The terms are e^x times a power of two near e^-max: the shift is
//! an addition to the exponent, and nothing is rounded before the polynomial, where x - max would be.

use crate::float::Float;
use crate::isa::Kernel;
use crate::lanes::{Fold, Gradual, Input, Lanes, Mask, Memory, ROWS, Simd, Slices};
use crate::math::{self, Exponential, is_moderate};
use crate::{check, sum::Tree};

macro_rules! operation {
    ($name:ident, $log:literal) => {
        impl $name {
            /// Rows of this many columns.
            ///
            /// # Panics
            ///
            /// If `columns` is 0.
            #[track_caller]
            pub fn rows(columns: usize) -> Self {
                check::columns(columns);
                Self { columns }
            }

            /// Writes the result of each row of `x` to `y`.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[track_caller]
            pub fn forward<T: Float>(self, x: &[T], y: &mut [T]) {
                check::same_len("x", x.len(), "y", y.len());
                check::whole_rows("x", x.len(), self.columns);
                T::softmax($log, self.columns, Slices::<T, 1>::new(x, y));
            }

            /// Overwrites each row of `x` with its result.
            ///
            /// # Panics
            ///
            /// If the length is not whole rows.
            #[track_caller]
            pub fn forward_in_place<T: Float>(self, x: &mut [T]) {
                check::whole_rows("x", x.len(), self.columns);
                T::softmax($log, self.columns, Slices::<T, 1>::in_place(x));
            }

            /// Writes the gradient with respect to the logits to `dx`, from the saved output `y` and
            /// the gradient `dy` with respect to it.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[track_caller]
            pub fn backward<T: Float>(self, y: &[T], dy: &[T], dx: &mut [T]) {
                check::same_len("y", y.len(), "dy", dy.len());
                check::same_len("y", y.len(), "dx", dx.len());
                check::whole_rows("y", y.len(), self.columns);
                T::softmax_backward($log, self.columns, Slices::<T, 2>::new(y, dy, dx));
            }

            /// Overwrites the gradient `dy` with the gradient with respect to the logits.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[track_caller]
            pub fn backward_in_place<T: Float>(self, y: &[T], dy: &mut [T]) {
                check::same_len("y", y.len(), "dy", dy.len());
                check::whole_rows("y", y.len(), self.columns);
                T::softmax_backward($log, self.columns, Slices::<T, 2>::in_place(y, dy));
            }

            /// [`forward`](Self::forward) on rayon's current pool, with the same bits.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[cfg(feature = "rayon")]
            #[track_caller]
            pub fn par_forward<T: Float>(self, x: &[T], y: &mut [T]) {
                check::same_len("x", x.len(), "y", y.len());
                check::whole_rows("x", x.len(), self.columns);
                crate::parallel::split(Slices::<T, 1>::new(x, y), self.columns, move |part| {
                    T::softmax($log, self.columns, part)
                });
            }

            /// [`forward_in_place`](Self::forward_in_place) on rayon's current pool, with the same bits.
            ///
            /// # Panics
            ///
            /// If the length is not whole rows.
            #[cfg(feature = "rayon")]
            #[track_caller]
            pub fn par_forward_in_place<T: Float>(self, x: &mut [T]) {
                check::whole_rows("x", x.len(), self.columns);
                crate::parallel::split(Slices::<T, 1>::in_place(x), self.columns, move |part| {
                    T::softmax($log, self.columns, part)
                });
            }

            /// [`backward_in_place`](Self::backward_in_place) on rayon's current pool, with the same bits.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[cfg(feature = "rayon")]
            #[track_caller]
            pub fn par_backward_in_place<T: Float>(self, y: &[T], dy: &mut [T]) {
                check::same_len("y", y.len(), "dy", dy.len());
                check::whole_rows("y", y.len(), self.columns);
                crate::parallel::split(Slices::<T, 2>::in_place(y, dy), self.columns, move |part| {
                    T::softmax_backward($log, self.columns, part)
                });
            }

            /// [`backward`](Self::backward) on rayon's current pool, with the same bits.
            ///
            /// # Panics
            ///
            /// If the lengths differ or are not whole rows.
            #[cfg(feature = "rayon")]
            #[track_caller]
            pub fn par_backward<T: Float>(self, y: &[T], dy: &[T], dx: &mut [T]) {
                check::same_len("y", y.len(), "dy", dy.len());
                check::same_len("y", y.len(), "dx", dx.len());
                check::whole_rows("y", y.len(), self.columns);
                crate::parallel::split(Slices::<T, 2>::new(y, dy, dx), self.columns, move |part| {
                    T::softmax_backward($log, self.columns, part)
                });
            }
        }
    };
}

/// The softmax of each row, `e^x[i] / sum(e^x)`: logits become probabilities.
///
/// The gradient from the output is `y * (dy - sum(y * dy))`.
///
/// # Accuracy
///
/// `f32` (`cargo test --test softmax`): within 4 ulp for finite logits up to ±100 and rows up to 1000, 6 ulp up to 128 256. Gradients:
/// within 16 eps of the row's largest `|dy|`.
///
/// # Special values
///
/// A logit of -inf has probability 0. A row of only -inf, or with +inf or NaN, is all NaN. A row of one
/// logit is exactly 1. Finite logits up to the largest are fine.
///
/// # Examples
///
/// ```
/// use activations::Softmax;
///
/// let mut y = [0.0_f32; 4];
/// Softmax::rows(2).forward(&[1.0, 1.0, 500.0, f32::NEG_INFINITY], &mut y);
/// assert_eq!(y, [0.5, 0.5, 1.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    columns: usize,
}

/// The logarithm of the softmax of each row, `x[i] - ln(sum(e^x))`.
///
/// The gradient from the output is `dy - e^y * sum(dy)`.
///
/// # Accuracy
///
/// `f32` (`cargo test --test softmax`): within 4 eps of `max(1, |result|)`. Gradients: within 16 eps of the row's largest `|dy|` times the
/// larger of 1 and the sum's own size.
///
/// # Special values
///
/// As [`Softmax`]: -inf for a logit of -inf, NaN for the rows without probabilities, 0 for a row of one.
///
/// # Examples
///
/// ```
/// use activations::LogSoftmax;
///
/// let mut y = [0.0_f64; 2];
/// LogSoftmax::rows(2).forward(&[3.0, 3.0], &mut y);
/// assert!((y[0] + std::f64::consts::LN_2).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    columns: usize,
}

operation!(Softmax, false);
operation!(LogSoftmax, true);

/// Elements of the rows that are worked on together: they stay in the first-level cache.
const GROUP: usize = 4096;

/// How many rows are worked on together.
#[inline(always)]
pub fn group_of<T: Float>(columns: usize) -> usize {
    (GROUP / columns).clamp(1, T::LANES)
}

/// The kernel of the forward methods.
pub struct Forward<'a, T, const LOG: bool> {
    /// The logits and the results.
    pub slices: Slices<'a, T, 1>,
    /// The length of a row.
    pub columns: usize,
}

impl<T: Float, const LOG: bool> Kernel for Forward<'_, T, LOG> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (columns, len) = (self.columns, self.slices.len());
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let mut tree = Tree::new(zero);
        let mut start = 0;
        while start < len {
            let rows = group_of::<T>(columns).min((len - start) / columns);
            let mut group = self.slices.part(start, rows * columns);
            start += rows * columns;

            let max: T::Lanes<S> = maxima(simd, group.source(0), rows, columns);
            let shift = Shift::new(max);
            let shifts = shift.to_arrays();

            let mut sums = [zero; ROWS];
            for (r, sum) in sums[..rows].iter_mut().enumerate() {
                let (shift, start) = (Shift::row(zero, shifts, r), r * columns);
                *sum = if LOG {
                    sum_terms(simd, group.source(0).part(start, columns), shift, &mut tree)
                } else {
                    store_terms(simd, group.part(start, columns), shift, &mut tree)
                };
            }
            let sum = Fold::fold_sum(&sums);
            // A row without a finite maximum has no probabilities.
            let is_valid = max.abs().lt(zero.splat(f64::INFINITY));
            let nan = zero.splat(f64::NAN);

            if LOG {
                let log = Lanes::narrow(shift.log_sum(max, sum));
                let (max, log) = (max.to_array(), T::Lanes::<S>::select(is_valid, log, nan).to_array());
                for r in 0..rows {
                    let (max, log) = (row(zero, max, r), row(zero, log, r));
                    for mut block in group.part(r * columns, columns).blocks::<1>() {
                        let [x]: [T::Lanes<S>; 1] = block.load(simd, 0);
                        block.store([x - max - log]);
                    }
                }
            } else {
                let scale = Scale::new(sum, is_valid, nan);
                let scales = scale.to_arrays();
                for r in 0..rows {
                    let scale = Scale::row(zero, scales, r);
                    for mut block in group.part(r * columns, columns).output().blocks::<1>() {
                        let [t]: [T::Lanes<S>; 1] = block.load(simd, 0);
                        block.store([scale.apply(t)]);
                    }
                }
            }
        }
    }
}

/// The value of row `r` in every lane.
#[inline(always)]
pub fn row<L: Lanes>(like: L, rows: <L::Float as Float>::Array, r: usize) -> L {
    like.splat(rows.as_ref()[r].to_f64())
}

/// The largest of a row, lane by lane.
#[inline(always)]
fn row_max<L: Memory>(simd: L::Simd, row: Input<L::Float>) -> L {
    let lowest = L::zero(simd).splat(f64::NEG_INFINITY);
    let mut max = lowest;
    for view in row.blocks::<1>() {
        let [x]: [L; 1] = view.load(simd);
        max = max.max(x.keep(view.len(), lowest));
    }
    max
}

/// Lane `r` is the largest element of row `r`.
#[inline(always)]
pub fn maxima<L: Memory + Fold>(simd: L::Simd, input: Input<L::Float>, rows: usize, columns: usize) -> L {
    let mut maxima = [L::zero(simd); ROWS];
    for (r, max) in maxima[..rows].iter_mut().enumerate() {
        *max = row_max(simd, input.part(r * columns, columns));
    }
    L::fold_max(&maxima)
}

/// Replaces a row by its terms and sums them, lane by lane.
#[inline(always)]
pub fn store_terms<L: Memory>(simd: L::Simd, row: Slices<L::Float, 1>, shift: Shift<L>, tree: &mut Tree<L>) -> L {
    let zero = L::zero(simd);
    for mut block in row.blocks::<1>() {
        let [x]: [L; 1] = block.load(simd, 0);
        let term = shift.term(x).keep(block.len(), zero);
        block.store([term]);
        tree.add(term);
    }
    tree.finish()
}

/// Sums the terms of a row, lane by lane.
#[inline(always)]
pub fn sum_terms<L: Memory>(simd: L::Simd, row: Input<L::Float>, shift: Shift<L>, tree: &mut Tree<L>) -> L {
    let zero = L::zero(simd);
    for view in row.blocks::<1>() {
        let [x]: [L; 1] = view.load(simd);
        tree.add(shift.term(x).keep(view.len(), zero));
    }
    tree.finish()
}

/// The arrays of three lane values.
type Arrays<T> = [<T as Float>::Array; 3];

/// What makes the terms of a row: e^x 2^power is close to a fixed power of two for the largest x.
#[derive(Clone, Copy)]
pub struct Shift<L> {
    first: L,
    lowest: L,
    power: L,
}

/// The exponents of the largest and of the smallest term: all are normal numbers, and what is smaller than
/// the smallest is nothing beside the sum, even as a subnormal.
#[inline(always)]
fn exponents<T: Float>() -> (f64, f64) {
    if T::MIN_POSITIVE > 1e-100 { (30.0, -125.0) } else { (60.0, -1021.0) }
}

impl<L: Lanes> Shift<L> {
    /// The shifts of the rows with these largest elements, one a lane.
    #[inline(always)]
    pub fn new(max: L) -> Self {
        // Beyond 2^18 n is not exact, but x - max is, where it matters.
        let is_huge = max.splat(2_f64.powi(18)).le(max.abs());
        // Otherwise a number far below every rounding, so that a subnormal x is not multiplied.
        let first = L::select(is_huge, max, max.splat(-(2_f64.powi(-100))));
        let rounder = max.splat(L::Float::ROUNDER);
        let n = (max - first).mul_add(max.splat(std::f64::consts::LOG2_E), rounder) - rounder;
        let (head, least) = exponents::<L::Float>();
        let lowest = (n + max.splat(least - head)) * max.splat(std::f64::consts::LN_2);
        Self { first, lowest, power: max.splat(head) - n }
    }

    /// The shifts as arrays, by row.
    #[inline(always)]
    pub fn to_arrays(self) -> Arrays<L::Float> {
        [self.first.to_array(), self.lowest.to_array(), self.power.to_array()]
    }

    /// The shift of row `r`, in every lane.
    #[inline(always)]
    pub fn row(like: L, [first, lowest, power]: Arrays<L::Float>, r: usize) -> Self {
        Self { first: row(like, first, r), lowest: row(like, lowest, r), power: row(like, power, r) }
    }

    /// ln of the sum over e^(x - max): at least 0, and exactly 0 where the largest term is all there is.
    #[inline(always)]
    pub fn log_sum(self, max: L, sum: [L::Double; 2]) -> [L::Double; 2] {
        let top = self.term(max).widen();
        [math::ln(sum[0] / top[0]), math::ln(sum[1] / top[1])]
    }

    /// The term of an element.
    #[inline(always)]
    pub fn term(self, x: L) -> L {
        math::exp_scaled(self.lowest.max(x - self.first), L::Float::exponent_bits(self.power))
    }
}

/// Division by a row's sum.
#[derive(Clone, Copy)]
pub struct Scale<L> {
    inverse: L,
    rest: L,
    sum: L,
}

impl<L: Lanes> Scale<L> {
    /// The scales of the rows with these sums, one a lane; `nan` where a row is not valid.
    #[inline(always)]
    pub fn new(sum: [L::Double; 2], is_valid: L::Mask, nan: L) -> Self {
        let one = sum[0].splat(1.0);
        let inverse = L::narrow([one / sum[0], one / sum[1]]);
        let wide = inverse.widen();
        // What the inverse lost when it was rounded.
        let rest = L::narrow([one / sum[0] - wide[0], one / sum[1] - wide[1]]);
        let sum = L::select(is_valid, L::narrow(sum), nan);
        Self { inverse: L::select(is_valid, inverse, nan), rest, sum }
    }

    /// The scales as arrays, by row.
    #[inline(always)]
    pub fn to_arrays(self) -> Arrays<L::Float> {
        [self.inverse.to_array(), self.rest.to_array(), self.sum.to_array()]
    }

    /// The scale of row `r`, in every lane.
    #[inline(always)]
    pub fn row(like: L, [inverse, rest, sum]: Arrays<L::Float>, r: usize) -> Self {
        Self { inverse: row(like, inverse, r), rest: row(like, rest, r), sum: row(like, sum, r) }
    }

    /// The probability of a term.
    #[inline(always)]
    pub fn apply(self, term: L) -> L {
        // Far enough up that the smaller of two products is a normal number too.
        let least = self.sum.splat(L::Float::MIN_POSITIVE * 2_f64.powi(28)) * self.sum;
        if least.le(term).all() {
            return self.quotient(term);
        }
        // A result near or among the subnormals: divide far from there, then shift down.
        let (up, down) = (term.splat(2_f64.powi(64)), term.splat(2_f64.powi(-64)));
        (Gradual(self.quotient(term * up)) * Gradual(down)).0
    }

    /// term / sum, exactly 1 where they are equal.
    #[inline(always)]
    fn quotient(self, term: L) -> L {
        if !L::FUSED {
            term / self.sum
        } else if L::Float::MIN_POSITIVE > 1e-100 {
            // The inverse in two parts: the sum has more digits than an f32.
            term.mul_add(self.inverse, term * self.rest)
        } else {
            // The sum is exact here: a quotient, and its correction by what it leaves of the term.
            let quotient = term * self.inverse;
            quotient.neg_mul_add(self.sum, term).mul_add(self.inverse, quotient)
        }
    }
}

/// The kernel of the backward methods.
pub struct Backward<'a, T, const LOG: bool> {
    /// The output, the incoming gradient and the result.
    pub slices: Slices<'a, T, 2>,
    /// The length of a row.
    pub columns: usize,
}

impl<T: Float, const LOG: bool> Kernel for Backward<'_, T, LOG> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (columns, len) = (self.columns, self.slices.len());
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let mut tree = Tree::new(zero);
        let mut start = 0;
        while start < len {
            let rows = group_of::<T>(columns).min((len - start) / columns);
            let mut group = self.slices.part(start, rows * columns);
            start += rows * columns;

            let mut sums = [zero; ROWS];
            for (r, sum) in sums[..rows].iter_mut().enumerate() {
                for block in group.part(r * columns, columns).blocks::<1>() {
                    let ([y], [dy]) = (block.load::<T::Lanes<S>>(simd, 0), block.load::<T::Lanes<S>>(simd, 1));
                    tree.add(if LOG { dy } else { product(y, dy) });
                }
                *sum = tree.finish();
            }
            let sums = T::Lanes::<S>::narrow(Fold::fold_sum(&sums)).to_array();
            for r in 0..rows {
                let sum = row(zero, sums, r);
                for mut block in group.part(r * columns, columns).blocks::<1>() {
                    let ([y], [dy]) = (block.load::<T::Lanes<S>>(simd, 0), block.load::<T::Lanes<S>>(simd, 1));
                    block.store([if LOG { dy - product(probability(y), sum) } else { product(y, dy - sum) }]);
                }
            }
        }
    }
}

/// A product without the price of a subnormal one.
#[inline(always)]
pub fn product<L: Lanes>(a: L, b: L) -> L {
    if (is_moderate(a) & is_moderate(b)).all() { a * b } else { a.gradual_mul(b) }
}

/// e^y of a log-probability, 0 where it would be subnormal: nothing beside the gradient it goes into.
#[inline(always)]
fn probability<L: Lanes>(y: L) -> L {
    let lowest = y.splat(-L::Float::MAX_ORDINARY);
    L::select(y.lt(lowest), y.splat(0.0), math::exp(lowest.max(y)))
}
