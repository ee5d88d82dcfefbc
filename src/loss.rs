//! Cross-entropy of class ids from logits, and its gradient: the public type and its methods.

use crate::call::{Call, twins};
use crate::check;
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::float::Float;
use crate::lanes::{Rows, Shape, Slices, Split};
use crate::recipes::{Losses, LossesAndGradient};

/// The cross-entropy of each row of logits with a class id: `logsumexp(row) - row[target]`.
///
/// The gradient with respect to the logits is `scale * (softmax(row) - onehot(target))`. For the gradient of the mean
/// loss, `scale` is 1 / the number of rows. Because it is computed from the logits, the gradient does not vanish where
/// the softmax saturates.
///
/// # Accuracy
///
/// `f32` losses within 4 eps of `max(1, loss)`, and never negative; gradients within 1e-6 of `scale`
/// (`cargo test --test loss`).
///
/// # Special values
///
/// The loss and the gradient of a row with NaN, with +inf or of only -inf are NaN. Other rows are not affected.
///
/// # Examples
///
/// ```
/// use activations::CrossEntropy;
///
/// let (mut losses, mut gradient) = ([0.0_f32; 1], [0.0; 2]);
/// CrossEntropy::rows(2).forward_backward(&[3.0, 3.0], &[1], 1.0, &mut losses, &mut gradient);
/// approx::assert_relative_eq!(losses[0], std::f32::consts::LN_2);
/// assert_eq!(gradient, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossEntropy {
    shape: Shape,
}

impl CrossEntropy {
    /// The loss of contiguous rows of `classes` logits, one after the other.
    #[track_caller]
    pub fn rows(classes: usize) -> Self {
        check::axis(classes, 1);
        Self { shape: Shape { axis: classes, inner: 1, stride: classes } }
    }

    /// This loss of rows that begin `stride` elements apart, in the logits and in their gradient. A slice of n rows has
    /// `n * stride` elements, or ends after its last row. The gaps between rows are neither read nor written.
    ///
    /// # Panics
    ///
    /// If `stride` is less than the number of classes.
    #[track_caller]
    pub fn row_stride(self, stride: usize) -> Self {
        check::row_stride(stride, self.shape.axis, 1, false);
        Self { shape: Shape { stride, ..self.shape } }
    }

    twins! {
        /// Writes the loss of each row to `losses`.
        ///
        /// # Panics
        ///
        /// If `logits` is not whole rows, if `targets` or `losses` does not have one element for each row, or if a
        /// target is not less than the number of classes.
        pub threads => fn forward | par_forward [T: Float] (&self, logits: &[T], targets: &[u32], losses: &mut [T]) {
            let work = self.check_arguments(Slices::from(logits), targets, losses);
            let run = |level, Arguments { mut logits, targets, losses }: Arguments<T, 0>| {
                T::losses(level, &mut logits, Losses { targets, losses });
            };
            Call { work, cost: || Cost::rows(self.shape), run }.on(threads)
        }

        /// Writes the loss of each row to `losses`, and its gradient times `scale` to `dlogits`.
        ///
        /// # Panics
        ///
        /// As [`forward`](Self::forward), and if the lengths of `logits` and `dlogits` differ.
        pub threads => fn forward_backward | par_forward_backward [T: Float]
        (&self, logits: &[T], targets: &[u32], scale: f64, losses: &mut [T], dlogits: &mut [T]) {
            let logits = Slices::<T, 1>::new([("logits", logits)], ("dlogits", dlogits));
            let (work, cost) = (self.check_arguments(logits, targets, losses), || Cost::rows(self.shape));
            Call { work, cost, run: |level, part| losses_and_gradient(level, part, scale) }.on(threads)
        }

        /// Writes the loss of each row to `losses`, and overwrites the logits with its gradient times `scale`.
        ///
        /// # Panics
        ///
        /// As [`forward`](Self::forward).
        pub threads => fn forward_backward_in_place | par_forward_backward_in_place [T: Float]
        (&self, logits: &mut [T], targets: &[u32], scale: f64, losses: &mut [T]) {
            let (work, cost) =
                (self.check_arguments(Slices::<T, 1>::in_place(logits), targets, losses), || Cost::rows(self.shape));
            Call { work, cost, run: |level, part| losses_and_gradient(level, part, scale) }.on(threads)
        }
    }

    /// Checks the arguments of a method and makes views of them.
    #[track_caller]
    #[inline(always)]
    fn check_arguments<'a, T: Float, const M: usize>(
        &self,
        logits: Slices<'a, T, 1, M>,
        targets: &'a [u32],
        losses: &'a mut [T],
    ) -> Arguments<'a, T, M> {
        let logits = Rows::new(logits, "logits", self.shape);
        check::row_count("targets", targets.len(), logits.len());
        check::row_count("losses", losses.len(), logits.len());
        check::classes(targets, self.shape.axis);
        Arguments { logits, targets, losses }
    }
}

/// Runs the kernel on some of the rows.
#[inline(always)]
fn losses_and_gradient<T: Float>(level: Level, Arguments { mut logits, targets, losses }: Arguments<T, 1>, scale: f64) {
    T::losses_and_gradient(
        level,
        &mut logits,
        LossesAndGradient { losses: Losses { targets, losses }, gradient_scale: scale },
    );
}

/// The arguments of a method, checked. Without an output they are those of [`CrossEntropy::forward`].
struct Arguments<'a, T, const M: usize> {
    /// The logits and, if there is an output, their gradient.
    logits: Rows<'a, T, 1, M>,
    /// One class for each row.
    targets: &'a [u32],
    /// One loss for each row.
    losses: &'a mut [T],
}

impl<T: Float, const M: usize> Split for Arguments<'_, T, M> {
    fn len(&self) -> usize {
        self.logits.len()
    }
    fn unit_len(&self) -> usize {
        self.logits.unit_len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (logits, logits_rest) = self.logits.split_at(mid);
        let (targets, targets_rest) = self.targets.split_at(mid);
        let (losses, losses_rest) = self.losses.split_at_mut(mid);
        (Self { logits, targets, losses }, Self { logits: logits_rest, targets: targets_rest, losses: losses_rest })
    }
    fn shared(self) -> Self {
        Self { logits: self.logits.shared(), ..self }
    }
}
