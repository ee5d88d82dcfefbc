//! The public element types, and the entry points of the kernels: one function for each operation and element type.
//!
//! A generic function is compiled in the crate that calls it, with the options of that crate. In a debug build of the
//! caller the kernels would be 60 times slower. So the generic public methods are thin and call these functions, which
//! have no type parameters and are therefore compiled in this crate.

use crate::binary;
use crate::clipping::{Clamp, Scale, Squares};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::elementwise;
use crate::fused::{self, Added, Forward, GateGradientRows, GateRows, Gradient, SlopeSums, Sloped};
use crate::lanes::{Input, Rows, Slices};
use crate::options::Weights;
use crate::passes::drive;
use crate::ragged::{self, Ragged};
use crate::recipes::{LogSoftmax, LogSoftmaxGradient, LogSumExp, LossRecipe, Softmax, SoftmaxGradient};
use crate::storage::{Storage, lane_sums};

/// An element type of the slices: `f32`, with the default feature of this name `f64`, and with the feature `half` the
/// types `f16` and `bf16` of the crate `half`.
///
/// `f16` and `bf16` are stored as such and computed in `f32`. Each `f32` result is rounded once, to nearest even. Of all
/// 65 536 numbers, at most 39 of `f16` and 2 of `bf16` have a result that is not the nearest to the true value, whatever the
/// activation (`cargo run --release -p exhaustive`). Numbers of which
/// a row has one, such as losses, are `f32` for them: of the type `T::Arithmetic`. A gradient from the output is that of the
/// rounded output: in `bf16` an [`Elu`](crate::Elu) of less than -6.2 is -alpha, where the gradient is 0.
///
/// The trait is sealed: its methods and requirements may change in any version.
#[allow(missing_docs)]
pub trait Float: Storage {
    #[doc(hidden)]
    fn forward_kernel<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self::Arithmetic, 1>);
    #[doc(hidden)]
    fn backward_kernel<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self::Arithmetic, 2>);
    #[doc(hidden)]
    #[inline(always)]
    fn forward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 1>) {
        Self::blocks(level, slices, |_, slices| Self::forward_kernel(kernels, level, slices));
    }
    #[doc(hidden)]
    #[inline(always)]
    fn backward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 2>) {
        Self::blocks(level, slices, |_, slices| Self::backward_kernel(kernels, level, slices));
    }
    #[doc(hidden)]
    fn added(level: Level, work: Added<Self>, forward: Forward<Self>);
    #[doc(hidden)]
    fn gated(level: Level, slices: &mut Slices<Self, 2>, forward: Forward<Self::Arithmetic>);
    #[doc(hidden)]
    fn gated_rows(level: Level, work: GateRows<Self>, forward: Forward<Self::Arithmetic>);
    #[doc(hidden)]
    fn gated_gradient(level: Level, slices: &mut Slices<Self, 3, 2>, act: Gradient<Self::Arithmetic>);
    #[doc(hidden)]
    fn gated_gradient_rows(level: Level, work: GateGradientRows<Self>, act: Gradient<Self::Arithmetic>);
    #[doc(hidden)]
    fn sloped(level: Level, work: Sloped<Self>);
    #[doc(hidden)]
    fn slope_sums(level: Level, work: SlopeSums<Self>);
    #[doc(hidden)]
    fn clamp(level: Level, limit: f64, slices: &mut Slices<Self, 1>);
    #[doc(hidden)]
    fn scale(level: Level, factors: [f64; 2], slices: &mut Slices<Self, 1>);
    #[doc(hidden)]
    fn sum_squares(level: Level, factor: f64, input: Input<Self>) -> [f64; 8];
    #[doc(hidden)]
    fn softmax(level: Level, rows: &mut Rows<Self, 1>);
    #[doc(hidden)]
    fn softmax_gradient(level: Level, rows: &mut Rows<Self, 2>);
    #[doc(hidden)]
    fn log_softmax(level: Level, rows: &mut Rows<Self, 1>);
    #[doc(hidden)]
    fn log_softmax_gradient(level: Level, rows: &mut Rows<Self, 2>);
    #[doc(hidden)]
    fn log_sum_exp(level: Level, rows: &mut Rows<Self, 1, 0>, results: &mut [Self::Arithmetic]);
    #[doc(hidden)]
    fn ragged(level: Level, rows: Ragged<Self, 1, 1>, padding: f64, kernel: fn(Level, &mut Rows<Self, 1>));
    #[doc(hidden)]
    fn ragged_gradient(level: Level, rows: Ragged<Self, 2, 1>, padding: f64, kernel: fn(Level, &mut Rows<Self, 2>));
    #[doc(hidden)]
    fn ragged_log_sum_exp(level: Level, rows: Ragged<Self, 1, 0>);
    #[doc(hidden)]
    fn losses(level: Level, rows: &mut Rows<Self, 1, 0>, recipe: LossRecipe<Self::Arithmetic>);
    #[doc(hidden)]
    fn losses_and_gradient(level: Level, rows: &mut Rows<Self, 1>, recipe: LossRecipe<Self::Arithmetic>);
    #[doc(hidden)]
    fn soft_losses(level: Level, rows: &mut Rows<Self, 2, 0>, recipe: LossRecipe<Self::Arithmetic>);
    #[doc(hidden)]
    fn soft_losses_and_gradient(level: Level, rows: &mut Rows<Self, 2>, recipe: LossRecipe<Self::Arithmetic>);
    #[doc(hidden)]
    fn binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 2, 2>);
    #[doc(hidden)]
    fn weighted_binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 2, 2>, weights: &[Self::Arithmetic]);
}

