//! Cross-entropy and its gradient, for class ids and for probabilities of classes.
//!
//! With t(x), the shift, the quotient and the sum R of the others as in [`super::terms`], and k the class of a row:
//!
//! ```text
//! loss          xk = x[k]                                 read from memory
//!               m, shift, R                               max, per row, sum
//!               loss = T((m - xk) + ln_1p(R / t(m)))      per row, in f64
//!
//! and gradient  xk, m and shift as above
//!               s = sum of t(x), t kept                   replace_and_sum
//!               (h, l) = SumInverse(m, s)                 per row
//!               R, and the loss as above                  per row
//!               share = (s - t(xk)) / s                   per row, in f64; R in place of s - t(xk) if t(xk) = t(m)
//!               dx = (t h + t l) scale                    map
//!               dx[k] = -share scale                      written to memory
//! ```
//!
//! Both parts of a loss are at least 0, so that it is never negative and nothing cancels. The target's gradient is the
//! sum of the other probabilities, and never a probability minus 1, which would lose a class that is nearly certain.
//!
//! # Options
//!
//! With options a row is a weighted sum of l_c = (m - x_c) + log. What they need of a row are two more sums; the rest is
//! arithmetic on a few numbers a row, in `f64`, in [`Coefficients`]:
//!
//! ```text
//! a_c  = w_c e / classes, and w_k (1 - e) more for the target       w_c ((1 - e) q_c + e / classes) for probabilities q
//! A    = sum of a_c,  B = sum of a_c (m - x_c)                      sum; with weights a loop over the tile
//! lse  = m + log
//! loss = B + A log + z lse^2
//! dx_i = p_i (A + 2 z lse) scale - a_i scale                        map; with weights a_i in a loop over the tile
//! ```
//!
//! At the element with the largest probability, A p - a is written as (A - a) - A share, so that nothing is lost if it is
//! the target and nearly certain.

mod soft;

use super::softmax::{Certainty, LogSums};
use super::terms::{Probability, SumInverse};
use crate::class::Targets;
use crate::lanes::{Lanes, Real, Stack};
use crate::math::product;
use crate::options::{Options, Scale};
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Tile, ratio};
use crate::sum::compensated_sum;

/// The loss of each row, and its gradient if there is an output.
pub struct LossRecipe<'a, T> {
    /// The class of each row of the call.
    targets: Targets<'a>,
    /// The loss of each row of the call, written here unless it is empty.
    losses: &'a mut [T],
    /// The factor of the gradient.
    scale: Scale<'a, T>,
    /// The options.
    options: Options<'a>,
    certainty: Certainty,
    /// The index of the first row in all of these.
    first_row: usize,
}

impl<'a, T> LossRecipe<'a, T> {
    /// The recipe with these arguments.
    pub fn new(targets: Targets<'a>, losses: &'a mut [T], scale: Scale<'a, T>, options: Options<'a>) -> Self {
        Self { targets, losses, scale, options, certainty: Certainty::default(), first_row: 0 }
    }

    /// The same for rows that begin with this one.
    pub fn at_row(&mut self, first_row: usize) -> &mut Self {
        self.first_row = first_row;
        self
    }
}

impl<T: Real> Recipe<T, 1, 0> for LossRecipe<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let first_row = self.first_row + first_row;
        if self.are_all_ignored(tile.len(), first_row) {
            return self.write_ignored_losses(tile.len(), first_row);
        }
        let (mut target, mut sums) = (RowValues::new(), LogSums::new());
        self.find_targets(tile, first_row, &mut target);
        sums.find_shift(tile);
        let spread = self.sum_spread(tile, &sums.max);
        sums.sum(tile, &mut self.certainty);
        if self.options.is_plain() {
            self.write_plain_losses(tile, &sums, &target, first_row);
        } else {
            self.coefficients(tile, first_row, &sums, &target, &spread, None);
        }
        self.write_ignored_losses(tile.len(), first_row);
    }
}

impl<T: Real> Recipe<T, 1, 1> for LossRecipe<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, first_row: usize) {
        let first_row = self.first_row + first_row;
        if self.are_all_ignored(tile.len(), first_row) {
            return self.write_ignored(tile, first_row);
        }
        // What is read of the logits, before the terms overwrite them.
        let (mut target, mut sums) = (RowValues::new(), LogSums::new());
        self.find_targets(tile, first_row, &mut target);
        sums.find_shift(tile);
        let spread = self.sum_spread(tile, &sums.max);
        sums.replace_and_sum(tile, &mut self.certainty);

