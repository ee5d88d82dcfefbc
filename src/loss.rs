//! Cross-entropy from logits, and its gradient: the public type, its options and its methods.

mod binary;

pub use binary::BinaryCrossEntropy;

use crate::call::{Call, twins};
use crate::check;
use crate::class::{Class, Targets};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::float::{Float, Weight};
use crate::lanes::{Rows, Shape, Slices, Split};
use crate::options::{Options, Scale};
use crate::recipes::LossRecipe;

/// The cross-entropy of each row of logits with a class id, `logsumexp(row) - row[target]`, or with probabilities.
///
/// With l_c = logsumexp(row) - row\[c\], the loss of a row whose target is t is
///
/// ```text
/// (1 - e) w_t l_t + e / classes * sum over c of (w_c l_c) + z logsumexp(row)^2
/// ```
///
/// where e is the [label smoothing](Self::label_smoothing), w are the [class weights](Self::class_weights) and z is the
/// factor of the [z-loss](Self::z_loss): by default 0, 1 and 0. The methods for [soft targets](Self::forward_soft) take
/// probabilities q_c in place of a class: sum over c of (w_c ((1 - e) q_c + e / classes) l_c).
///
/// The gradient with respect to the logits is multiplied by a [`Scale`]. For the gradient of the mean loss that is 1 / the
/// number of rows. Because it is computed from the logits, the gradient does not vanish where the softmax saturates.
///
/// # Accuracy
///
/// Losses of class ids without options are within 8 ulp, also near 0, and never negative. Gradients are within 8 eps of
/// the scale; the target's is minus the sum of the others within 4 ulp, also where its probability rounds to 1. With
/// options, losses and gradients are within 8 eps of the sum of the magnitudes of their terms
/// (`cargo test --test operations --test torch`).
///
/// # Special values
///
/// The loss and the gradient of a row with NaN, with +inf or of only -inf are NaN. Other rows are not affected. A target
/// whose logit is -inf has the loss +inf and the gradient of any target whose probability is 0. An ignored row has the
/// loss 0 and the gradient 0, whatever its logits are. A probability 0 of a soft target adds nothing, for a logit of -inf
/// too.
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
///
/// // Rows without a class, and unbalanced classes.
/// let loss = CrossEntropy::rows(2).ignoring(-100).class_weights(&[1.0_f32, 3.0]).label_smoothing(0.1);
/// let mean = loss.mean(&[2.0_f32, 0.0, 0.0, 1.0, 5.0, 5.0], &[0, 1, -100]);
/// assert!(mean > 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy<'o> {
    shape: Shape,
    options: Options<'o>,
}

impl<'o> CrossEntropy<'o> {
    /// The loss of contiguous rows of `classes` logits, one after the other.
    #[track_caller]
    pub fn rows(classes: usize) -> Self {
        Self::axis(classes, 1)
    }

    /// The loss along an axis of `classes` logits in a contiguous tensor `[.., classes, inner]`: for an image
    /// `[batch, classes, height, width]`, inner is height * width. Targets and losses have the shape of the tensor without
    /// that axis.
    ///
    /// # Panics
    ///
    /// If `classes * inner` overflows a `usize`.
    #[track_caller]
    pub fn axis(classes: usize, inner: usize) -> Self {
        check::axis(classes, inner);
        Self { shape: Shape { axis: classes, inner, stride: classes * inner }, options: Options::default() }
    }

    /// This loss of rows that begin `stride` elements apart, in the logits and in their gradient. A slice of n rows has
    /// `n * stride` elements, or ends after its last row. The gaps between rows are neither read nor written.
    ///
    /// # Panics
    ///
    /// If `stride` is less than the number of classes, or if the loss is one along an [`axis`](Self::axis).
    #[track_caller]
    pub fn row_stride(self, stride: usize) -> Self {
        check::row_stride(stride, self.shape.axis, self.shape.inner, false);
        Self { shape: Shape { stride, ..self.shape }, ..self }
    }

    /// Rows whose target is this number are ignored: their loss is 0 and so is their gradient. The number need not be a
    /// class; -100 is common.
    pub fn ignoring(self, class: i64) -> Self {
        Self { options: Options { ignored: Some(class), ..self.options }, ..self }
    }

    /// Takes the share `smoothing` from the target and spreads it evenly over all classes, the target included.
    ///
    /// # Panics
    ///
    /// Unless `0 <= smoothing <= 1`.
    #[track_caller]
    pub fn label_smoothing(self, smoothing: f64) -> Self {
        check::share("label smoothing", smoothing);
        Self { options: Options { smoothing, ..self.options }, ..self }
    }

    /// Weighs the loss of each class.
    ///
    /// # Panics
    ///
    /// If there is not one weight for each class.
    #[track_caller]
    pub fn class_weights<W: Weight>(self, weights: &'o [W]) -> Self {
        check::class_weights(weights.len(), self.shape.axis);
        Self { options: Options { weights: Some(W::weights(weights)), ..self.options }, ..self }
    }

