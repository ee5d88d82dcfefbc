//! Gradient clipping, by value and by global norm.
//!
//! The norm of several slices is the square root of the sum of all squares:
//!
//! ```text
//! for each slice      8 lane sums of the squares in f64 (Squares), folded: k + k + 4, then k + 2, k + 1
//! the slices          added in order
//! if the sum is near the ends of f64's range: again, with each element times 2^600 or 2^-600
//! ```

use crate::check;
#[cfg(feature = "rayon")]
use crate::cost::Cost;
#[cfg(feature = "rayon")]
use crate::dispatch::Level;
use crate::float::Float;
use crate::isa::level;
use crate::lanes::{Input, Slices};
#[cfg(feature = "rayon")]
use crate::parallel;
use crate::sum::fold_lanes;

/// Limits every element to `[-limit, limit]`.
///
/// # Panics
///
/// If `limit` is negative or NaN. It may be infinite.
///
/// # Special values
///
/// NaN stays NaN.
///
/// # Examples
///
/// ```
/// let mut gradients = [0.25_f32, -3.0, f32::INFINITY];
/// activations::clip_by_value(&mut gradients, 0.5);
/// assert_eq!(gradients, [0.25, -0.5, 0.5]);
/// ```
#[track_caller]
pub fn clip_by_value<T: Float>(gradients: &mut [T], limit: f64) {
    check::limit(limit);
    T::clamp(level(), limit, &mut Slices::<T, 1>::in_place(gradients));
}

/// [`clip_by_value`] on rayon's current pool, with the same bits.
///
/// # Panics
///
/// If `limit` is negative or NaN. It may be infinite.
#[cfg(feature = "rayon")]
#[track_caller]
pub fn par_clip_by_value<T: Float>(gradients: &mut [T], limit: f64) {
    check::limit(limit);
    let level = level();
    parallel::split(level, Cost::CHEAP, Slices::<T, 1>::in_place(gradients), &|mut part| {
        T::clamp(level, limit, &mut part)
    });
}

/// Multiplies all gradients by the same factor so that their Euclidean norm is at most `max_norm`, and returns the norm
/// before the clip.
///
/// The factor is `max_norm / norm`, without an epsilon. If the norm is not above `max_norm` nothing is written. With an
/// infinite `max_norm` the function only measures the norm.
///
/// The squares are summed in `f64`. If they leave its range, they are summed once more, with a power of two taken out:
/// gradients of 1e30 or 1e-30 in `f32`, or of 1e300 in `f64`, have the right norm. The lengths of the slices fix the
/// order of the additions, so that the bits of the norm depend on how the gradients are cut into slices.
///
/// # Panics
///
/// If `max_norm` is negative or NaN.
///
/// # Special values
///
/// If any element is NaN or infinite, the norm is NaN or infinite, and all gradients stay as they are. The norm of finite
/// `f64` gradients may overflow: then infinity is returned, and the gradients are clipped all the same.
///
/// # Examples
///
/// ```
/// let (mut a, mut b) = ([3.0_f32, 0.0], [4.0_f32]);
/// let norm = activations::clip_by_global_norm(&mut [&mut a, &mut b], 1.0);
/// assert_eq!(norm, 5.0);
/// assert_eq!((a, b), ([0.6, 0.0], [0.8]));
/// ```
#[must_use = "a norm that is NaN or infinite means that gradients are"]
#[track_caller]
pub fn clip_by_global_norm<T: Float>(gradients: &mut [&mut [T]], max_norm: f64) -> f64 {
    let level = level();
    clip(
        gradients,
        max_norm,
        |factor, input| T::sum_squares(level, factor, input),
        |factors, mut slices| {
            T::scale(level, factors, &mut slices);
        },
    )
}

/// [`clip_by_global_norm`] on rayon's current pool, with the same bits.
///
/// # Panics
///
/// If `max_norm` is negative or NaN.
#[cfg(feature = "rayon")]
#[must_use = "a norm that is NaN or infinite means that gradients are"]
#[track_caller]
pub fn par_clip_by_global_norm<T: Float>(gradients: &mut [&mut [T]], max_norm: f64) -> f64 {
    let level = level();
    clip(
        gradients,
        max_norm,
        |factor, input| par_sum_squares(level, factor, input),
        |factors, slices| {
            parallel::split(level, Cost::CHEAP, slices, &|mut part| T::scale(level, factors, &mut part));
        },
    )
}

/// The Euclidean norm of all slices together: what [`clip_by_global_norm`] returns, with the same bits.
///
/// # Special values
///
/// NaN or infinity in a slice gives NaN or infinity. The norm of finite `f64` elements may overflow to infinity. 0 without
/// elements.
///
/// # Examples
///
/// ```
/// assert_eq!(activations::global_norm(&[&[3.0_f32, 0.0], &[4.0]]), 5.0);
/// ```
#[must_use]
pub fn global_norm<T: Float>(gradients: &[&[T]]) -> f64 {
    let level = level();
    Norm::of(gradients.iter().copied(), |factor, input| T::sum_squares(level, factor, input)).value()
}

