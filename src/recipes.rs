//! The operations on rows, as recipes of [passes](crate::passes).
//!
//! Each file begins with the steps of its recipes. x is the first source, m the largest element of a row, and sums are
//! over a row. The right column of the steps names the [pass](crate::passes).
//!
//! | recipe | sources, outputs | passes |
//! |---|---|---|
//! | [`Softmax`] | x, y | max, per row, sum of kept terms, per row, map of the terms |
//! | [`LogSoftmax`] | x, y | max, per row, sum, per row, map |
//! | [`LogSumExp`] | x, one number a row | max, per row, sum, per row |
//! | [`SoftmaxGradient`], [`LogSoftmaxGradient`] | y and dy, dx | sum, per row, map |
//! | [`LossRecipe`] | x, one number a row | as [`LogSumExp`], with the target's logit |
//! | [`LossRecipe`] | x, dx and one number a row | as [`Softmax`], then the element of the target is replaced |
//! | [`LossRecipe`] | x and q, the same | the same, with a sum of q (m - x) |
//! | `ExactSoftmax` | x, y | max, sum and map in `f64` |
//!
//! A recipe is compiled once for each element type. What is compiled for each instruction set are the functions that it
//! passes to the passes: they are generic over the lanes.

#[cfg(feature = "exact")]
mod exact;
mod gradients;
mod loss;
mod softmax;
mod terms;

#[cfg(feature = "exact")]
pub use exact::ExactSoftmax;
pub use gradients::{LogSoftmaxGradient, SoftmaxGradient};
pub use loss::LossRecipe;
pub use softmax::{LogSoftmax, LogSumExp, Softmax};
