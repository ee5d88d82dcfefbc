//! Softmax and its relatives on rows of different lengths: the public type. The driver is [`crate::ragged`].

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::{LogSoftmax, LogSumExp, Softmax, methods};
use crate::call::{Call, twins};
use crate::check;
use crate::class::{Offset, Offsets};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::float::Float;
use crate::lanes::{Element, Slices, initialise};
use crate::ragged;

/// An operation on rows of different lengths: what [`Softmax::ragged`], [`LogSoftmax::ragged`] and [`LogSumExp::ragged`]
/// return.
///
/// Row r is `x[offsets[r]..offsets[r + 1]]`, as in the lists of Arrow. A row may be empty. Elements before the first offset
/// and behind the last one are neither read nor written. Each row has the bits that it has alone.
///
/// Accuracy and special values are those of the operation. Methods allocate up to 4096 elements for each source. They panic
/// if the last offset is greater than the length of a slice; `forward_uninit` does unless the rows cover the slice.
///
/// ```
/// use activations::Softmax;
///
/// let x = [0.0_f32, 0.0, 5.0, 1.0, 1.0, 1.0, 1.0];
/// let mut y = [9.0; 7];
/// Softmax::ragged(&[0, 2, 2, 3, 7]).forward(&x, &mut y);
/// assert_eq!(y, [0.5, 0.5, 1.0, 0.25, 0.25, 0.25, 0.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ragged<'o, Op> {
    offsets: Offsets<'o>,
    operation: PhantomData<Op>,
}

/// Declares `ragged` of an operation.
macro_rules! ragged {
    ($($operation:ident)*) => {$(
        impl $operation {
            /// The operation on rows of different lengths: row r is `x[offsets[r]..offsets[r + 1]]`.
            ///
            /// # Panics
            ///
            /// If the first offset is negative, or one is less than the one before it.
            #[track_caller]
            pub fn ragged<I: Offset>(offsets: &[I]) -> Ragged<'_, Self> {
                let offsets = I::offsets(offsets);
                check::offsets(offsets);
                Ragged { offsets, operation: PhantomData }
            }
        }
    )*};
}

ragged!(Softmax LogSoftmax LogSumExp);

/// Declares everything of an operation whose output has the shape of its input: its kernels, and the saved output that has
/// no effect on a gradient.
macro_rules! ragged_methods {
    ($operation:ident, $forward:ident, $backward:ident, $saved:expr) => {
        impl Ragged<'_, $operation> {
            methods!();

            /// Checks an output that is not initialised: the rows must cover it.
            #[track_caller]
            fn check_uninit(&self, x: usize, y: usize) {
                check::same_len("x", x, "y", y);
                check::cover("x", x, self.offsets);
            }

            #[track_caller]
            fn forward_call<'a, T: Float>(
                &'a self,
                mut slices: Slices<'a, T, 1>,
            ) -> Call<
                ragged::Ragged<'a, T, 1, 1>,
                impl FnOnce() -> Cost + use<T>,
                impl Fn(Level, ragged::Ragged<'a, T, 1, 1>) + Sync + use<'a, T>,
            > {
                check::last_offset("x", slices.len(), self.offsets);
                slices.zero_uninit();
                Call {
                    work: ragged::Ragged::new(self.offsets, slices, &mut []),
                    cost: || Cost::RAGGED,
                    run: |level, rows| T::ragged(level, rows, f64::NEG_INFINITY, T::$forward),
                }
            }

            #[track_caller]
            fn backward_call<'a, T: Float>(
                &'a self,
                slices: Slices<'a, T, 2>,
            ) -> Call<
                ragged::Ragged<'a, T, 2, 1>,
                impl FnOnce() -> Cost + use<T>,
                impl Fn(Level, ragged::Ragged<'a, T, 2, 1>) + Sync + use<'a, T>,
            > {
                check::last_offset("y", slices.len(), self.offsets);
                Call {
                    work: ragged::Ragged::new(self.offsets, slices, &mut []),
                    cost: || Cost::RAGGED,
                    run: |level, rows| T::ragged_gradient(level, rows, $saved, T::$backward),
                }
            }
        }
    };
}

ragged_methods!(Softmax, softmax, softmax_gradient, 0.0);
ragged_methods!(LogSoftmax, log_softmax, log_softmax_gradient, f64::NEG_INFINITY);

impl Ragged<'_, LogSumExp> {
    twins! {
        /// Writes one number for each row of `x` to `y`: -inf for an empty one.
        ///
        /// # Panics
        ///
        /// If the last offset is greater than the length of `x`, or if `y` does not have one element for each row.
        pub threads => fn forward | par_forward [T: Float] (&self, x: &[T], y: &mut [T::Arithmetic]) {
            check::last_offset("x", x.len(), self.offsets);
            check::row_count("y", y.len(), self.offsets.rows());
            y.fill(T::Arithmetic::from_f64(f64::NEG_INFINITY));
            let work = ragged::Ragged::new(self.offsets, Slices::from(x), y);
            Call { work, cost: || Cost::RAGGED, run: |level, rows| T::ragged_log_sum_exp(level, rows) }.on(threads)
        }
    }
}
