//! Cross-entropy with its options, and its gradient.

use std::sync::Arc;

use activations::judge::is_within;
use activations::{CrossEntropy, Isa, Scale, reference, ulp};

use crate::bound::reference_error;
use crate::operation::forms;
use crate::{Bound, DoubleDouble, Element, Family, Form, Operation, Shape};

/// The bound on a loss of a class without options.
pub const LOSS: Bound = Bound::Ulp([8.0, 8.0]);
/// The bound on other losses, relative to the sum of the magnitudes of their terms.
pub const LOSS_WITH_OPTIONS: Bound = Bound::Magnitudes(8.0);
/// How far from 0 a row of gradients may sum, in epsilons of its scale.
pub const BALANCE_EPSILONS: f64 = 4.0;
/// How far the target's gradient may be from minus the sum of the others, in ulp: `f32`, whose sums end in `f64`, and `f64`.
pub const BALANCE_ULP: [f64; 2] = [4.0, 5.0];
/// The bound on the gradient of a loss.
pub const GRADIENT: Bound = Bound::EpsilonsOfScale(8.0);
/// The bound on a mean, relative to the mean of the magnitudes.
pub const MEAN: Bound = Bound::Magnitudes(8.0);

/// The number of an ignored row.
const IGNORED: i64 = -100;

/// The options of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Options {
    /// Whether some targets are [`IGNORED`].
    pub ignores: bool,
    /// Whether the classes have weights: 0, 1/4, 1/2, 3/4, 1 and so on.
    pub is_weighted: bool,
    /// The label smoothing.
    pub smoothing: f64,
    /// The factor of the z-loss.
    pub z_loss: f64,
}

impl Options {
    /// All options at once.
    pub const ALL: Self = Self { ignores: true, is_weighted: true, smoothing: 0.125, z_loss: 0.01 };

    /// Every combination of options.
    pub fn combinations() -> impl Iterator<Item = Self> {
        (0..16).map(|bits| Self {
            ignores: bits & 1 > 0,
            is_weighted: bits & 2 > 0,
            smoothing: if bits & 4 > 0 { 0.125 } else { 0.0 },
            z_loss: if bits & 8 > 0 { 0.01 } else { 0.0 },
        })
    }

    fn is_plain(self) -> bool {
        Self { ignores: false, ..self } == Self::default()
    }

    fn weight(self, class: usize) -> f64 {
        if self.is_weighted { (class % 7) as f64 * 0.25 } else { 1.0 }
    }
}

/// A loss on tensors of one shape.
#[derive(Clone)]
struct Loss<T> {
    shape: Shape,
    options: Options,
    classes: Arc<[i64]>,
    weights: Arc<[T]>,
    /// One factor for each row.
    scales: Arc<[T]>,
    /// One factor for all rows, in place of those.
    scale: Option<f64>,
}

impl<T: Element> Loss<T> {
    fn new(shape: Shape, targets: &[u32], scale: Option<f64>, options: Options) -> Self {
        let is_ignored = |r: usize| options.ignores && r % 3 == 1;
        let class = |(r, class): (usize, &u32)| if is_ignored(r) { IGNORED } else { i64::from(*class) };
        let scales = (0..shape.rows()).map(|r| T::rounded((r % 5) as f64 * 0.5 - 0.75)).collect();
        let weights = (0..shape.axis).map(|class| T::rounded(options.weight(class))).collect();
        Self { shape, options, classes: targets.iter().enumerate().map(class).collect(), weights, scales, scale }
    }

    /// An operation of the list, without forms and judge.
    fn operation(&self, name: &str, inputs: usize, outputs: Vec<usize>, bound: Bound) -> Operation<T> {
        let Self { shape, options, scale, .. } = self;
        let suffix = if *options == Options::default() { "" } else { " with options" };
        Operation {
            item: "CrossEntropy",
            name: format!("{name}{suffix}"),
            parameters: format!("{shape:?}, {options:?}, scale {scale:?}"),
            family: Family::Axis,
            bound,
            row_len: shape.axis,
            inputs: vec![shape.len(); inputs],
            outputs,
            first_input: Box::new(<[T]>::to_vec),
            forms: Vec::new(),
            judge: Box::new(|_, _, _| unreachable!("every loss has a judge")),
        }
    }

