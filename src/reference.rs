//! Plain scalar `f64` versions of every operation, for differential tests.
//!
//! They are written for clarity and share no code with the kernels.

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: f64) -> f64 {
    if x < 0.0 {
        // In the other form e^-x overflows where the result is subnormal.
        x.exp() / (1.0 + x.exp())
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}

/// The sigmoid's gradient from its output `y`.
pub fn sigmoid_gradient(y: f64, dy: f64) -> f64 {
    dy * (y * (1.0 - y))
}

/// The hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    x.tanh()
}

/// The hyperbolic tangent's gradient from its output `y`.
pub fn tanh_gradient(y: f64, dy: f64) -> f64 {
    dy * ((1.0 - y) * (1.0 + y))
}

/// `x` if it is positive or NaN, else 0.
pub fn relu(x: f64) -> f64 {
    if x > 0.0 || x.is_nan() { x } else { 0.0 }
}

/// The relu's gradient from its output `y`.
pub fn relu_gradient(y: f64, dy: f64) -> f64 {
    if y > 0.0 || y.is_nan() { dy } else { 0.0 }
}

/// `x` if it is positive, else `negative_slope * x`.
pub fn leaky_relu(x: f64, negative_slope: f64) -> f64 {
    if negative_slope == 0.0 {
        // Without the product, which is NaN for -inf.
        return relu(x);
    }
    if x > 0.0 { x } else { negative_slope * x }
}

/// The leaky relu's gradient from its output `y`.
pub fn leaky_relu_gradient(y: f64, dy: f64, negative_slope: f64) -> f64 {
    if negative_slope == 0.0 {
        return relu_gradient(y, dy);
    }
    if y > 0.0 { dy } else { negative_slope * dy }
}

/// The exponential.
pub fn exp(x: f64) -> f64 {
    x.exp()
}

/// The exponential's gradient from its output `y`.
pub fn exp_gradient(y: f64, dy: f64) -> f64 {
    dy * y
}

/// `x Phi(x)`, where Phi is the distribution function of the normal distribution.
pub fn gelu(x: f64) -> f64 {
    let (mills, series) = upper_tail(x.abs());
    if x.abs() < SERIES_END {
        return x * if x < 0.0 { 0.5 - series } else { 0.5 + series };
    }
    let [first, second] = gauss(x, 0.5);
    if x < 0.0 {
        if x == f64::NEG_INFINITY { -0.0 } else { x * mills * first * second }
    } else {
        x - x.min(50.0) * mills * first * second
    }
}

/// The gradient of [`gelu`] from its input `x`.
pub fn gelu_gradient(x: f64, dy: f64) -> f64 {
    // Beyond, it is 0 or 1 times any dy.
    if x.abs() > 54.5 {
        return if x > 0.0 { dy } else { dy * -0.0 };
    }
    let (mills, series) = upper_tail(x.abs());
    let [first, second] = gauss(x, 0.5);
    if x.abs() < SERIES_END {
        return dy * (0.5 + series.copysign(x) + x * DENSITY_AT_0 * first * second);
    }
    let factor = mills - x.abs() * DENSITY_AT_0;
    if x < 0.0 { dy * first * factor * second } else { dy * (1.0 - first * factor * second) }
}

/// The error function.
pub fn erf(x: f64) -> f64 {
    let a = x.abs() * std::f64::consts::SQRT_2;
    let value = if x.abs() < 1.0 {
        // Twice the series of Phi, without the error of the root of 2.
        std::f64::consts::FRAC_2_SQRT_PI * x.abs() * series(x * x)
    } else {
        1.0 - 2.0 * upper_tail(a).0 * gauss(x, 1.0)[0] * gauss(x, 1.0)[1]
    };
    value.copysign(x)
}

/// The gradient of [`erf`] from its input `x`.
pub fn erf_gradient(x: f64, dy: f64) -> f64 {
    // Beyond, it is 0 times any dy.
    if x.abs() > 38.5 {
        return dy * 0.0;
    }
    let [first, second] = gauss(x, 1.0);
    dy * first * (std::f64::consts::FRAC_2_SQRT_PI * second)
}

/// 1 / sqrt(2 pi).
const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;

/// Up to this number the distribution function is taken from a series around 0.
const SERIES_END: f64 = 0.5;

