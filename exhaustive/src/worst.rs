//! The largest error so far.

use std::fmt::{self, Display};

/// The largest error in ulp, and the first number that had it.
#[derive(Clone, Copy, Default)]
pub struct Worst<T> {
    pub error: f64,
    pub at: T,
}

impl<T> Worst<T> {
    /// Takes this error if it is larger.
    pub fn see(&mut self, error: f64, at: T) {
        if error > self.error {
            *self = Self { error, at };
        }
    }
}

/// A number in decimal and as bits.
pub struct Number<T>(pub T);

impl Display for Number<f32> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:e} ({:#010x})", self.0, self.0.to_bits())
    }
}

impl Display for Number<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:e} ({:#018x})", self.0, self.0.to_bits())
    }
}
