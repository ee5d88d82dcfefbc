//! Plain loops over `wide::f32x8`.

use wide::f32x8;

use super::{Contender, rows, slices};
use crate::operation::{Operation, SLOPE, Shape};

const LANES: usize = 8;

pub fn contender(operation: Operation, shape: Shape) -> Option<Box<dyn Contender>> {
    Some(match operation {
        // There is no error function.
        Operation::Gelu => return None,
        Operation::Sigmoid => slices(|x, y| map(x, y, |x| 1.0 / (1.0 + (-x).exp()))),
        Operation::Tanh => slices(|x, y| map(x, y, f32x8::tanh)),
        Operation::Relu => slices(|x, y| map(x, y, |x| x.fast_max(f32x8::ZERO))),
        Operation::Exp => slices(|x, y| map(x, y, f32x8::exp)),
        Operation::LeakyRelu => slices(|x, y| map(x, y, |x| x.fast_max(SLOPE * x))),
        Operation::Silu => slices(|x, y| map(x, y, |x| x / (1.0 + (-x).exp()))),
        Operation::Softmax => rows(shape, |x, y| {
            let max = largest(x);
            map(x, y, |x| (x - max).exp());
            let sum = fold(y, 0.0, 0.0, |sum, y| sum + y).reduce_add();
            y.iter_mut().for_each(|y| *y /= sum);
        }),
        Operation::LogSoftmax => rows(shape, |x, y| {
            let max = largest(x);
            // Padding lanes add e^-inf = 0.
            let sum = fold(x, 0.0, f32::NEG_INFINITY, |sum, x| sum + (x - max).exp());
            let log_sum = sum.reduce_add().ln();
            map(x, y, |x| (x - max) - log_sum);
        }),
    })
}

fn largest(x: &[f32]) -> f32 {
    let max = fold(x, f32::NEG_INFINITY, f32::NEG_INFINITY, f32x8::fast_max);
    max.to_array().into_iter().fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn map(x: &[f32], y: &mut [f32], f: impl Fn(f32x8) -> f32x8) {
    let (x, x_rest) = x.as_chunks::<LANES>();
    let (y, y_rest) = y.as_chunks_mut::<LANES>();
    x.iter().zip(y).for_each(|(x, y)| *y = f(f32x8::new(*x)).to_array());
    y_rest.copy_from_slice(&f(padded(x_rest, 0.0)).to_array()[..x_rest.len()]);
}

/// Folds vectors, starting with `first`. The last vector is filled up with `padding`.
#[inline(always)]
fn fold(x: &[f32], first: f32, padding: f32, f: impl Fn(f32x8, f32x8) -> f32x8) -> f32x8 {
    let (x, rest) = x.as_chunks::<LANES>();
    let folded = x.iter().fold(f32x8::splat(first), |folded, x| f(folded, f32x8::new(*x)));
    f(folded, padded(rest, padding))
}

fn padded(rest: &[f32], padding: f32) -> f32x8 {
    let mut x = [padding; LANES];
    x[..rest.len()].copy_from_slice(rest);
    f32x8::new(x)
}
