//! Every operation, forward and backward, in each element type.

use std::hint::black_box;

use activations::{
    ACTIVATIONS, CrossEntropy, Float, LogSoftmax, LogSumExp, Softmax, clip_by_global_norm, clip_by_value,
};

fn main() {
    let [x, mut y, mut dx] = black_box([1.0, 2.0, 3.0].map(|x| vec![x; 100]));
    all::<f32>(&x, &mut y, &mut dx);
    exact(&x, &mut y, &mut dx);
    black_box((&y, &dx));

    let [x, mut y, mut dx] = black_box([1.0, 2.0, 3.0].map(|x| vec![x; 100]));
    all::<f64>(&x, &mut y, &mut dx);
    black_box((&y, &dx));
}

/// All operations that both element types have.
fn all<T: Float>(x: &[T], y: &mut [T], dx: &mut [T]) {
    for activation in ACTIVATIONS {
        activation.forward(x, y);
        activation.backward(y, x, dx);
    }
    let targets = black_box([3; 10]);
    Softmax::rows(10).forward(x, y);
    Softmax::rows(10).backward(y, x, dx);
    LogSoftmax::rows(10).forward(x, y);
    LogSoftmax::rows(10).backward(y, x, dx);
    LogSumExp::rows(10).forward(x, &mut y[..10]);
    CrossEntropy::rows(10).forward(x, &targets, &mut y[..10]);
    CrossEntropy::rows(10).forward_backward(x, &targets, 0.1, &mut y[..10], dx);
    clip_by_value(dx, 1.0);
    _ = clip_by_global_norm(&mut [y, dx], 1.0);
}

/// The exact tier.
fn exact(x: &[f32], y: &mut [f32], dx: &mut [f32]) {
    for activation in ACTIVATIONS {
        let Some(exact) = activation.exact() else { continue };
        exact.forward(x, y);
        exact.backward(y, x, dx);
    }
    Softmax::rows(10).exact().forward(x, y);
}
