//! This crate's kernels inside candle and on Arrow arrays: short enough to copy.
//!
//! `cargo test --release --manifest-path examples/adapters/Cargo.toml`

pub mod arrow;
pub mod candle;