/// The type of numbers of which there is one for each class or column: `f32` or `f64`. The trait is sealed.
#[allow(missing_docs)]
pub trait Weight: Float {
    #[doc(hidden)]
    fn weights(weights: &[Self]) -> Weights<'_>;
}

impl Weight for f32 {
    fn weights(weights: &[Self]) -> Weights<'_> {
        Weights::F32(weights)
    }
}

#[cfg(feature = "f64")]
impl Weight for f64 {
    fn weights(weights: &[Self]) -> Weights<'_> {
        Weights::F64(weights)
    }
}

/// The kernels of an activation, for each type of arithmetic.
///
/// The methods are not generic, so that they are compiled in this crate, and so that a program links only those it
/// calls. Views are passed by reference, because copying one takes as long as a short call's work.
#[allow(missing_docs)]
pub trait Kernels {
    fn cost(&self) -> Cost;
    fn forward_f32(&self, level: Level, slices: &mut Slices<f32, 1>);
    fn backward_f32(&self, level: Level, slices: &mut Slices<f32, 2>);
    #[cfg(feature = "f64")]
    fn forward_f64(&self, level: Level, slices: &mut Slices<f64, 1>);
    #[cfg(feature = "f64")]
    fn backward_f64(&self, level: Level, slices: &mut Slices<f64, 2>);
}

