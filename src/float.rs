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
use crate::fused::{
    self, Added, Forward, Gate, GateGradient, GateGradientRows, GateRows, Gradient, SlopeSums, Sloped, SlopedGradient,
};
use crate::lanes::{Input, Real, Rows, Slices};
use crate::options::Weights;
use crate::passes::drive;
use crate::recipes::{LogSoftmax, LogSoftmaxGradient, LogSumExp, LossRecipe, Softmax, SoftmaxGradient};
use crate::sum::Sum;

/// An element type of the slices: `f32` or, with the default feature of this name, `f64`.
///
/// The trait is sealed: its methods and requirements may change in any version.
#[allow(missing_docs)]
pub trait Float: Real {
    #[doc(hidden)]
    fn forward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 1>);
    #[doc(hidden)]
    fn backward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 2>);
    #[doc(hidden)]
    fn added(level: Level, work: Added<Self>, forward: Forward<Self>);
    #[doc(hidden)]
    fn gated(level: Level, work: Gate<Self>, forward: Forward<Self>);
    #[doc(hidden)]
    fn gated_rows(level: Level, work: GateRows<Self>, forward: Forward<Self>);
    #[doc(hidden)]
    fn gated_gradient(level: Level, work: GateGradient<Self>, act: Gradient<Self>);
    #[doc(hidden)]
    fn gated_gradient_rows(level: Level, work: GateGradientRows<Self>, act: Gradient<Self>);
    #[doc(hidden)]
    fn sloped(level: Level, work: Sloped<Self>);
    #[doc(hidden)]
    fn sloped_gradient(level: Level, work: SlopedGradient<Self>);
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
    fn log_sum_exp(level: Level, rows: &mut Rows<Self, 1, 0>, results: &mut [Self]);
    #[doc(hidden)]
    fn losses(level: Level, rows: &mut Rows<Self, 1, 0>, recipe: LossRecipe<Self>);
    #[doc(hidden)]
    fn losses_and_gradient(level: Level, rows: &mut Rows<Self, 1>, recipe: LossRecipe<Self>);
    #[doc(hidden)]
    fn soft_losses(level: Level, rows: &mut Rows<Self, 2, 0>, recipe: LossRecipe<Self>);
    #[doc(hidden)]
    fn soft_losses_and_gradient(level: Level, rows: &mut Rows<Self, 2>, recipe: LossRecipe<Self>);
    #[doc(hidden)]
    fn weights(weights: &[Self]) -> Weights<'_>;
    #[doc(hidden)]
    fn binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 2, 2>);
    #[doc(hidden)]
    fn weighted_binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 3, 2>);
}

/// The kernels of an activation, for each element type.
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
    ($float:ident, $forward:ident, $backward:ident, $weights:ident) => {
        impl Float for $float {
            #[inline(always)]
            fn forward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 1>) {
                kernels.$forward(level, slices);
            }
            #[inline(always)]
            fn backward<K: Kernels + ?Sized>(kernels: &K, level: Level, slices: &mut Slices<Self, 2>) {
                kernels.$backward(level, slices);
            }
            fn added(level: Level, work: Added<Self>, forward: Forward<Self>) {
                fused::added(level, work, forward);
            }
            fn gated(level: Level, work: Gate<Self>, forward: Forward<Self>) {
                fused::gated(level, work, forward);
            }
            fn gated_rows(level: Level, work: GateRows<Self>, forward: Forward<Self>) {
                fused::gated_rows(level, work, forward);
            }
            fn gated_gradient(level: Level, work: GateGradient<Self>, act: Gradient<Self>) {
                fused::gated_gradient(level, work, act);
            }
            fn gated_gradient_rows(level: Level, work: GateGradientRows<Self>, act: Gradient<Self>) {
                fused::gated_gradient_rows(level, work, act);
            }
            fn sloped(level: Level, work: Sloped<Self>) {
                fused::sloped(level, work);
            }
            fn sloped_gradient(level: Level, work: SlopedGradient<Self>) {
                fused::sloped_gradient(level, work);
            }
            fn slope_sums(level: Level, work: SlopeSums<Self>) {
                fused::slope_sums(level, work);
            }
            fn clamp(level: Level, limit: f64, slices: &mut Slices<Self, 1>) {
                elementwise::run(level, Clamp(limit), slices);
            }
            fn scale(level: Level, factors: [f64; 2], slices: &mut Slices<Self, 1>) {
                elementwise::run(level, Scale(factors), slices);
            }
            fn sum_squares(level: Level, factor: f64, input: Input<Self>) -> [f64; 8] {
                level.run(Sum { input, terms: Squares { factor } })
            }
            fn softmax(level: Level, rows: &mut Rows<Self, 1>) {
                drive(level, &mut Softmax, rows);
            }
            fn softmax_gradient(level: Level, rows: &mut Rows<Self, 2>) {
                drive(level, &mut SoftmaxGradient, rows);
            }
            fn log_softmax(level: Level, rows: &mut Rows<Self, 1>) {
                drive(level, &mut LogSoftmax::default(), rows);
            }
            fn log_softmax_gradient(level: Level, rows: &mut Rows<Self, 2>) {
                drive(level, &mut LogSoftmaxGradient, rows);
            }
            fn log_sum_exp(level: Level, rows: &mut Rows<Self, 1, 0>, results: &mut [Self]) {
                drive(level, &mut LogSumExp::new(results), rows);
            }
            fn losses(level: Level, rows: &mut Rows<Self, 1, 0>, mut recipe: LossRecipe<Self>) {
                drive(level, &mut recipe, rows);
            }
            fn losses_and_gradient(level: Level, rows: &mut Rows<Self, 1>, mut recipe: LossRecipe<Self>) {
                drive(level, &mut recipe, rows);
            }
            fn soft_losses(level: Level, rows: &mut Rows<Self, 2, 0>, mut recipe: LossRecipe<Self>) {
                drive(level, &mut recipe, rows);
            }
            fn soft_losses_and_gradient(level: Level, rows: &mut Rows<Self, 2>, mut recipe: LossRecipe<Self>) {
                drive(level, &mut recipe, rows);
            }
            fn weights(weights: &[Self]) -> Weights<'_> {
                Weights::$weights(weights)
            }
            fn binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 2, 2>) {
                elementwise::run(level, binary::Plain { scale }, slices);
            }
            fn weighted_binary_loss(level: Level, scale: f64, slices: &mut Slices<Self, 3, 2>) {
                elementwise::run(level, binary::Weighted { scale }, slices);
            }
        }
    };
}

float!(f32, forward_f32, backward_f32, F32);
#[cfg(feature = "f64")]
float!(f64, forward_f64, backward_f64, F64);
