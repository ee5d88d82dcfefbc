//! Cross-entropy and squared error behind a softmax, from logits that are confidently wrong; and the gradient of the
//! cross-entropy where the answer is confidently right.

use activations::{CrossEntropy, Softmax};
use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{SEEDS, from_one, medians, named, percent, progress, short};
use crate::data::{CLASSES, Data, Digits, PIXELS};
use crate::network::{Loss, Network};
use crate::plot::{Axis, GREY, Line, SKY, VERMILION, plot};
use crate::report::Section;
use crate::training::{Clip, Sgd};

const WIDTHS: [usize; 3] = [PIXELS, 64, CLASSES];
const BIASES: [f32; 7] = [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0];
const SATURATED: usize = 4;
const LEARNING_RATE: f32 = 0.1;
const EPOCHS: usize = 30;
/// The largest gap between two logits, in eighths. The gradient is below the smallest `f32` there.
const EIGHTHS: u16 = 8 * 110;
/// At this gap the `f32` probability is the largest below 1.
const SURE_GAP: f32 = 17.0;

/// A network that takes every digit for a zero. The larger the bias, the larger the probability that it gives.
fn network(bias: f32, seed: u64) -> Network {
    let mut network = Network::new(&WIDTHS, named("relu"), seed);
    network.layers[1].bias[0] = bias;
    network
}

/// The norm of the first gradient for each bias.
fn norms(loss: Loss, digits: &Digits) -> Vec<f64> {
    let norm = |bias, seed| Clip::None.apply(&mut network(bias, seed).gradients(digits, loss));
    medians(&SEEDS.map(|seed| BIASES.map(|bias| norm(bias, seed)).to_vec()))
}

/// The training error after each epoch.
fn errors(loss: Loss, bias: f32, digits: &Digits) -> Vec<f64> {
    medians(&SEEDS.map(|seed| {
        let sgd = Sgd { loss, ..Sgd::new(LEARNING_RATE, seed) };
        sgd.errors(&mut network(bias, seed), digits, EPOCHS)
    }))
}

/// The magnitude of the gradient with respect to the logit of the target, which is larger than the only other logit by
/// `gap`: as the loss gives it, and as the softmax minus 1.
fn target_gradients(gap: f32) -> [f32; 2] {
    let logits = [gap, 0.0];
    let (mut losses, mut gradient, mut probabilities) = ([0.0], [0.0; 2], [0.0; 2]);
    CrossEntropy::rows(2).forward_backward(&logits, &[0], 1.0, &mut losses, &mut gradient);
    Softmax::rows(2).forward(&logits, &mut probabilities);
    [gradient[0], probabilities[0] - 1.0].map(f32::abs)
}

/// Both magnitudes of [`target_gradients`] by the gap.
fn gradients_by_gap() -> [Vec<(f64, f64)>; 2] {
    [0, 1].map(|i| {
        let gaps = (0..=EIGHTHS).map(|eighths| f32::from(eighths) / 8.0);
        gaps.map(|gap| (gap.into(), target_gradients(gap)[i].into())).collect()
    })
}

/// The largest gap with a gradient that is not 0.
fn last_gap(gradients: &[(f64, f64)]) -> f64 {
    gradients.iter().rfind(|(_, gradient)| *gradient > 0.0).expect("a gradient at the gap 0").0
}

