//! rten-vecmath: kernels that choose their instruction set at run time. Its relu is a plain loop.

use std::mem::MaybeUninit;

use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Exp, Gelu, LeakyRelu, LogSoftmax, Sigmoid, Silu, Softmax, Tanh};

use super::{Contender, rows, slices};
use crate::operation::{Operation, SLOPE, Shape};

pub fn contender(operation: Operation, shape: Shape) -> Option<Box<dyn Contender>> {
    Some(match operation {
        Operation::Relu => return None,
        Operation::Sigmoid => map(Sigmoid {}),
        Operation::Tanh => map(Tanh {}),
        Operation::Exp => map(Exp {}),
        Operation::LeakyRelu => map(LeakyRelu { alpha: SLOPE }),
        Operation::Silu => map(Silu {}),
        Operation::Gelu => map(Gelu {}),
        Operation::Softmax => rows(shape, |x, y| _ = Softmax::new(x, output(y)).dispatch()),
        Operation::LogSoftmax => rows(shape, |x, y| _ = LogSoftmax::new(x, output(y)).dispatch()),
    })
}

fn map(op: impl SimdUnaryOp<f32> + 'static) -> Box<dyn Contender> {
    slices(move |x, y| _ = op.map(x, output(y)))
}

/// The slice in the form in which the library takes outputs.
fn output(y: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: the layouts are the same, and the library writes nothing but numbers.
    unsafe { &mut *(std::ptr::from_mut(y) as *mut [MaybeUninit<f32>]) }
}
