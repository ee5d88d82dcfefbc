//! SIMD kernels over slices for neural-network activation functions.
//!
//! - Elementwise: [`Relu`], [`LeakyRelu`], [`Sigmoid`], [`Tanh`], [`Exp`].
//! - Along an axis: [`Softmax`], [`LogSoftmax`], [`LogSumExp`].
//! - Loss: [`CrossEntropy`].
//! - Gradients: [`clip_by_value`], [`clip_by_global_norm`].
//!
//! Every operation is a small value whose methods take slices, inputs first, outputs last: `forward`,
//! `forward_in_place`, `backward` from the saved output, `backward_in_place`, and a `par_` twin of
//! each, which runs on rayon's current pool and gives the same bits. The elements are `f32` or `f64`.
//!
//! The fastest instruction set that the CPU has is chosen when a method is called; see [`Isa`].
//! Wrong lengths panic with the numbers before anything is written. Data is never an error.
//!
//! ```
//! use activations::{Relu, Softmax};
//!
//! let mut hidden = [-1.0_f32, 0.5, 2.0, -3.0];
//! Relu.forward_in_place(&mut hidden);
//! assert_eq!(hidden, [0.0, 0.5, 2.0, 0.0]);
//!
//! let mut probabilities = [0.0; 4];
//! Softmax::rows(2).forward(&hidden, &mut probabilities);
//! assert!((probabilities[..2].iter().sum::<f32>() - 1.0).abs() < 1e-6);
//! ```

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

pub use activation::{ACTIVATIONS, Activation, Exp, LeakyRelu, Relu, Sigmoid, Tanh, by_name};
pub use clip::{clip_by_global_norm, clip_by_value};
#[cfg(feature = "rayon")]
pub use clip::{par_clip_by_global_norm, par_clip_by_value};
pub use entry::Float;
pub use isa::{Isa, UnknownIsa};
pub use loss::CrossEntropy;
pub use softmax::{LogSoftmax, LogSumExp, Softmax};
pub use stream::{set_streaming_threshold, streaming_threshold};
