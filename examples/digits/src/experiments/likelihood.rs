//! Cross-entropy and squared error behind a softmax, from logits that are confidently wrong.

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

/// Trains with both losses from saturated logits, and with the squared error also from ordinary ones.
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
        div.figures {
            (plot("Norm of the gradient at the start. With a larger bias, that of the squared error is smaller.",
                Axis::Linear("bias towards zero"), Axis::Log("gradient norm"), norms))
            (plot(&format!("Training error from a bias of {bias}, and from none."),
                Axis::Linear("epoch"), Axis::Linear("training error"), errors))
        }
    };
    let findings = vec![
        (format!("cross-entropy: gradient norm at a bias of {bias}"), likelihood_norm),
        (format!("squared error: gradient norm at a bias of {bias}"), squared_norm),
        (format!("cross-entropy: training error after {EPOCHS} epochs from there"), likelihood),
        (format!("squared error: training error after {EPOCHS} epochs from there"), squared),
        (format!("squared error: training error after {EPOCHS} epochs from a bias of 0"), ordinary),
    ];
    Section { title: "Softmax and likelihood", findings, body }
}
