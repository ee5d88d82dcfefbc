//! The gradients of softmax and of its logarithm, from the output y and the gradient dy with respect to it.

use crate::lanes::{Lanes, Real, Stack};
use crate::math::{self, product};
use crate::passes::{Element, Recipe, RowFunction, Tile, Values};

/// The gradient of softmax, y (dy - sum of y dy).
pub struct SoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for SoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        sum_and_map(tile, Dot, Centred);
    }
}

/// The gradient of the logarithm of softmax, dy - e^y times the sum of dy.
pub struct LogSoftmaxGradient;

impl<T: Real> Recipe<T, 2, 1> for LogSoftmaxGradient {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, _: usize) {
        sum_and_map(tile, Incoming, LogCentred);
    }
}

/// A sum over each row, rounded to the element type, and a map that takes it.
fn sum_and_map<T: Real>(tile: &mut Tile<'_, T, 2, 1>, term: impl Element<2, 0>, result: impl Element<2, 1>) {
    let (mut sum, mut rounded) = (Stack::array(), [Values::new()]);
    tile.sum(term, &[], &mut sum);
    tile.once(Rounded, [], Some(&sum), &mut rounded);
    tile.map(result, &rounded);
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

/// y dy.
#[derive(Clone, Copy)]
struct Dot;

impl Element<2, 0> for Dot {
    const IS_FIRST_PASS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [y, dy]: [L; 2]) -> L {
        product(y, dy)
    }
}

/// y (dy - dot).
#[derive(Clone, Copy)]
struct Centred;

impl Element<2, 1> for Centred {
    #[inline(always)]
    fn apply<L: Lanes>(self, [dot]: [L; 1], [y, dy]: [L; 2]) -> L {
        product(y, dy - dot)
    }
}

/// dy.
#[derive(Clone, Copy)]
struct Incoming;

impl Element<2, 0> for Incoming {
    const IS_FIRST_PASS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [_, dy]: [L; 2]) -> L {
        dy
    }
}

/// dy - e^y sum.
#[derive(Clone, Copy)]
struct LogCentred;

impl Element<2, 1> for LogCentred {
    #[inline(always)]
    fn apply<L: Lanes>(self, [sum]: [L; 1], [y, dy]: [L; 2]) -> L {
        // e^y, and 0 where that would be subnormal: it cannot affect the gradient.
        let lowest = y.splat(0.0) - math::max_ordinary(y);
        let probability = L::select(y.lt(lowest), y.splat(0.0), math::exp(lowest.max(y)));
        dy - product(probability, sum)
    }
}
