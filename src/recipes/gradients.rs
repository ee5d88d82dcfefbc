//! The gradients of softmax and of its logarithm, from the saved output y and the gradient dy with respect to it.
//!
//! ```text
//! SoftmaxGradient       s = sum of y dy, rounded to the element type    sum, per row
//!                       dx = y (dy - s)                                 map
//!
//! LogSoftmaxGradient    (h, l) = sum of dy in two parts                 sum, per row
//!                       dx = dy - e^y h                                 map
//!                       dx = ((dy - h) - l) - (e^y - 1) h               the same, where y > -3/4
//! ```
//!
//! The last form loses nothing where e^y is close to 1 and dy close to h: dy - h is exact there, and 0 if the other
//! gradients of the row are 0. Products may be subnormal and are those of [`math::product`], which computes such products
//! without a microcode assist.

use super::terms::SecondSource;
use crate::lanes::{Lanes, Mask, Real, Stack};
use crate::math::{self, product};
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Tile};

/// The gradient of softmax: y (dy - sum of y dy).
pub struct SoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for SoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        let (mut sum, mut rounded) = (Stack::array(), [RowValues::new()]);
        tile.sum(DotTerm, [], &mut sum);
        tile.per_row(Rounded, [], Some(&sum), &mut rounded);
        tile.map(GradientFromDot, rounded.each_ref());
    }
}

/// The gradient of the logarithm of softmax: dy - e^y times the sum of dy.
pub struct LogSoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for LogSoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        let (mut sum, mut parts) = (Stack::array(), Stack::array());
        tile.sum(SecondSource, [], &mut sum);
        tile.per_row(SumInParts, [], Some(&sum), &mut parts);
        let few_are_near = !tile.is_single_lane_value();
        tile.map(LogGradientFromSum { few_are_near }, parts.each_ref());
    }
}

/// The sum, rounded to the element type.
#[derive(Clone, Copy)]
struct Rounded;

impl RowFunction<0, 1> for Rounded {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], sum: [L::Double; 2]) -> [L; 1] {
        [L::narrow(sum)]
    }
}

/// The sum, rounded to the element type, and its rounding error: 0 where the sum is infinite or NaN.
#[derive(Clone, Copy)]
struct SumInParts;

impl RowFunction<0, 2> for SumInParts {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], sum: [L::Double; 2]) -> [L; 2] {
        let high = L::narrow(sum);
        let wide = high.widen();
        let low = L::narrow([sum[0] - wide[0], sum[1] - wide[1]]);
        [high, L::select(high.abs().lt(high.splat(f64::INFINITY)), low, high.splat(0.0))]
    }
}

/// y dy.
#[derive(Clone, Copy)]
struct DotTerm;

impl ElementFunction<2, 0> for DotTerm {
    const IS_FIRST_PASS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [y, dy]: [L; 2]) -> L {
        product(y, dy)
    }
}

/// y (dy - s), with s the sum of [`DotTerm`].
#[derive(Clone, Copy)]
struct GradientFromDot;

impl ElementFunction<2, 1> for GradientFromDot {
    #[inline(always)]
    fn apply<L: Lanes>(self, [dot]: [L; 1], [y, dy]: [L; 2]) -> L {
        product(y, dy - dot)
    }
}

/// dy - e^y s, with s = high + low the sum of dy.
#[derive(Clone, Copy)]
struct LogGradientFromSum {
    /// Whether few lane values have an element near 0. A branch then saves arithmetic.
    few_are_near: bool,
}

impl ElementFunction<2, 2> for LogGradientFromSum {
    #[inline(always)]
    fn apply<L: Lanes>(self, [high, low]: [L; 2], [y, dy]: [L; 2]) -> L {
        // 0 where e^y or an intermediate would be subnormal: its product is far below the error bound of the gradient.
        let (zero, lowest) = (y.splat(0.0), y.splat(0.0) - math::max_ordinary(y));
        let (is_lowest, inner) = (y.lt(lowest), lowest.max(y));
        let limit = y.splat(-0.75);
        if self.few_are_near && y.le(limit).all() {
            return dy - product(L::select(is_lowest, zero, math::exp_of_negative(inner)), high);
        }
        let is_near = limit.lt(y);
        let factor = L::select(is_lowest, zero, math::exp_or_expm1(is_near, inner));
        L::select(is_near, (dy - high) - low, dy) - product(factor, high)
    }
}
