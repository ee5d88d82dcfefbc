//! Gradients that explode, and clips that prevent it.

use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{DEEP, SEEDS, deep_network, from_one, medians, named, percent, progress, short};
use crate::data::{Data, Digits};
use crate::network::{Loss, Network};
use crate::plot::{Axis, Colour, GREY, Line, PURPLE, SKY, VERMILION, plot};
use crate::report::Section;
use crate::training::{Clip, Sgd};

/// The factor on the customary initial weights.
const EXCESS: f32 = 1.5;
const MAX_NORM: f64 = 1.0;
const LIMIT: f64 = 0.01;
const LEARNING_RATE: f32 = 0.05;
const EPOCHS: usize = 20;
const STEPS_SHOWN: usize = 100;

struct Run {
    name: &'static str,
    colour: Colour,
    excess: f32,
    clip: Clip,
}

const RUNS: [Run; 4] = [
    Run { name: "no clip", colour: VERMILION, excess: EXCESS, clip: Clip::None },
    Run { name: "clip_by_global_norm", colour: SKY, excess: EXCESS, clip: Clip::GlobalNorm(MAX_NORM) },
    Run { name: "clip_by_value", colour: PURPLE, excess: EXCESS, clip: Clip::Value(LIMIT) },
    Run { name: "no clip, customary weights", colour: GREY, excess: 1.0, clip: Clip::None },
];

/// The norm of the gradient at each step, and the training error after each epoch.
struct Course {
    norms: Vec<f64>,
    errors: Vec<f64>,
}

impl Run {
    fn network(&self, seed: u64) -> Network {
        let mut network = deep_network(named("relu"), seed);
        network.layers.iter_mut().for_each(|layer| layer.weights *= self.excess);
        network
    }

    fn train(&self, digits: &Digits) -> Course {
        let (norms, errors): (Vec<_>, Vec<_>) = SEEDS.map(|seed| self.train_once(seed, digits)).into_iter().unzip();
        Course { norms: medians(&norms), errors: medians(&errors) }
    }

    fn train_once(&self, seed: u64, digits: &Digits) -> (Vec<f64>, Vec<f64>) {
        let mut network = self.network(seed);
        let mut sgd = Sgd { clip: self.clip, ..Sgd::new(LEARNING_RATE, seed) };
        let (mut norms, mut errors) = (vec![], vec![]);
        for _ in 0..EPOCHS {
            norms.extend(sgd.epoch(&mut network, digits));
            errors.push(network.error(digits));
        }
        (norms, errors)
    }

    /// The cosine of the angle by which the clip turns the first gradient.
    fn cosine(&self, digits: &Digits) -> f64 {
        let gradient = self.network(SEEDS[0]).gradients(digits, Loss::CrossEntropy);
        let mut clipped = gradient.clone();
        let norms = self.clip.apply(&mut clipped) * Clip::None.apply(&mut clipped);
        let pairs = gradient.iter().zip(&clipped).flat_map(|(a, b)| a.numbers().zip(b.numbers()));
        pairs.map(|(a, b)| a * b).sum::<f64>() / norms
    }
}

/// Trains a deep network from weights that are too large, with and without clips.
pub fn section(data: &Data) -> Section {
    let bar = progress("exploding", RUNS.len());
    let courses: Vec<Course> = RUNS.par_iter().progress_with(bar).map(|run| run.train(&data.train)).collect();
    let [cosine_of_norm, cosine_of_value] = [1, 2].map(|i| short(RUNS[i].cosine(&data.train)));
    let [unclipped, by_norm, by_value, customary] = [0, 1, 2, 3].map(|i| percent(courses[i].errors[EPOCHS - 1]));
    let first_norm = short(courses[0].norms[0]);
    let finite = courses[0].norms.iter().take_while(|norm| norm.is_finite()).count();

    let body = html! {
        p {
            (DEEP) " layers of relus start with weights " (EXCESS) " times as large as is customary. Each layer makes "
            "what goes through it " (EXCESS) " times larger, both ways: the first gradient has a norm of " (first_norm)
            " and makes the weights larger still, and after " (finite) " steps the gradient is not finite."
        }
        p {
            "Scaled down to a norm of " (MAX_NORM) " the same gradients train the network: " (by_norm)
            " of the training digits are misread after " (EPOCHS) " epochs. Limiting each element to " (LIMIT)
            " also does, with " (by_value) ", but it turns the gradient: the cosine between the first one before and after is "
            (cosine_of_value) ", against " (cosine_of_norm) " for the norm."
        }
        div.figures {
            (plot(&format!("Norm of the gradient before the clip, the first {STEPS_SHOWN} steps."),
                Axis::Linear("step"), Axis::Log("gradient norm"),
                lines(&courses, |course| from_one(&course.norms).take(STEPS_SHOWN).collect())))
            (plot("Training error; a network whose logits are NaN misreads every digit.",
                Axis::Linear("epoch"), Axis::Linear("training error"),
                lines(&courses, |course| from_one(&course.errors).collect())))
        }
    };
    let findings = vec![
        ("no clip: first gradient norm; steps until it is not finite".into(), format!("{first_norm}; {finite}")),
        (format!("no clip: training error after {EPOCHS} epochs"), unclipped),
        ("clip_by_global_norm: training error; cosine of the turn".into(), format!("{by_norm}; {cosine_of_norm}")),
        ("clip_by_value: training error; cosine of the turn".into(), format!("{by_value}; {cosine_of_value}")),
        ("no clip, customary weights: training error".into(), customary),
    ];
    Section { title: "Exploding gradients", findings, body }
}

fn lines(courses: &[Course], points: impl Fn(&Course) -> Vec<(f64, f64)>) -> Vec<Line> {
    RUNS.iter().zip(courses).map(|(run, course)| Line::new(run.name, run.colour, points(course))).collect()
}