    /// The loss with its options.
    fn loss(&self) -> CrossEntropy<'_> {
        let Options { ignores, is_weighted, smoothing, z_loss } = self.options;
        let mut loss = CrossEntropy::axis(self.shape.axis, self.shape.inner);
        if ignores {
            loss = loss.ignoring(IGNORED);
        }
        if is_weighted {
            loss = loss.class_weights(&self.weights);
        }
        loss.label_smoothing(smoothing).z_loss(z_loss)
    }

    fn scale(&self) -> Scale<'_, T> {
        self.scale.map_or(Scale::Rows(&self.scales), Scale::All)
    }

    /// The factor of row `r`.
    fn factor(&self, r: usize) -> f64 {
        self.scale.map_or(self.scales[r], T::rounded).into()
    }

    /// The weight of each class in the loss of a row: of its class, or of its probabilities.
    fn row_weights(&self, r: usize, probabilities: Option<&[f64]>) -> Vec<f64> {
        let Options { smoothing, .. } = self.options;
        let of_class = |class: usize| match probabilities {
            Some(probabilities) => probabilities[class],
            None => f64::from(u8::from(self.classes[r] == class as i64)),
        };
        let even = smoothing / self.shape.axis as f64;
        let weight = |class| self.options.weight(class) * ((1.0 - smoothing) * of_class(class) + even);
        (0..self.shape.axis).map(weight).collect()
    }

    /// Asserts that the losses are right. Soft targets are in `probabilities`.
    fn judge_losses(&self, logits: &[T], probabilities: Option<&[T]>, losses: &[T]) {
        for (r, &loss) in losses.iter().enumerate() {
            if probabilities.is_none() && self.classes[r] == IGNORED {
                assert!(loss.bits() == T::default().bits(), "the loss of an ignored row is {loss:e}");
                continue;
            }
            let row = self.shape.row_as_f64(logits, r);
            let probabilities = probabilities.map(|probabilities| self.shape.row_as_f64(probabilities, r));
            let weights = self.row_weights(r, probabilities.as_deref());
            let what = || format!("{} loss of {row:?} with {weights:?}, {:?}", Isa::current(), self.options);
            if self.options.is_plain() && probabilities.is_none() {
                let exact = reference::cross_entropy(&row, self.classes[r] as usize);
                assert!(is_within(loss, exact, LOSS.ulp()), "{}: {loss:e}, not {exact:e}", what());
                assert!(loss.into() >= 0.0 || loss.into().is_nan(), "{}: {loss:e}", what());
            } else {
                let exact = reference::weighted_cross_entropy(&row, &weights, self.options.z_loss);
                let bound = LOSS_WITH_OPTIONS.epsilons() * T::EPSILON * self.magnitudes(&row, &weights);
                assert!(is_close(loss, exact, bound), "{}: {loss:e}, not {exact:e}", what());
            }
        }
    }

    /// The sum of the magnitudes of the terms of a loss.
    fn magnitudes(&self, row: &[f64], weights: &[f64]) -> f64 {
        let magnitudes: Vec<f64> = weights.iter().map(|weight| weight.abs()).collect();
        let max = row.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
        let log = reference::log_sum_exp(row);
        // max - x and the square are rounded where they are far above their sum.
        let of_square = self.options.z_loss * (log.abs() + max).powi(2);
        reference::weighted_cross_entropy(row, &magnitudes, 0.0) + of_square
    }

    /// Asserts that the gradients are right.
    fn judge_gradients(&self, logits: &[T], probabilities: Option<&[T]>, dx: &[T]) {
        for r in 0..self.shape.rows() {
            let gradients = self.shape.row_as_f64(dx, r);
            if probabilities.is_none() && self.classes[r] == IGNORED {
                assert!(gradients.iter().all(|dx| *dx == 0.0), "the gradient of an ignored row is {gradients:?}");
                continue;
            }
            let (row, scale) = (self.shape.row_as_f64(logits, r), self.factor(r));
            if scale.is_nan() || scale.abs() > T::MAX / 1e6 {
                continue;
            }
            let probabilities = probabilities.map(|probabilities| self.shape.row_as_f64(probabilities, r));
            let is_hard = probabilities.is_none();
            let weights = self.row_weights(r, probabilities.as_deref());
            let exact = match is_hard && self.options.is_plain() {
                true => reference::cross_entropy_gradient(&row, self.classes[r] as usize),
                false => reference::weighted_cross_entropy_gradient(&row, &weights, self.options.z_loss),
            };
            let mass: f64 = weights.iter().map(|weight| weight.abs()).sum();
            let of_z = 2.0 * self.options.z_loss * reference::log_sum_exp(&row).abs();
            let magnitude = scale.abs() * (mass + if of_z.is_finite() { of_z } else { 0.0 });
            if magnitude > T::MAX / 1e6 {
                continue;
            }
            let epsilons = GRADIENT.epsilons() * T::EPSILON + reference_error(row.len() as f64);
            let bound = epsilons * magnitude.max(scale.abs()) + 2.0 * T::MIN_SUBNORMAL * scale.abs().max(1.0);
            for (dx, exact) in gradients.iter().zip(exact) {
                let exact = scale * exact;
                let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
                let options = self.options;
                assert!(is_right, "{} gradient of {row:?}, {options:?}: {dx:e}, not {exact:e}", Isa::current());
            }
            if is_hard && self.options.is_plain() {
                judge_balance::<T>(&gradients, self.classes[r] as usize, scale);
            }
        }
    }

    /// Asserts that the mean is right.
    fn judge_mean(&self, logits: &[T], mean: f64) {
        let kept = || (0..self.shape.rows()).filter(|r| self.classes[*r] != IGNORED);
        let weight: f64 = kept().map(|r| self.options.weight(self.classes[r] as usize)).sum();
        let (mut losses, mut magnitudes) = (Vec::new(), 0.0);
        for r in kept() {
            let (row, weights) = (self.shape.row_as_f64(logits, r), self.row_weights(r, None));
            losses.push(reference::weighted_cross_entropy(&row, &weights, self.options.z_loss));
            magnitudes += self.magnitudes(&row, &weights);
        }
        // Each loss is rounded to the element type, to 0 perhaps.
        let of_subnormals = kept().count() as f64 * T::MIN_SUBNORMAL;
        let (exact, bound) =
            (pairwise_sum(&losses) / weight, (MEAN.epsilons() * T::EPSILON * magnitudes + of_subnormals) / weight);
        let has_overflown = magnitudes > T::MAX / 4.0;
        assert!(has_overflown || is_close(mean, exact, bound), "the mean of {logits:?}: {mean:e}, not {exact:e}");
    }
}

