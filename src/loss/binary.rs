//! Binary cross-entropy from logits: the public type and its methods.

use crate::call::{Call, Threads, twins};
use crate::check;
use crate::cost::Cost;
use crate::float::{Float, Weight};
use crate::lanes::{Real, Slices, Split};
use crate::options::Weights;

/// The binary cross-entropy of each logit x with a target t in [0, 1]: `-(w t ln(sigmoid(x)) + (1 - t) ln(1 -
/// sigmoid(x)))`.
///
/// w is the [weight of positive targets](Self::positive_weight), 1 by default. The gradient with respect to the logit is
/// `(1 - t) sigmoid(x) - w t sigmoid(-x)`.
///
/// # Accuracy
///
/// Losses within 5 ulp, also near 0, and never negative for targets in [0, 1]; where `e^-|x|` is subnormal, within w + 2
/// times the smallest number. Gradients within 8 eps of the sum of the
/// magnitudes of their two terms (`cargo test --test operations`).
///
/// # Special values
///
/// NaN gives NaN. A logit of +inf has the loss +inf, or 0 if t is 1; one of -inf likewise, with 0 if t is 0.
///
/// # Examples
///
/// ```
/// use activations::BinaryCrossEntropy;
///
/// let (logits, targets) = ([0.0_f64, 40.0], [1.0, 1.0]);
/// let (mut losses, mut dlogits) = ([0.0; 2], [0.0; 2]);
/// BinaryCrossEntropy::new().forward_backward(&logits, &targets, 1.0, &mut losses, &mut dlogits);
/// approx::assert_relative_eq!(losses[0], std::f64::consts::LN_2);
/// approx::assert_relative_eq!(losses[1], (-40.0_f64).exp(), max_relative = 1e-15);
/// approx::assert_relative_eq!(dlogits[1], -(-40.0_f64).exp(), max_relative = 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinaryCrossEntropy<'o> {
    weight: f64,
    weights: Option<Weights<'o>>,
}

impl Default for BinaryCrossEntropy<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// The least number of weights that are handed to the kernel at once: those of the columns are repeated up to it.
const REPEATED: usize = 1024;

impl<'o> BinaryCrossEntropy<'o> {
    /// The loss without weights.
    pub const fn new() -> Self {
        Self { weight: 1.0, weights: None }
    }

    /// Multiplies the part of the target in every loss by this weight: more than 1 for rare positives. Unless the weight is
    /// 1, methods allocate up to 1025 weights.
    ///
    /// # Panics
    ///
    /// Unless the weight is finite and at least 0.
    #[track_caller]
    pub fn positive_weight(self, weight: f64) -> Self {
        check::factor("positive weight", weight);
        Self { weight, weights: None }
    }

    /// A weight for each column: logits and targets are rows of as many elements. Methods allocate a row of weights, and as
    /// many again or 1024.
    pub fn positive_weights<W: Weight>(self, weights: &'o [W]) -> Self {
        Self { weight: 1.0, weights: Some(W::weights(weights)) }
    }

    twins! {
        /// Writes the loss of each logit to `losses`.
        ///
        /// # Panics
        ///
        /// If the lengths differ, or are not whole rows of [weights](Self::positive_weights).
        pub threads => fn forward | par_forward [T: Float] (&self, logits: &[T], targets: &[T], losses: &mut [T]) {
            let sources = [("logits", logits), ("targets", targets)];
            let slices = Slices::<T, 2>::new(sources, ("losses", losses));
            self.check(logits.len());
            self.run(slices.with_output_twice(), 1.0, threads);
        }

        /// Writes the loss of each logit to `losses`, and its gradient times `scale` to `dlogits`.
        ///
        /// # Panics
        ///
        /// As [`forward`](Self::forward).
        pub threads => fn forward_backward | par_forward_backward [T: Float]
        (&self, logits: &[T], targets: &[T], scale: f64, losses: &mut [T], dlogits: &mut [T]) {
            let sources = [("logits", logits), ("targets", targets)];
            let slices = Slices::<T, 2, 2>::two(sources, [("losses", losses), ("dlogits", dlogits)]);
            self.check(logits.len());
            self.run(slices.with_outputs_exchanged(), scale, threads);
        }
    }

    /// Writes gradients and losses to the outputs, in this order.
    fn run<T: Float>(&self, slices: Slices<'_, T, 2, 2>, scale: f64, threads: impl Threads) {
        let repeated = self.repeated::<T::Arithmetic>(slices.len());
        let run = |level, mut part: Part<T>| match &repeated {
            None => T::binary_loss(level, scale, &mut part.slices),
            Some(weights) => part.with_weights(weights, |mut part, weights| {
                T::weighted_binary_loss(level, scale, &mut part, weights);
            }),
        };
        Call { work: Part { slices, start: 0 }, cost: || Cost::FUNCTION, run }.on(threads)
    }

    /// Panics unless the logits are whole rows of weights.
    #[track_caller]
    fn check(&self, len: usize) {
        if let Some(weights) = self.weights {
            check::columns("logits", len, weights.len());
        }
    }

    /// The weights, repeated so that a stretch of them begins at any column, for `len` logits. None if there are none but 1.
    fn repeated<T: Real>(&self, len: usize) -> Option<Repeated<T>> {
        let (columns, len) = match self.weights {
            None if self.weight == 1.0 => return None,
            None => (1, 1 + REPEATED.min(len)),
            Some(weights) => (weights.len(), weights.len() + REPEATED.min(len).max(weights.len())),
        };
        let weight = |i: usize| self.weights.map_or(self.weight, |weights| weights.get(i % columns));
        let weights = if columns == 0 { Vec::new() } else { (0..len).map(|i| T::from_f64(weight(i))).collect() };
        Some(Repeated { columns, weights })
    }
}

/// Weights that repeat after some columns.
struct Repeated<T> {
    columns: usize,
    weights: Vec<T>,
}

/// The slices of a call, or a part of them that begins with element `start`.
struct Part<'a, T> {
    slices: Slices<'a, T, 2, 2>,
    start: usize,
}

impl<T: Float> Part<'_, T> {
    /// Runs a kernel on stretches of the part and of the weights of its columns.
    fn with_weights(
        &mut self,
        repeated: &Repeated<T::Arithmetic>,
        kernel: impl Fn(Slices<'_, T, 2, 2>, &[T::Arithmetic]),
    ) {
        let Repeated { columns, weights } = repeated;
        let (len, mut done) = (self.slices.len(), 0);
        while done < len {
            let column = (self.start + done) % columns;
            let taken = (weights.len() - columns).min(len - done);
            kernel(self.slices.part(done, taken), &weights[column..column + taken]);
            done += taken;
        }
    }
}

impl<T: Float> Split for Part<'_, T> {
    fn len(&self) -> usize {
        self.slices.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (first, rest) = self.slices.split_at(mid);
        (Self { slices: first, start: self.start }, Self { slices: rest, start: self.start + mid })
    }
}
