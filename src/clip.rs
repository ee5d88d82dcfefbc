//! Gradient clipping.

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

/// Limits every element to `[-limit, limit]`.
///
/// # Panics
///
/// Unless the limit is at least 0; it may be infinite.
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
/// Unless the limit is at least 0; it may be infinite.
#[cfg(feature = "rayon")]
#[track_caller]
pub fn par_clip_by_value<T: Float>(gradients: &mut [T], limit: f64) {
    check::limit(limit);
    let level = level();
    parallel::split(level, Cost::CHEAP, Slices::<T, 1>::in_place(gradients), &|mut part| {
        T::clamp(level, limit, &mut part)
    });
}

/// Scales all gradients together so that their Euclidean norm is at most `max_norm`, and returns the
/// norm before that.
///
/// Nothing is written where the norm is not above `max_norm`, so that an infinite `max_norm` only
/// measures. The factor is `max_norm / norm`, without an epsilon.
///
/// The squares are summed in `f64`, and once more with a power of two taken out where they leave its
/// range: gradients of 1e30 or 1e-30 in `f32`, or of 1e300 in `f64`, have the right norm. The sum's
/// shape is fixed by the lengths of the slices; their cut is part of the input.
///
/// # Panics
///
/// If `max_norm` is negative or NaN.
///
/// # Special values
///
/// Gradients with NaN or infinities give a NaN or infinite norm and stay as they are.
///
/// # Examples
///
/// ```
/// let (mut a, mut b) = ([3.0_f32, 0.0], [4.0_f32]);
/// let norm = activations::clip_by_global_norm(&mut [&mut a, &mut b], 1.0);
/// assert_eq!(norm, 5.0);
/// assert_eq!((a, b), ([0.6, 0.0], [0.8]));
/// ```
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

/// The norm by this sum of squares, and the clipping by this scaling.
#[track_caller]
fn clip<T: Float>(
    gradients: &mut [&mut [T]],
    max_norm: f64,
    sum_squares: impl Fn(f64, Input<T>) -> [f64; 8],
    scale: impl Fn([f64; 2], Slices<T, 1>),
) -> f64 {
    check::limit(max_norm);
    let norm = global_norm(gradients, sum_squares);
    if let Some(factors) = factors(norm, max_norm) {
        for slice in gradients {
            scale(factors, Slices::<T, 1>::in_place(slice));
        }
    }
    norm
}

/// What to multiply gradients of this norm by, if anything: two factors where one would be subnormal.
fn factors(norm: f64, max_norm: f64) -> Option<[f64; 2]> {
    if !(norm > max_norm && norm < f64::INFINITY) {
        return None;
    }
    let factor = max_norm / norm;
    // As far as the limit itself can go up.
    let shift = 2_f64.powi(if max_norm < 1.0 { 1022 } else { 500 });
    Some(if factor < 1e-290 { [max_norm * shift / norm, 1.0 / shift] } else { [factor, 1.0] })
}

fn global_norm<T: Float>(gradients: &[&mut [T]], sum_squares: impl Fn(f64, Input<T>) -> [f64; 8]) -> f64 {
    let squares = |factor: f64| -> f64 {
        let of_slice = |slice: &&mut [T]| {
            let [a, b, c, d, e, f, g, h] = sum_squares(factor, (&**slice).into());
            ((a + e) + (c + g)) + ((b + f) + (d + h))
        };
        gradients.iter().map(of_slice).sum()
    };
    let sum = squares(1.0);
    // Squares that overflow, or lose digits as subnormals: once more, scaled by a power of two.
    if sum < 1e-280 {
        squares(2_f64.powi(600)).sqrt() * 2_f64.powi(-600)
    } else if sum > 1e290 {
        squares(2_f64.powi(-600)).sqrt() * 2_f64.powi(600)
    } else {
        sum.sqrt()
    }
}

#[cfg(feature = "rayon")]
fn par_sum_squares<T: Float>(level: Level, factor: f64, input: Input<T>) -> [f64; 8] {
    let add = |a: [f64; 8], b: [f64; 8]| std::array::from_fn(|lane| a[lane] + b[lane]);
    parallel::fold(level, Cost::CHEAP, input, &|part| T::sum_squares(level, factor, part), &add)
}
