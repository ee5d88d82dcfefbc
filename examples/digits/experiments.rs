//! The experiments, one a file: each measures something and writes its section of the report.

pub mod convergence;
pub mod dead_relus;
pub mod exploding;
pub mod functions;
pub mod likelihood;
pub mod reading;
pub mod vanishing;

use activations::Activation;
use indicatif::{ProgressBar, ProgressStyle};

use crate::data::{CLASSES, PIXELS};
use crate::network::Network;

/// The experiments are repeated with each of these seeds, and the medians shown.
pub const SEEDS: [u64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/// The activations of hidden layers.
fn contenders() -> [&'static dyn Activation; 4] {
    ["sigmoid", "tanh", "relu", "leaky_relu"].map(named)
}

fn named(name: &str) -> &'static dyn Activation {
    activations::by_name(name).expect("the name of an activation")
}

/// Layers of the deep networks.
const DEEP: usize = 10;

fn deep_network(activation: &'static dyn Activation, seed: u64) -> Network {
    let mut widths = [PIXELS; DEEP + 1];
    widths[DEEP] = CLASSES;
    Network::new(&widths, activation, seed)
}

/// A progress bar over this many runs.
fn progress(name: &'static str, runs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40.cyan} {pos:>3}/{len} runs, {elapsed}");
    ProgressBar::new(runs as u64).with_style(style.expect("a template")).with_prefix(name)
}

/// The median at each place of curves of one length.
fn medians(curves: &[Vec<f64>]) -> Vec<f64> {
    let median = |i: usize| {
        // No value is negative; without its sign NaN is the largest.
        let mut values: Vec<f64> = curves.iter().map(|curve| curve[i].abs()).collect();
        *values.select_nth_unstable_by(curves.len() / 2, f64::total_cmp).1
    };
    (0..curves[0].len()).map(median).collect()
}

/// The curve that ends lowest, and its place.
fn best(curves: &[Vec<f64>]) -> (usize, &Vec<f64>) {
    let by_end = |a: &Vec<f64>, b: &Vec<f64>| a.last().partial_cmp(&b.last()).expect("an error is a number");
    curves.iter().enumerate().min_by(|a, b| by_end(a.1, b.1)).expect("a curve")
}

/// The points of values that are counted from one, as epochs and layers are.
fn from_one(values: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    values.iter().enumerate().map(|(i, &value)| (i as f64 + 1.0, value))
}

fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// Two digits or so of a number of any size.
fn short(value: f64) -> String {
    if (0.01..1000.0).contains(&value) { format!("{value:.2}") } else { format!("{value:.1e}") }
}
