//! The entry points that are compiled inside this crate, one per operation and element type.
//!
//! A generic function is compiled in the crate that calls it, with that crate's options: a debug
//! build of the caller would run the kernels 60 times slower. So the public methods are thin and
//! end here, in functions without type parameters.

use crate::activation::{Any, ExactGradient, ExactValue, Gradient, Value, with_formula};
use crate::clip::{Clip, Scale, SumSquares};
use crate::isa::dispatch;
use crate::kernel::Elementwise;
use crate::lanes::{Input, Rows, Slices};
use crate::loss::{self, Gradients, Losses};
use crate::real::Real;
use crate::softmax::{ByGroup, ExactSoftmax, LogSumExpArguments, work};

/// An element type of the slices: `f32` or `f64`.
///
/// The trait is sealed: its methods and requirements are the crate's own business.
pub trait Float: Real {
    #[doc(hidden)]
    fn forward(any: Any, slices: Slices<Self, 1>);
    #[doc(hidden)]
    fn backward(any: Any, slices: Slices<Self, 2>);
    #[doc(hidden)]
    fn clip(limit: f64, slices: Slices<Self, 1>);
    #[doc(hidden)]
    fn scale(factors: [f64; 2], slices: Slices<Self, 1>);
    #[doc(hidden)]
    fn sum_squares(factor: f64, input: Input<Self>) -> [f64; 8];
    #[doc(hidden)]
    fn softmax(log: bool, rows: Rows<Self, 1>);
    #[doc(hidden)]
    fn softmax_gradient(log: bool, rows: Rows<Self, 2>);
    #[doc(hidden)]
    fn log_sum_exp(arguments: LogSumExpArguments<Self>);
    #[doc(hidden)]
    fn cross_entropy(arguments: loss::Arguments<Self, false>);
    #[doc(hidden)]
    fn cross_entropy_gradient(arguments: loss::Arguments<Self, true>, scale: f64);
}

macro_rules! entry {
    ($float:ident) => {
        impl Float for $float {
            fn forward(any: Any, slices: Slices<Self, 1>) {
                with_formula!(any, formula => dispatch(Elementwise { map: Value(formula), slices }))
            }
            fn backward(any: Any, slices: Slices<Self, 2>) {
                with_formula!(any, formula => dispatch(Elementwise { map: Gradient(formula), slices }))
            }
            fn clip(limit: f64, slices: Slices<Self, 1>) {
                dispatch(Elementwise { map: Clip(limit), slices })
            }
            fn scale(factors: [f64; 2], slices: Slices<Self, 1>) {
                dispatch(Elementwise { map: Scale(factors), slices })
            }
            fn sum_squares(factor: f64, input: Input<Self>) -> [f64; 8] {
                dispatch(SumSquares { input, factor })
            }
            fn softmax(log: bool, rows: Rows<Self, 1>) {
                if log {
                    dispatch(ByGroup { work: work::LogSoftmax, rows })
                } else {
                    dispatch(ByGroup { work: work::Softmax, rows })
                }
            }
            fn softmax_gradient(log: bool, rows: Rows<Self, 2>) {
                if log {
                    dispatch(ByGroup { work: work::LogSoftmaxGradient, rows })
                } else {
                    dispatch(ByGroup { work: work::SoftmaxGradient, rows })
                }
            }
            fn log_sum_exp(LogSumExpArguments { x: rows, y }: LogSumExpArguments<Self>) {
                dispatch(ByGroup { work: work::LogSumExp(y), rows })
            }
            fn cross_entropy(arguments: loss::Arguments<Self, false>) {
                let loss::Arguments { logits: rows, targets, losses } = arguments;
                dispatch(ByGroup { work: Losses { targets, losses }, rows })
            }
            fn cross_entropy_gradient(arguments: loss::Arguments<Self, true>, scale: f64) {
                let loss::Arguments { logits: rows, targets, losses } = arguments;
                dispatch(ByGroup { work: Gradients { losses: Losses { targets, losses }, scale }, rows })
            }
        }
    };
}

entry!(f32);
entry!(f64);

/// The correctly rounded value.
pub fn exact_forward(any: Any, slices: Slices<f32, 1>) {
    with_formula!(any, formula => dispatch(Elementwise { map: ExactValue(formula), slices }))
}

/// The gradient, evaluated in `f64` and rounded once.
pub fn exact_backward(any: Any, slices: Slices<f32, 2>) {
    with_formula!(any, formula => dispatch(Elementwise { map: ExactGradient(formula), slices }))
}

/// Softmax with its exponentials and sums in `f64`.
pub fn exact_softmax(rows: Rows<f32, 1>) {
    dispatch(ByGroup { work: ExactSoftmax, rows })
}
