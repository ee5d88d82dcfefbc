//! Gradient clipping.

use crate::check;
use crate::entry::Float;
use crate::isa::Kernel;
use crate::kernel::Map;
use crate::lanes::{Input, Lanes, Memory, Simd, Slices};
use crate::math;
#[cfg(feature = "rayon")]
use crate::parallel;
use crate::real::Real;
use crate::sum::{BLOCK, Tree};

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
    T::clip(limit, Slices::<T, 1>::in_place(gradients));
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
    parallel::split(Slices::<T, 1>::in_place(gradients), COST, |part| T::clip(limit, part));
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
    check::limit(max_norm);
    let norm = global_norm(gradients, T::sum_squares);
    if let Some(factors) = factors(norm, max_norm) {
        for slice in gradients {
            T::scale(factors, Slices::<T, 1>::in_place(slice));
        }
    }
    norm
}

/// [`clip_by_global_norm`] on rayon's current pool, with the same bits.
///
/// # Panics
///
/// If `max_norm` is negative or NaN.
#[cfg(feature = "rayon")]
#[track_caller]
pub fn par_clip_by_global_norm<T: Float>(gradients: &mut [&mut [T]], max_norm: f64) -> f64 {
    check::limit(max_norm);
    let norm = global_norm(gradients, par_sum_squares);
    if let Some(factors) = factors(norm, max_norm) {
        for slice in gradients {
            parallel::split(Slices::<T, 1>::in_place(slice), COST, |part| T::scale(factors, part));
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

/// Nanoseconds an element of each pass over the gradients.
#[cfg(feature = "rayon")]
const COST: f64 = 0.06;

#[cfg(feature = "rayon")]
fn par_sum_squares<T: Float>(factor: f64, input: Input<T>) -> [f64; 8] {
    let add = |a: [f64; 8], b: [f64; 8]| std::array::from_fn(|lane| a[lane] + b[lane]);
    parallel::fold(input, COST, |part| T::sum_squares(factor, part), add)
}

/// Limits to `[-limit, limit]`, as a map.
#[derive(Clone, Copy)]
pub struct Clip(pub f64);

impl Map<1> for Clip {
    const IS_CHEAP: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, _: [L; 1], margin: L) -> L {
        margin
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        math::clamp(x, self.0)
    }
}

/// Multiplies by both factors in `f64`, rounding once, as a map.
#[derive(Clone, Copy)]
pub struct Scale(pub [f64; 2]);

impl Map<1> for Scale {
    const IS_CHEAP: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        let [factor, one] = self.0;
        // An f32 times a factor is normal in f64, where the factors are ordinary themselves.
        if <L::Float as Real>::LANES == 16 && factor > 1e-200 && one == 1.0 {
            margin
        } else if factor > 1e-150 && one == 1.0 {
            math::margin(x, margin)
        } else {
            x.splat(0.0)
        }
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        let [a, b] = x.widen();
        let (first, second) = (a.splat(self.0[0]), a.splat(self.0[1]));
        L::narrow([a * first * second, b * first * second])
    }
}

/// The sum of the squares of a slice, each element times a power of two, as one partial sum a lane.
pub struct SumSquares<'a, T> {
    /// The elements.
    pub input: Input<'a, T>,
    /// The power of two.
    pub factor: f64,
}

impl<T: Real> Kernel for SumSquares<'_, T> {
    type Output = [f64; 8];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; 8] {
        let zero = <S::F64 as Memory>::zero(simd);
        let factor = zero.splat(self.factor);
        let mut tree = Tree::new(zero);
        let mut blocks = self.input.blocks();
        while let Some(block) = blocks.whole::<BLOCK>() {
            let mut sum = zero;
            for v in 0..BLOCK {
                let [x]: [T::Lanes<S>; 1] = block.load(simd, v);
                sum = sum + square(x, factor);
            }
            tree.add(sum);
        }
        let mut sum = zero;
        while let Some(partial) = blocks.partial() {
            let [x]: [T::Lanes<S>; 1] = partial.load(simd);
            sum = sum + square(x, factor);
        }
        tree.finish(sum).to_array()
    }
}

/// The squares of a lane value's elements, each times the factor first, in 8 sums.
#[inline(always)]
fn square<L: Lanes>(x: L, factor: L::Double) -> L::Double {
    let [a, b] = x.widen();
    let (a, b) = (a * factor, b * factor);
    if <L::Float as Real>::LANES == 8 { a * a } else { a * a + b * b }
}
