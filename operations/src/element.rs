//! What the list needs of an element type: its limits, bit patterns and rounding from `f64`.

use std::ops::Add;

use activations::{Float, Weight};

use crate::Operation;

/// An element type of the operations: `f32` or `f64`.
pub trait Element: Float<Arithmetic = Self> + Weight + Add<Output = Self> + Into<f64> + std::fmt::LowerExp {
    /// The size in bytes.
    const BYTES: usize = size_of::<Self>();
    /// The largest finite number.
    const MAX: f64;
    /// The smallest positive number, which is subnormal.
    const MIN_SUBNORMAL: f64 = Self::EPSILON * Self::MIN_POSITIVE;
    /// The number whose bit pattern is the low bits of `bits`.
    fn from_bits(bits: u64) -> Self;
    /// The bit pattern. All NaNs have the same one, because no method promises its sign and payload.
    fn bits(self) -> u64;
    /// The nearest number.
    fn rounded(x: f64) -> Self;
    /// Operations that exist for `f32` only: the given ones for `f32`, none for `f64`.
    fn if_f32(operations: impl FnOnce() -> Vec<Operation<f32>>) -> Vec<Operation<Self>>;
}

macro_rules! element {
    ($float:ident, $bits:ident, $if_f32:expr) => {
        impl Element for $float {
            const MAX: f64 = $float::MAX as f64;
            fn from_bits(bits: u64) -> Self {
                $float::from_bits(bits as $bits)
            }
            fn bits(self) -> u64 {
                if self.is_nan() { u64::MAX } else { self.to_bits().into() }
            }
            fn rounded(x: f64) -> Self {
                x as $float
            }
            fn if_f32(operations: impl FnOnce() -> Vec<Operation<f32>>) -> Vec<Operation<Self>> {
                $if_f32(operations)
            }
        }
    };
}

element!(f32, u32, given_operations);
element!(f64, u64, no_operations);

fn given_operations(operations: impl FnOnce() -> Vec<Operation<f32>>) -> Vec<Operation<f32>> {
    operations()
}

fn no_operations(_: impl FnOnce() -> Vec<Operation<f32>>) -> Vec<Operation<f64>> {
    vec![]
}
