//! Cross-entropy of class ids from logits, and its gradient.
//!
//! With t(x), the shift and the quotient as in [`super::terms`], and k the class of a row:
//!
//! ```text
//! Losses               xk = x[k]                             read from memory
//!                      m, shift, s                           max, per row, sum
//!                      loss = f32((m - xk) + ln(s / t(m)))   per row, in f64
//!
//! LossesAndGradient    xk, m and shift as above
//!                      s = sum of t(x), t kept               replace_and_sum
//!                      loss as above                         per row
//!                      (h, l) = SumInverse(m, s)             per row
//!                      dx = (t h + t l) scale                map
//!                      gk = (t(xk) / s - 1) scale            per row
//!                      dx[k] = gk                            written to memory
//! ```
//!
//! Both parts of a loss are at least 0, so that it is never negative and nothing cancels. The target's gradient is
//! computed again from its logit, because `dx[k]` has been multiplied by the scale already.

use super::softmax::RowSums;
use super::terms::{Probability, SumInverse, Term, log_sum, nan_unless_finite};
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
        let RowSums { max, shift: [offset, lowest, exponent], sum } = sums;
        let mut loss = [RowValues::new()];
        tile.per_row(Loss, [target, max, offset, lowest, exponent], Some(sum), &mut loss);
        tile.write_row_values(&loss[0], &mut self.losses[first_row..]);
    }
}

impl<T: Real> Recipe<T, 1, 0> for Losses<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first_row: usize) {
        let (mut target, mut sums) = (RowValues::new(), RowSums::new());
        self.target_logits(tile, first_row, &mut target);
        sums.sum_terms(tile);
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
        self.losses.write(tile, &sums, &target, first_row);

        let (mut inverse, mut gradient) = (Stack::array(), [RowValues::new()]);
        tile.per_row(SumInverse, [&sums.max], Some(&sums.sum), &mut inverse);
        tile.map(ScaledProbability(self.gradient_scale), &inverse);
        let ([inverse, remainder, sum], [offset, lowest, exponent]) = (&inverse, &sums.shift);
        tile.per_row(
            TargetGradient(self.gradient_scale),
            [&target, inverse, remainder, sum, offset, lowest, exponent],
            None,
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

impl RowFunction<5, 1> for Loss {
    #[inline(always)]
    fn apply<L: Lanes>(self, [target, max, offset, lowest, exponent]: [L; 5], sum: [L::Double; 2]) -> [L; 1] {
        let (wide_max, target, log) = (max.widen(), target.widen(), log_sum(max, [offset, lowest, exponent], sum));
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

/// (probability - 1) times the factor of the gradient, for the target's logit.
#[derive(Clone, Copy)]
struct TargetGradient(f64);

impl RowFunction<7, 1> for TargetGradient {
    #[inline(always)]
    fn apply<L: Lanes>(
        self,
        [target, inverse, remainder, sum, offset, lowest, exponent]: [L; 7],
        _: [L::Double; 2],
    ) -> [L; 1] {
        let probability =
            Probability.apply([inverse, remainder, sum], [Term.apply([offset, lowest, exponent], [target])]);
        [product(probability - target.splat(1.0), target.splat(self.0))]
    }
}
