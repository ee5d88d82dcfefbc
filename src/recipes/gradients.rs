//! The gradients of softmax and of its logarithm, from the saved output y and the gradient dy with respect to it.
//!
//! ```text
//! SoftmaxGradient       s = sum of y dy, rounded to the element type    sum, per row
//!                       dx = y (dy - s)                                 map
//!
//! LogSoftmaxGradient    s = sum of dy, rounded to the element type      sum, per row
//!                       dx = dy - e^y s                                 map
//! ```
//!
//! The probability is e^y: for the logarithm, y is the log-probability. Products may be subnormal and are those of
//! [`math::product`], which computes such products without a microcode assist.

use crate::lanes::{Lanes, Real, Stack};
use crate::math::{self, product};
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Tile};

/// The gradient of softmax: y (dy - sum of y dy).
pub struct SoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for SoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        sum_and_map(tile, DotTerm, GradientFromDot);
    }
}

/// The gradient of the logarithm of softmax: dy - e^y times the sum of dy.
pub struct LogSoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for LogSoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        sum_and_map(tile, OutputGradient, LogGradientFromSum);
    }
}

/// The two recipes: a sum of `term` over each row, and a map of `result`, which takes the rounded sum.
fn sum_and_map<T: Real>(
    tile: &mut Tile<'_, T, 2, 1>,
    term: impl ElementFunction<2, 0>,
    result: impl ElementFunction<2, 1>,
) {
    let (mut sum, mut rounded) = (Stack::array(), [RowValues::new()]);
    tile.sum(term, &[], &mut sum);
    tile.per_row(RoundedSum, [], Some(&sum), &mut rounded);
    tile.map(result, &rounded);
}

/// The sum, rounded to the element type.
#[derive(Clone, Copy)]
struct RoundedSum;

impl RowFunction<0, 1> for RoundedSum {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], sum: [L::Double; 2]) -> [L; 1] {
        [L::narrow(sum)]
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

/// dy.
#[derive(Clone, Copy)]
struct OutputGradient;

impl ElementFunction<2, 0> for OutputGradient {
    const IS_FIRST_PASS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [_, dy]: [L; 2]) -> L {
        dy
    }
}

/// dy - e^y s, with s the sum of [`OutputGradient`].
#[derive(Clone, Copy)]
struct LogGradientFromSum;

impl ElementFunction<2, 1> for LogGradientFromSum {
    #[inline(always)]
    fn apply<L: Lanes>(self, [sum]: [L; 1], [y, dy]: [L; 2]) -> L {
        // e^y, and 0 where e^y or an intermediate would be subnormal: its product is far below the error bound of the
        // gradient.
        let lowest = y.splat(0.0) - math::max_ordinary(y);
        let probability = L::select(y.lt(lowest), y.splat(0.0), math::exp(lowest.max(y)));
        dy - product(probability, sum)
    }
}