    /// Adds `factor * logsumexp(row)^2`, without a weight, which keeps the logits from drifting away from 0.
    ///
    /// # Panics
    ///
    /// Unless `factor` is finite and at least 0.
    #[track_caller]
    pub fn z_loss(self, factor: f64) -> Self {
        check::factor("z-loss", factor);
        Self { options: Options { z_loss: factor, ..self.options }, ..self }
    }

    twins! {
        /// Writes the loss of each row to `losses`.
        ///
        /// # Panics
        ///
        /// If `logits` is not whole rows, if `targets` or `losses` does not have one element for each row, or if a
        /// target is neither a class nor the [ignored](Self::ignoring) number.
        pub threads => fn forward | par_forward [T: Float, C: Class]
        (&self, logits: &[T], targets: &[C], losses: &mut [T::Arithmetic]) {
            let work = self.check_arguments(Slices::from(logits), targets, Some(losses), Scale::All(0.0));
            let options = self.options;
            let run = move |level, Arguments { mut logits, targets, losses, scale }: Arguments<T, 1, 0>| {
                T::losses(level, &mut logits, LossRecipe::new(targets, losses, scale, options));
            };
            Call { work, cost: || Cost::rows(self.shape), run }.on(threads)
        }

        /// Writes the loss of each row to `losses`, and its gradient times `scale` to `dlogits`.
        ///
        /// # Panics
        ///
        /// As [`forward`](Self::forward), if the lengths of `logits` and `dlogits` differ, or if `scale` has another
        /// number of rows.
        pub threads => fn forward_backward | par_forward_backward ['s, T: Float, C: Class]
        (&self, logits: &[T], targets: &[C], scale: impl Into<Scale<'s, T::Arithmetic>>, losses: &mut [T::Arithmetic], dlogits: &mut [T]) {
            let logits = Slices::<T, 1>::new([("logits", logits)], ("dlogits", dlogits));
            let work = self.check_arguments(logits, targets, Some(losses), scale.into());
            self.gradient_call(work).on(threads)
        }

        /// Writes the loss of each row to `losses`, and overwrites the logits with its gradient times `scale`.
        ///
        /// # Panics
        ///
        /// As [`forward`](Self::forward), or if `scale` has another number of rows.
        pub threads => fn forward_backward_in_place | par_forward_backward_in_place ['s, T: Float, C: Class]
        (&self, logits: &mut [T], targets: &[C], scale: impl Into<Scale<'s, T::Arithmetic>>, losses: &mut [T::Arithmetic]) {
            let work =
                self.check_arguments(Slices::<T, 1>::in_place(logits), targets, Some(losses), scale.into());
            self.gradient_call(work).on(threads)
        }

        /// Writes the gradient of the loss times `scale` to `dlogits`.
        ///
        /// # Panics
        ///
        /// If `logits` is not whole rows, if the lengths of `logits` and `dlogits` differ, if `targets` or `scale` does
        /// not have one element for each row, or if a target is neither a class nor the ignored number.
        pub threads => fn backward | par_backward ['s, T: Float, C: Class]
        (&self, logits: &[T], targets: &[C], scale: impl Into<Scale<'s, T::Arithmetic>>, dlogits: &mut [T]) {
            let logits = Slices::<T, 1>::new([("logits", logits)], ("dlogits", dlogits));
            let work = self.check_arguments(logits, targets, None, scale.into());
            self.gradient_call(work).on(threads)
        }

        /// Writes the loss of each row with the probabilities of its classes to `losses`.
        ///
        /// The probabilities of a row need not sum to 1. [`ignoring`](Self::ignoring) has no effect.
        ///
        /// # Panics
        ///
        /// If the lengths of `logits` and `probabilities` differ or are not whole rows, or if `losses` does not have one
        /// element for each row.
        pub threads => fn forward_soft | par_forward_soft [T: Float]
        (&self, logits: &[T], probabilities: &[T], losses: &mut [T::Arithmetic]) {
            let sources = Slices::<T, 2, 0>::sources([("logits", logits), ("probabilities", probabilities)]);
            let work = self.check_soft(sources, losses, Scale::All(0.0));
            let options = self.options;
            let run = move |level, Arguments { mut logits, targets, losses, scale }: Arguments<T, 2, 0>| {
                T::soft_losses(level, &mut logits, LossRecipe::new(targets, losses, scale, options));
            };
            Call { work, cost: || Cost::rows(self.shape), run }.on(threads)
        }

        /// Writes the loss of each row with the probabilities of its classes to `losses`, and its gradient with respect
        /// to the logits, times `scale`, to `dlogits`.
        ///
        /// # Panics
        ///
        /// As [`forward_soft`](Self::forward_soft), if `dlogits` has another length than `logits`, or if `scale` has
        /// another number of rows.
        pub threads => fn forward_backward_soft | par_forward_backward_soft ['s, T: Float]
        (
            &self,
            logits: &[T],
            probabilities: &[T],
            scale: impl Into<Scale<'s, T::Arithmetic>>,
            losses: &mut [T::Arithmetic],
            dlogits: &mut [T]
        ) {
            let sources = [("logits", logits), ("probabilities", probabilities)];
            let work = self.check_soft(Slices::<T, 2>::new(sources, ("dlogits", dlogits)), losses, scale.into());
            let options = self.options;
            let run = move |level, Arguments { mut logits, targets, losses, scale }: Arguments<T, 2, 1>| {
                T::soft_losses_and_gradient(level, &mut logits, LossRecipe::new(targets, losses, scale, options));
            };
            Call { work, cost: || Cost::rows(self.shape), run }.on(threads)
        }

        /// The mean loss: the sum of all losses over the sum of the targets' weights in the rows that are not ignored,
        /// which is their number without weights. NaN if there are none.
        ///
        /// Allocates a loss for each row.
        ///
        /// # Panics
        ///
        /// If `logits` is not whole rows, if `targets` does not have one element for each row, or if a target is neither
        /// a class nor the ignored number.
        pub threads => fn mean | par_mean [T: Float, C: Class] (&self, logits: &[T], targets: &[C]) -> f64 {
            let mut losses = vec![T::Arithmetic::default(); targets.len()];
            let work = self.check_arguments(Slices::from(logits), targets, Some(&mut losses), Scale::All(0.0));
            let options = self.options;
            let run = move |level, Arguments { mut logits, targets, losses, scale }: Arguments<T, 1, 0>| {
                T::losses(level, &mut logits, LossRecipe::new(targets, losses, scale, options));
            };
            Call { work, cost: || Cost::rows(self.shape), run }.on(threads);
            options.mean(C::targets(targets), &losses)
        }
    }

    /// Checks the arguments of a method and makes views of them.
    #[track_caller]
    #[inline(always)]
    fn check_arguments<'a, T: Float, C: Class, const M: usize>(
        &self,
        logits: Slices<'a, T, 1, M>,
        targets: &'a [C],
        losses: Option<&'a mut [T::Arithmetic]>,
        scale: Scale<'a, T::Arithmetic>,
    ) -> Arguments<'a, T, 1, M> {
        let logits = Rows::new(logits, "logits", self.shape);
        check::row_count("targets", targets.len(), logits.len());
        if let Some(losses) = &losses {
            check::row_count("losses", losses.len(), logits.len());
        }
        scale.check(logits.len());
        check::classes(targets, self.shape.axis, self.options.ignored);
        Arguments { logits, targets: C::targets(targets), losses: losses.unwrap_or_default(), scale }
    }

    /// The same for soft targets.
    #[track_caller]
    #[inline(always)]
    fn check_soft<'a, T: Float, const M: usize>(
        &self,
        logits: Slices<'a, T, 2, M>,
        losses: &'a mut [T::Arithmetic],
        scale: Scale<'a, T::Arithmetic>,
    ) -> Arguments<'a, T, 2, M> {
        let logits = Rows::new(logits, "logits", self.shape);
        check::row_count("losses", losses.len(), logits.len());
        scale.check(logits.len());
        Arguments { logits, targets: Targets::None, losses, scale }
    }