/// The loss alone, with its gradient, the gradient alone, and the mean, of classes.
pub fn all<T: Element>(shape: Shape, targets: &[u32], scale: Option<f64>, options: Options) -> Vec<Operation<T>> {
    let setting = Loss::<T>::new(shape, targets, scale, options);
    let [of_losses, of_both, of_gradients, of_mean] = [(); 4].map(|()| setting.clone());
    let base = |name: &str, outputs, bound| setting.operation(name, 1, outputs, bound);
    let mean = |name: &'static str, mean: fn(&Loss<T>, &[T]) -> f64| {
        let setting = setting.clone();
        Form { name, overwrites: None, call: Box::new(move |inputs, _| mean(&setting, inputs[0])) }
    };
    let bound = if options.is_plain() { LOSS } else { LOSS_WITH_OPTIONS };
    vec![
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward par_forward [x] [losses] (x, &setting.classes, losses),
            ],
            judge: Box::new(move |inputs, outputs, _| of_losses.judge_losses(inputs[0], None, outputs[0])),
            ..base("cross-entropy", vec![shape.rows()], bound)
        },
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward_backward par_forward_backward [x] [dx, losses]
                    (x, &setting.classes, setting.scale(), losses, dx),
                forward_backward_in_place par_forward_backward_in_place [_] [dx, losses]
                    (dx, &setting.classes, setting.scale(), losses) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                of_both.judge_losses(inputs[0], None, outputs[1]);
                of_both.judge_gradients(inputs[0], None, outputs[0]);
            }),
            ..base("cross-entropy and gradient", vec![shape.len(), shape.rows()], GRADIENT)
        },
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                backward par_backward [x] [dx] (x, &setting.classes, setting.scale(), dx),
            ],
            judge: Box::new(move |inputs, outputs, _| of_gradients.judge_gradients(inputs[0], None, outputs[0])),
            ..base("cross-entropy gradient", vec![shape.len()], GRADIENT)
        },
        Operation {
            forms: vec![
                mean("mean", |setting, x| setting.loss().mean(x, &setting.classes)),
                mean("par_mean", |setting, x| setting.loss().par_mean(x, &setting.classes)),
            ],
            judge: Box::new(move |inputs, _, mean| of_mean.judge_mean(inputs[0], mean)),
            ..base("cross-entropy mean", vec![], MEAN)
        },
    ]
}

