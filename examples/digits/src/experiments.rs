//! The experiments, one in each file. An experiment measures something and writes its section of the report.

pub mod convergence;
pub mod dead_relus;
pub mod exploding;
pub mod functions;
pub mod likelihood;
pub mod reading;
pub mod unbalanced;
pub mod vanishing;

use activations::Activation;
use indicatif::{ProgressBar, ProgressStyle};

use crate::data::{CLASSES, PIXELS};
use crate::network::Network;

/// Experiments run once with each of these seeds, and the report shows the medians.
pub const SEEDS: [u64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/// The activations that are compared as those of hidden layers.
fn contenders() -> [&'static dyn Activation; 4] {
    ["sigmoid", "tanh", "relu", "leaky_relu"].map(named)
}

fn named(name: &str) -> &'static dyn Activation {
    activations::by_name(name).expect("the name of an activation")
}

/// The number of layers of a deep network.
const DEEP: usize = 10;

fn deep_network(activation: &'static dyn Activation, seed: u64) -> Network {
    let mut widths = [PIXELS; DEEP + 1];
    widths[DEEP] = CLASSES;
    Network::new(&widths, activation, seed)
}

/// A progress bar for this many runs.
fn progress(name: &'static str, runs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40.cyan} {pos:>3}/{len} runs, {elapsed}");
    ProgressBar::new(runs as u64).with_style(style.expect("a template")).with_prefix(name)
}

/// The median of the curves at each place. All curves have the same length.
fn medians(curves: &[Vec<f64>]) -> Vec<f64> {
    let median = |i: usize| {
        // No value is negative. Without its sign NaN sorts behind all numbers.
        let mut values: Vec<f64> = curves.iter().map(|curve| curve[i].abs()).collect();
        *values.select_nth_unstable_by(curves.len() / 2, f64::total_cmp).1
    };
    (0..curves[0].len()).map(median).collect()
}

/// The index and the curve with the least last value.
fn best(curves: &[Vec<f64>]) -> (usize, &Vec<f64>) {
    let by_end = |a: &Vec<f64>, b: &Vec<f64>| a.last().partial_cmp(&b.last()).expect("an error is a number");
    curves.iter().enumerate().min_by(|a, b| by_end(a.1, b.1)).expect("a curve")
}

/// Points of values that are numbered from 1, such as those of epochs and layers.
fn from_one(values: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    values.iter().enumerate().map(|(i, &value)| (i as f64 + 1.0, value))
}

fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// A number with two decimals, or in scientific notation if it is small or large.
fn short(value: f64) -> String {
    if (0.01..1000.0).contains(&value) { format!("{value:.2}") } else { format!("{value:.1e}") }
}
