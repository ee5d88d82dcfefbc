//! Cross-entropy with probabilities of classes in place of class ids: see [`super`].

use super::{BelowMax, GradientNumbers, LossRecipe, ScaledProbability, times};
use crate::lanes::{Lanes, Real, Stack};
use crate::math::product;
use crate::options::Options;
use crate::passes::{ElementFunction, Recipe, RowValues, Tile};
use crate::recipes::softmax::LogSums;
use crate::recipes::terms::SecondSource;
use crate::sum::compensated_sum;

impl<T: Real> Recipe<T, 2, 0> for LossRecipe<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 0>, first_row: usize) {
        let first_row = self.first_row + first_row;
        let mut sums = LogSums::new();
        tile.with_first_source(|tile| sums.find_shift(tile));
        let targets = self.sum_soft_targets(tile, &sums.max);
        tile.with_first_source(|tile| sums.sum(tile, &mut self.certainty));
        self.write_soft_losses(tile, first_row, &sums, &targets);
    }
}

impl<T: Real> Recipe<T, 2, 1> for LossRecipe<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 2, 1>, first_row: usize) {
        let first_row = self.first_row + first_row;
        let mut sums = LogSums::new();
        tile.with_first_source(|tile| sums.find_shift(tile));
        let targets = self.sum_soft_targets(tile, &sums.max);
        tile.with_first_source(|tile| sums.replace_and_sum(tile, &mut self.certainty));
        self.write_soft_losses(tile, first_row, &sums, &targets);

        let Options { smoothing, z_loss, weights, .. } = self.options;
        let (largest_term, even) = (sums.largest_term(), smoothing / tile.axis() as f64);
        let (mut factors, mut numbers) = (Stack::array::<3>(), Stack::array());
        let [of_probability, of_target, evenly] = &mut factors;
        let scale = |r: usize| self.scale.get(first_row + r).to_f64();
        tile.set_row_values(of_probability, |r| {
            let log_sum = sums.max.get(r).to_f64() + tile.row_sum(&sums.logs.log, r);
            T::from_f64(scale(r) * (targets.mass[r] + times(2.0 * z_loss, log_sum)))
        });
        tile.set_row_values(of_target, |r| T::from_f64(scale(r) * (1.0 - smoothing)));
        tile.set_row_values(evenly, |r| T::from_f64(scale(r) * even));
        let [of_probability, of_target, evenly] = &factors;
        let values = [largest_term, largest_term, of_probability];
        tile.per_row(GradientNumbers, values, Some(&sums.logs.others), &mut numbers);
        let [inverse, remainder, sum, of_others] = &numbers;
        if weights.is_none() {
            let numbers = [inverse, remainder, sum, of_probability, of_target, evenly, largest_term, of_others];
            tile.map(SoftGradient, numbers);
        } else {
            // The map may overwrite the probabilities of the classes.
            let mut lost = Vec::with_capacity(tile.len() * tile.axis());
            for r in 0..tile.len() {
                let [of_target, evenly] = [of_target, evenly].map(|values| values.get(r).to_f64());
                let of_class = |i| self.options.weight(i) * (of_target * tile.get(1, r, i).to_f64() + evenly);
                lost.extend((0..tile.axis()).map(of_class));
            }
            let axis = tile.axis();
            tile.with_first_source(|tile| {
                tile.map(ScaledProbability, [inverse, remainder, sum, of_probability]);
                tile.subtract_from_output(&|r, i| lost[r * axis + i]);
            });
        }
    }
}

/// The sums of a row of probabilities q_c, with a_c = w_c ((1 - e) q_c + e / classes).
struct SoftSums {
    /// The sum of a_c.
    mass: Vec<f64>,
    /// The sum of a_c (max - x_c).
    spread: Vec<f64>,
}

impl<T: Real> LossRecipe<'_, T> {
    fn sum_soft_targets<const M: usize>(&self, tile: &mut Tile<'_, T, 2, M>, max: &RowValues<T>) -> SoftSums {
        let Options { smoothing, weights, .. } = self.options;
        let (classes, kept) = (tile.axis() as f64, 1.0 - smoothing);
        // First, because it brings both sources.
        let mut mass = Stack::array();
        tile.sum(SecondSource, [], &mut mass);
        if weights.is_some() {
            let of_row = |r: usize| {
                let max = max.get(r).to_f64();
                let a = |i: usize| self.options.weight(i) * (kept * tile.get(1, r, i).to_f64() + smoothing / classes);
                let elements = 0..tile.axis();
                let spread = |i: usize| times(a(i), max - tile.get(0, r, i).to_f64());
                (compensated_sum(elements.clone().map(a)), compensated_sum(elements.map(spread)))
            };
            let (mass, spread) = (0..tile.len()).map(of_row).unzip();
            return SoftSums { mass, spread };
        }
        let (mut spread, mut even) = (Stack::array(), Stack::array());
        tile.sum(SoftBelowMax, [max], &mut spread);
        if smoothing > 0.0 {
            tile.with_first_source(|tile| tile.sum(BelowMax, [max], &mut even));
        }
        let rows = 0..tile.len();
        let mass = rows.clone().map(|r| times(kept, tile.row_sum(&mass, r)) + smoothing).collect();
        let spread = rows.map(|r| {
            let even = if smoothing > 0.0 { smoothing / classes * tile.row_sum(&even, r) } else { 0.0 };
            times(kept, tile.row_sum(&spread, r)) + even
        });
        SoftSums { mass, spread: spread.collect() }
    }

    fn write_soft_losses<const M: usize>(
        &mut self,
        tile: &Tile<'_, T, 2, M>,
        first_row: usize,
        sums: &LogSums<T>,
        targets: &SoftSums,
    ) {
        for r in 0..tile.len() {
            let (max, log) = (sums.max.get(r).to_f64(), tile.row_sum(&sums.logs.log, r));
            let (log_sum, mass) = (max + log, targets.mass[r]);
            let loss = targets.spread[r] + mass * log + times(self.options.z_loss, log_sum * log_sum);
            self.losses[first_row + r] = T::from_f64(loss);
        }
    }
}

/// q (max - x), and 0 where q is 0.
#[derive(Clone, Copy)]
struct SoftBelowMax;

impl ElementFunction<2, 1> for SoftBelowMax {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], [x, q]: [L; 2]) -> L {
        let zero = q.splat(0.0);
        L::select(q.abs().le(zero), zero, product(q, max - x))
    }
}

/// p G - a, with a = q times a factor plus a number of the row. For the largest p it is (G - a) - G share, the last number
/// being -G share.
#[derive(Clone, Copy)]
struct SoftGradient;

impl ElementFunction<2, 8> for SoftGradient {
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(
        self,
        [inverse, remainder, sum, factor, of_target, even, largest_term, of_others]: [L; 8],
        [term, q]: [L; 2],
    ) -> L {
        let target = product(q, of_target) + even;
        let of_largest = (factor - target) + of_others;
        let gradient = ScaledProbability.apply([inverse, remainder, sum, factor], [term]) - target;
        L::select(largest_term.le(term), of_largest, gradient)
    }
}