/// The loss alone, and with its gradient, of probabilities.
pub fn soft<T: Element>(shape: Shape, scale: Option<f64>, options: Options) -> Vec<Operation<T>> {
    let classes = vec![0; shape.rows()];
    let options = Options { ignores: false, ..options };
    let setting = Loss::<T>::new(shape, &classes, scale, options);
    let [of_losses, of_both] = [(); 2].map(|()| setting.clone());
    let base = |name: &str, outputs, bound| setting.operation(name, 2, outputs, bound);
    vec![
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward_soft par_forward_soft [x, q] [losses] (x, &probabilities(q), losses),
            ],
            judge: Box::new(move |inputs, outputs, _| {
                of_losses.judge_losses(inputs[0], Some(&probabilities(inputs[1])), outputs[0]);
            }),
            ..base("soft cross-entropy", vec![shape.rows()], LOSS_WITH_OPTIONS)
        },
        Operation {
            forms: forms![(setting.loss()) [setting] =>
                forward_backward_soft par_forward_backward_soft [x, q] [dx, losses]
                    (x, &probabilities(q), setting.scale(), losses, dx),
            ],
            judge: Box::new(move |inputs, outputs, _| {
                let q = probabilities(inputs[1]);
                of_both.judge_losses(inputs[0], Some(&q), outputs[1]);
                of_both.judge_gradients(inputs[0], Some(&q), outputs[0]);
            }),
            ..base("soft cross-entropy and gradient", vec![shape.len(), shape.rows()], GRADIENT)
        },
    ]
}

/// The sum of halves, and so on: its rounding error grows with the logarithm of the length.
fn pairwise_sum(x: &[f64]) -> f64 {
    if x.len() <= 2 {
        return x.iter().sum();
    }
    let (first, rest) = x.split_at(x.len() / 2);
    pairwise_sum(first) + pairwise_sum(rest)
}

/// Numbers between 0 and 1 from any numbers, some of them 0.
fn probabilities<T: Element>(x: &[T]) -> Vec<T> {
    let probability = |x: &T| {
        let x: f64 = (*x).into();
        if x.is_finite() { T::rounded((x.abs() * 0.37).fract().max(0.25) - 0.25) } else { T::rounded(0.5) }
    };
    x.iter().map(probability).collect()
}

/// Within a distance of the true value, or the same infinity or NaN.
fn is_close<T: Element>(actual: T, exact: f64, bound: f64) -> bool {
    let bound = bound * (1.0 + 4.0 * f64::EPSILON / T::EPSILON) + 4.0 * T::MIN_SUBNORMAL;
    (actual.into() - exact).abs() <= bound
        || actual.into().is_nan() && exact.is_nan()
        || actual.into() == exact
        || !actual.into().is_finite() && exact.abs() > T::MAX / 1e3
        || bound.is_nan()
        || bound > T::MAX / 1e3
}

/// A row of gradients sums to 0 within [`BALANCE_EPSILONS`] of its scale, and the target's is minus the sum of the
/// others within [`BALANCE_ULP`]: near 0 too, but for the rounding of subnormal numbers.
fn judge_balance<T: Element>(gradients: &[f64], target: usize, scale: f64) {
    let of_target = gradients[target];
    let of_others = gradients.iter().enumerate().filter(|(i, _)| *i != target).map(|(_, dx)| *dx);
    let others = of_others.fold(DoubleDouble::from(0.0), |sum, dx| sum + dx.into());
    let sum = others + of_target.into();
    if sum.hi.is_nan() {
        return;
    }
    let subnormal = (gradients.len() as f64 + 2.0) * T::MIN_SUBNORMAL * scale.abs().max(1.0);
    let is_right = sum.hi.abs() <= BALANCE_EPSILONS * T::EPSILON * scale.abs() + subnormal;
    assert!(is_right, "{} the gradients {gradients:?} sum to {:e}", Isa::current(), sum.hi);
    let (others, balance_ulp) = (others.hi, BALANCE_ULP[usize::from(T::BYTES == 8)]);
    let is_right = sum.hi.abs() <= balance_ulp * ulp::spacing::<T>(others) + subnormal;
    assert!(is_right, "{} the target's gradient is {of_target:e}, the others {others:e}", Isa::current());
}