/// `(m, s)` for a >= 0: the upper tail of the normal distribution is m e^(-a^2/2), from [`SERIES_END`] on, and 1/2 - s
/// below.
///
/// m is a continued fraction, 1 / (a + 1 / (a + 2 / (a + 3 / ..))), divided by the root of 2 pi.
fn upper_tail(a: f64) -> (f64, f64) {
    if a < SERIES_END {
        return (0.0, DENSITY_AT_0 * a * series(0.5 * a * a));
    }
    let terms = ((400.0 / (a * a)).ceil() + 30.0) as u32;
    // The rest of the fraction varies slowly with the number of terms n: it is about the solution of f = a + n / f.
    let rest = 0.5 * (a + (a * a + 4.0 * f64::from(terms)).sqrt());
    let fraction = (1..=terms).rev().fold(rest, |fraction, k| a + f64::from(k) / fraction);
    (DENSITY_AT_0 / fraction, 0.0)
}

/// 1 - z/3 + z^2/(2! 5) - z^3/(3! 7) + .., which is erf x divided by 2 x / sqrt(pi), with z = x^2.
fn series(z: f64) -> f64 {
    let ratio = |n: f64| z * (2.0 * n + 1.0) / ((n + 1.0) * (2.0 * n + 3.0));
    (0..20).rev().fold(1.0, |sum, n| 1.0 - sum * ratio(f64::from(n)))
}

/// e^(-rate x^2) as a product of two numbers that are not subnormal if |x| is up to 50. A rounded square would have an
/// error of many ulp of the result.
fn gauss(x: f64, rate: f64) -> [f64; 2] {
    if x.is_nan() || x.abs() >= 100.0 {
        return [if x.is_nan() { x } else { 0.0 }; 2];
    }
    let head = f64::from(x as f32);
    // The first is 1 where the second is a normal number.
    let share = if x.abs() < 26.0 { 0.0 } else { 0.5 };
    let [first, second] = [share, 1.0 - share].map(|share| (-share * rate * head * head).exp());
    [first, second * (-rate * (x - head) * (x + head)).exp()]
}

/// `ln(1 + e^(beta x)) / beta`.
pub fn softplus(x: f64, beta: f64) -> f64 {
    let z = beta * x;
    if z.is_infinite() || z.is_nan() {
        return if z < 0.0 { 0.0 } else { z };
    }
    // The rounding error of the product.
    let lost = beta.mul_add(x, -z);
    if z > 0.0 {
        return x + ((-z).exp() * (1.0 - lost)).ln_1p() / beta;
    }
    if z < -40.0 {
        return (0.5 * z).exp() * (1.0 + lost) / beta * (0.5 * z).exp();
    }
    (z.exp() * (1.0 + lost)).ln_1p() / beta
}

/// The gradient of [`softplus`] from its output `y`.
pub fn softplus_gradient(y: f64, dy: f64, beta: f64) -> f64 {
    if y.abs() * beta < f64::MIN_POSITIVE {
        // beta y would be subnormal, and lose digits.
        return if (dy * beta).is_finite() { dy * beta * y } else { dy * y * beta };
    }
    dy * -(-beta * y).exp_m1()
}

/// `-ln(1 + e^-x)`.
pub fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x, 1.0)
}

/// The gradient of [`log_sigmoid`] from its output `y`.
pub fn log_sigmoid_gradient(y: f64, dy: f64) -> f64 {
    dy * -y.exp_m1()
}

/// `x tanh(ln(1 + e^x))`.
pub fn mish(x: f64) -> f64 {
    if x < -40.0 {
        // The hyperbolic tangent rounds to e^x, which may be subnormal.
        let half = (0.5 * x).exp();
        return if half == 0.0 { -0.0 } else { x * half * half };
    }
    // The hyperbolic tangent is n / (n + 2) with n = e^x (e^x + 2).
    let (w, n) = ((-x).exp(), x.exp() * (x.exp() + 2.0));
    if x > 0.0 { x * ((1.0 + 2.0 * w) / (1.0 + 2.0 * w * (1.0 + w))) } else { x * (n / (n + 2.0)) }
}

/// The gradient of [`mish`] from its input `x`.
pub fn mish_gradient(x: f64, dy: f64) -> f64 {
    if x > 40.0 {
        return dy;
    }
    if x < -40.0 {
        // Beyond -1490 it is 0 times any dy.
        let half = (0.5 * x).exp();
        return if x < -1490.0 { dy * -0.0 } else { dy * half * (1.0 + x) * half };
    }
    // t + x sigmoid(x) (1 - t^2) with t = n / (n + 2) and n = e (e + 2), multiplied out.
    let e = x.exp();
    let q = 1.0 + e * (1.0 + 0.5 * e);
    if x > 0.0 {
        return dy * (1.0 - (1.0 + e * ((1.0 - x) + e * (0.5 - x))) / (q * q));
    }
    dy * (e * ((1.0 + x) + e * ((1.5 + x) + e * (1.0 + 0.25 * e))) / (q * q))
}

