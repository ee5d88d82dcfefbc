//! Cross-entropy of class ids from logits, and its gradient.

use super::softmax::Sums;
use super::terms::{Inverse, Probability, Term, log_sum, or_nan};
use crate::lanes::{Lanes, Real, Stack};
use crate::math::product;
use crate::passes::{Element, Recipe, RowFunction, Tile, Values};

/// The losses alone.
pub struct Losses<'a, T> {
    /// One class a row.
    pub targets: &'a [u32],
    /// One loss a row.
    pub losses: &'a mut [T],
}

impl<T: Real> Losses<'_, T> {
    /// Sets the logit of each row's target.
    fn target_logits<const M: usize>(&self, tile: &Tile<'_, T, 1, M>, first: usize, logits: &mut Values<T>) {
        let targets = &self.targets[first..first + tile.len()];
        tile.set_values(logits, |r| tile.get(r, targets[r] as usize));
    }

    /// Writes the losses.
    fn write<const M: usize>(&mut self, tile: &Tile<'_, T, 1, M>, sums: &Sums<T>, target: &Values<T>, first: usize) {
        let Sums { max, shift: [a, b, c], sum } = sums;
        let mut loss = [Values::new()];
        tile.once(Loss, [target, max, a, b, c], Some(sum), &mut loss);
        tile.write(&loss[0], &mut self.losses[first..]);
    }
}

impl<T: Real> Recipe<T, 1, 0> for Losses<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 0>, first: usize) {
        let (mut target, mut sums) = (Values::new(), Sums::new());
        self.target_logits(tile, first, &mut target);
        sums.of(tile);
        self.write(tile, &sums, &target, first);
    }
}

/// The losses and the gradient with respect to the logits.
pub struct LossesAndGradient<'a, T> {
    /// The losses.
    pub losses: Losses<'a, T>,
    /// A factor of the gradient.
    pub scale: f64,
}

impl<T: Real> Recipe<T, 1, 1> for LossesAndGradient<'_, T> {
    fn tile(&mut self, tile: &mut Tile<'_, T, 1, 1>, first: usize) {
        let (mut target, mut sums) = (Values::new(), Sums::new());
        // Read before the terms overwrite it.
        self.losses.target_logits(tile, first, &mut target);
        sums.replacing(tile);
        self.losses.write(tile, &sums, &target, first);

        let (mut inverse, mut gradient) = (Stack::array(), [Values::new()]);
        tile.once(Inverse, [&sums.max], Some(&sums.sum), &mut inverse);
        tile.map(Scaled(self.scale), &inverse);
        let ([a, b, c], [d, e, f]) = (&inverse, &sums.shift);
        tile.once(TargetGradient(self.scale), [&target, a, b, c, d, e, f], None, &mut gradient);
        let targets = &self.losses.targets[first..first + tile.len()];
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
    fn apply<L: Lanes>(self, [target, max, a, b, c]: [L; 5], sum: [L::Double; 2]) -> [L; 1] {
        let (high, target, log) = (max.widen(), target.widen(), log_sum(max, [a, b, c], sum));
        let loss = L::narrow([high[0] - target[0] + log[0], high[1] - target[1] + log[1]]);
        [or_nan(max, loss)]
    }
}

/// A probability times a factor.
#[derive(Clone, Copy)]
struct Scaled(f64);

impl Element<1, 3> for Scaled {
    const IS_OF_TERMS: bool = true;

    #[inline(always)]
    fn apply<L: Lanes>(self, inverse: [L; 3], term: [L; 1]) -> L {
        product(Probability.apply(inverse, term), term[0].splat(self.0))
    }
}

/// A factor times (probability - 1), for the target's logit.
#[derive(Clone, Copy)]
struct TargetGradient(f64);

impl RowFunction<7, 1> for TargetGradient {
    #[inline(always)]
    fn apply<L: Lanes>(self, [target, a, b, c, d, e, f]: [L; 7], _: [L::Double; 2]) -> [L; 1] {
        let probability = Probability.apply([a, b, c], [Term.apply([d, e, f], [target])]);
        [product(probability - target.splat(1.0), target.splat(self.0))]
    }
}
