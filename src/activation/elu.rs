//! The exponential linear units. [`Selu`](super::Selu) and [`Celu`](super::Celu) have other constants in the same formula,
//! and run its loops:
//!
//! ```text
//! y = positive x                       if x > 0
//!   = negative (e^(x / width) - 1)     else
//! ```

use super::formula::{Declaration, Formula, rounded_up};
use crate::lanes::{Element, Lanes};
use crate::{check, math, reference};

/// The exponential linear unit, `x` where `x > 0`, else `alpha (e^x - 1)`.
///
/// The gradient from the output is `dy` where the output is positive, else `dy (y + alpha)`. A large negative input whose
/// output is rounded to -alpha has a gradient of 0.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also near 0: nothing cancels. Gradients: within 4 ulp of the
/// formula at the stored output. (`cargo run --release -p exhaustive`, with an alpha of 1; `cargo test` tries others.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -alpha.
///
/// # Examples
///
/// ```
/// use activations::Elu;
///
/// let mut y = [0.0_f32; 3];
/// Elu::new(2.0).forward(&[f32::NEG_INFINITY, -1e-30, 3.0], &mut y);
/// assert_eq!(y, [-2.0, -2e-30, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    positive: f64,
    negative: f64,
    width: f64,
}

impl Elu {
    /// An exponential linear unit with this limit for negative inputs, as a magnitude.
    ///
    /// # Panics
    ///
    /// Unless alpha is 0, or between 1e-6 and 1e6.
    #[track_caller]
    pub const fn new(alpha: f64) -> Self {
        let is_allowed = alpha == 0.0 || alpha >= 1e-6 && alpha <= 1e6;
        check::parameter(is_allowed, "alpha must be 0, or between 1e-6 and 1e6, not ", alpha);
        Self::with(1.0, alpha, 1.0)
    }

    /// The formula with these constants.
    pub(super) const fn with(positive: f64, negative: f64, width: f64) -> Self {
        Self { positive, negative, width }
    }

    /// The limit for negative inputs, as a magnitude.
    pub const fn alpha(self) -> f64 {
        self.negative
    }
}

impl Default for Elu {
    /// An alpha of 1.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for Elu {
    const NAME: &'static str = "elu";
    const DEFAULT: Self = Self::new(1.0);
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];

    fn range(self) -> [f64; 2] {
        [-rounded_up(self.negative), f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::elu(x, self.positive, self.negative, self.width)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::elu_gradient(y, dy, self.positive, self.negative, self.width)
    }
}

impl Formula for Elu {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        // Without a product or quotient no element is hard.
        if self.positive == 1.0 && self.negative == 1.0 && self.width == 1.0 { margin } else { math::margin(x, margin) }
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        let (zero, width) = (x.splat(0.0), x.splat(self.width));
        // Below `limit` e^x - 1 rounds to -1.
        let (limit, least) = (math::max_ordinary(x), math::least_factor(x));
        let is_tiny = x.abs().lt(if L::GRADUAL { least } else { zero });
        let mut scaled = if L::GRADUAL { L::select(is_tiny, zero - width, x) } else { x };
        if self.width != 1.0 {
            scaled = scaled / width;
        }
        let scaled = (zero - limit).max(zero.min(scaled));
        let mut negative = math::exp_or_expm1(zero.le(zero), scaled);
        if self.negative != 1.0 {
            negative = x.splat(self.negative) * negative;
        }
        if L::GRADUAL {
            negative = L::select(is_tiny, x.splat(self.negative / self.width) * x, negative);
        }
        let positive = if self.positive == 1.0 { x } else { x.splat(self.positive) * x };
        L::select(zero.lt(x), positive, negative)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, _: L, dy: L, margin: L) -> L {
        math::margin(dy, margin)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        // Near -negative the sum cancels, so that the constant must have all its digits.
        let rounded = L::Float::from_f64(self.negative).to_f64();
        let mut slope = (y + y.splat(rounded)) + y.splat(self.negative - rounded);
        if self.width != 1.0 {
            slope = slope / y.splat(self.width);
        }
        let positive = if self.positive == 1.0 { dy } else { dy * y.splat(self.positive) };
        L::select(y.splat(0.0).lt(y), positive, dy * slope)
    }
}
