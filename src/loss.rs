//! Cross-entropy of class ids from logits, and its gradient.

use crate::check;
use crate::entry::Float;
use crate::lanes::{Lanes, Rows, Shape, Slices};
use crate::math::product;
#[cfg(feature = "rayon")]
use crate::parallel::{self, Split};
use crate::real::Real;
#[cfg(feature = "rayon")]
use crate::softmax::cost;
use crate::softmax::{Element, Group, Probability, Term, Work, log_sum, or_nan, scale, shift};

/// The cross-entropy of each row of logits with a class id: `logsumexp(row) - row[target]`.
///
/// The gradient with respect to the logits is `scale * (softmax(row) - onehot(target))`; a scale of one
/// over the number of rows gives that of the mean loss. Working from the logits, it does not vanish
/// where the softmax saturates.
///
/// # Accuracy
///
/// `f32` losses within 4 eps of `max(1, loss)`, and never negative; gradients within 1e-6 of `scale`
/// (`cargo test --test loss`).
///
/// # Special values
///
/// A row with NaN, +inf or only -inf has loss NaN and gradient NaN. Other rows are not touched by it.
///
/// # Examples
///
/// ```
/// use activations::CrossEntropy;
///
/// let (mut losses, mut gradient) = ([0.0_f32; 1], [0.0; 2]);
/// CrossEntropy::rows(2).forward_backward(&[3.0, 3.0], &[1], 1.0, &mut losses, &mut gradient);
/// assert!((losses[0] - std::f32::consts::LN_2).abs() < 1e-6);
/// assert_eq!(gradient, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossEntropy {
    shape: Shape,
}

impl CrossEntropy {
    /// Rows of this many classes.
    ///
    /// # Panics
    ///
    /// If `classes` is 0.
    #[track_caller]
    pub fn rows(classes: usize) -> Self {
        check::axis(classes, 1);
        Self { shape: Shape { axis: classes, inner: 1 } }
    }

    /// Writes the loss of each row to `losses`.
    ///
    /// # Panics
    ///
    /// If the logits are not whole rows, if there is not one target and one loss a row, or if a target is
    /// not a class.
    #[track_caller]
    pub fn forward<T: Float>(self, logits: &[T], targets: &[u32], losses: &mut [T]) {
        T::cross_entropy(self.arguments(logits.into(), targets, losses));
    }

    /// Writes the loss of each row to `losses` and its gradient, times `scale`, to `dlogits`.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and if the lengths of `logits` and `dlogits` differ.
    #[track_caller]
    pub fn forward_backward<T: Float>(
        self,
        logits: &[T],
        targets: &[u32],
        scale: f64,
        losses: &mut [T],
        dlogits: &mut [T],
    ) {
        check::same_len("logits", logits.len(), "dlogits", dlogits.len());
        T::cross_entropy_gradient(self.arguments(Slices::<T, 1>::new(logits, dlogits), targets, losses), scale);
    }

    /// As [`forward_backward`](Self::forward_backward), overwriting the logits with their gradient.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_backward_in_place<T: Float>(self, logits: &mut [T], targets: &[u32], scale: f64, losses: &mut [T]) {
        T::cross_entropy_gradient(self.arguments(Slices::<T, 1>::in_place(logits), targets, losses), scale);
    }

    /// [`forward`](Self::forward) on rayon's current pool, with the same bits.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward<T: Float>(self, logits: &[T], targets: &[u32], losses: &mut [T]) {
        let arguments = self.arguments(logits.into(), targets, losses);
        parallel::split(arguments, cost(self.shape), |part| T::cross_entropy(part));
    }

    /// [`forward_backward`](Self::forward_backward) on rayon's current pool, with the same bits.
    ///
    /// # Panics
    ///
    /// As [`forward_backward`](Self::forward_backward).
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward_backward<T: Float>(
        self,
        logits: &[T],
        targets: &[u32],
        scale: f64,
        losses: &mut [T],
        dlogits: &mut [T],
    ) {
        check::same_len("logits", logits.len(), "dlogits", dlogits.len());
        let arguments = self.arguments(Slices::<T, 1>::new(logits, dlogits), targets, losses);
        parallel::split(arguments, cost(self.shape), |part| T::cross_entropy_gradient(part, scale));
    }

    /// [`forward_backward_in_place`](Self::forward_backward_in_place) on rayon's current pool, with the
    /// same bits.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward_backward_in_place<T: Float>(
        self,
        logits: &mut [T],
        targets: &[u32],
        scale: f64,
        losses: &mut [T],
    ) {
        let arguments = self.arguments(Slices::<T, 1>::in_place(logits), targets, losses);
        parallel::split(arguments, cost(self.shape), |part| T::cross_entropy_gradient(part, scale));
    }

    #[track_caller]
    fn arguments<'a, T: Float, const OUTPUT: bool>(
        self,
        logits: Slices<'a, T, 1, OUTPUT>,
        targets: &'a [u32],
        losses: &'a mut [T],
    ) -> Arguments<'a, T, OUTPUT> {
        let Shape { axis: classes, .. } = self.shape;
        check::whole_rows("logits", logits.len(), classes, 1);
        check::row_count("targets", targets.len(), logits.len() / classes);
        check::row_count("losses", losses.len(), logits.len() / classes);
        check::classes(targets, classes);
        Arguments { logits: Rows::new(logits, self.shape), targets, losses }
    }
}

