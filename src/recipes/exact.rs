//! The exact tier of softmax: exponentials and sums in `f64`, one rounding at the end.

use crate::lanes::{Lanes, Line, Stack};
use crate::math;
use crate::passes::{Recipe, Tile, Values, WideElement};

/// Softmax within 0.51 ulp.
pub struct ExactSoftmax {
    /// The terms of a tile.
    terms: Vec<Line<f64>>,
}

impl ExactSoftmax {
    /// The recipe.
    pub fn new() -> Self {
        Self { terms: Vec::new() }
    }
}

impl Recipe<f32, 1, 1> for ExactSoftmax {
    fn is_wide(&self) -> bool {
        true
    }
    fn tile(&mut self, tile: &mut Tile<'_, f32, 1, 1>, _: usize) {
        let (mut max, mut sums) = (Values::new(), Stack::array());
        tile.max(&mut max);
        tile.sum_wide(WideTerm, &max, &mut self.terms, &mut sums);
        tile.divide_wide(&self.terms, &sums);
    }
}

/// e^(x - max).
#[derive(Clone, Copy)]
struct WideTerm;

impl WideElement for WideTerm {
    #[inline(always)]
    fn apply<L: Lanes<Float = f32>>(self, max: L, x: L) -> [L::Double; 2] {
        let ([x0, x1], [max0, max1]) = (x.widen(), max.widen());
        // What is smaller is 0, rounded to an f32.
        let least = x0.splat(-200.0);
        [math::short_exp(least.max(x0 - max0)), math::short_exp(least.max(x1 - max1))]
    }
}
