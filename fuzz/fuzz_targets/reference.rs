//! Every operation, on any instruction set and any bits, against the plain `f64` reference.
//!
//! `cargo +nightly fuzz run reference`
#![no_main]

use activations::*;
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Case {
    isa: u8,
    columns: u8,
    inner: u8,
    /// Bit patterns of inputs and of incoming gradients.
    x: Vec<[u32; 2]>,
}

fuzz_target!(|case: Case| {
    let available: Vec<Isa> = Isa::available().collect();
    let isa = available[usize::from(case.isa) % available.len()];
    let x: Vec<f32> = case.x.iter().map(|[x, _]| f32::from_bits(*x)).collect();
    let dy: Vec<f32> = case.x.iter().map(|[_, dy]| f32::from_bits(*dy)).collect();
    isa.with(|| {
        elementwise(&x, &dy);
        let (columns, inner) = (usize::from(case.columns) + 1, usize::from(case.inner % 20) + 1);
        softmax(columns, &x[..x.len() / columns * columns]);
        axis(columns, inner, &x[..x.len() / (columns * inner) * (columns * inner)]);
        clipping(&x);
    });
});

fn elementwise(x: &[f32], dy: &[f32]) {
    for act in ACTIVATIONS {
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        act.forward(x, &mut y);
        act.backward(&y, dy, &mut dx);
        let bound = act.max_ulp(32, Isa::current().is_fused());
        for i in 0..x.len() {
            let error = ulp::error(y[i], act.reference(x[i].into()));
            assert!(error <= bound, "{} {}({:e}) = {:e}: {error} ulp", Isa::current(), act.name(), x[i], y[i]);
            let error = ulp::error(dx[i], act.reference_gradient(y[i].into(), dy[i].into()));
            assert!(error <= 4.0, "{} {} y {:e} dy {:e}: {:e}", Isa::current(), act.name(), y[i], dy[i], dx[i]);
        }
    }
}

fn softmax(columns: usize, x: &[f32]) {
    let (mut y, mut log, mut sums) = (x.to_vec(), x.to_vec(), vec![0.0; x.len() / columns]);
    Softmax::rows(columns).forward_in_place(&mut y);
    LogSoftmax::rows(columns).forward_in_place(&mut log);
    LogSumExp::rows(columns).forward(x, &mut sums);
    for (r, row) in x.chunks(columns).enumerate() {
        let row: Vec<f64> = row.iter().map(|&x| x.into()).collect();
        let (exact, exact_log) = (reference::softmax(&row), reference::log_softmax(&row));
        for i in 0..columns {
            let (y, log) = (y[r * columns + i], log[r * columns + i]);
            // The reference rounds x - max itself, where x is large.
            let error = ulp::error(y, exact[i]);
            assert!(error <= 6.0, "{} softmax({row:?})[{i}] = {y:e}, not {:e}", Isa::current(), exact[i]);
            assert!(is_close(log, exact_log[i]), "{} log({row:?})[{i}] = {log:e}", Isa::current());
        }
        let exact = reference::log_sum_exp(&row);
        assert!(is_close(sums[r], exact), "{} log-sum-exp({row:?}) = {:e}, not {exact:e}", Isa::current(), sums[r]);
    }
}

/// Within 4 eps of the larger of 1 and the true value, or the same infinity or NaN.
fn is_close(actual: f32, exact: f64) -> bool {
    let error = (f64::from(actual) - exact).abs();
    f64::from(actual) == exact
        || actual.is_nan() && exact.is_nan()
        || error <= 4.0 * f64::from(f32::EPSILON) * exact.abs().max(1.0)
        || f64::from(actual) == f64::from(exact as f32)
}

/// An axis has the bits of the same rows, one after the other.
fn axis(axis: usize, inner: usize, x: &[f32]) {
    let mut across = x.to_vec();
    Softmax::axis(axis, inner).forward_in_place(&mut across);
    for (x, y) in x.chunks(axis * inner).zip(across.chunks(axis * inner)) {
        for j in 0..inner {
            let mut row: Vec<f32> = x.iter().skip(j).step_by(inner).copied().collect();
            Softmax::rows(axis).forward_in_place(&mut row);
            for (a, b) in row.iter().zip(y.iter().skip(j).step_by(inner)) {
                assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{}: {a:e} and {b:e}", Isa::current());
            }
        }
    }
}

fn clipping(x: &[f32]) {
    let (mut values, mut scaled) = (x.to_vec(), x.to_vec());
    clip_by_value(&mut values, 0.5);
    for (x, y) in x.iter().zip(values) {
        assert!(f64::from(y) == reference::clip_by_value((*x).into(), 0.5) || x.is_nan() && y.is_nan());
    }
    let norm = clip_by_global_norm(&mut [&mut scaled], 2.0);
    let exact = reference::global_norm(&x.iter().map(|&x| x.into()).collect::<Vec<f64>>());
    if x.iter().all(|x| x.is_finite()) {
        assert!((norm - exact).abs() <= 1e-12 * exact, "{}: {norm:e}, not {exact:e}", Isa::current());
        let factor = if norm > 2.0 { 2.0 / norm } else { 1.0 };
        for (x, y) in x.iter().zip(scaled) {
            assert!(ulp::error(y, f64::from(*x) * factor) <= 1.0, "{}: {x:e} to {y:e}", Isa::current());
        }
    } else {
        assert!(!norm.is_finite());
        assert!(x.iter().zip(scaled).all(|(a, b)| a.to_bits() == b.to_bits()), "what is not finite stays");
    }
}
