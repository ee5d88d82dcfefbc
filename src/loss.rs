//! Cross-entropy of class ids from logits, and its gradient.

use crate::check;
use crate::float::Float;
use crate::isa::Kernel;
use crate::lanes::{Fold, Input, Lanes, Memory, ROWS, Simd, Slices};
use crate::softmax::{Scale, Shift, group_of, maxima, product, store_terms, sum_terms};
use crate::sum::Tree;

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
    columns: usize,
}

impl CrossEntropy {
    /// Rows of this many classes.
    ///
    /// # Panics
    ///
    /// If `classes` is 0.
    #[track_caller]
    pub fn rows(classes: usize) -> Self {
        check::columns(classes);
        Self { columns: classes }
    }

    #[track_caller]
    fn check(self, logits: usize, targets: &[u32], losses: usize) {
        check::whole_rows("logits", logits, self.columns);
        check::row_count("targets", targets.len(), logits / self.columns);
        check::row_count("losses", losses, logits / self.columns);
        check::classes(targets, self.columns);
    }

    /// Writes the loss of each row to `losses`.
    ///
    /// # Panics
    ///
    /// If the logits are not whole rows, if there is not one target and one loss a row, or if a target is
    /// not a class.
    #[track_caller]
    pub fn forward<T: Float>(self, logits: &[T], targets: &[u32], losses: &mut [T]) {
        self.check(logits.len(), targets, losses.len());
        T::cross_entropy(Forward { logits: logits.into(), targets, losses, columns: self.columns });
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
        self.check(logits.len(), targets, losses.len());
        let slices = Slices::<T, 1>::new(logits, dlogits);
        T::cross_entropy_gradient(ForwardBackward { slices, targets, losses, scale, columns: self.columns });
    }

    /// As [`forward_backward`](Self::forward_backward), overwriting the logits with their gradient.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_backward_in_place<T: Float>(self, logits: &mut [T], targets: &[u32], scale: f64, losses: &mut [T]) {
        self.check(logits.len(), targets, losses.len());
        let slices = Slices::<T, 1>::in_place(logits);
        T::cross_entropy_gradient(ForwardBackward { slices, targets, losses, scale, columns: self.columns });
    }
}

/// The kernel of the losses.
pub struct Forward<'a, T> {
    logits: Input<'a, T>,
    targets: &'a [u32],
    losses: &'a mut [T],
    columns: usize,
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (columns, mut tree) = (self.columns, Tree::new(zero));
        let rows = group_of::<T>(columns);
        for (g, (targets, losses)) in self.targets.chunks(rows).zip(self.losses.chunks_mut(rows)).enumerate() {
            let (rows, group) = (targets.len(), self.logits.part(g * rows * columns, targets.len() * columns));
            let max: T::Lanes<S> = maxima(simd, group, rows, columns);
            let shift = Shift::new(max);
            let shifts = shift.to_arrays();
            let mut sums = [zero; ROWS];
            for (r, sum) in sums[..rows].iter_mut().enumerate() {
                *sum = sum_terms(simd, group.part(r * columns, columns), Shift::row(zero, shifts, r), &mut tree);
            }
            write_losses(group, targets, columns, shift, max, Fold::fold_sum(&sums), losses);
        }
    }
}

/// The losses of up to one lane value of rows: (max - target) + ln(sum of e^(x - max)), never negative.
#[inline(always)]
fn write_losses<L: Memory>(
    logits: Input<L::Float>,
    targets: &[u32],
    columns: usize,
    shift: Shift<L>,
    max: L,
    sum: [L::Double; 2],
    losses: &mut [L::Float],
) {
    let mut of_target = max.to_array();
    for (r, (lane, &target)) in of_target.as_mut().iter_mut().zip(targets).enumerate() {
        *lane = logits.get(r * columns + target as usize);
    }
    let (log, high, target) = (shift.log_sum(max, sum), max.widen(), max.with_array(of_target).widen());
    let loss = L::narrow([high[0] - target[0] + log[0], high[1] - target[1] + log[1]]);
    let is_valid = max.abs().lt(max.splat(f64::INFINITY));
    let loss = L::select(is_valid, loss, max.splat(f64::NAN)).to_array();
    losses.copy_from_slice(&loss.as_ref()[..losses.len()]);
}

/// The kernel of the losses with their gradient.
pub struct ForwardBackward<'a, T> {
    slices: Slices<'a, T, 1>,
    targets: &'a [u32],
    losses: &'a mut [T],
    scale: f64,
    columns: usize,
}

impl<T: Float> Kernel for ForwardBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let zero = <T::Lanes<S> as Memory>::zero(simd);
        let (columns, mut tree) = (self.columns, Tree::new(zero));
        let (factor, one) = (zero.splat(self.scale), zero.splat(1.0));
        let rows = group_of::<T>(columns);
        for (g, (targets, losses)) in self.targets.chunks(rows).zip(self.losses.chunks_mut(rows)).enumerate() {
            let (start, rows) = (g * rows * columns, targets.len());
            let mut group = self.slices.part(start, rows * columns);
            let max: T::Lanes<S> = maxima(simd, group.source(0), rows, columns);
            let shift = Shift::new(max);
            let shifts = shift.to_arrays();
            // The logits of the targets are read before the terms may overwrite them.
            let mut sums = [zero; ROWS];
            for (r, sum) in sums[..rows].iter_mut().enumerate() {
                let row = group.source(0).part(r * columns, columns);
                *sum = sum_terms(simd, row, Shift::row(zero, shifts, r), &mut tree);
            }
            let sum = Fold::fold_sum(&sums);
            write_losses(group.source(0), targets, columns, shift, max, sum, losses);
            let is_valid = max.abs().lt(zero.splat(f64::INFINITY));
            let scales = Scale::new(sum, is_valid, zero.splat(f64::NAN)).to_arrays();
            for (r, &target) in targets.iter().enumerate() {
                let mut part = group.part(r * columns, columns);
                store_terms(simd, part.part(0, columns), Shift::row(zero, shifts, r), &mut tree);
                let scale = Scale::row(zero, scales, r);
                let term = zero.splat(part.output().source(0).get(target as usize).to_f64());
                for mut block in part.output().blocks::<1>() {
                    let [t]: [T::Lanes<S>; 1] = block.load(simd, 0);
                    block.store([product(scale.apply(t), factor)]);
                }
                let of_target = product(scale.apply(term) - one, factor).to_array();
                part.set(target as usize, of_target.as_ref()[0]);
            }
        }
    }
}
