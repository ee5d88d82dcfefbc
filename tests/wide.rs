//! Proves that `f64` results are within their bounds on every instruction set. The `f64` references of `operations.rs`
//! are not wide enough to judge them, so that here the true values come from arithmetic of 128 bits.

use activations::reference::{GELU_TANH, SELU};
use activations::{ACTIVATIONS, Isa, LeakyRelu, LogSoftmax, LogSumExp, Softmax, ulp};
use approx::relative_eq;
use astro_float::{BigFloat, Consts, RoundingMode};
use operations::Bound;
use operations::softmax::{LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX};

/// The precision of the true values.
const BITS: usize = 128;

/// Functions of [`BITS`] bits, with the constants that they need.
struct WideArithmetic(Consts);

impl WideArithmetic {
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
            "silu" | "swish" => self.times_sigmoid(&x, &x),
            "quick_gelu" => self.times_sigmoid(&x, &mul(&big(1.702), &x)),
            "gelu_tanh" => {
                let [linear, cubic] = GELU_TANH.map(big);
                self.times_sigmoid(&x, &mul(&x, &add(&linear, &mul(&cubic, &mul(&x, &x)))))
            }
            "elu" | "celu" if positive => x,
            "elu" | "celu" => self.exp_m1(&x),
            "selu" if positive => mul(&big(SELU[0]), &x),
            "selu" => mul(&big(SELU[1]), &self.exp_m1(&x)),
            "softsign" => div(&x, &add(&big(1.0), &x.abs())),
            "hard_sigmoid" => hard_sigmoid(&x),
            "hard_swish" => mul(&x, &hard_sigmoid(&x)),
            "hard_tanh" => x.clamp(&big(-1.0), &big(1.0)),
            "relu6" => x.clamp(&big(0.0), &big(6.0)),
            "gelu" => mul(&x, &self.upper_tail(&x.neg())),
            "erf" => self.erf(&x),
            "softplus" => self.softplus(&x),
            "log_sigmoid" => self.softplus(&x.neg()).neg(),
            "mish" => {
                let e = self.exp(&x);
                let n = mul(&e, &add(&e, &big(2.0)));
                div(&mul(&x, &n), &add(&n, &big(2.0)))
            }
            name => panic!("no definition of {name} in 128 bits: add it here"),
        }
    }

    /// x / (1 + e^-v).
    fn times_sigmoid(&mut self, x: &BigFloat, v: &BigFloat) -> BigFloat {
        let e = self.exp(&v.neg());
        div(x, &add(&big(1.0), &e))
    }

    /// ln(1 + e^x), by two terms of its series where e^x is small.
    fn softplus(&mut self, x: &BigFloat) -> BigFloat {
        let e = self.exp(x);
        if *x < big(-40.0) {
            return sub(&e, &div(&mul(&e, &e), &big(2.0)));
        }
        if *x > big(200.0) { x.clone() } else { self.ln(&add(&big(1.0), &e)) }
    }

    /// e^(-x^2) x (1 + z/3 + z^2/(3 5) + ..) 2 / sqrt(pi) with z = 2 x^2. All terms have one sign. From 3 on 1 - 2 Q.
    fn erf(&mut self, x: &BigFloat) -> BigFloat {
        let root = big(2.0).sqrt(BITS, RoundingMode::ToEven);
        if x.abs() > big(3.0) {
            let rest = mul(&big(2.0), &self.upper_tail(&mul(&x.abs(), &root)));
            let erf = sub(&big(1.0), &rest);
            return if x.is_negative() { erf.neg() } else { erf };
        }
        let square = mul(x, x);
        let z = mul(&big(2.0), &square);
        let series =
            (1..90).rev().fold(big(1.0), |sum, k| add(&big(1.0), &div(&mul(&sum, &z), &big(f64::from(2 * k + 1)))));
        let scale = div(&big(2.0), &self.0.pi(BITS, RoundingMode::ToEven).sqrt(BITS, RoundingMode::ToEven));
        mul(&mul(&mul(x, &scale), &series), &self.exp(&square.neg()))
    }

    /// The upper tail of the normal distribution, Q(x) = (1 - erf(x / sqrt 2)) / 2. From 3 on a continued fraction,
    /// e^(-x^2/2) / sqrt(2 pi) / (x + 1 / (x + 2 / (x + 3 / ..))).
    fn upper_tail(&mut self, x: &BigFloat) -> BigFloat {
        if *x < big(3.0) {
            let root = big(2.0).sqrt(BITS, RoundingMode::ToEven);
            let erf = self.erf(&div(x, &root));
            return div(&sub(&big(1.0), &erf), &big(2.0));
        }
        let fraction = (1..300).rev().fold(x.clone(), |rest, k| add(x, &div(&big(f64::from(k)), &rest)));
        let two_pi = mul(&big(2.0), &self.0.pi(BITS, RoundingMode::ToEven));
        let exponential = self.exp(&div(&mul(x, x), &big(-2.0)));
        div(&exponential, &mul(&fraction, &two_pi.sqrt(BITS, RoundingMode::ToEven)))
    }

    /// e^x - 1, by two terms of its series where x is small.
    fn exp_m1(&mut self, x: &BigFloat) -> BigFloat {
        if x.abs() < big(2_f64.powi(-60)) {
            return add(x, &div(&mul(x, x), &big(2.0)));
        }
        sub(&self.exp(x), &big(1.0))
    }

    /// e^x for each element of a row, and the sum of all.
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

