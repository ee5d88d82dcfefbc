//! The results of a block of inputs, their true values, and counts of what is wrong.

use activations::judge::{gradient_error, is_near_overflow};
use activations::{Activation, Isa, ulp};
use operations::{Hash, TrueValue};

use crate::worst::Worst;

/// The two tiers of every activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tier {
    Fast,
    Exact,
}

impl Tier {
    pub const ALL: [Self; 2] = [Self::Fast, Self::Exact];

    /// Whether results on this instruction set must have the same bits as on every other one that returns true here.
    pub fn is_portable(self, isa: Isa) -> bool {
        self == Self::Exact || isa.is_fused()
    }
}

/// The results of one instruction set for a block of inputs.
pub struct Results {
    y: Vec<f32>,
    dx: Vec<f32>,
}

impl Results {
    pub fn of(act: &dyn Activation, tier: Tier, isa: Isa, x: &[f32]) -> Self {
        let (mut y, mut dx, dy) = (vec![0.0; x.len()], vec![0.0; x.len()], vec![1.0; x.len()]);
        isa.with(|| match (tier, act.exact()) {
            (Tier::Exact, Some(exact)) => {
                exact.forward(x, &mut y);
                exact.backward(&y, &dy, &mut dx);
            }
            (Tier::Exact, None) => panic!("{} has no exact tier", act.name()),
            (Tier::Fast, _) => {
                act.forward(x, &mut y);
                act.backward(act.saved().of(x, &y), &dy, &mut dx);
            }
        });
        // Which NaN does not matter.
        for result in y.iter_mut().chain(&mut dx) {
            *result = if result.is_nan() { f32::NAN } else { *result };
        }
        Self { y, dx }
    }

    /// The index of the first difference.
    pub fn difference(&self, other: &Self) -> Option<usize> {
        let differ = |a: &[f32], b: &[f32], i: usize| a[i].to_bits() != b[i].to_bits();
        (0..self.y.len()).find(|&i| differ(&self.y, &other.y, i) || differ(&self.dx, &other.dx, i))
    }
}

/// The true values of a block.
pub struct Oracle {
    /// Rounded to `f64`.
    values: Vec<f64>,
    /// The `f32` nearest to each.
    nearest: Vec<f32>,
    /// How many values are close to a tie of two `f32`.
    pub close: u64,
}

impl Oracle {
    pub fn of(act: &dyn Activation, x: &[f32]) -> Self {
        let values: Vec<f64> = x.iter().map(|&x| act.reference(x.into())).collect();
        let mut nearest: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        let mut close = 0;
        for i in 0..x.len() {
            if is_close_to_a_tie(values[i], nearest[i]) {
                nearest[i] = TrueValue::of(act, x[i].into()).nearest_f32();
                close += 1;
            }
        }
        Self { values, nearest, close }
    }
}

/// Whether a value is so close to the middle of two `f32` that its own error may decide the rounding.
///
/// The limit of 2^-24 of an `f32` ulp is 32 ulp of `f64`. The references are within 4.
fn is_close_to_a_tie(value: f64, nearest: f32) -> bool {
    // The tie above the largest number is half an ulp away from it.
    let distance = value - f64::from(nearest.clamp(f32::MIN, f32::MAX));
    (distance.abs() / ulp::spacing::<f32>(value) - 0.5).abs() < 2_f64.powi(-24)
}

/// Counts and largest errors of results.
#[derive(Clone, Default)]
pub struct Tally {
    /// Inputs that are not NaN.
    pub numbers: u64,
    /// The largest error of a result, and its input.
    pub worst: Worst<f32>,
    /// The largest error of a derivative, and the stored output that it is taken from.
    pub worst_gradient: Worst<f32>,
    /// Results that are not the `f32` nearest to the true value.
    pub misrounded: u64,
    pub out_of_range: u64,
    /// Results that are NaN though the input is not, or the reverse. Derivatives likewise, beside the reference.
    pub wrong_nan: u64,
    /// Results, zeros included, whose sign differs from that of the true value.
    pub wrong_sign: u64,
    /// Results that are not at the end of the range although the true value in `f64` is.
    pub unsaturated: u64,
    /// Inputs whose result is greater than that of the next input.
    pub falls: u64,
    pub first_fall: Option<f32>,
    /// The hash of the blocks' hashes of results, and the same of derivatives.
    pub hashes: [Hash; 2],
    /// The first input whose result or derivative has other bits than on the first portable instruction set.
    pub difference: Option<f32>,
}

impl Tally {
    /// Checks the results of all inputs that the oracle has, and the steps between all inputs.
    pub fn of(act: &dyn Activation, x: &[f32], oracle: &Oracle, results: &Results) -> Self {
        let mut tally = Self::default();
        let [least, most] = act.range();
        for (i, &exact) in oracle.values.iter().enumerate() {
            let (x, y, dx) = (x[i], results.y[i], results.dx[i]);
            let saved = act.saved().of(x, y);
            let exact_dx = act.reference_gradient(saved.into(), 1.0);
            tally.wrong_nan += u64::from(x.is_nan() != y.is_nan()) + u64::from(dx.is_nan() != exact_dx.is_nan());
            if x.is_nan() {
                continue;
            }
            tally.numbers += 1;
            // At the largest number a rounding error decides whether a result is infinite.
            if !(is_near_overflow::<f32>(exact) && is_near_overflow::<f32>(y.into())) {
                tally.worst.see(ulp::error(y, exact), x);
            }
            tally.worst_gradient.see(gradient_error(act, saved.into(), 1.0, dx), saved);
            tally.misrounded += u64::from(y != oracle.nearest[i]);
            tally.out_of_range += u64::from(!(least..=most).contains(&y.into()));
            tally.wrong_sign += u64::from(y.is_sign_negative() != exact.is_sign_negative());
            tally.unsaturated += u64::from((exact == least || exact == most) && f64::from(y) != exact);
        }
        let falls = |i: &usize| results.y[*i] > results.y[i + 1];
        tally.falls = (0..x.len() - 1).filter(falls).count() as u64;
        tally.first_fall = (0..x.len() - 1).find(falls).map(|i| x[i]);
        let judged =
            |results: &[f32]| Hash::default().with(results[..oracle.values.len()].iter().map(|r| r.to_bits().into()));
        tally.hashes = [judged(&results.y), judged(&results.dx)];
        tally
    }

    /// Adds the next block.
    pub fn add(&mut self, next: Self) {
        self.numbers += next.numbers;
        self.worst.see(next.worst.error, next.worst.at);
        self.worst_gradient.see(next.worst_gradient.error, next.worst_gradient.at);
        self.misrounded += next.misrounded;
        self.out_of_range += next.out_of_range;
        self.wrong_nan += next.wrong_nan;
        self.wrong_sign += next.wrong_sign;
        self.unsaturated += next.unsaturated;
        self.falls += next.falls;
        self.first_fall = self.first_fall.or(next.first_fall);
        for (hash, next) in self.hashes.iter_mut().zip(next.hashes) {
            *hash = hash.with([next.0]);
        }
        self.difference = self.difference.or(next.difference);
    }
}