macro_rules! float {
    ($float:ty, $forward:ident, $backward:ident) => {
        impl Float for $float {
            #[inline(always)]
            fn forward_kernel<K: Kernels + ?Sized>(
                kernels: &K,
                level: Level,
                slices: &mut Slices<Self::Arithmetic, 1>,
            ) {
                kernels.$forward(level, slices);
            }
            #[inline(always)]
            fn backward_kernel<K: Kernels + ?Sized>(
                kernels: &K,
                level: Level,
                slices: &mut Slices<Self::Arithmetic, 2>,
            ) {
                kernels.$backward(level, slices);
            }
            fn added(level: Level, work: Added<Self>, forward: Forward<Self>) {
                fused::added(level, work, forward);
            }
            fn gated(level: Level, slices: &mut Slices<Self, 2>, forward: Forward<Self::Arithmetic>) {
                fused::gated(level, slices, forward);
            }
            fn gated_rows(level: Level, work: GateRows<Self>, forward: Forward<Self::Arithmetic>) {
                fused::gated_rows(level, work, forward);
            }
            fn gated_gradient(level: Level, slices: &mut Slices<Self, 3, 2>, act: Gradient<Self::Arithmetic>) {
                fused::gated_gradient(level, slices, act);
            }
            fn gated_gradient_rows(level: Level, work: GateGradientRows<Self>, act: Gradient<Self::Arithmetic>) {
                fused::gated_gradient_rows(level, work, act);
            }
            fn sloped(level: Level, work: Sloped<Self>) {
                fused::sloped(level, work);
            }
            fn slope_sums(level: Level, work: SlopeSums<Self>) {
                fused::slope_sums(level, work);
            }
            fn clamp(level: Level, limit: f64, slices: &mut Slices<Self, 1>) {
                Self::map(level, Clamp(limit), slices);
            }
            fn scale(level: Level, factors: [f64; 2], slices: &mut Slices<Self, 1>) {
                Self::map(level, Scale(factors), slices);
            }
            fn sum_squares(level: Level, factor: f64, input: Input<Self>) -> [f64; 8] {
                lane_sums(level, Squares { factor }, input)
            }
            fn softmax(level: Level, rows: &mut Rows<Self, 1>) {
                Self::rows(level, rows, |_, rows| drive(level, &mut Softmax, rows));
            }
            fn softmax_gradient(level: Level, rows: &mut Rows<Self, 2>) {
                Self::rows(level, rows, |_, rows| drive(level, &mut SoftmaxGradient, rows));
            }
            fn log_softmax(level: Level, rows: &mut Rows<Self, 1>) {
                let mut recipe = LogSoftmax::default();
                Self::rows(level, rows, |_, rows| drive(level, &mut recipe, rows));
            }
            fn log_softmax_gradient(level: Level, rows: &mut Rows<Self, 2>) {
                Self::rows(level, rows, |_, rows| drive(level, &mut LogSoftmaxGradient, rows));
            }
            fn log_sum_exp(level: Level, rows: &mut Rows<Self, 1, 0>, results: &mut [Self::Arithmetic]) {
                let mut recipe = LogSumExp::new(results);
                Self::rows(level, rows, |first, rows| drive(level, recipe.at_row(first), rows));
            }
            fn ragged(level: Level, rows: Ragged<Self, 1, 1>, padding: f64, kernel: fn(Level, &mut Rows<Self, 1>)) {
                ragged::drive(level, rows, [padding], &|level, rows, _| kernel(level, rows));
            }
            fn ragged_gradient(
                level: Level,
                rows: Ragged<Self, 2, 1>,
                padding: f64,
                kernel: fn(Level, &mut Rows<Self, 2>),
            ) {
                // A padded gradient of 0 adds nothing.
                ragged::drive(level, rows, [padding, 0.0], &|level, rows, _| kernel(level, rows));
            }
            fn ragged_log_sum_exp(level: Level, rows: Ragged<Self, 1, 0>) {
                ragged::drive(level, rows, [f64::NEG_INFINITY], &|level, rows, results| {
                    Self::log_sum_exp(level, rows, results);
                });
            }
            fn losses(level: Level, rows: &mut Rows<Self, 1, 0>, mut recipe: LossRecipe<Self::Arithmetic>) {
                Self::rows(level, rows, |first, rows| drive(level, recipe.at_row(first), rows));
            }
            fn losses_and_gradient(level: Level, rows: &mut Rows<Self, 1>, mut recipe: LossRecipe<Self::Arithmetic>) {
                Self::rows(level, rows, |first, rows| drive(level, recipe.at_row(first), rows));
            }
            fn soft_losses(level: Level, rows: &mut Rows<Self, 2, 0>, mut recipe: LossRecipe<Self::Arithmetic>) {
                Self::rows(level, rows, |first, rows| drive(level, recipe.at_row(first), rows));
            }
            fn soft_losses_and_gradient(
                level: Level,
                rows: &mut Rows<Self, 2>,
                mut recipe: LossRecipe<Self::Arithmetic>,
            ) {
                Self::rows(level, rows, |first, rows| drive(level, recipe.at_row(first), rows));
            }
            fn binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 2, 2>) {
                Self::map(level, binary::Plain { scale }, slices);
            }
            fn weighted_binary_loss(
                level: Level,
                scale: f64,
                slices: &mut Slices<Self, 2, 2>,
                weights: &[Self::Arithmetic],
            ) {
                Self::blocks(level, slices, |start, slices| {
                    let weights = &weights[start..start + slices.len()];
                    elementwise::run(level, binary::Weighted { scale }, &mut slices.with_source(weights));
                });
            }
        }
    };
}

float!(f32, forward_f32, backward_f32);
#[cfg(feature = "f64")]
float!(f64, forward_f64, backward_f64);
#[cfg(feature = "half")]
float!(half::f16, forward_f32, backward_f32);
#[cfg(feature = "half")]
float!(half::bf16, forward_f32, backward_f32);
