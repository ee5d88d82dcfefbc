//! The entry points that are compiled inside this crate, one per operation and element type.
//!
//! A generic function is compiled in the crate that calls it, with that crate's options: a debug
//! build of the caller would run the kernels 60 times slower. So the public methods are thin and
//! end here, in functions without type parameters.

use crate::activation::{Any, Gradient, Value, with_formula};
use crate::clip::{Clip, Scale, SumSquares};
use crate::isa::dispatch;
use crate::kernel::Elementwise;
use crate::lanes::{Input, Slices};
use crate::loss;
use crate::softmax::{Backward, Forward};

/// The operations of one element type.
pub trait Entry: Sized {
    /// An activation.
    fn forward(any: Any, slices: Slices<Self, 1>);
    /// An activation's gradient, from the output and the incoming gradient.
    fn backward(any: Any, slices: Slices<Self, 2>);
    /// Limits every element.
    fn clip(limit: f64, slices: Slices<Self, 1>);
    /// Multiplies every element by both factors.
    fn scale(factors: [f64; 2], slices: Slices<Self, 1>);
    /// The sum of the squares of all elements, each times a power of two.
    fn sum_squares(factor: f64, input: Input<Self>) -> f64;
    /// Cross-entropy.
    fn cross_entropy(kernel: loss::Forward<Self>);
    /// Cross-entropy with its gradient.
    fn cross_entropy_gradient(kernel: loss::ForwardBackward<Self>);
    /// Softmax of each row, or its logarithm.
    fn softmax(log: bool, columns: usize, slices: Slices<Self, 1>);
    /// The gradient of that.
    fn softmax_backward(log: bool, columns: usize, slices: Slices<Self, 2>);
}

macro_rules! entry {
    ($float:ident) => {
        impl Entry for $float {
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
            fn sum_squares(factor: f64, input: Input<Self>) -> f64 {
                dispatch(SumSquares { input, factor })
            }
            fn cross_entropy(kernel: loss::Forward<Self>) {
                dispatch(kernel)
            }
            fn cross_entropy_gradient(kernel: loss::ForwardBackward<Self>) {
                dispatch(kernel)
            }
            fn softmax(log: bool, columns: usize, slices: Slices<Self, 1>) {
                if log {
                    dispatch(Forward::<_, true> { slices, columns })
                } else {
                    dispatch(Forward::<_, false> { slices, columns })
                }
            }
            fn softmax_backward(log: bool, columns: usize, slices: Slices<Self, 2>) {
                if log {
                    dispatch(Backward::<_, true> { slices, columns })
                } else {
                    dispatch(Backward::<_, false> { slices, columns })
                }
            }
        }
    };
}

entry!(f32);
entry!(f64);
