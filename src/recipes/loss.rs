//! Cross-entropy of class ids from logits, and its gradient.
//!
//! With t(x), the shift, the quotient and the sum R of the others as in [`super::terms`], and k the class of a row:
//!
//! ```text
//! Losses               xk = x[k]                             read from memory
//!                      m, shift, R                           max, per row, sum
//!                      loss = f32((m - xk) + ln_1p(R / t(m)))  per row, in f64
//!
//! LossesAndGradient    xk, m and shift as above
//!                      s = sum of t(x), t kept               replace_and_sum
//!                      (h, l) = SumInverse(m, s)             per row
//!                      R, and the loss as above              per row; where R is small also sum
//!                      dx = (t h + t l) scale                map
//!                      gk = -(s - t(xk)) / s scale           per row, in f64; R in place of s - t(m) if xk = m
//!                      dx[k] = gk                            written to memory
//! ```
//!
//! Both parts of a loss are at least 0, so that it is never negative and nothing cancels. The target's gradient is the
//! sum of the other probabilities, and never a probability minus 1, which would lose a class that is nearly certain.

use super::softmax::RowSums;
use super::terms::{Probability, SumInverse, Term, log_sum, nan_unless_finite, ratio};
use crate::lanes::{Lanes, Real, Stack};
use crate::math::product;
use crate::passes::{ElementFunction, Recipe, RowFunction, RowValues, Tile};

/// The loss of each row.
pub struct Losses<'a, T> {
    /// The class of each row of the call.
    pub targets: &'a [u32],
    /// The loss of each row of the call, written here.
    pub losses: &'a mut [T],
}

impl<T: Real> Losses<'_, T> {
    /// Reads the logit of the target of each row of a tile.
    fn target_logits<const M: usize>(&self, tile: &Tile<'_, T, 1, M>, first_row: usize, logits: &mut RowValues<T>) {
        let targets = &self.targets[first_row..first_row + tile.len()];
        tile.set_row_values(logits, |r| tile.get(r, targets[r] as usize));
    }

    /// Computes and writes the losses of a tile.
    fn write<const M: usize>(
        &mut self,
        tile: &Tile<'_, T, 1, M>,
        sums: &RowSums<T>,
        target: &RowValues<T>,
        first_row: usize,
    ) {
        let RowSums { max, largest_term: [largest_term], sum, .. } = sums;
        let mut loss = [RowValues::new()];
        tile.per_row(Loss, [target, max, largest_term], Some(sum), &mut loss);
        tile.write_row_values(&loss[0], &mut self.losses[first_row..]);
    }
}

impl<T: Real> Recipe<T, 1, 0> for Losses<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let (mut target, mut sums) = (RowValues::new(), RowSums::new());
        self.target_logits(tile, first_row, &mut target);
        sums.sum_terms(tile);
        sums.exclude_largest(tile);
        self.write(tile, &sums, &target, first_row);
    }
}

/// The loss of each row, and the gradient with respect to the logits.
pub struct LossesAndGradient<'a, T> {
    /// The losses.
    pub losses: Losses<'a, T>,
    /// The factor of the gradient.
    pub gradient_scale: f64,
}

impl<T: Real> Recipe<T, 1, 1> for LossesAndGradient<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, first_row: usize) {
        let (mut target, mut sums) = (RowValues::new(), RowSums::new());
        // Before the terms overwrite the logits.
        self.losses.target_logits(tile, first_row, &mut target);
        sums.replace_and_sum_terms(tile);
        let (mut inverse, mut gradient) = (Stack::array(), [RowValues::new()]);
        tile.per_row(SumInverse, [&sums.max], Some(&sums.sum), &mut inverse);
        sums.exclude_largest_kept(tile);
        self.losses.write(tile, &sums, &target, first_row);

        tile.map(ScaledProbability(self.gradient_scale), inverse.each_ref());
        let RowSums { max, shift: [offset, lowest, exponent], largest_term: [largest_term], sum } = &sums;
        tile.per_row(
            TargetGradient(self.gradient_scale),
            [&target, max, largest_term, offset, lowest, exponent],
            Some(sum),
            &mut gradient,
        );
        let targets = &self.losses.targets[first_row..first_row + tile.len()];
        for (group, targets) in targets.chunks(T::LANES).enumerate() {
            let gradients = gradient[0].lines()[group].0;
            for (r, (target, gradient)) in targets.iter().zip(gradients.as_ref()).enumerate() {
                tile.set(group * T::LANES + r, *target as usize, *gradient);
            }
        }
    }
}

/// (max - target) + ln of the sum of e^(x - max): never negative.
#[derive(Clone, Copy)]
struct Loss;

impl RowFunction<3, 1> for Loss {
    #[inline(always)]
    fn apply<L: Lanes>(self, [target, max, largest_term]: [L; 3], others: [L::Double; 2]) -> [L; 1] {
        let (wide_max, target, log) = (max.widen(), target.widen(), log_sum(largest_term, others));
        let loss = L::narrow([wide_max[0] - target[0] + log[0], wide_max[1] - target[1] + log[1]]);
        [nan_unless_finite(max, loss)]
    }
}

/// A probability times the factor of the gradient.
#[derive(Clone, Copy)]
struct ScaledProbability(f64);

impl ElementFunction<1, 3> for ScaledProbability {
    const TAKES_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, inverse: [L; 3], term: [L; 1]) -> L {
        product(Probability.apply(inverse, term), term[0].splat(self.0))
    }
}

/// Minus the sum of the other probabilities, times the factor of the gradient, for the target's logit.
#[derive(Clone, Copy)]
struct TargetGradient(f64);

impl RowFunction<6, 1> for TargetGradient {
    #[inline(always)]
    fn apply<L: Lanes>(
        self,
        [target, max, largest_term, offset, lowest, exponent]: [L; 6],
        others: [L::Double; 2],
    ) -> [L; 1] {
        let term = Term.apply([offset, lowest, exponent], [target]).widen();
        let (target, wide_max, largest_term) = (target.widen(), max.widen(), largest_term.widen());
        let mut shares = others;
        for half in 0..2 {
            let sum = others[half] + largest_term[half];
            // Below the maximum a term is at most half of the sum or close to it: little cancels.
            let is_largest = wide_max[half].le(target[half]);
            shares[half] = ratio::<L>(L::Double::select(is_largest, others[half], sum - term[half]), sum);
        }
        let share = nan_unless_finite(max, L::narrow(shares));
        [product(share, share.splat(-self.0))]
    }
}
