//! Softmax and its kin on rows of several kinds and lengths, compared with double-double arithmetic.

use activations::{Isa, LogSoftmax, LogSumExp, Softmax, ulp};
use operations::DoubleDouble;
use operations::softmax::{LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX, SUM_EPSILONS};
use rayon::prelude::*;

/// A name, and a function that makes a row of a given length.
type Kind = (&'static str, fn(usize) -> Vec<f32>);

const KINDS: [Kind; 10] = [
    ("in [-10, 10]", |len| random(len, 10.0)),
    ("in [-100, 100]", |len| random(len, 100.0)),
    ("equal", |len| vec![0.37; len]),
    ("two-valued", |len| (0..len).map(|i| if i % 3 == 0 { 1.5 } else { -0.25 }).collect()),
    ("sorted", |len| {
        let mut row = random(len, 20.0);
        row.sort_by(f32::total_cmp);
        row
    }),
    ("one dominant", |len| {
        let mut row = random(len, 1.0);
        row[len / 2] = 110.0;
        row
    }),
    ("one ahead by 10", |len| {
        let mut row = vec![-3.0; len];
        row[len - 1] = 7.0;
        row
    }),
    ("far from 0", |len| random(len, 10.0).iter().map(|x| x + 51_014.0).collect()),
    ("near -1024", |len| random(len, 60.0).iter().map(|x| x - 1024.0).collect()),
    ("in [-3e38, 3e38]", |len| random(len, 3e38)),
];

const LENGTHS: [usize; 18] =
    [1, 2, 3, 7, 10, 16, 17, 33, 64, 100, 128, 129, 1000, 4096, 10_000, 32_000, 128_256, 1_000_000];

/// The largest errors at one length on one instruction set, and the kinds of row where they were.
pub struct Level {
    pub isa: Isa,
    pub len: usize,
    /// Error of a probability in ulp.
    pub softmax: (f64, &'static str),
    /// Error of the logarithm of a probability, in eps of `max(1, |result|)`.
    pub log_softmax: (f64, &'static str),
    /// Error of the log-sum-exp in the same unit.
    pub log_sum_exp: (f64, &'static str),
    /// Distance of the sum of all probabilities from 1, in eps.
    pub sum: (f64, &'static str),
}

fn random(len: usize, scale: f32) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(len as u64);
    (0..len).map(|_| scale * (2.0 * rng.f32() - 1.0)).collect()
}

/// The true probabilities of a row, their logarithms, and its log-sum-exp.
struct Exact {
    probabilities: Vec<DoubleDouble>,
    logs: Vec<DoubleDouble>,
    log_sum: DoubleDouble,
}

impl Exact {
    fn of(row: &[f32]) -> Self {
        let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let differences: Vec<f64> = row.iter().map(|&x| f64::from(x) - max).collect();
        let terms: Vec<DoubleDouble> = differences.par_iter().map(|&x| DoubleDouble::from(x).exp()).collect();
        let sum = terms.iter().fold(DoubleDouble::from(0.0), |sum, term| sum + *term);
        let ln = (sum + DoubleDouble::from(-1.0)).ln_1p();
        Self {
            probabilities: terms.par_iter().map(|term| *term / sum).collect(),
            logs: differences.iter().map(|&x| DoubleDouble::from(x) + -ln).collect(),
            log_sum: DoubleDouble::from(max) + ln,
        }
    }
}

/// The error in eps of `max(1, |exact|)`: 0 where the true value overflows `f32` and the result is that infinity.
fn eps(actual: f32, exact: DoubleDouble) -> f64 {
    if actual.is_infinite() && actual == exact.hi as f32 {
        return 0.0;
    }
    let error = (f64::from(actual) - exact.hi) - exact.lo;
    error.abs() / (f64::from(f32::EPSILON) * exact.hi.abs().max(1.0))
}

/// Compares every kind of row at every length that does not exceed the number of inputs of the sweep.
pub fn run(step: u32) -> Vec<Level> {
    let most = (1_u64 << 32) / u64::from(step);
    LENGTHS.iter().filter(|&&len| len as u64 <= most).flat_map(|&len| of_length(len)).collect()
}

fn of_length(len: usize) -> Vec<Level> {
    let none = (0.0, "");
    let level = |isa| Level { isa, len, softmax: none, log_softmax: none, log_sum_exp: none, sum: none };
    let mut levels: Vec<Level> = Isa::available().map(level).collect();
    for (kind, row) in KINDS {
        let x = row(len);
        let exact = Exact::of(&x);
        for level in &mut levels {
            let (mut y, mut log, mut log_sum) = (x.clone(), x.clone(), [0.0]);
            level.isa.with(|| {
                Softmax::rows(len).forward_in_place(&mut y);
                LogSoftmax::rows(len).forward_in_place(&mut log);
                LogSumExp::rows(len).forward(&x, &mut log_sum);
            });
            let see = |worst: &mut (f64, &'static str), error: f64| {
                if error > worst.0 || error.is_nan() {
                    *worst = (error, kind);
                }
            };
            for i in 0..len {
                let p = exact.probabilities[i];
                see(&mut level.softmax, ulp::error_of(y[i], p.hi, p.lo));
                see(&mut level.log_softmax, eps(log[i], exact.logs[i]));
            }
            see(&mut level.log_sum_exp, eps(log_sum[0], exact.log_sum));
            let sum: f64 = y.iter().map(|&y| f64::from(y)).sum();
            see(&mut level.sum, (sum - 1.0).abs() / f64::from(f32::EPSILON));
        }
    }
    levels
}

impl Level {
    /// The bound on a probability in ulp.
    pub fn bound(&self) -> f64 {
        SOFTMAX.of_row(&vec![0.0; self.len])
    }
}

/// A message for every bound that was exceeded.
pub fn broken(levels: &[Level]) -> impl Iterator<Item = String> {
    levels.iter().flat_map(|level| {
        let errors = [
            ("softmax", level.softmax, level.bound()),
            ("log-softmax", level.log_softmax, LOG_SOFTMAX.epsilons()),
            ("log-sum-exp", level.log_sum_exp, LOG_SUM_EXP.epsilons()),
            ("the sum of softmax", level.sum, SUM_EPSILONS),
        ];
        errors
            .into_iter()
            .filter(|(_, (error, _), bound)| error > bound || error.is_nan())
            .map(|(what, (error, kind), _)| format!("{} {what}, {} columns, {kind}: {error}", level.isa, level.len))
    })
}
