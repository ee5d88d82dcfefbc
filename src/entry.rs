//! The entry points that are compiled inside this crate, one per operation and element type.
//!
//! A generic function is compiled in the crate that calls it, with that crate's options: a debug
//! build of the caller would run the kernels 60 times slower. So the public methods are thin and
//! end here, in functions without type parameters.

use crate::activation::{Any, Gradient, Value, with_formula};
use crate::isa::dispatch;
use crate::kernel::Elementwise;
use crate::lanes::Slices;
use crate::softmax::{Backward, Forward};

/// The operations of one element type.
pub trait Entry: Sized {
    /// An activation.
    fn forward(any: Any, slices: Slices<Self, 1>);
    /// An activation's gradient, from the output and the incoming gradient.
    fn backward(any: Any, slices: Slices<Self, 2>);
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
