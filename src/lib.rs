#![doc = include_str!("guide.md")]
//!
//! # Floating-point environment
//!
//! The default floating-point environment is assumed: rounding to nearest even, and subnormal numbers neither flushed
//! to zero nor read as zero. In any other environment results may be wrong and their bits may differ, but the crate
//! stays memory-safe.
// Code that several features share is unused without them. The build with default features has all warnings.
#![cfg_attr(not(all(feature = "rayon", feature = "f64", feature = "exact")), allow(dead_code, unused_imports))]

// Modules in the order in which a call passes through them: public API, checks and dispatch, cost and threads, loops
// over lane values, and what the loops are made of.
mod activation;
mod clip;
mod gated;
mod loss;
mod prelu;
mod softmax;

mod call;
mod check;
mod class;
mod isa;
mod options;

mod cost;
mod float;
mod fused;
#[cfg(feature = "rayon")]
mod parallel;

mod binary;
mod clipping;
mod elementwise;
mod passes;
mod ragged;
mod recipes;
mod storage;

mod dispatch;
mod lanes;
mod math;
mod stream;
mod sum;

pub mod custom;
#[cfg(feature = "judge")]
pub mod judge;

pub mod reference;
pub mod ulp;

pub use activation::{
    ACTIVATIONS, Activation, ActivationExt, Celu, Elu, Erf, Exp, Gelu, GeluTanh, HardSigmoid, HardSwish, HardTanh,
    LeakyRelu, LogSigmoid, Mish, QuickGelu, Relu, Relu6, Saved, Selu, Sigmoid, Silu, Softplus, Softsign, Swish, Tanh,
    by_name,
};
#[cfg(feature = "exact")]
pub use activation::{Exact, ExactActivation};
pub use class::{Class, Offset};
pub use clip::{clip_by_global_norm, clip_by_value, global_norm, scale};
#[cfg(feature = "rayon")]
pub use clip::{par_clip_by_global_norm, par_clip_by_value, par_global_norm, par_scale};
pub use float::{Float, Weight};
pub use gated::{Gated, GatedRows};
pub use isa::{Isa, UnknownIsa};
pub use loss::{BinaryCrossEntropy, CrossEntropy};
pub use options::Scale;
pub use prelu::PRelu;
pub use softmax::{LogSoftmax, LogSumExp, Ragged, Softmax};
pub use stream::{set_streaming_threshold, streaming_threshold};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
