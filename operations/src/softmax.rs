//! Softmax, log-softmax and log-sum-exp along an axis, the gradients of the first two, and the exact softmax.

use activations::judge::{is_near_overflow, is_within};
use activations::{Isa, LogSoftmax, LogSumExp, Softmax, reference};

use crate::bound::reference_error;
use crate::operation::forms;
use crate::uninit::uninit;
use crate::{Bound, Element, Family, Operation, Shape};

/// The bound on a probability.
pub const SOFTMAX: Bound = Bound::Probability { columns: 1000, ulp: [4.0, 6.0] };
/// The bound on a logarithm of a probability.
pub const LOG_SOFTMAX: Bound = Bound::LogProbability { epsilons: 4.0, ulp: 8.0 };
/// The bound on a logarithm of a sum of exponentials.
pub const LOG_SUM_EXP: Bound = Bound::LogSum(4.0);
/// The bound on the gradients of softmax and log-softmax.
pub const GRADIENT: Bound = Bound::EpsilonsOfGradient(16.0);
/// The bound on a probability of the exact tier.
pub const EXACT: Bound = Bound::Ulp([0.51, 0.51]);
/// The bound on |sum - 1| for the probabilities of a row, in epsilons.
pub const SUM_EPSILONS: f64 = 4.0;

/// The operations along the axis of this shape.
pub fn all<T: Element>(shape: Shape) -> Vec<Operation<T>> {
    let mut operations = vec![
        softmax(shape),
        softmax_gradient(shape),
        log_softmax(shape),
        log_softmax_gradient(shape),
        log_sum_exp(shape),
    ];
    operations.extend(T::if_f32(|| vec![exact_softmax(shape)]));
    operations
}

fn softmax<T: Element>(shape: Shape) -> Operation<T> {
    let softmax = Softmax::axis(shape.axis, shape.inner);
    Operation {
        item: "Softmax",
        name: "softmax".to_string(),
        parameters: format!("{shape:?}"),
        family: Family::Axis,
        bound: SOFTMAX,
        row_len: shape.axis,
        inputs: vec![shape.len()],
        outputs: vec![shape.len()],
        first_input: Box::new(<[T]>::to_vec),
        forms: forms![softmax [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| judge_softmax(shape, SOFTMAX, inputs[0], outputs[0])),
    }
}

fn softmax_gradient<T: Element>(shape: Shape) -> Operation<T> {
    let softmax = Softmax::axis(shape.axis, shape.inner);
    Operation {
        name: "softmax gradient".to_string(),
        bound: GRADIENT,
        inputs: vec![shape.len(); 2],
        first_input: Box::new(move |x| {
            let mut y = x.to_vec();
            softmax.forward_in_place(&mut y);
            y
        }),
        forms: forms![softmax [] =>
            backward par_backward [y, dy] [dx] (y, dy, dx),
            backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for r in 0..shape.rows() {
                let (y, dy) = (shape.row_as_f64(inputs[0], r), shape.row_as_f64(inputs[1], r));
                let exact = reference::softmax_gradient(&y, &dy);
                judge_gradient::<T>(&dy, |_| 0.0, &exact, &shape.row_as_f64(outputs[0], r));
            }
        }),
        ..self::softmax(shape)
    }
}

fn log_softmax<T: Element>(shape: Shape) -> Operation<T> {
    let log_softmax = LogSoftmax::axis(shape.axis, shape.inner);
    Operation {
        item: "LogSoftmax",
        name: "log-softmax".to_string(),
        bound: LOG_SOFTMAX,
        forms: forms![log_softmax [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for r in 0..shape.rows() {
                let row = shape.row_as_f64(inputs[0], r);
                let largest = largest(&row);
                for ((i, exact), x) in shape.row_indices(r).zip(reference::log_softmax(&row)).zip(&row) {
                    let y = outputs[0][i];
                    let is_right = is_close(y, exact, LOG_SOFTMAX.epsilons() * exact.abs().max(1.0));
                    assert!(is_right, "{} log-softmax({row:?})[{i}] = {y:e}, not {exact:e}", Isa::current());
                    let is_right = *x < largest || is_within(y, exact, LOG_SOFTMAX.ulp());
                    assert!(is_right, "{} log-softmax({row:?})[{i}] = {y:e}, not {exact:e}", Isa::current());
                    assert!(y.into() <= 0.0 || y.into().is_nan(), "log-softmax({row:?})[{i}] = {y:e}");
                }
            }
        }),
        ..softmax(shape)
    }
}

