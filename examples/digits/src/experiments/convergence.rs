//! Measures how many epochs each activation needs to learn the training digits.

use activations::Activation;
use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{SEEDS, contenders, from_one, percent, progress, short};
use crate::data::{CLASSES, Data, Digits, PIXELS};
use crate::network::Network;
use crate::plot::{Axis, Line, plot};
use crate::report::Section;
use crate::training::Sgd;

const WIDTHS: [usize; 5] = [PIXELS, 64, 64, 64, CLASSES];
const RATES: [f32; 9] = [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4];
const EPOCHS: usize = 60;
const TARGET: f64 = 0.01;

/// The trainings of one activation at one learning rate.
struct Race {
    activation: &'static dyn Activation,
    rate: f32,
    /// The training error after each epoch up to the target. One curve for each seed, fastest first.
    curves: Vec<Vec<f64>>,
}

impl Race {
    fn run(activation: &'static dyn Activation, rate: f32, digits: &Digits) -> Self {
        let mut curves: Vec<_> = SEEDS.iter().map(|&seed| curve(activation, rate, seed, digits)).collect();
        curves.sort_by(|a, b| epochs(a).total_cmp(&epochs(b)));
        Self { activation, rate, curves }
    }

    fn median(&self) -> &[f64] {
        &self.curves[SEEDS.len() / 2]
    }

    fn epochs(&self) -> f64 {
        epochs(self.median())
    }
}

fn curve(activation: &'static dyn Activation, rate: f32, seed: u64, digits: &Digits) -> Vec<f64> {
    let mut network = Network::new(&WIDTHS, activation, seed);
    let mut sgd = Sgd::new(rate, seed);
    let mut errors = vec![];
    while errors.len() < EPOCHS && epochs(&errors).is_infinite() {
        sgd.epoch(&mut network, digits);
        errors.push(network.error(digits));
    }
    errors
}

/// The number of epochs to the target. Infinite if the curve does not reach it.
fn epochs(curve: &[f64]) -> f64 {
    if curve.last().is_some_and(|&error| error <= TARGET) { curve.len() as f64 } else { f64::INFINITY }
}

/// Trains with each activation at each learning rate, and compares the activations at their best rates.
pub fn section(data: &Data) -> Section {
    let runs: Vec<_> = contenders().into_iter().flat_map(|act| RATES.map(|rate| (act, rate))).collect();
    let bar = progress("convergence", runs.len());
    let races: Vec<Race> =
        runs.par_iter().progress_with(bar).map(|&(act, rate)| Race::run(act, rate, &data.train)).collect();
    let bests = races
        .chunks(RATES.len())
        .map(|races| races.iter().min_by(|a, b| a.epochs().total_cmp(&b.epochs())).expect("a race"));
    let bests: Vec<&Race> = bests.collect();

    let target = percent(TARGET);
    let mut findings: Vec<_> = bests
        .iter()
        .map(|best| {
            let [fastest, slowest] = [0, SEEDS.len() - 1].map(|i| epochs(&best.curves[i]));
            (
                format!("{}: epochs to {target} training error (fastest, slowest seed)", best.activation.name()),
                format!("{} ({fastest}, {slowest}) at learning rate {}", best.epochs(), best.rate),
            )
        })
        .collect();
    let [sigmoid, tanh, relu, leaky_relu] = [0, 1, 2, 3].map(|i| bests[i].epochs());
    let [slow_tanh, slow_relu] = [1, 2].map(|i| races[i * RATES.len()].epochs());
    findings.push(("tanh's epochs over relu's, each at its best".into(), short(tanh / relu)));
    findings
        .push((format!("tanh's epochs over relu's, both at learning rate {}", RATES[0]), short(slow_tanh / slow_relu)));
    findings.push(("sigmoid's epochs over relu's, each at its best".into(), short(sigmoid / relu)));

    let curves = bests.iter().map(|best| Line::of(best.activation, from_one(best.median())));
    let by_rate = races
        .chunks(RATES.len())
        .map(|races| Line::of(races[0].activation, races.iter().map(|race| (f64::from(race.rate), race.epochs()))));
    let body = html! {
        p {
            "Networks with three hidden layers of 64 units learn until " (target) " of the training digits are misread, "
            "each activation at the best of the same " (RATES.len()) " learning rates. The median of " (SEEDS.len())
            " seeds is " (relu) " epochs for relu, " (leaky_relu) " for leaky relu, " (tanh) " for tanh and " (sigmoid)
            " for the sigmoid."
        }
        p {
            "Here tanh takes " (short(tanh / relu)) " times as many epochs as relu, and the sigmoid "
            (short(sigmoid / relu)) " times; at the same small learning rate of " (RATES[0]) " tanh takes "
            (short(slow_tanh / slow_relu)) " times relu's epochs. Krizhevsky et al. saw relu learn six times faster than "
            "tanh, on a large convolutional network and photographs: the factor belongs to the network and its task, "
            "not to the function alone."
        }
        div.figures {
            (plot("Training error at the best learning rate, until the target; the seed of median speed.",
                Axis::Linear("epoch"), Axis::Log("training error"), curves.collect()))
            (plot("Epochs to the target at each learning rate; no point where most seeds miss it.",
                Axis::Log("learning rate"), Axis::Linear("epochs"), by_rate.collect()))
        }
    };
    Section { title: "Who learns fastest?", findings, body }
}