/// `x sigmoid(beta x)`.
pub fn swish(x: f64, beta: f64) -> f64 {
    if beta == 0.0 {
        // beta x is NaN for an infinite x.
        return 0.5 * x;
    }
    times_sigmoid(x, beta * x, beta.mul_add(x, -(beta * x)))
}

/// The gradient of [`swish`] from its input.
pub fn swish_gradient(x: f64, dy: f64, beta: f64) -> f64 {
    if beta == 0.0 {
        return 0.5 * dy;
    }
    let v = beta * x;
    times_sigmoid_gradient(v, beta.mul_add(x, -v), v, dy)
}

/// x times the sigmoid of `v + low`, where `low` is the rounding error of `v`.
fn times_sigmoid(x: f64, v: f64, low: f64) -> f64 {
    // Beyond, e^-|v| times any number is 0.
    if v.abs() > 2000.0 {
        return if v > 0.0 { x } else { 0_f64.copysign(x) };
    }
    if v < 0.0 && v > -700.0 {
        let e = v.exp().mul_add(low, v.exp());
        return x * e / (1.0 + e);
    }
    if v < 0.0 {
        // In two factors, because e^v may be subnormal where the product is not.
        let (half, rest) = ((v / 2.0).exp(), (v / 2.0).exp() * low.exp());
        return x * half * (rest / (1.0 + half * rest));
    }
    x / (1.0 + (-v).exp() * (-low).exp())
}

/// dy times the gradient of x sigmoid(v), `slope` being x times the derivative of v.
fn times_sigmoid_gradient(v: f64, low: f64, slope: f64, dy: f64) -> f64 {
    // Beyond, the sigmoid is 0 or 1 times any dy.
    if v.abs() > 1490.0 {
        return if v > 0.0 { dy } else { dy * -0.0 };
    }
    let low = -low * v.signum();
    if v.abs() < 300.0 {
        let e = (-v.abs()).exp();
        let e = e.mul_add(low, e);
        let sum = 1.0 + e;
        return if v < 0.0 { dy * (e / sum * (1.0 + slope / sum)) } else { dy * ((1.0 + slope * (e / sum)) / sum) };
    }
    let (half, rest) = ((-v.abs() / 2.0).exp(), (-v.abs() / 2.0).exp() * low.exp());
    let e = half * rest;
    if v < 0.0 {
        return dy * half * (rest / (1.0 + e) * (1.0 + slope / (1.0 + e)));
    }
    dy * ((1.0 + slope * (e / (1.0 + e))) / (1.0 + e))
}

/// The factors of x and of x^3 in the sigmoid's argument of GELU's tanh form: 2 sqrt(2 / pi), and 0.044715 times that.
pub const GELU_TANH: [f64; 2] = [1.595_769_121_605_730_8, 0.071_354_816_272_600_25];

/// GELU in its tanh form, as x times a sigmoid.
pub fn gelu_tanh(x: f64) -> f64 {
    let [v, low] = gelu_tanh_argument(x);
    times_sigmoid(x, v, low)
}

/// The gradient of [`gelu_tanh`] from its input.
pub fn gelu_tanh_gradient(x: f64, dy: f64) -> f64 {
    let ([v, low], [linear, cubic]) = (gelu_tanh_argument(x), GELU_TANH);
    if x.is_infinite() {
        return times_sigmoid_gradient(x, 0.0, 0.0, dy);
    }
    let limited = x.clamp(-1e3, 1e3);
    times_sigmoid_gradient(v, low, limited * (3.0 * cubic * limited).mul_add(limited, linear), dy)
}

/// The argument and its rounding error.
fn gelu_tanh_argument(x: f64) -> [f64; 2] {
    let ([linear, cubic], x) = (GELU_TANH, x.clamp(-1e3, 1e3));
    let square = x * x;
    let of_square = x.mul_add(x, -square);
    let factor = cubic.mul_add(square, linear);
    // linear + cubic square - factor, by a two-sum of the linear term and the rounded cubic one.
    let term = cubic * square;
    let of_term = cubic.mul_add(square, -term);
    let added = factor - linear;
    let of_factor = (linear - (factor - added)) + (term - added) + of_term + cubic * of_square;
    let v = x * factor;
    [v, x.mul_add(factor, -v) + x * of_factor]
}