fn log_softmax_gradient<T: Element>(shape: Shape) -> Operation<T> {
    let log_softmax = LogSoftmax::axis(shape.axis, shape.inner);
    Operation {
        name: "log-softmax gradient".to_string(),
        bound: GRADIENT,
        inputs: vec![shape.len(); 2],
        first_input: Box::new(move |x| {
            let mut y = x.to_vec();
            log_softmax.forward_in_place(&mut y);
            y
        }),
        forms: forms![log_softmax [] =>
            backward par_backward [y, dy] [dx] (y, dy, dx),
            backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for r in 0..shape.rows() {
                let (y, dy) = (shape.row_as_f64(inputs[0], r), shape.row_as_f64(inputs[1], r));
                let exact = reference::log_softmax_gradient(&y, &dy);
                judge_gradient::<T>(&dy, |i| y[i].exp(), &exact, &shape.row_as_f64(outputs[0], r));
            }
        }),
        ..self::log_softmax(shape)
    }
}

fn log_sum_exp<T: Element>(shape: Shape) -> Operation<T> {
    let log_sum_exp = LogSumExp::axis(shape.axis, shape.inner);
    Operation {
        item: "LogSumExp",
        name: "log-sum-exp".to_string(),
        bound: LOG_SUM_EXP,
        outputs: vec![shape.rows()],
        forms: forms![log_sum_exp [] => forward par_forward [x] [y] (x, y)],
        judge: Box::new(move |inputs, outputs, _| {
            for (r, &y) in outputs[0].iter().enumerate() {
                let row = shape.row_as_f64(inputs[0], r);
                let (exact, largest) = (reference::log_sum_exp(&row), largest(&row));
                let log = -reference::log_softmax(&row).into_iter().fold(f64::NEG_INFINITY, f64::max);
                let is_right = is_close(y, exact, LOG_SUM_EXP.epsilons() * largest.abs().max(log));
                assert!(is_right, "{} log-sum-exp({row:?}) = {y:e}, not {exact:e}", Isa::current());
            }
        }),
        ..softmax(shape)
    }
}

fn exact_softmax(shape: Shape) -> Operation<f32> {
    let exact = Softmax::axis(shape.axis, shape.inner).exact();
    Operation {
        name: "exact softmax".to_string(),
        bound: EXACT,
        forms: forms![exact [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| judge_softmax(shape, EXACT, inputs[0], outputs[0])),
        ..softmax(shape)
    }
}

/// Panics unless each probability is within its bound and in [0, 1], and the sum of each row is near 1.
fn judge_softmax<T: Element>(shape: Shape, bound: Bound, x: &[T], y: &[T]) {
    for r in 0..shape.rows() {
        let row = shape.row_as_f64(x, r);
        let ulp = bound.of_row(&row);
        let largest = largest(&row);
        for ((i, exact), x) in shape.row_indices(r).zip(reference::softmax(&row)).zip(&row) {
            let below = if (largest - x).is_finite() { largest - x } else { 0.0 };
            let (y, of_reference) = (y[i], reference_error(below) / T::EPSILON);
            let is_right = is_within(y, exact, ulp + of_reference);
            assert!(is_right, "{} softmax({row:?})[{i}] = {y:e}, not {exact:e} within {ulp} ulp", Isa::current());
            assert!(
                (0.0..=1.0).contains(&y.into()) || y.into().is_nan(),
                "softmax({row:?})[{i}] = {y:e}, no probability"
            );
        }
        let sum: f64 = shape.row_as_f64(y, r).iter().sum();
        // The second term is for the rounding errors of the sum that is computed here.
        let bound = SUM_EPSILONS * T::EPSILON + shape.axis as f64 * f64::EPSILON;
        assert!((sum - 1.0).abs() <= bound || sum.is_nan(), "the sum of softmax({row:?}) is {sum}");
    }
}

/// The largest element, skipping NaN.
fn largest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Within `bound` epsilons of the true value, or the same infinity or NaN.
fn is_close<T: Element>(actual: T, exact: f64, bound: f64) -> bool {
    let error = (actual.into() - exact).abs();
    actual.bits() == T::rounded(exact).bits()
        || error <= bound * T::EPSILON * (1.0 + reference_error(1.0) / T::EPSILON) + T::MIN_SUBNORMAL
        || is_near_overflow::<T>(exact) && is_near_overflow::<T>(actual.into())
}

/// Panics unless dx is within its bound, or NaN where the true gradient is NaN. `weight(i)` is the factor of the sum of
/// dy in element i. Nothing is judged where that sum may overflow.
fn judge_gradient<T: Element>(dy: &[f64], weight: impl Fn(usize) -> f64, exact: &[f64], dx: &[f64]) {
    let sum: f64 = dy.iter().map(|dy| dy.abs()).sum();
    if sum.is_nan() || sum > T::MAX / 4.0 {
        return;
    }
    let largest = dy.iter().fold(0.0, |largest, dy| dy.abs().max(largest));
    for (i, (dx, exact)) in dx.iter().zip(exact).enumerate() {
        let bound = GRADIENT.epsilons() * T::EPSILON * (largest + weight(i) * sum) + 4.0 * T::MIN_SUBNORMAL;
        let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
        assert!(is_right, "{} gradient of {dy:?}: {dx:e} at {i}, not {exact:e}", Isa::current());
    }
}
