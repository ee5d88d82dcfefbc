//! Class weights and label smoothing, on training digits of which half the classes are rare.

use std::cmp::Ordering;

use activations::CrossEntropy;
use indicatif::ParallelProgressIterator;
use maud::html;
use rayon::prelude::*;

use super::{SEEDS, from_one, medians, named, percent, progress};
use crate::data::{CLASSES, Data, Digits, PIXELS};
use crate::network::{Loss, Network};
use crate::plot::{Axis, Colour, GREY, Line, PURPLE, SKY, VERMILION, plot};
use crate::report::Section;
use crate::training::Sgd;

const WIDTHS: [usize; 3] = [PIXELS, 64, CLASSES];
/// The digits from this one on are rare.
const FIRST_RARE: u32 = 5;
/// One in this number of images of a rare digit is kept.
const ONE_IN: usize = 12;
const LEARNING_RATE: f32 = 0.1;
const EPOCHS: usize = 30;
const SMOOTHING: f64 = 0.1;

struct Run {
    name: &'static str,
    colour: Colour,
    weighted: bool,
    smoothing: f64,
}

const RUNS: [Run; 4] = [
    Run { name: "cross-entropy", colour: VERMILION, weighted: false, smoothing: 0.0 },
    Run { name: "class weights", colour: SKY, weighted: true, smoothing: 0.0 },
    Run { name: "label smoothing", colour: GREY, weighted: false, smoothing: SMOOTHING },
    Run { name: "both", colour: PURPLE, weighted: true, smoothing: SMOOTHING },
];

/// What held-out digits show of a network.
struct Course {
    /// The share of the rare digits that are misread, after each epoch.
    rare: Vec<f64>,
    /// The same of the frequent digits.
    frequent: Vec<f64>,
    /// At the end, of all digits: the share that is read rightly, the mean probability of the readings, and that of the
    /// wrong readings.
    confidence: [f64; 3],
}

impl Course {
    fn last_rare(&self) -> f64 {
        self.rare[EPOCHS - 1]
    }

    fn last_frequent(&self) -> f64 {
        self.frequent[EPOCHS - 1]
    }

    fn medians(courses: &[Self]) -> Self {
        let of = |values: fn(&Self) -> &[f64]| medians(&courses.iter().map(|c| values(c).to_vec()).collect::<Vec<_>>());
        let confidence = of(|course| &course.confidence);
        Self { rare: of(|c| &c.rare), frequent: of(|c| &c.frequent), confidence: [0, 1, 2].map(|i| confidence[i]) }
    }
}

impl Run {
    fn train(&self, seed: u64, data: &Data) -> Course {
        let train = thinned(&data.train, seed);
        let weights = weights(&train);
        let mut loss = CrossEntropy::rows(CLASSES).label_smoothing(self.smoothing);
        if self.weighted {
            loss = loss.class_weights(&weights);
        }
        let mut sgd = Sgd { loss: Loss::CrossEntropyWith(loss), ..Sgd::new(LEARNING_RATE, seed) };
        let mut network = Network::new(&WIDTHS, named("relu"), seed);

        let [rare_test, frequent_test] = [true, false].map(|rare| data.test.filter(|label| is_rare(label) == rare));
        let (mut rare, mut frequent) = (vec![], vec![]);
        for _ in 0..EPOCHS {
            sgd.epoch(&mut network, &train);
            rare.push(network.error(&rare_test));
            frequent.push(network.error(&frequent_test));
        }
        Course { rare, frequent, confidence: confidence(&network, &data.test) }
    }
}

fn is_rare(label: u32) -> bool {
    label >= FIRST_RARE
}

/// All images of the frequent digits and some of the rare ones. Each seed keeps other images.
fn thinned(digits: &Digits, seed: u64) -> Digits {
    let mut counts = [seed as usize; CLASSES];
    digits.filter(|label| {
        let count = &mut counts[label as usize];
        *count += 1;
        !is_rare(label) || count.is_multiple_of(ONE_IN)
    })
}

/// A weight for each class, proportional to 1 / its number of images. The mean over the images is 1, so that the steps
/// are about as large as without weights.
fn weights(digits: &Digits) -> [f32; CLASSES] {
    let mut counts = [0.0; CLASSES];
    digits.labels.iter().for_each(|&label| counts[label as usize] += 1.0);
    counts.map(|count| digits.len() as f32 / (CLASSES as f32 * count))
}

/// The share of the digits that are read rightly, the mean probability of the readings, and that of the wrong readings.
fn confidence(network: &Network, digits: &Digits) -> [f64; 3] {
    let (mut sum, mut wrong_sum, mut wrong) = (0.0, 0.0, 0.0);
    for ((digit, probability), &label) in network.readings(&digits.images).into_iter().zip(&digits.labels) {
        sum += probability;
        if digit != label {
            wrong_sum += probability;
            wrong += 1.0;
        }
    }
    let all = digits.len() as f64;
    [1.0 - wrong / all, sum / all, wrong_sum / wrong]
}

