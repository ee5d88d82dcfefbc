//! The softmax-like operations as recipes of [passes](crate::passes).

#[cfg(feature = "exact")]
mod exact;
mod gradients;
mod loss;
mod softmax;
mod terms;

#[cfg(feature = "exact")]
pub use exact::ExactSoftmax;
pub use gradients::{LogSoftmaxGradient, SoftmaxGradient};
pub use loss::{Losses, LossesAndGradient};
pub use softmax::{LogSoftmax, LogSumExp, Softmax};
