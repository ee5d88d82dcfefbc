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
    times(1.0 - target, softplus(logit)) + times(weight, times(target, softplus(-logit)))
}

/// The gradient of [`binary_cross_entropy`] with respect to the logit.
pub fn binary_cross_entropy_gradient(logit: f64, target: f64, weight: f64) -> f64 {
    (1.0 - target) * sigmoid(logit) - weight * target * sigmoid(-logit)
}

/// `ln(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
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
