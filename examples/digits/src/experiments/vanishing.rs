//! The norm of the gradient in each layer of a deep network.

use activations::Activation;
use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{DEEP, SEEDS, best, contenders, deep_network, from_one, medians, percent, progress, short};
use crate::data::{Data, Digits};
use crate::network::{Layer, Loss};
use crate::plot::{Axis, Line, plot};
use crate::report::Section;
use crate::training::Sgd;

const RATES: [f32; 6] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
const EPOCHS: usize = 15;

/// The norm of each layer's gradient before the first step.
fn norms(activation: &'static dyn Activation, digits: &Digits) -> Vec<f64> {
    medians(&SEEDS.map(|seed| {
        let mut gradients = deep_network(activation, seed).gradients(digits, Loss::CrossEntropy);
        gradients.iter_mut().map(Layer::norm).collect()
    }))
}

/// The training error after each epoch.
fn errors(activation: &'static dyn Activation, rate: f32, digits: &Digits) -> Vec<f64> {
    medians(&SEEDS.map(|seed| Sgd::new(rate, seed).errors(&mut deep_network(activation, seed), digits, EPOCHS)))
}

/// Measures the gradient in each of ten layers, and the training error of such networks.
pub fn section(data: &Data) -> Section {
    let runs: Vec<_> = contenders().into_iter().flat_map(|act| RATES.map(|rate| (act, rate))).collect();
    let bar = progress("vanishing", runs.len());
    let errors: Vec<_> =
        runs.par_iter().progress_with(bar).map(|&(act, rate)| errors(act, rate, &data.train)).collect();
    let norms = contenders().map(|act| norms(act, &data.train));
    let first_over_last = |norms: &[f64]| short(norms[0] / norms[DEEP - 1]);

    let mut findings = vec![];
    for (act, norms) in contenders().into_iter().zip(&norms) {
        findings.push((format!("{}: gradient norm, first layer over last", act.name()), first_over_last(norms)));
    }
    let (mut curves, mut lowest) = (vec![], vec![]);
    for (act, errors) in contenders().into_iter().zip(errors.chunks(RATES.len())) {
        let (at, curve) = best(errors);
        lowest.push(percent(curve[EPOCHS - 1]));
        findings.push((
            format!("{}: training error of {DEEP} layers after {EPOCHS} epochs", act.name()),
            format!("{} at learning rate {}", percent(curve[EPOCHS - 1]), RATES[at]),
        ));
        curves.push(Line::of(act, from_one(curve)));
    }
    let profile = contenders().into_iter().zip(&norms).map(|(act, norms)| Line::of(act, from_one(norms)));
    let body = html! {
        p {
            "Before the first step of a network of " (DEEP) " layers: on its way back from the last layer to the first "
            "the gradient is multiplied by a derivative in each. The sigmoid's is at most 1/4, so that the first layer "
            "gets " (first_over_last(&norms[0])) " of what the last one gets; with tanh it is "
            (first_over_last(&norms[1])) " and with relu " (first_over_last(&norms[2])) "."
        }
        p {
            "The best of " (RATES.len()) " learning rates leaves the deep sigmoid network with " (lowest[0])
            " of the training digits misread after " (EPOCHS) " epochs, tanh with " (lowest[1]) ", relu with "
            (lowest[2]) ". The initial weights are those customary for each: He's for the relus, LeCun's for the others."
        }
        div.figures {
            (plot("Norm of the gradient of each layer at the start.",
                Axis::Linear("layer"), Axis::Log("gradient norm"), profile.collect()))
            (plot("Training error of these networks, each at its best learning rate.",
                Axis::Linear("epoch"), Axis::Linear("training error"), curves))
        }
    };
    Section { title: "Vanishing gradients", findings, body }
}
