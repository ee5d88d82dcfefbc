#![doc = include_str!("guide.md")]

// Modules in the order in which a call passes through them.
mod activation;
mod clip;
mod loss;
mod softmax;

mod check;
mod entry;
mod isa;
mod kernel;
mod lanes;
mod math;
#[cfg(feature = "rayon")]
mod parallel;
mod real;
mod stream;
mod sum;

pub mod reference;
pub mod ulp;

pub use activation::{ACTIVATIONS, Activation, Exact, Exp, LeakyRelu, Relu, Sigmoid, Tanh, by_name};
pub use clip::{clip_by_global_norm, clip_by_value};
#[cfg(feature = "rayon")]
pub use clip::{par_clip_by_global_norm, par_clip_by_value};
pub use entry::Float;
pub use isa::{Isa, UnknownIsa};
pub use loss::CrossEntropy;
pub use softmax::{LogSoftmax, LogSumExp, Softmax};
pub use stream::{set_streaming_threshold, streaming_threshold};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
