//! Measures how many relus are 0 for every digit after training at a large learning rate, and how they recover.

use activations::Activation;
use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{SEEDS, from_one, medians, named, percent, progress};
use crate::data::{CLASSES, Data, Digits, PIXELS};
use crate::network::Network;
use crate::plot::{Axis, Line, plot};
use crate::report::Section;
use crate::training::Sgd;

const WIDTHS: [usize; 4] = [PIXELS, 64, 64, CLASSES];
const RATES: [f32; 8] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const EPOCHS: usize = 20;
const HARMFUL_RATE: f32 = 0.8;
const HARMFUL_EPOCHS: usize = 5;
const GENTLE_RATE: f32 = 0.1;
const GENTLE_EPOCHS: usize = 60;

/// The share of units that are positive for no digit, and the training error. One value for each rate or epoch.
#[derive(Default)]
struct Course {
    dead: Vec<f64>,
    errors: Vec<f64>,
}

impl Course {
    fn push(&mut self, network: &Network, digits: &Digits) {
        self.dead.push(network.silent_share(digits));
        self.errors.push(network.error(digits));
    }

    fn medians(courses: impl Iterator<Item = Self>) -> Self {
        let (dead, errors): (Vec<_>, Vec<_>) = courses.map(|course| (course.dead, course.errors)).unzip();
        Self { dead: medians(&dead), errors: medians(&errors) }
    }

    fn end(&self) -> [String; 2] {
        [&self.dead, &self.errors].map(|values| percent(values[values.len() - 1]))
    }
}

fn network(activation: &'static dyn Activation, seed: u64) -> Network {
    Network::new(&WIDTHS, activation, seed)
}

/// The state after [`EPOCHS`] epochs at each of the rates.
fn by_rate(activation: &'static dyn Activation, seed: u64, digits: &Digits) -> Course {
    let mut course = Course::default();
    for rate in RATES {
        let (mut network, mut sgd) = (network(activation, seed), Sgd::new(rate, seed));
        (0..EPOCHS).for_each(|_| drop(sgd.epoch(&mut network, digits)));
        course.push(&network, digits);
    }
    course
}

/// Trains relus at the harmful rate, then goes on at the gentle rate with the same weights and this activation.
fn cure(activation: &'static dyn Activation, seed: u64, digits: &Digits) -> Course {
    let (mut network, mut sgd) = (network(named("relu"), seed), Sgd::new(HARMFUL_RATE, seed));
    let mut course = Course::default();
    for epoch in 0..HARMFUL_EPOCHS + GENTLE_EPOCHS {
        if epoch == HARMFUL_EPOCHS {
            network.activation = activation;
            sgd.learning_rate = GENTLE_RATE;
        }
        sgd.epoch(&mut network, digits);
        course.push(&network, digits);
    }
    course
}

/// Trains with relus and leaky relus at growing rates, then tries to revive dead relus.
pub fn section(data: &Data) -> Section {
    let acts = [named("relu"), named("leaky_relu")];
    let runs: Vec<_> = acts.into_iter().flat_map(|act| SEEDS.map(|seed| (act, seed))).collect();
    let bar = progress("dead relus", runs.len());
    let run = |&(act, seed): &(_, _)| (by_rate(act, seed, &data.train), cure(act, seed, &data.train));
    let (by_rate, cures): (Vec<_>, Vec<_>) = runs.par_iter().progress_with(bar).map(run).unzip();
    let [by_rate, cures] = [by_rate, cures].map(|courses| {
        let mut courses = courses.into_iter();
        acts.map(|_| Course::medians(courses.by_ref().take(SEEDS.len())))
    });

    let harmed = percent(cures[0].dead[HARMFUL_EPOCHS - 1]);
    let mut findings = vec![];
    for (act, course) in acts.iter().zip(&by_rate) {
        let [dead, error] = course.end();
        let measured =
            format!("{}: units never positive; training error at rate {}", act.name(), RATES[RATES.len() - 1]);
        findings.push((measured, format!("{dead}; {error}")));
    }
    for (act, course) in acts.iter().zip(&cures) {
        let [dead, error] = course.end();
        let measured = format!("{}: the same, {GENTLE_EPOCHS} gentle epochs after {harmed} had died", act.name());
        findings.push((measured, format!("{dead}; {error}")));
    }
    let rates = |values: &[f64]| RATES.into_iter().map(f64::from).zip(values.to_vec());
    let lines = |courses: &[Course; 2], points: &dyn Fn(&Course) -> Vec<(f64, f64)>| {
        acts.iter().zip(courses).map(|(&act, course)| Line::of(act, points(course))).collect()
    };
    let ([relu_dead, relu_error], [leaky_dead, leaky_error]) = (cures[0].end(), cures[1].end());
    let body = html! {
        p {
            "A relu that is 0 for every training digit has no gradient: it is dead. Large steps cause that. Two hidden layers "
            "of 64 relus end with " (by_rate[0].end()[0]) " of them dead after " (EPOCHS) " epochs at a learning rate of "
            (RATES[RATES.len() - 1]) ", and " (by_rate[0].end()[1]) " of the digits misread. Of leaky relus, "
            (by_rate[1].end()[0]) " are positive for no digit, but their slope still carries a gradient: "
            (by_rate[1].end()[1]) " of the digits are misread."
        }
        p {
            "Recovery: after " (HARMFUL_EPOCHS) " epochs at " (HARMFUL_RATE) ", " (harmed) " of the relus are dead. Then "
            (GENTLE_EPOCHS) " epochs at " (GENTLE_RATE) " leave " (relu_dead) " dead and " (relu_error) " misread. The "
            "same weights with leaky relus in place of the relus: " (leaky_dead) " and " (leaky_error) ". A dead relu "
            "recovers only if the layer before it still learns. A leaky relu does not depend on that."
        }
        div.figures {
            (plot("Units that are positive for no training digit.", Axis::Linear("learning rate"),
                Axis::Linear("share of units"), lines(&by_rate, &|course| rates(&course.dead).collect())))
            (plot("Training error of the same networks.", Axis::Linear("learning rate"),
                Axis::Linear("training error"), lines(&by_rate, &|course| rates(&course.errors).collect())))
            (plot("Recovery: units that are positive for no training digit.", Axis::Linear("epoch"),
                Axis::Linear("share of units"), lines(&cures, &|course| from_one(&course.dead).collect())))
            (plot("Recovery: training error.", Axis::Linear("epoch"),
                Axis::Linear("training error"), lines(&cures, &|course| from_one(&course.errors).collect())))
        }
    };
    Section { title: "Dead relus", findings, body }
}
