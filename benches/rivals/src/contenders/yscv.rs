//! yscv-kernels: activations on slices, softmaxes on tensors. It has no leaky relu.

use yscv_kernels::{
    KernelError, ParallelElementwiseConfig, exp_slice_dispatch, log_softmax_last_dim_out_with_config,
    relu_to_slice_dispatch, sigmoid_slice_dispatch, softmax_last_dim_out_with_config, tanh_slice_dispatch,
};
use yscv_tensor::Tensor;

use super::{Contender, Tensors, slices};
use crate::operation::{Operation, Shape};

pub fn contender(operation: Operation, shape: Shape, x: &[f32]) -> Option<Box<dyn Contender>> {
    match operation {
        // Its GELU is the sigmoid form, and its SiLU allocates a tensor.
        Operation::LeakyRelu | Operation::Silu | Operation::Gelu => None,
        Operation::Sigmoid => Some(slices(sigmoid_slice_dispatch)),
        Operation::Tanh => Some(slices(tanh_slice_dispatch)),
        Operation::Relu => Some(slices(relu_to_slice_dispatch)),
        Operation::Exp => Some(slices(exp_slice_dispatch)),
        Operation::Softmax => Some(on_tensors(shape, x, softmax_last_dim_out_with_config)),
        Operation::LogSoftmax => Some(on_tensors(shape, x, log_softmax_last_dim_out_with_config)),
    }
}

type Rowwise = fn(&Tensor, &mut Tensor, ParallelElementwiseConfig) -> Result<(), KernelError>;

fn on_tensors(shape: Shape, x: &[f32], work: Rowwise) -> Box<dyn Contender> {
    let x = Tensor::from_vec(vec![shape.rows, shape.columns], x.to_vec()).expect("a tensor");
    Box::new(Tensors {
        y: x.clone(),
        x,
        work: move |x: &Tensor, y: &mut Tensor| {
            work(x, y, ParallelElementwiseConfig::disabled()).expect("a result");
        },
        read: |tensor, y| y.copy_from_slice(tensor.data()),
    })
}