        let (mut term, mut scale, mut numbers) = (RowValues::new(), RowValues::new(), Stack::array());
        let (is_plain, largest) = (self.options.is_plain(), sums.largest_term());
        tile.set_row_values(&mut term, |r| self.class(first_row + r).map_or(T::default(), |class| tile.term(r, class)));
        tile.set_row_values(&mut scale, |r| if is_plain { self.scale.get(first_row + r) } else { T::from_f64(1.0) });
        tile.per_row(GradientNumbers, [largest, &term, &scale], Some(&sums.logs.others), &mut numbers);
        let [inverse, remainder, sum, of_target] = &numbers;
        if is_plain {
            if !self.losses.is_empty() {
                self.write_plain_losses(tile, &sums, &target, first_row);
            }
            tile.map(ScaledProbability, [inverse, remainder, sum, &scale]);
            self.write_target_gradients(tile, of_target, first_row);
        } else {
            let Coefficients { of_probability, even, of_target } =
                self.coefficients(tile, first_row, &sums, &target, &spread, Some(of_target));
            if self.options.smoothing > 0.0 && self.options.weights.is_none() {
                tile.map(SmoothedProbability, [inverse, remainder, sum, &of_probability, &even]);
            } else {
                tile.map(ScaledProbability, [inverse, remainder, sum, &of_probability]);
                if self.options.smoothing > 0.0 {
                    tile.subtract_from_output(&|r, i| even.get(r).to_f64() * self.options.weight(i));
                }
            }
            self.write_target_gradients(tile, &of_target, first_row);
        }
        self.write_ignored(tile, first_row);
    }
}

/// What options make of a row's gradient: the factor of the probabilities, what all elements lose, and the target's
/// gradient, all times the scale.
struct Coefficients<T: Real> {
    of_probability: RowValues<T>,
    even: RowValues<T>,
    of_target: RowValues<T>,
}

/// The sum of w_c (max - x_c) of each row.
type Spread = [RowValues<f64>; 2];

impl<T: Real> LossRecipe<'_, T> {
    /// The class of a row, or `None` if the row is ignored.
    fn class(&self, row: usize) -> Option<usize> {
        let class = self.targets.get(row);
        if Some(class) == self.options.ignored { None } else { Some(class as usize) }
    }

    fn are_all_ignored(&self, rows: usize, first_row: usize) -> bool {
        self.options.ignored.is_some() && (first_row..first_row + rows).all(|row| self.class(row).is_none())
    }

    /// Reads the logit of the target of each row of a tile.
    fn find_targets<const M: usize>(&self, tile: &Tile<'_, T, 1, M>, first_row: usize, logits: &mut RowValues<T>) {
        tile.set_row_values(logits, |r| self.class(first_row + r).map_or(T::default(), |class| tile.get(0, r, class)));
    }

    /// The sum of w_c (max - x_c) over each row, if there is smoothing.
    fn sum_spread<const M: usize>(&self, tile: &mut Tile<'_, T, 1, M>, max: &RowValues<T>) -> Spread {
        let mut spread = Stack::array();
        if self.options.smoothing > 0.0 {
            if self.options.weights.is_some() {
                tile.sum_by_row(&mut spread, &|tile, r| {
                    let max = max.get(r).to_f64();
                    let term = |i: usize| self.options.weight(i) * (max - tile.get(0, r, i).to_f64());
                    compensated_sum((0..tile.axis()).map(term))
                });
            } else {
                tile.sum(BelowMax, [max], &mut spread);
            }
        }
        spread
    }

    /// Computes and writes the losses of a tile without options.
    fn write_plain_losses<const M: usize>(
        &mut self,
        tile: &Tile<'_, T, 1, M>,
        sums: &LogSums<T>,
        target: &RowValues<T>,
        first_row: usize,
    ) {
        let mut loss = [RowValues::new()];
        tile.per_row(Loss, [target, &sums.max], Some(&sums.logs.log), &mut loss);
        tile.write_row_values(&loss[0], &mut self.losses[first_row..]);
    }

    /// Computes and writes the losses of a tile with options, and returns what the gradient needs. `negative_share` is
    /// minus that of the others, for a gradient.
    fn coefficients<const M: usize>(
        &mut self,
        tile: &Tile<'_, T, 1, M>,
        first_row: usize,
        sums: &LogSums<T>,
        target: &RowValues<T>,
        spread: &Spread,
        negative_share: Option<&RowValues<T>>,
    ) -> Coefficients<T> {
        let Options { smoothing, z_loss, .. } = self.options;
        let classes = tile.axis();
        let even = smoothing / classes as f64;
        let total_weight = self.options.total_weight(classes);
        let mut gradients = Vec::with_capacity(tile.len());
        for r in 0..tile.len() {
            let row = first_row + r;
            let Some(class) = self.class(row) else {
                gradients.push([0.0; 3]);
                continue;
            };
            let [max, target] = [&sums.max, target].map(|values| values.get(r).to_f64());
            let log = tile.row_sum(&sums.logs.log, r);
            let (log_sum, weight) = (max + log, self.options.weight(class));
            let mut loss = times(1.0 - smoothing, weight * ((max - target) + log)) + times(z_loss, log_sum * log_sum);
            let mass = (1.0 - smoothing) * weight + even * total_weight;
            if smoothing > 0.0 {
                loss += even * (tile.row_sum(spread, r) + total_weight * log);
            }
            if !self.losses.is_empty() {
                self.losses[row] = T::from_f64(loss);
            }
            let Some(share) = negative_share else { continue };
            let (scale, share) = (self.scale.get(row).to_f64(), -share.get(r).to_f64());
            let outer = mass + times(2.0 * z_loss, log_sum);
            let of_target = even * (total_weight - weight) + times(2.0 * z_loss, log_sum) - share * outer;
            gradients.push([scale * outer, scale * even, scale * of_target]);
        }
        let mut coefficients =
            Coefficients { of_probability: RowValues::new(), even: RowValues::new(), of_target: RowValues::new() };
        if negative_share.is_some() {
            let Coefficients { of_probability, even, of_target } = &mut coefficients;
            for (k, values) in [of_probability, even, of_target].into_iter().enumerate() {
                tile.set_row_values(values, |r| T::from_f64(gradients[r][k]));
            }
        }
        coefficients
    }

    /// Writes the gradient of the target of each row.
    fn write_target_gradients(&self, tile: &mut Tile<'_, T, 1, 1>, gradients: &RowValues<T>, first_row: usize) {
        for r in 0..tile.len() {
            if let Some(class) = self.class(first_row + r) {
                tile.set(r, class, gradients.get(r));
            }
        }
    }

    /// Writes the losses of ignored rows, which are 0.
    fn write_ignored_losses(&mut self, rows: usize, first_row: usize) {
        if self.options.ignored.is_some() && !self.losses.is_empty() {
            for row in first_row..first_row + rows {
                if self.class(row).is_none() {
                    self.losses[row] = T::default();
                }
            }
        }
    }

    /// Writes the losses and the gradients of ignored rows, which are 0.
    fn write_ignored(&mut self, tile: &mut Tile<'_, T, 1, 1>, first_row: usize) {
        self.write_ignored_losses(tile.len(), first_row);
        if self.options.ignored.is_some() {
            for r in 0..tile.len() {
                if self.class(first_row + r).is_none() {
                    tile.fill(r, T::default());
                }
            }
        }
    }
}

