//! The kernels of `activations` inside candle and on Arrow arrays. The modules are short enough to copy.
//!
//! `cargo test --release -p adapters`

pub mod arrow;
pub mod candle;
