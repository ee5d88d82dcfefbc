//! tract-linalg: in-place kernels that choose their instruction set at run time. No log-softmax, and relu on its own
//! tensors only.

use tract_linalg::Func;

use super::{Contender, rows, slices};
use crate::operation::{Operation, SLOPE, Shape};

/// Elements that are copied at once. The kernel then overwrites them in the first-level cache.
const BLOCK: usize = 2048;

pub fn contender(operation: Operation, shape: Shape) -> Option<Box<dyn Contender>> {
    match operation {
        Operation::Relu | Operation::LogSoftmax => None,
        Operation::Sigmoid => elementwise(Func::Sigmoid),
        Operation::Tanh => elementwise(Func::Tanh),
        Operation::Exp => elementwise(Func::Exp),
        Operation::LeakyRelu => {
            let kernel = Func::LeakyRelu.ew_f32_param().ok()?;
            Some(in_place(move |y| kernel.run_with_params(y, SLOPE).expect("a leaky relu")))
        }
        Operation::Silu => elementwise(Func::Silu),
        // Its GELU is the tanh form.
        Operation::Gelu => None,
        Operation::Softmax => softmax(shape),
    }
}

fn elementwise(function: Func) -> Option<Box<dyn Contender>> {
    let kernel = function.ew_f32().ok()?;
    Some(in_place(move |y| kernel.run(y).expect("an activation")))
}

fn in_place(mut work: impl FnMut(&mut [f32]) + 'static) -> Box<dyn Contender> {
    slices(move |x, y| {
        for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
            y.copy_from_slice(x);
            work(y);
        }
    })
}

/// The three kernels that its own softmax calls for a row.
fn softmax(shape: Shape) -> Option<Box<dyn Contender>> {
    let largest = Func::ReduceMax.reduce_f32().ok()?;
    let exp_and_sum = Func::Softmax2.map_reduce_f32().ok()?;
    let scale = Func::MulByScalar.ew_f32_param().ok()?;
    Some(rows(shape, move |x, y| {
        y.copy_from_slice(x);
        let max = largest.run(y).expect("the largest");
        let sum = exp_and_sum.run_with_params(y, max).expect("the terms and their sum");
        scale.run_with_params(y, sum.recip()).expect("the quotients");
    }))
}