/// Whether the value is lower or higher than the reference, in words.
fn direction(value: f64, reference: f64) -> &'static str {
    match value.partial_cmp(&reference) {
        Some(Ordering::Less) => "lower",
        Some(Ordering::Greater) => "higher",
        _ => "not changed",
    }
}

/// Trains with each loss on the same digits, and measures rare and frequent held-out digits apart.
pub fn section(data: &Data) -> Section {
    let runs: Vec<_> = RUNS.iter().flat_map(|run| SEEDS.map(|seed| (run, seed))).collect();
    let bar = progress("unbalanced", runs.len());
    let courses: Vec<Course> = runs.par_iter().progress_with(bar).map(|&(run, seed)| run.train(seed, data)).collect();
    let by_run: Vec<&[Course]> = courses.chunks(SEEDS.len()).collect();
    // The seeds with which the rare digits end with a lower error than with plain cross-entropy, and with a higher.
    let won_and_lost = |i: usize| {
        let pairs = || by_run[i].iter().zip(by_run[0]).map(|(course, plain)| (course.last_rare(), plain.last_rare()));
        [pairs().filter(|(error, plain)| error < plain).count(), pairs().filter(|(error, plain)| error > plain).count()]
    };
    let ends: Vec<Course> = by_run.iter().map(|courses| Course::medians(courses)).collect();

    let mut findings = vec![];
    for (run, end) in RUNS.iter().zip(&ends) {
        findings.push((
            format!("{}: held-out error of the rare; of the frequent digits", run.name),
            format!("{}; {}", percent(end.last_rare()), percent(end.last_frequent())),
        ));
    }
    for (i, run) in RUNS.iter().enumerate().skip(1) {
        let [won, lost] = won_and_lost(i);
        findings.push((
            format!("{}: seeds with a lower; higher error of the rare digits than plain", run.name),
            format!("{won}; {lost} of {}", SEEDS.len()),
        ));
    }
    for (run, end) in RUNS.iter().zip(&ends) {
        let [right, mean, wrong] = end.confidence.map(percent);
        findings.push((
            format!("{}: read rightly; mean largest probability; the same of misread digits", run.name),
            format!("{right}; {mean}; {wrong}"),
        ));
    }
    let lines = |points: fn(&Course) -> &[f64]| {
        RUNS.iter().zip(&ends).map(|(run, end)| Line::new(run.name, run.colour, from_one(points(end)))).collect()
    };
    let (plain, smooth) = (&ends[0], &ends[2]);
    let [plain_confidence, smooth_confidence] = [plain, smooth].map(|end| end.confidence.map(percent));
    let body = html! {
        p {
            "The digits from 0 to " (FIRST_RARE - 1) " with all their training images, the others with one image in "
            (ONE_IN) ": a hidden layer of " (WIDTHS[1]) " relus learns from them for " (EPOCHS) " epochs, with each of "
            "four losses. The weight of a class is proportional to 1 / its number of images, with the mean 1 over the "
            "images. Label smoothing takes " (percent(SMOOTHING)) " of each target and spreads it over all classes. "
            "With both, the weight of a class also multiplies its part of the smoothing, for every image."
        }
        p {
            "Plain cross-entropy misreads " (percent(plain.last_rare())) " of the held-out rare digits and "
            (percent(plain.last_frequent())) " of the frequent ones."
            @for i in 1..RUNS.len() {
                @let [won, lost] = won_and_lost(i);
                " With " (RUNS[i].name) " these are " (percent(ends[i].last_rare())) " ("
                (direction(ends[i].last_rare(), plain.last_rare())) ") and " (percent(ends[i].last_frequent())) " ("
                (direction(ends[i].last_frequent(), plain.last_frequent())) "); the error of the rare digits is lower with "
                (won) " of the " (SEEDS.len()) " seeds and higher with " (lost) "."
            }
        }
        p {
            "Confidence here is the probability of the reading, the largest of the ten. Plain cross-entropy reads "
            (plain_confidence[0]) " of all held-out digits rightly, with a mean confidence of " (plain_confidence[1]) ", and "
            (plain_confidence[2]) " where it misreads. With label smoothing " (smooth_confidence[0]) " are read rightly, "
            "with " (smooth_confidence[1]) " (" (direction(smooth.confidence[1], plain.confidence[1])) "), and "
            (smooth_confidence[2]) " (" (direction(smooth.confidence[2], plain.confidence[2])) ") where it misreads."
        }
        div.figures {
            (plot("Error on the held-out rare digits.", Axis::Linear("epoch"), Axis::Linear("error"),
                lines(|course| &course.rare)))
            (plot("Error on the held-out frequent digits.", Axis::Linear("epoch"), Axis::Linear("error"),
                lines(|course| &course.frequent)))
        }
    };
    Section { title: "Unbalanced classes", findings, body }
}