/// Trains with both losses from saturated logits, and with the squared error also from ordinary ones. Then computes the
/// gradients of right targets.
pub fn section(data: &Data) -> Section {
    let bias = BIASES[SATURATED];
    let runs = [(Loss::CrossEntropy, bias), (Loss::SquaredError, bias), (Loss::SquaredError, 0.0)];
    let bar = progress("likelihood", runs.len());
    let errors: Vec<_> =
        runs.par_iter().progress_with(bar).map(|&(loss, bias)| errors(loss, bias, &data.train)).collect();
    let norms = [Loss::CrossEntropy, Loss::SquaredError].map(|loss| norms(loss, &data.train));

    let [likelihood, squared, ordinary] = [0, 1, 2].map(|i| percent(errors[i][EPOCHS - 1]));
    let [likelihood_norm, squared_norm] = [0, 1].map(|i| short(norms[i][SATURATED]));
    let by_bias = |norms: &[f64]| BIASES.into_iter().map(f64::from).zip(norms.to_vec());
    let norms = vec![
        Line::new("cross-entropy", SKY, by_bias(&norms[0])),
        Line::new("squared error", VERMILION, by_bias(&norms[1])),
    ];
    let errors = vec![
        Line::new("cross-entropy", SKY, from_one(&errors[0])),
        Line::new("squared error", VERMILION, from_one(&errors[1])),
        Line::new("squared error, bias 0", GREY, from_one(&errors[2])),
    ];
    let [by_loss, by_difference] = gradients_by_gap();
    let [last, last_difference] = [&by_loss, &by_difference].map(|gradients| last_gap(gradients));
    let [sure, sure_difference] = target_gradients(SURE_GAP).map(|gradient| format!("{gradient:.2e}"));
    let normal = [0.0, last].map(|gap| (gap, f32::MIN_POSITIVE.into()));
    // The logarithmic axis has no ticks below 1e-15.
    let log10 = |points: &[(f64, f64)]| points.iter().map(|point| (point.0, point.1.log10())).collect::<Vec<_>>();
    let by_gap = vec![
        Line::new("cross-entropy", SKY, log10(&by_loss)),
        Line::new("softmax minus 1", VERMILION, log10(&by_difference)).dashed(),
        Line::new("smallest normal f32", GREY, log10(&normal)),
    ];
    let body = html! {
        p {
            "A bias makes the network take every digit for a zero. With a bias of " (bias) " the gradient of the "
            "squared error has a norm of " (squared_norm) ", because it passes through the saturated softmax; that of "
            "the cross-entropy has " (likelihood_norm) ", because its logarithm cancels the exponential."
        }
        p {
            "Training with the cross-entropy undoes the bias: " (likelihood) " of the training digits are misread after "
            (EPOCHS) " epochs, against " (squared) " with the squared error. From a bias of 0 the squared error gets "
            "down to " (ordinary) " too, so the saturation is the cause."
        }
        p {
            "The other end: a target that the network is already sure of. Its gradient is p - 1, minus the probability "
            "of all other classes. For two classes whose logits are " (SURE_GAP) " apart the magnitude is "
            (format!("{:.2e}", 1.0 / (1.0 + f64::from(SURE_GAP).exp()))) ". In f32 the cross-entropy gives " (sure)
            ", and the softmax minus 1 gives " (sure_difference) ". The difference is not 0 up to a gap of "
            (last_difference) ", then p rounds to 1; the gradient of the cross-entropy is not 0 up to a gap of " (last)
            ". The smallest f32 above 0 is " (format!("{:.1e}", f32::from_bits(1))) "."
        }
        div.figures {
            (plot("Norm of the gradient at the start. With a larger bias, that of the squared error is smaller.",
                Axis::Linear("bias towards zero"), Axis::Log("gradient norm"), norms))
            (plot(&format!("Training error from a bias of {bias}, and from none."),
                Axis::Linear("epoch"), Axis::Linear("training error"), errors))
            (plot("Magnitude of the gradient by the logit of a target that is right; two classes, f32.",
                Axis::Linear("logit of the target minus the other"), Axis::Linear("log10 of the gradient"), by_gap))
        }
    };
    let findings = vec![
        (format!("cross-entropy: gradient norm at a bias of {bias}"), likelihood_norm),
        (format!("squared error: gradient norm at a bias of {bias}"), squared_norm),
        (format!("cross-entropy: training error after {EPOCHS} epochs from there"), likelihood),
        (format!("squared error: training error after {EPOCHS} epochs from there"), squared),
        (format!("squared error: training error after {EPOCHS} epochs from a bias of 0"), ordinary),
        (
            format!("cross-entropy: gradient of a right target, gap {SURE_GAP}; largest gap with a gradient"),
            format!("{sure}; {last}"),
        ),
        ("softmax minus 1: the same".into(), format!("{sure_difference}; {last_difference}")),
    ];
    Section { title: "Softmax and likelihood", findings, body }
}
