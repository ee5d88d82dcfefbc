//! Logarithms of softmax, losses and their gradients near and far from their limits, compared with double-double
//! arithmetic.
//!
//! The largest logit of a row is ahead of the others by a gap. With a large gap its class is nearly certain: losses, the
//! log-sum-exp less the maximum, and the gradients are near 0.

use activations::{CrossEntropy, Isa, LogSoftmax, LogSumExp, ulp};
use operations::DoubleDouble;
use operations::Element;
use operations::loss::{BALANCE_ULP, GRADIENT, LOSS};
use operations::softmax::{LOG_SOFTMAX, LOG_SUM_EXP};

/// What is measured, with its unit and its bound (of `f64`, where it depends on the type).
pub fn columns() -> [(&'static str, f64); 7] {
    [
        ("loss, ulp", LOSS.ulp()),
        ("log-sum-exp, eps", LOG_SUM_EXP.epsilons()),
        ("largest log-softmax, ulp", LOG_SOFTMAX.ulp()),
        ("log-softmax, eps", LOG_SOFTMAX.epsilons()),
        ("gradient, eps of the scale", GRADIENT.epsilons()),
        ("target's gradient and the sum of the others, ulp", BALANCE_ULP[1]),
        ("log-softmax gradient of a one-hot dy, ulp", 4.0),
    ]
}

/// The largest errors of one element type on one instruction set, in the order of [`columns`].
pub struct Errors {
    pub isa: Isa,
    pub element: &'static str,
    /// Whether a class was nearly certain.
    pub is_near: bool,
    pub worst: [f64; 7],
}

const LENGTHS: [usize; 10] = [2, 3, 10, 16, 17, 100, 129, 1000, 10_000, 128_256];

/// Gaps of rows whose class is not certain, and of those where it is.
const GAPS: [&[f64]; 2] = [
    &[-1.2, -0.7, -0.3, -0.1, 0.0, 0.05, 0.1, 0.2, 0.5, 0.7, 1.0, 3.0, 6.0],
    &[8.0, 12.0, 17.0, 25.0, 34.0, 50.0, 80.0],
];

/// Rows up to this long on every instruction set. Returns a line for each element type, kind of gap and instruction set.
pub fn run(longest: usize) -> Vec<Errors> {
    [of_type::<f32>("f32", longest), of_type::<f64>("f64", longest)].into_iter().flatten().collect()
}

fn of_type<T: Element>(element: &'static str, longest: usize) -> Vec<Errors> {
    let mut all = Vec::new();
    for (k, gaps) in GAPS.iter().enumerate() {
        let mut errors: Vec<Errors> =
            Isa::available().map(|isa| Errors { isa, element, is_near: k == 1, worst: [0.0; 7] }).collect();
        for &len in LENGTHS.iter().filter(|len| **len <= longest) {
            for gap in *gaps {
                for (seed, spread) in [(1, 0.0), (2, 1.0), (3, 4.0), (4, 30.0)] {
                    // The gap is one between the largest and the sum of the others, if these are equal.
                    measure::<T>(&row(len, gap + (len as f64 - 1.0).ln(), spread, seed), &mut errors);
                }
            }
        }
        all.extend(errors);
    }
    all
}

/// A row whose largest element is ahead of the others by the gap, and the others differ by up to the spread.
fn row<T: Element>(len: usize, gap: f64, spread: f64, seed: u64) -> (Vec<T>, usize) {
    let mut rng = fastrand::Rng::with_seed(seed * len as u64);
    let (top, largest) = (3.0 * rng.f64() - 1.0, rng.usize(..len));
    let mut row: Vec<T> = (0..len).map(|_| T::rounded(top - gap - spread * rng.f64())).collect();
    row[largest] = T::rounded(top);
    (row, largest)
}

fn measure<T: Element>((row, largest): &(Vec<T>, usize), errors: &mut [Errors]) {
    let (len, largest, one) = (row.len(), *largest, DoubleDouble::from(1.0));
    let max: f64 = row[largest].into();
    let terms: Vec<DoubleDouble> = row.iter().map(|x| DoubleDouble::sum((*x).into(), -max).exp()).collect();
    let others = (0..len).filter(|i| *i != largest).fold(DoubleDouble::from(0.0), |sum, i| sum + terms[i]);
    let (sum, log) = (one + others, others.ln_1p());
    let log_of = |i: usize| DoubleDouble::sum(row[i].into(), -max) + -log;
    for Errors { isa, worst, .. } in errors {
        isa.with(|| {
            let mut see =
                |k: usize, error: f64| worst[k] = if error > worst[k] || error.is_nan() { error } else { worst[k] };
            let (mut y, mut log_sum) = (row.clone(), [row[0]]);
            LogSoftmax::rows(len).forward_in_place(&mut y);
            LogSumExp::rows(len).forward(row, &mut log_sum);
            let exact = DoubleDouble::from(max) + log;
            see(1, distance(log_sum[0], exact) / (T::EPSILON * max.abs().max(log.hi)));
            see(2, ulp::error_of(y[largest], -log.hi, -log.lo));
            for i in 0..len {
                let exact = log_of(i);
                see(3, distance(y[i], exact) / (T::EPSILON * exact.hi.abs().max(1.0)));
            }
            for target in [largest, (largest + 1) % len] {
                let (mut loss, mut dx) = ([row[0]], row.clone());
                CrossEntropy::rows(len).forward_backward_in_place(&mut dx, &[target as u32], 1.0, &mut loss);
                let exact = log_of(target);
                see(0, ulp::error_of(loss[0], -exact.hi, -exact.lo));
                let mut of_others = DoubleDouble::from(0.0);
                for i in (0..len).filter(|i| *i != target) {
                    see(4, distance(dx[i], terms[i] / sum) / T::EPSILON);
                    of_others = of_others + dx[i].into().into();
                }
                let all_others = if target == largest { others } else { sum + -terms[target] };
                see(4, distance(dx[target], -(all_others / sum)) / T::EPSILON);
                // But for the rounding of subnormal gradients.
                let subnormal = (len as f64 + 2.0) * T::MIN_SUBNORMAL;
                let difference = (distance(dx[target], -of_others) - subnormal).max(0.0);
                see(5, difference / ulp::spacing::<T>(of_others.hi));
            }
            // With dy = 1 for the largest alone, its gradient is 1 - e^y of the y that was stored.
            let (mut dy, of_largest): (Vec<T>, f64) = (vec![T::rounded(0.0); len], y[largest].into());
            dy[largest] = T::rounded(1.0);
            LogSoftmax::rows(len).backward_in_place(&y, &mut dy);
            let (m, k) = DoubleDouble::exp_m1(of_largest);
            let exact = if k == 0 { -m } else { one + -DoubleDouble::from(of_largest).exp() };
            see(6, ulp::error_of(dy[largest], exact.hi, exact.lo));
        });
    }
}

/// The distance of a result from the true value.
fn distance<T: Element>(actual: T, exact: DoubleDouble) -> f64 {
    ((actual.into() - exact.hi) - exact.lo).abs()
}

/// A message for every bound that was exceeded.
pub fn broken(errors: &[Errors]) -> impl Iterator<Item = String> {
    errors.iter().flat_map(|Errors { isa, element, worst, .. }| {
        let measured =
            columns().into_iter().zip(worst).filter(|((_, bound), error)| **error > *bound || error.is_nan());
        measured.map(move |((what, bound), error)| format!("{isa} {element} {what}: {error}, more than {bound}"))
    })
}
