//! The kernels of softmax, of its logarithm and of its normaliser, one group of rows at a time.

use super::group::{Element, Group, Work};
use super::terms::{Probability, Term, is_finite, log_sum, or_nan, scale, shift};
use crate::lanes::{Lanes, Mask};
use crate::math::{self, product};
use crate::real::Real;

/// Softmax.
pub struct Softmax;

impl<T: Real> Work<T, 1> for Softmax {
    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 1>, _: usize) {
        let max = group.max();
        let sum = group.sum::<true, 3>(Term, shift(max));
        group.map(Probability, scale(max, sum));
    }
}

/// The logarithm of softmax.
pub struct LogSoftmax;

impl<T: Real> Work<T, 1> for LogSoftmax {
    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 1>, _: usize) {
        let max = group.max();
        let shift = shift(max);
        let sum = group.sum::<false, 3>(Term, shift);
        let log = L::narrow(log_sum(max, shift, sum));
        group.map(LogProbability, [max, or_nan(max, log)]);
    }
}

#[derive(Clone, Copy)]
struct LogProbability;

impl Element<1, 2> for LogProbability {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, log]: [L; 2], [x]: [L; 1]) -> L {
        x - max - log
    }
}

/// ln of the sum of e^x, one number a row.
pub struct LogSumExp<'a, T>(pub &'a mut [T]);

impl<T: Real> Work<T, 1> for LogSumExp<'_, T> {
    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 1>, first: usize) {
        let (max, rows) = (group.max(), group.rows());
        let shift = shift(max);
        let ([a, b], [log_a, log_b]) = (max.widen(), log_sum(max, shift, group.sum::<false, 3>(Term, shift)));
        let mut y = L::narrow([a + log_a, b + log_b]);
        let is_finite = is_finite(max);
        if !is_finite.all() {
            // The infinity itself, unless a NaN stands beside it.
            let nan = L::narrow(group.sum::<false, 0>(ZeroOrNan, []));
            y = L::select(is_finite, y, max + nan);
        }
        self.0[first..first + rows].copy_from_slice(&y.to_array().as_ref()[..rows]);
    }
}

#[derive(Clone, Copy)]
struct ZeroOrNan;

impl Element<1, 0> for ZeroOrNan {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [x]: [L; 1]) -> L {
        L::select(x.abs().le(x.splat(f64::INFINITY)), x.splat(0.0), x)
    }
}

/// The gradient of softmax, from its output and the gradient with respect to it.
pub struct SoftmaxGradient;

impl<T: Real> Work<T, 2> for SoftmaxGradient {
    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 2>, _: usize) {
        let sum = L::narrow(group.sum::<false, 0>(Dot, []));
        group.map(Centred, [sum]);
    }
}

#[derive(Clone, Copy)]
struct Dot;

impl Element<2, 0> for Dot {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [y, dy]: [L; 2]) -> L {
        product(y, dy)
    }
}

#[derive(Clone, Copy)]
struct Centred;

impl Element<2, 1> for Centred {
    #[inline(always)]
    fn apply<L: Lanes>(self, [dot]: [L; 1], [y, dy]: [L; 2]) -> L {
        product(y, dy - dot)
    }
}

/// The gradient of the logarithm, from its output and the gradient with respect to it.
pub struct LogSoftmaxGradient;

impl<T: Real> Work<T, 2> for LogSoftmaxGradient {
    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 2>, _: usize) {
        let sum = L::narrow(group.sum::<false, 0>(Incoming, []));
        group.map(LogCentred, [sum]);
    }
}

#[derive(Clone, Copy)]
struct Incoming;

impl Element<2, 0> for Incoming {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [_, dy]: [L; 2]) -> L {
        dy
    }
}

#[derive(Clone, Copy)]
struct LogCentred;

impl Element<2, 1> for LogCentred {
    #[inline(always)]
    fn apply<L: Lanes>(self, [sum]: [L; 1], [y, dy]: [L; 2]) -> L {
        // e^y, and 0 where that would be subnormal: nothing beside the gradient.
        let lowest = y.splat(0.0) - math::max_ordinary(y);
        let probability = L::select(y.lt(lowest), y.splat(0.0), math::exp(lowest.max(y)));
        dy - product(probability, sum)
    }
}