/// [`global_norm`] on rayon's current pool, with the same bits.
#[cfg(feature = "rayon")]
#[must_use]
pub fn par_global_norm<T: Float>(gradients: &[&[T]]) -> f64 {
    let level = level();
    Norm::of(gradients.iter().copied(), |factor, input| par_sum_squares(level, factor, input)).value()
}

/// Multiplies every element by a factor, in `f64`, and rounds to the element type: within 1 ulp.
///
/// # Special values
///
/// Those of a product: NaN gives NaN, and so does 0 times infinity. Subnormal results are computed.
///
/// # Examples
///
/// ```
/// let mut gradients = [0.5_f32, -3.0];
/// activations::scale(&mut gradients, 0.25);
/// assert_eq!(gradients, [0.125, -0.75]);
/// ```
pub fn scale<T: Float>(gradients: &mut [T], factor: f64) {
    T::scale(level(), [factor, 1.0], &mut Slices::<T, 1>::in_place(gradients));
}

/// [`scale`] on rayon's current pool, with the same bits.
#[cfg(feature = "rayon")]
pub fn par_scale<T: Float>(gradients: &mut [T], factor: f64) {
    let level = level();
    parallel::split(level, Cost::CHEAP, Slices::<T, 1>::in_place(gradients), &|mut part| {
        T::scale(level, [factor, 1.0], &mut part);
    });
}

/// [`clip_by_global_norm`], given functions that sum the squares of a slice and scale a slice.
#[track_caller]
fn clip<T: Float>(
    gradients: &mut [&mut [T]],
    max_norm: f64,
    sum_squares: impl Fn(f64, Input<T>) -> [f64; 8],
    scale: impl Fn([f64; 2], Slices<T, 1>),
) -> f64 {
    check::limit(max_norm);
    let norm = Norm::of(gradients.iter().map(|slice| &**slice), sum_squares);
    if let Some(factors) = factors(norm, max_norm) {
        for slice in gradients {
            scale(factors, Slices::<T, 1>::in_place(slice));
        }
    }
    norm.value()
}

/// The exponent of the power of two that is taken out of gradients whose squares leave the range of `f64`.
const UNIT_EXPONENT: i32 = 600;

/// A norm, as a number times a power of two: the norm itself may overflow.
#[derive(Clone, Copy)]
struct Norm {
    scaled: f64,
    unit: f64,
}

impl Norm {
    /// The Euclidean norm of all slices, by this sum of squares.
    fn of<'a, T: Float>(
        slices: impl Iterator<Item = &'a [T]> + Clone,
        sum_squares: impl Fn(f64, Input<T>) -> [f64; 8],
    ) -> Self {
        let sum_all = |factor: f64| -> f64 {
            let sum_slice = |slice: &'a [T]| fold_lanes(sum_squares(factor, slice.into()));
            slices.clone().map(sum_slice).sum()
        };
        let sum = sum_all(1.0);
        // Some squares may have overflowed, or lost digits as subnormal numbers: sum them again, scaled by a power of
        // two.
        let unit = if sum < 1e-280 {
            2_f64.powi(-UNIT_EXPONENT)
        } else if sum > 1e290 {
            2_f64.powi(UNIT_EXPONENT)
        } else {
            1.0
        };
        Self { scaled: if unit == 1.0 { sum } else { sum_all(1.0 / unit) }.sqrt(), unit }
    }

    /// The norm.
    fn value(self) -> f64 {
        self.scaled * self.unit
    }
}

/// The two numbers to multiply gradients of this norm by, one after the other, or `None` if they stay as they are. The
/// second is 1 unless the factor is near the subnormal range.
fn factors(norm: Norm, max_norm: f64) -> Option<[f64; 2]> {
    let Norm { scaled, .. } = norm;
    let norm = norm.value();
    if !(norm > max_norm && scaled < f64::INFINITY) {
        return None;
    }
    if norm == f64::INFINITY && max_norm < f64::INFINITY {
        // A first factor of at most 1, so that no product overflows, and a power of two. 2^500 keeps the quotient
        // normal for small limits.
        let up = if max_norm < 1.0 { 500 } else { 0 };
        let quotient = max_norm * 2_f64.powi(up) / scaled;
        let exponent = (quotient.to_bits() >> 52) as i32 - 1022;
        let total = exponent - up - UNIT_EXPONENT;
        let second = total.max(-1022);
        return Some([quotient * 2_f64.powi(-exponent) * 2_f64.powi(total - second), 2_f64.powi(second)]);
    }
    let factor = max_norm / norm;
    // The factor is split into two normal numbers by a power of two. max_norm * shift must not overflow: below a factor
    // of 1e-290, max_norm is less than 1e19.
    let shift = 2_f64.powi(if max_norm < 1.0 { 1022 } else { 500 });
    Some(if factor < 1e-290 { [max_norm * shift / norm, 1.0 / shift] } else { [factor, 1.0] })
}

/// The lane sums of the squares of a slice, its parts summed in parallel.
#[cfg(feature = "rayon")]
fn par_sum_squares<T: Float>(level: Level, factor: f64, input: Input<T>) -> [f64; 8] {
    let add = |a: [f64; 8], b: [f64; 8]| std::array::from_fn(|lane| a[lane] + b[lane]);
    parallel::fold(level, Cost::CHEAP, input, &|part| T::sum_squares(level, factor, part), &add)
}