    #[inline(always)]
    fn gradient_call<'a, T: Float>(
        &self,
        work: Arguments<'a, T, 1, 1>,
    ) -> Call<
        Arguments<'a, T, 1, 1>,
        impl FnOnce() -> Cost + use<'_, 'a, 'o, T>,
        impl Fn(Level, Arguments<'a, T, 1, 1>) + Sync + use<'a, 'o, T>,
    > {
        let options = self.options;
        let run = move |level, Arguments { mut logits, targets, losses, scale }: Arguments<'a, T, 1, 1>| {
            T::losses_and_gradient(level, &mut logits, LossRecipe::new(targets, losses, scale, options));
        };
        Call { work, cost: || Cost::rows(self.shape), run }
    }
}

/// The arguments of a method, checked: `N` is 2 with soft targets, `M` is 0 without a gradient.
struct Arguments<'a, T: Float, const N: usize, const M: usize> {
    /// The logits, the soft targets, and the gradient.
    logits: Rows<'a, T, N, M>,
    /// One class for each row.
    targets: Targets<'a>,
    /// One loss for each row, or none at all.
    losses: &'a mut [T::Arithmetic],
    /// The factor of the gradient.
    scale: Scale<'a, T::Arithmetic>,
}

impl<T: Float, const N: usize, const M: usize> Split for Arguments<'_, T, N, M> {
    fn len(&self) -> usize {
        self.logits.len()
    }
    fn unit_len(&self) -> usize {
        self.logits.unit_len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (logits, logits_rest) = self.logits.split_at(mid);
        let (targets, targets_rest) = self.targets.split_at(mid);
        let (losses, losses_rest) = self.losses.split_at_mut(mid.min(self.losses.len()));
        let (scale, scale_rest) = self.scale.split_at(mid);
        (
            Self { logits, targets, losses, scale },
            Self { logits: logits_rest, targets: targets_rest, losses: losses_rest, scale: scale_rest },
        )
    }
    fn shared(self) -> Self {
        Self { logits: self.logits.shared(), ..self }
    }
}
