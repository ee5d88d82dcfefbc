//! SIMD kernels over slices for neural-network activation functions.

// Modules in the order in which a call passes through them.
mod activation;
mod check;
mod entry;
mod float;
mod isa;
mod kernel;
mod lanes;
mod math;
#[cfg(feature = "rayon")]
mod parallel;
pub mod reference;
mod softmax;
mod sum;
pub mod ulp;

pub use activation::{ACTIVATIONS, Activation, Exp, LeakyRelu, Relu, Sigmoid, Tanh, by_name};
pub use float::Float;
pub use isa::{Isa, UnknownIsa};
pub use softmax::{LogSoftmax, Softmax};
