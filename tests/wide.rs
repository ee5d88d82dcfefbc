//! `f64` results on every instruction set, judged by arithmetic of 128 bits.

use activations::{ACTIVATIONS, Isa, LeakyRelu, LogSoftmax, LogSumExp, Softmax, ulp};
use astro_float::{BigFloat, Consts, RoundingMode};
use operations::softmax::{LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX};

const BITS: usize = 128;

/// Arithmetic of [`BITS`] bits.
struct Exact(Consts);

impl Exact {
    fn new() -> Self {
        Self(Consts::new().expect("constants"))
    }

    fn exp(&mut self, x: &BigFloat) -> BigFloat {
        x.exp(BITS, RoundingMode::ToEven, &mut self.0)
    }

    fn ln(&mut self, x: &BigFloat) -> BigFloat {
        x.ln(BITS, RoundingMode::ToEven, &mut self.0)
    }

    /// An activation with its default parameters, by its definition.
    fn activation(&mut self, name: &str, x: f64) -> BigFloat {
        let positive = x > 0.0;
        let x = big(x);
        match name {
            "relu" if positive => x,
            "relu" => big(0.0),
            "leaky_relu" if positive => x,
            "leaky_relu" => x.mul(&big(LeakyRelu::default().negative_slope()), BITS, RoundingMode::ToEven),
            "exp" => self.exp(&x),
            "sigmoid" => {
                let e = self.exp(&x.neg());
                div(&big(1.0), &add(&big(1.0), &e))
            }
            "tanh" => x.tanh(BITS, RoundingMode::ToEven, &mut self.0),
            name => panic!("no definition of {name} in 128 bits: add it here"),
        }
    }

    /// e^x for each of a row, and their sum.
    fn row(&mut self, x: &[f64]) -> (Vec<BigFloat>, BigFloat) {
        let terms: Vec<BigFloat> = x.iter().map(|&x| self.exp(&big(x))).collect();
        let sum = terms.iter().fold(big(0.0), |sum, term| add(&sum, term));
        (terms, sum)
    }
}

fn big(x: f64) -> BigFloat {
    BigFloat::from_f64(x, BITS)
}

fn add(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.add(b, BITS, RoundingMode::ToEven)
}

fn sub(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.sub(b, BITS, RoundingMode::ToEven)
}

fn div(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.div(b, BITS, RoundingMode::ToEven)
}

/// The nearest `f64`, by way of decimal digits.
fn nearest(x: &BigFloat) -> f64 {
    x.to_string().parse().expect("a number")
}

/// The error of a result in ulp, without the last half ulp where the true value is subnormal.
fn error(actual: f64, exact: &BigFloat) -> f64 {
    let rounded = nearest(exact);
    let rest = if rounded.is_normal() { nearest(&sub(exact, &big(rounded))) } else { 0.0 };
    ulp::error_of(actual, rounded, rest)
}

/// Log-spaced inputs of both signs, the tails of the exponential, and the arguments near 0.
fn inputs() -> Vec<f64> {
    let mut x: Vec<f64> = (0..700).map(|i| 2_f64.powf(f64::from(i) * 0.053 - 27.0)).collect();
    x.extend((0..500).map(|i| f64::from(i) * 0.0371 + 1e-3));
    x.extend([1e-300, 5e-324, 36.7, 37.4, 700.0, 707.9, 708.3, 709.7, 710.0, 720.0, 740.1, 744.9]);
    let negative: Vec<f64> = x.iter().map(|x| -x).collect();
    x.extend(negative);
    x
}

#[test]
fn activations_are_within_their_bounds() {
    let x = inputs();
    let mut arithmetic = Exact::new();
    for act in ACTIVATIONS {
        let exact: Vec<BigFloat> = x.iter().map(|&x| arithmetic.activation(act.name(), x)).collect();
        for isa in Isa::available() {
            let mut y = x.clone();
            isa.with(|| act.forward_in_place(&mut y));
            let worst = (0..x.len()).map(|i| (error(y[i], &exact[i]), x[i])).max_by(|a, b| a.0.total_cmp(&b.0));
            let (worst, at) = worst.expect("inputs");
            println!("{isa} {} f64: at most {worst:.3} ulp, at {at:e}", act.name());
            let bound = act.max_ulp(64, isa.is_fused());
            assert!(worst <= bound, "{isa} {}({at:e}): {worst} ulp, bound {bound}", act.name());
        }
    }
}

#[test]
fn softmax_is_accurate() {
    let mut arithmetic = Exact::new();
    for columns in [1, 7, 8, 9, 130, 600] {
        for scale in [1.0, 50.0] {
            let x: Vec<f64> = (0..columns).map(|i| scale * (f64::from(i) * 1.7 + 0.1).sin()).collect();
            let (terms, sum) = arithmetic.row(&x);
            let log = arithmetic.ln(&sum);
            for isa in Isa::available() {
                let (mut y, mut log_y, mut log_sum) = (x.clone(), x.clone(), [0.0]);
                isa.with(|| {
                    Softmax::rows(x.len()).forward_in_place(&mut y);
                    LogSoftmax::rows(x.len()).forward_in_place(&mut log_y);
                    LogSumExp::rows(x.len()).forward(&x, &mut log_sum);
                });
                let unit = |exact: f64| f64::EPSILON * exact.abs().max(1.0);
                let (mut worst, mut worst_log) = (0.0_f64, 0.0_f64);
                for i in 0..x.len() {
                    worst = worst.max(error(y[i], &div(&terms[i], &sum)));
                    let exact = nearest(&sub(&big(x[i]), &log));
                    worst_log = worst_log.max((log_y[i] - exact).abs() / unit(exact));
                }
                let exact = nearest(&log);
                let of_sum = (log_sum[0] - exact).abs() / unit(exact);
                assert!(worst <= SOFTMAX.of_row(&x), "{isa} {columns}: {worst} ulp");
                let is_right = worst_log <= LOG_SOFTMAX.epsilons() && of_sum <= LOG_SUM_EXP.epsilons();
                assert!(is_right, "{isa} {columns}: {worst_log} and {of_sum} eps");
            }
        }
    }
}
