//! candle: operations on tensors, which allocate their results.

use candle_core::{Device, Result, Tensor};
use candle_nn::ops;

use super::{Contender, Tensors};
use crate::operation::{Operation, SLOPE, Shape};

pub fn contender(operation: Operation, shape: Shape, x: &[f32]) -> Box<dyn Contender> {
    match operation {
        Operation::Sigmoid => on_tensors(shape, x, ops::sigmoid),
        Operation::Tanh => on_tensors(shape, x, Tensor::tanh),
        Operation::Relu => on_tensors(shape, x, Tensor::relu),
        Operation::Exp => on_tensors(shape, x, Tensor::exp),
        Operation::LeakyRelu => on_tensors(shape, x, |x| ops::leaky_relu(x, SLOPE.into())),
        Operation::Silu => on_tensors(shape, x, Tensor::silu),
        Operation::Gelu => on_tensors(shape, x, Tensor::gelu_erf),
        Operation::Softmax => on_tensors(shape, x, ops::softmax_last_dim),
        Operation::LogSoftmax => on_tensors(shape, x, |x| ops::log_softmax(x, 1)),
    }
}

fn on_tensors(shape: Shape, x: &[f32], work: fn(&Tensor) -> Result<Tensor>) -> Box<dyn Contender> {
    let x = Tensor::from_slice(x, (shape.rows, shape.columns), &Device::Cpu).expect("a tensor");
    Box::new(Tensors {
        y: x.clone(),
        x,
        work: move |x: &Tensor, y: &mut Tensor| *y = work(x).expect("a result"),
        read: |tensor, y| {
            let values: Vec<f32> = tensor.flatten_all().and_then(|all| all.to_vec1()).expect("numbers");
            y.copy_from_slice(&values);
        },
    })
}
