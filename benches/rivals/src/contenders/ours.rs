//! The crate `activations`.

use activations::{Exp, Gelu, Isa, LeakyRelu, LogSoftmax, Relu, Sigmoid, Silu, Softmax, Tanh};

use super::{Contender, slices};
use crate::operation::{Operation, SLOPE, Shape};

/// A contender that runs on an instruction set.
struct On(Isa, Box<dyn Contender>);

impl Contender for On {
    fn repeat(&mut self, times: usize, x: &[f32], y: &mut [f32]) {
        self.0.with(|| self.1.repeat(times, x, y));
    }
}

pub fn contender(isa: Isa, operation: Operation, shape: Shape) -> Box<dyn Contender> {
    let columns = shape.columns;
    let contender = match operation {
        Operation::Sigmoid => slices(|x, y| Sigmoid.forward(x, y)),
        Operation::Tanh => slices(|x, y| Tanh.forward(x, y)),
        Operation::Relu => slices(|x, y| Relu.forward(x, y)),
        Operation::Exp => slices(|x, y| Exp.forward(x, y)),
        Operation::LeakyRelu => slices(|x, y| LeakyRelu::new(SLOPE.into()).forward(x, y)),
        Operation::Silu => slices(|x, y| Silu.forward(x, y)),
        Operation::Gelu => slices(|x, y| Gelu.forward(x, y)),
        Operation::Softmax => slices(move |x, y| Softmax::rows(columns).forward(x, y)),
        Operation::LogSoftmax => slices(move |x, y| LogSoftmax::rows(columns).forward(x, y)),
    };
    Box::new(On(isa, contender))
}
