//! Softmax, its logarithm and its normaliser.

use super::terms::{Inverse, Probability, Shift, Term, is_finite, log_sum, or_nan};
use crate::lanes::{Lanes, Real, Stack};
use crate::passes::{Element, Recipe, RowFunction, Tile, Values};

/// What the recipes of this module know of each row.
pub struct Sums<T: Real> {
    /// The largest logit.
    pub max: Values<T>,
    /// What [`Term`] needs.
    pub shift: [Values<T>; 3],
    /// The sum of the terms.
    pub sum: [Values<f64>; 2],
}

impl<T: Real> Sums<T> {
    /// Nothing yet.
    #[inline(always)]
    pub fn new() -> Self {
        Self { max: Values::new(), shift: Stack::array(), sum: Stack::array() }
    }

    /// The sums of a tile. The logits stay.
    pub fn of<const N: usize, const M: usize>(&mut self, tile: &mut Tile<'_, T, N, M>) {
        self.shift(tile);
        tile.sum(Term, &self.shift, &mut self.sum);
    }

    /// The sums of a tile. The terms take the place of the logits.
    pub fn replacing<const N: usize>(&mut self, tile: &mut Tile<'_, T, N, 1>) {
        self.shift(tile);
        tile.replace_and_sum(Term, &self.shift, &mut self.sum);
    }

    fn shift<const N: usize, const M: usize>(&mut self, tile: &mut Tile<'_, T, N, M>) {
        tile.max(&mut self.max);
        tile.once(Shift, [&self.max], None, &mut self.shift);
    }
}

/// Softmax.
pub struct Softmax;

impl<T: Real> Recipe<T, 1, 1> for Softmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut sums, mut inverse) = (Sums::new(), Stack::array());
        sums.replacing(tile);
        tile.once(Inverse, [&sums.max], Some(&sums.sum), &mut inverse);
        tile.map(Probability, &inverse);
    }
}

/// The logarithm of softmax.
pub struct LogSoftmax;

impl<T: Real> Recipe<T, 1, 1> for LogSoftmax {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, _: usize) {
        let (mut sums, mut log) = (Sums::new(), Stack::array());
        sums.of(tile);
        let Sums { max, shift: [a, b, c], sum } = &sums;
        tile.once(MaxAndLog, [max, a, b, c], Some(sum), &mut log);
        tile.map(LogProbability, &log);
    }
}

/// The largest logit, and ln of the sum of e^(x - max).
#[derive(Clone, Copy)]
struct MaxAndLog;

impl RowFunction<4, 2> for MaxAndLog {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, a, b, c]: [L; 4], sum: [L::Double; 2]) -> [L; 2] {
        [max, or_nan(max, L::narrow(log_sum(max, [a, b, c], sum)))]
    }
}

/// x - max - log.
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

impl<T: Real> Recipe<T, 1, 0> for LogSumExp<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first: usize) {
        let (mut sums, mut result) = (Sums::new(), [Values::new()]);
        sums.of(tile);
        let Sums { max, shift: [a, b, c], sum } = &sums;
        tile.once(MaxPlusLog, [max, a, b, c], Some(sum), &mut result);
        if !tile.all(max, T::is_finite) {
            let (mut nan, finite) = (Stack::array(), result);
            tile.sum(ZeroOrNan, &[], &mut nan);
            result = [Values::new()];
            tile.once(OrInfinity, [max, &finite[0]], Some(&nan), &mut result);
        }
        tile.write(&result[0], &mut self.0[first..]);
    }
}

/// max + ln of the sum of e^(x - max).
#[derive(Clone, Copy)]
struct MaxPlusLog;

impl RowFunction<4, 1> for MaxPlusLog {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, a, b, c]: [L; 4], sum: [L::Double; 2]) -> [L; 1] {
        let ([max_a, max_b], [log_a, log_b]) = (max.widen(), log_sum(max, [a, b, c], sum));
        [L::narrow([max_a + log_a, max_b + log_b])]
    }
}

/// NaN for NaN, else 0.
#[derive(Clone, Copy)]
struct ZeroOrNan;

impl Element<1, 0> for ZeroOrNan {
    #[inline(always)]
    fn apply<L: Lanes>(self, _: [L; 0], [x]: [L; 1]) -> L {
        L::select(x.abs().le(x.splat(f64::INFINITY)), x.splat(0.0), x)
    }
}

/// The result where the maximum is finite, else the maximum, unless there is NaN beside it.
#[derive(Clone, Copy)]
struct OrInfinity;

impl RowFunction<2, 1> for OrInfinity {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max, result]: [L; 2], nan: [L::Double; 2]) -> [L; 1] {
        [L::select(is_finite(max), result, max + L::narrow(nan))]
    }
}
