//! The exact tier of softmax: exponentials and sums in `f64`, one rounding at the end.
//!
//! ```text
//! m = max x                               max
//! t = e^max(-200, x - m), in f64          sum_wide, t kept
//! s = sum of t, in f64                    sum_wide
//! y = f32(t (1 / s))                      divide_wide
//! ```
//!
//! The exponential is good to 33 binary digits, nine more than an `f32` has, which keeps a probability within 0.51 ulp.
//! Infinities and NaN need no care: if m is infinite, x - m is NaN for the largest element, and so is the sum.

use crate::lanes::{Lanes, Line, Stack};
use crate::math;
use crate::passes::{Recipe, RowValues, Tile, WideElementFunction};

/// The softmax of each row, within 0.51 ulp.
pub struct ExactSoftmax {
    /// The terms of a tile. The buffer is reused for the next one.
    terms: Vec<Line<f64>>,
}

impl ExactSoftmax {
    /// The recipe, with an empty buffer.
    pub fn new() -> Self {
        Self { terms: Vec::new() }
    }
}

impl Recipe<f32, 1, 1> for ExactSoftmax {
    fn uses_wide_passes(&self) -> bool {
        true
    }
    fn tile(&mut self, tile: &mut Tile<'_, f32, 1, 1>, _: usize) {
        let (mut max, mut sums) = (RowValues::new(), Stack::array());
        tile.max(&mut max);
        tile.sum_wide(WideTerm, &max, &mut self.terms, &mut sums);
        tile.divide_wide(&self.terms, &sums);
    }
}

/// The term e^(x - max), in `f64`.
#[derive(Clone, Copy)]
struct WideTerm;

impl WideElementFunction for WideTerm {
    #[inline(always)]
    fn apply<L: Lanes<Float = f32>>(self, max: L, x: L) -> [L::Double; 2] {
        let ([x0, x1], [max0, max1]) = (x.widen(), max.widen());
        // A smaller term gives a probability that rounds to 0, and cannot affect the sum.
        let least = x0.splat(-200.0);
        [math::short_exp(least.max(x0 - max0)), math::short_exp(least.max(x1 - max1))]
    }
}