/// The product, and 0 if the factor is 0: an option that is not used adds nothing to a row with infinities.
fn times(factor: f64, x: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * x }
}

/// (max - target) + ln of the sum of e^(x - max): never negative.
#[derive(Clone, Copy)]
struct Loss;

impl RowFunction<2, 1> for Loss {
    #[inline(always)]
    fn apply<L: Lanes>(self, [target, max]: [L; 2], log: [L::Double; 2]) -> [L; 1] {
        let (max, target) = (max.widen(), target.widen());
        [L::narrow([max[0] - target[0] + log[0], max[1] - target[1] + log[1]])]
    }
}

/// What a row's gradients need, from the largest term, that of the target, the scale and the sum of the others: the
/// numbers that [`Probability`] takes, and the gradient of the target.
///
/// That is minus the sum of the probabilities of all elements but the target, times the scale.
#[derive(Clone, Copy)]
struct GradientNumbers;

impl RowFunction<3, 4> for GradientNumbers {
    #[inline(always)]
    fn apply<L: Lanes>(self, [largest, target, scale]: [L; 3], others: [L::Double; 2]) -> [L; 4] {
        let (wide_largest, target) = (largest.widen(), target.widen());
        let (mut sums, mut shares) = (others, others);
        for half in 0..2 {
            sums[half] = others[half] + wide_largest[half];
            // Below the largest a term is at most half of the sum or close to it: little cancels.
            let is_largest = wide_largest[half].le(target[half]);
            let other_terms = L::Double::select(is_largest, others[half], sums[half] - target[half]);
            shares[half] = ratio::<L>(other_terms, sums[half]);
        }
        let [inverse, remainder, sum] = SumInverse.apply([largest], sums);
        [inverse, remainder, sum, largest.splat(0.0) - product(L::narrow(shares), scale)]
    }
}

/// A probability times a factor of its row.
#[derive(Clone, Copy)]
struct ScaledProbability;

impl ElementFunction<1, 4> for ScaledProbability {
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, [inverse, remainder, sum, factor]: [L; 4], term: [L; 1]) -> L {
        product(Probability.apply([inverse, remainder, sum], term), factor)
    }
}

/// [`ScaledProbability`] less a number of its row.
#[derive(Clone, Copy)]
struct SmoothedProbability;

impl ElementFunction<1, 5> for SmoothedProbability {
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, [inverse, remainder, sum, factor, even]: [L; 5], term: [L; 1]) -> L {
        ScaledProbability.apply([inverse, remainder, sum, factor], term) - even
    }
}

/// max - x.
#[derive(Clone, Copy)]
struct BelowMax;

impl ElementFunction<1, 1> for BelowMax {
    #[inline(always)]
    fn apply<L: Lanes>(self, [max]: [L; 1], [x]: [L; 1]) -> L {
        max - x
    }
}