/// The scale of SELU, and scale times alpha.
pub const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.758_099_340_847_376_6];

/// `positive x` if x is positive, else `negative (e^(x / width) - 1)`.
pub fn elu(x: f64, positive: f64, negative: f64, width: f64) -> f64 {
    if x > 0.0 { positive * x } else { negative * (x / width).exp_m1() }
}

/// The gradient of [`elu`] from its output.
pub fn elu_gradient(y: f64, dy: f64, positive: f64, negative: f64, width: f64) -> f64 {
    if y > 0.0 { positive * dy } else { dy * ((y + negative) / width) }
}

/// `x / (1 + |x|)`.
pub fn softsign(x: f64) -> f64 {
    if x.is_infinite() { x.signum() } else { x / (1.0 + x.abs()) }
}

/// The softsign's gradient from its output `y`.
pub fn softsign_gradient(y: f64, dy: f64) -> f64 {
    dy * (1.0 - y.abs()).powi(2)
}

/// `(x + 3) / 6` limited to [0, 1].
pub fn hard_sigmoid(x: f64) -> f64 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

/// The hard sigmoid's gradient from its output `y`.
pub fn hard_sigmoid_gradient(y: f64, dy: f64) -> f64 {
    if y <= 0.0 || y >= 1.0 { 0.0 } else { dy / 6.0 }
}

/// x times its [`hard_sigmoid`], and -0 for x up to -3.
pub fn hard_swish(x: f64) -> f64 {
    if x <= -3.0 { -0.0 } else { x * hard_sigmoid(x) }
}

/// The gradient of [`hard_swish`] from its input.
pub fn hard_swish_gradient(x: f64, dy: f64) -> f64 {
    match x {
        _ if x < -3.0 => 0.0,
        _ if x > 3.0 => dy,
        _ => dy * ((2.0 * x + 3.0) / 6.0),
    }
}

/// x limited to [low, high]. A zero at a limit of 0 is +0.
pub fn hard_tanh(x: f64, low: f64, high: f64) -> f64 {
    if low == 0.0 && x == 0.0 { 0.0 } else { x.clamp(low, high) }
}

/// The gradient of [`hard_tanh`] from its output.
pub fn hard_tanh_gradient(y: f64, dy: f64, low: f64, high: f64) -> f64 {
    if y <= low || y >= high { 0.0 } else { dy }
}

/// The softmax of one row.
pub fn softmax(x: &[f64]) -> Vec<f64> {
    let max = largest(x);
    let terms: Vec<f64> = x.iter().map(|x| term(*x, max)).collect();
    let sum = sum(terms.iter().copied());
    terms.iter().map(|term| term / sum).collect()
}

/// The logarithm of the softmax of one row.
pub fn log_softmax(x: &[f64]) -> Vec<f64> {
    let max = largest(x);
    let log = log_of_sum(x);
    x.iter().map(|x| (x - max) - log).collect()
}

/// The logarithm of the sum of exponentials of one row.
pub fn log_sum_exp(x: &[f64]) -> f64 {
    let max = largest(x);
    if max.is_infinite() && !x.iter().any(|x| x.is_nan()) {
        return max;
    }
    max + log_of_sum(x)
}

/// ln of the sum of e^(x - max): ln(1 + the sum of the terms but the largest one), which keeps a small sum.
fn log_of_sum(x: &[f64]) -> f64 {
    let max = largest(x);
    let largest_at = x.iter().position(|x| *x == max);
    let others = x.iter().enumerate().filter(|(i, _)| Some(*i) != largest_at);
    let log = sum(others.map(|(_, x)| term(*x, max))).ln_1p();
    // A maximum that is not finite leaves no probabilities.
    if max.is_finite() { log } else { f64::NAN }
}

/// e^(x - max), without the rounding error of the difference: far from 0 it would be many ulp of the result.
fn term(x: f64, max: f64) -> f64 {
    let difference = x - max;
    // The error of the difference, by a two-sum.
    let of_max = difference - x;
    let lost = (x - (difference - of_max)) - (max + of_max);
    let term = difference.exp();
    if lost.is_finite() { term + term * lost } else { term }
}

/// The sum, by [`sum_in_parts`].
fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (sum, lost) = sum_in_parts(terms);
    sum + lost
}

