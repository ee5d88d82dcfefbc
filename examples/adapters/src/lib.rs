//! The kernels of `activations` inside candle and on Arrow arrays. The modules are short enough to copy.
//!
//! `cargo test -p adapters`

pub mod arrow;
pub mod candle;