fn mul(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.mul(b, BITS, RoundingMode::ToEven)
}

/// (x + 3) / 6, limited to [0, 1].
fn hard_sigmoid(x: &BigFloat) -> BigFloat {
    div(&add(x, &big(3.0)), &big(6.0)).clamp(&big(0.0), &big(1.0))
}

fn div(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.div(b, BITS, RoundingMode::ToEven)
}

/// The nearest `f64`, by way of decimal digits.
fn nearest(x: &BigFloat) -> f64 {
    x.to_string().parse().expect("a number")
}

/// The error of a result in ulp. Where the true value is subnormal, its rounding to `f64` is left out: up to half an
/// ulp.
fn error(actual: f64, exact: &BigFloat) -> f64 {
    let rounded = nearest(exact);
    let remainder = if rounded.is_normal() { nearest(&sub(exact, &big(rounded))) } else { 0.0 };
    ulp::error_of(actual, rounded, remainder)
}

/// Inputs of both signs: log-spaced, evenly spaced, tiny, and those near which sigmoid and tanh saturate or the
/// exponential is subnormal or overflows.
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
    let mut arithmetic = WideArithmetic::new();
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
fn rows_are_within_their_bounds() {
    let mut arithmetic = WideArithmetic::new();
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
                let is_close = |actual: f64, exact: f64, bound: Bound| {
                    let tolerance = bound.epsilons() * f64::EPSILON;
                    relative_eq!(actual, exact, epsilon = tolerance, max_relative = tolerance)
                };
                for i in 0..x.len() {
                    let error = error(y[i], &div(&terms[i], &sum));
                    assert!(error <= SOFTMAX.of_row(&x), "{isa} softmax of {columns}: {error} ulp at {i}");
                    let (actual, exact) = (log_y[i], nearest(&sub(&big(x[i]), &log)));
                    let is_right = is_close(actual, exact, LOG_SOFTMAX);
                    assert!(is_right, "{isa} log-softmax of {columns}: {actual:e} at {i}, not {exact:e}");
                }
                let (actual, exact) = (log_sum[0], nearest(&log));
                let is_right = is_close(actual, exact, LOG_SUM_EXP);
                assert!(is_right, "{isa} log-sum-exp of {columns}: {actual:e}, not {exact:e}");
            }
        }
    }
}