/// The sum and its rounding error, by Neumaier's compensated summation: in a long row the rounding errors of plain
/// additions add up.
fn sum_in_parts(terms: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() > term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    (sum, if sum.is_finite() { lost } else { 0.0 })
}

/// The largest element, skipping NaN.
fn largest(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The cross-entropy of one row with its class.
pub fn cross_entropy(logits: &[f64], target: usize) -> f64 {
    -log_softmax(logits)[target]
}

/// The gradient of [`cross_entropy`] with respect to the logits. The target's is minus the sum of the others.
pub fn cross_entropy_gradient(logits: &[f64], target: usize) -> Vec<f64> {
    let mut gradient = softmax(logits);
    let probability = std::mem::take(&mut gradient[target]);
    gradient[target] = if probability.is_nan() { probability } else { -sum(gradient.iter().copied()) };
    gradient
}

/// The cross-entropy of one row with weighted classes, sum over c of `weights[c] * (logsumexp - logits[c])`, and
/// `z_loss * logsumexp^2`. A weight of 0 adds nothing, for a logit of -inf too.
pub fn weighted_cross_entropy(logits: &[f64], weights: &[f64], z_loss: f64) -> f64 {
    let terms = log_softmax(logits).into_iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
    let of_classes = sum(terms.map(|(log, weight)| weight * -log));
    if z_loss == 0.0 { of_classes } else { of_classes + z_loss * log_sum_exp(logits).powi(2) }
}

/// The gradient of [`weighted_cross_entropy`]: for element i with probability p_i, `p_i * (sum of the other weights) -
/// weights[i] * (sum of the other probabilities) + 2 z_loss logsumexp p_i`, in which nothing cancels near a certain class.
pub fn weighted_cross_entropy_gradient(logits: &[f64], weights: &[f64], z_loss: f64) -> Vec<f64> {
    let probabilities = softmax(logits);
    let (other_weights, other_probabilities) = (sums_of_others(weights), sums_of_others(&probabilities));
    let of_z = if z_loss == 0.0 { 0.0 } else { 2.0 * z_loss * log_sum_exp(logits) };
    let gradient = |i: usize| {
        let p = probabilities[i];
        p * (other_weights[i] + of_z) - weights[i] * other_probabilities[i]
    };
    (0..logits.len()).map(gradient).collect()
}

/// For each element the sum of the others: those before it and those behind it, without a difference.
fn sums_of_others(x: &[f64]) -> Vec<f64> {
    let mut others = vec![0.0; x.len()];
    let (mut before, mut behind) = (0.0, 0.0);
    for i in 0..x.len() {
        others[i] += before;
        before += x[i];
        let j = x.len() - 1 - i;
        others[j] += behind;
        behind += x[j];
    }
    others
}

/// The binary cross-entropy of a logit, with the weight of positive targets.
pub fn binary_cross_entropy(logit: f64, target: f64, weight: f64) -> f64 {
    let times = |factor: f64, x: f64| if factor == 0.0 && !x.is_nan() { 0.0 } else { factor * x };
    // The target first: with a large logit the product has all its digits where weight * target is subnormal.
    times(1.0 - target, softplus(logit, 1.0)) + times(weight, times(target, softplus(-logit, 1.0)))
}

/// The gradient of [`binary_cross_entropy`] with respect to the logit.
pub fn binary_cross_entropy_gradient(logit: f64, target: f64, weight: f64) -> f64 {
    (1.0 - target) * sigmoid(logit) - weight * target * sigmoid(-logit)
}

/// `x` limited to `[-limit, limit]`.
pub fn clip_by_value(x: f64, limit: f64) -> f64 {
    x.clamp(-limit, limit)
}

/// The Euclidean norm of all elements.
pub fn global_norm(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |norm: f64, x| norm.hypot(*x))
}

/// The gradient of [`softmax`] from its output.
pub fn softmax_gradient(y: &[f64], dy: &[f64]) -> Vec<f64> {
    let dot = sum(y.iter().zip(dy).map(|(y, dy)| y * dy));
    y.iter().zip(dy).map(|(y, dy)| y * (dy - dot)).collect()
}

/// The gradient of [`log_softmax`] from its output: `dy - e^y * sum of dy`, written so that nothing cancels where `e^y` is
/// close to 1.
pub fn log_softmax_gradient(y: &[f64], dy: &[f64]) -> Vec<f64> {
    let (sum, lost) = sum_in_parts(dy.iter().copied());
    y.iter().zip(dy).map(|(y, dy)| -dy * y.exp_m1() - y.exp() * ((sum - dy) + lost)).collect()
}
