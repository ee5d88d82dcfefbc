//! All contenders at one operation and size. Their answers are checked before they are timed.

use std::collections::BTreeMap;

use activations::ulp;

use crate::buffer::Buffer;
use crate::contenders::{self, RIVALS};
use crate::measure::Times;
use crate::operation::{Operation, Shape};

/// The results of a contender.
#[derive(Clone, Copy)]
pub struct Score {
    /// The median over the rounds of its time divided by that of memcpy.
    pub ratio: f64,
    /// Its least time divided by the least of memcpy.
    pub ratio_of_least: f64,
    /// The largest error in ulp over the inputs.
    pub ulp: f64,
}

/// The scores of all contenders at one operation and size.
pub struct Comparison {
    pub operation: Operation,
    pub shape: Shape,
    /// The least time of memcpy in ns per element.
    pub memcpy: f64,
    /// The scores by name, without contenders that lack the operation.
    pub scores: BTreeMap<&'static str, Score>,
}

impl Comparison {
    /// Compares all contenders.
    ///
    /// # Panics
    ///
    /// If an answer is wrong.
    pub fn new(operation: Operation, shape: Shape) -> Self {
        let x = Buffer::new((0..shape.len()).map(input));
        let mut y = Buffer::new((0..shape.len()).map(|_| 0.0));
        let (x, y) = (x.as_slice(), y.as_mut_slice());
        let exact = operation.reference(shape, x);

        let (mut names, mut field, mut errors) = (vec![], vec![contenders::memcpy()], vec![]);
        for name in contenders::ours().chain(RIVALS) {
            let Some(mut contender) = contenders::contender(name, operation, shape, x) else { continue };
            y.fill(f32::NAN);
            contender.repeat(1, x, y);
            contender.fetch(y);
            errors.push(worst_error(operation, y, &exact).unwrap_or_else(|wrong| {
                panic!("{name}: {} of {}: {wrong}", operation.name(), operation.size(shape));
            }));
            names.push(name);
            field.push(contender);
        }

        let times = Times::new(&mut field, x, y);
        let scores = names.into_iter().zip(errors).enumerate().map(|(k, (name, ulp))| {
            let ratio_of_least = times.least(k + 1) / times.least(0);
            (name, Score { ratio: times.ratio(k + 1, 0), ratio_of_least, ulp })
        });
        Self { operation, shape, memcpy: times.least(0) * 1e9 / shape.len() as f64, scores: scores.collect() }
    }

    /// The fastest rival.
    pub fn best_rival(&self) -> &'static str {
        let rivals = RIVALS.into_iter().filter(|name| self.scores.contains_key(name));
        rivals
            .min_by(|a, b| self.scores[a].ratio.total_cmp(&self.scores[b].ratio))
            .expect("every operation has a rival")
    }

    /// A contender's time divided by another's, if both have the operation.
    pub fn over(&self, name: &str, other: &str) -> Option<f64> {
        Some(self.scores.get(name)?.ratio / self.scores.get(other)?.ratio)
    }
}

/// Inputs in [-10, 10] without a pattern.
fn input(i: usize) -> f32 {
    (i.wrapping_mul(2_654_435_761) % 20_001) as f32 / 1000.0 - 10.0
}

/// The largest error in ulp, or a message if an answer is off by more than a hundredth.
///
/// A log-softmax near 0 is a difference of larger numbers, so its errors are taken in ulp of 1 or more.
fn worst_error(operation: Operation, y: &[f32], exact: &[f64]) -> Result<f64, String> {
    let mut worst = 0.0_f64;
    for (y, exact) in y.iter().zip(exact) {
        let scale = if operation == Operation::LogSoftmax { exact.abs().max(1.0) } else { *exact };
        let error = (f64::from(*y) - exact).abs();
        // The rivals' GELU is 0 where the true value is small.
        let least = if operation == Operation::Gelu { 0.01 } else { 0.0 };
        if error.is_nan() || error > 0.01 * scale.abs().max(least) {
            return Err(format!("{y} where {exact} is true"));
        }
        worst = worst.max(error / ulp::spacing::<f32>(scale));
    }
    Ok(worst)
}
