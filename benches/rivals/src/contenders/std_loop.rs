//! Plain loops with the functions of `std`.

use super::{Contender, rows, slices};
use crate::operation::{Operation, SLOPE, Shape};

pub fn contender(operation: Operation, shape: Shape) -> Option<Box<dyn Contender>> {
    Some(match operation {
        // There is no error function.
        Operation::Gelu => return None,
        Operation::Sigmoid => each(|x| 1.0 / (1.0 + (-x).exp())),
        Operation::Tanh => each(f32::tanh),
        Operation::Relu => each(|x| x.max(0.0)),
        Operation::Exp => each(f32::exp),
        Operation::LeakyRelu => each(|x| if x > 0.0 { x } else { SLOPE * x }),
        Operation::Silu => each(|x| x / (1.0 + (-x).exp())),
        Operation::Softmax => rows(shape, |x, y| {
            let max = largest(x);
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - max).exp());
            let sum: f32 = y.iter().sum();
            y.iter_mut().for_each(|y| *y /= sum);
        }),
        Operation::LogSoftmax => rows(shape, |x, y| {
            let max = largest(x);
            let log_sum = x.iter().map(|x| (x - max).exp()).sum::<f32>().ln();
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - max) - log_sum);
        }),
    })
}

fn each(f: impl Fn(f32) -> f32 + 'static) -> Box<dyn Contender> {
    slices(move |x, y| y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*x)))
}

fn largest(x: &[f32]) -> f32 {
    x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