/// The arguments of cross-entropy, checked; with `OUTPUT` the gradient too.
pub struct Arguments<'a, T, const OUTPUT: bool> {
    /// The logits, and their gradient.
    pub logits: Rows<'a, T, 1, OUTPUT>,
    /// One class a row.
    pub targets: &'a [u32],
    /// One loss a row.
    pub losses: &'a mut [T],
}

#[cfg(feature = "rayon")]
impl<T: Real, const OUTPUT: bool> Split for Arguments<'_, T, OUTPUT> {
    fn len(&self) -> usize {
        self.logits.len()
    }
    fn each(&self) -> usize {
        self.logits.each()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (logits, logits_rest) = self.logits.split_at(mid);
        let (targets, targets_rest) = self.targets.split_at(mid);
        let (losses, losses_rest) = self.losses.split_at_mut(mid);
        (Self { logits, targets, losses }, Self { logits: logits_rest, targets: targets_rest, losses: losses_rest })
    }
}

/// The losses alone.
pub struct Losses<'a, T> {
    /// One class a row.
    pub targets: &'a [u32],
    /// One loss a row.
    pub losses: &'a mut [T],
}

impl<T: Real> Losses<'_, T> {
    /// The logit of each row's target, by row.
    #[inline(always)]
    fn target_logits<L: Lanes<Float = T>>(&self, max: L, group: &impl Group<L, 1>, first: usize) -> L {
        let mut logits = max.to_array();
        let targets = &self.targets[first..first + group.rows()];
        for (r, (logit, target)) in logits.as_mut().iter_mut().zip(targets).enumerate() {
            *logit = group.get(r, *target as usize);
        }
        max.with_array(logits)
    }

    /// (max - target) + ln(sum of e^(x - max)): never negative.
    #[inline(always)]
    fn write<L: Lanes<Float = T>>(&mut self, max: L, target: L, log: [L::Double; 2], first: usize, rows: usize) {
        let (high, target) = (max.widen(), target.widen());
        let loss = L::narrow([high[0] - target[0] + log[0], high[1] - target[1] + log[1]]);
        self.losses[first..first + rows].copy_from_slice(&or_nan(max, loss).to_array().as_ref()[..rows]);
    }
}

impl<T: Real> Work<T, 1> for Losses<'_, T> {
    const ACROSS: bool = false;

    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, _: L, mut group: impl Group<L, 1>, first: usize) {
        let max = group.max();
        let target = self.target_logits(max, &group, first);
        let shift = shift(max);
        let sum = group.sum::<false, 3>(Term, shift);
        self.write(max, target, log_sum(max, shift, sum), first, group.rows());
    }
}

/// The losses and the gradient with respect to the logits.
pub struct Gradients<'a, T> {
    /// The losses.
    pub losses: Losses<'a, T>,
    /// A factor of the gradient.
    pub scale: f64,
}

impl<T: Real> Work<T, 1> for Gradients<'_, T> {
    const ACROSS: bool = false;

    #[inline(always)]
    fn group<L: Lanes<Float = T>>(&mut self, zero: L, mut group: impl Group<L, 1>, first: usize) {
        let (max, rows) = (group.max(), group.rows());
        // Read before the terms overwrite it.
        let target = self.losses.target_logits(max, &group, first);
        let shift = shift(max);
        let sum = group.sum::<true, 3>(Term, shift);
        self.losses.write(max, target, log_sum(max, shift, sum), first, rows);

        let scale = scale(max, sum);
        group.map(Scaled(self.scale), scale);
        // The targets' own: scale * (probability - 1).
        let probability = Probability.apply(scale, [Term.apply(shift, [target])]);
        let gradient = product(probability - zero.splat(1.0), zero.splat(self.scale)).to_array();
        for (r, &gradient) in gradient.as_ref()[..rows].iter().enumerate() {
            group.set(r, self.losses.targets[first + r] as usize, gradient);
        }
    }
}

/// A probability times a factor.
#[derive(Clone, Copy)]
struct Scaled(f64);

impl Element<1, 3> for Scaled {
    #[inline(always)]
    fn apply<L: Lanes>(self, scale: [L; 3], term: [L; 1]) -> L {
        product(Probability.apply(scale, term), term[0].splat(self.0))
    }
}
