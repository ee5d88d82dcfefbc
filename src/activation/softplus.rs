//! Softplus. Its arithmetic is in `math/softplus.rs`.

use super::formula::{Declaration, Formula};
use crate::lanes::Lanes;
use crate::math::Rate;
use crate::{check, math, reference};

/// Softplus, `ln(1 + e^(beta x)) / beta`: a smooth [`Relu`](crate::Relu).
///
/// There is no threshold beyond which the result is `x`: it is `x` where the logarithm is too small to count. The gradient,
/// from the saved output, is `dy (1 - e^(-beta y))`, which is `dy sigmoid(beta x)`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal: `beta x` is never
/// rounded. Gradients: within 4 ulp of the formula at the stored output. (`cargo run --release -p exhaustive`, with a beta of
/// 1; `cargo test` tries others.)
///
/// # Special values
///
/// NaN gives NaN, -inf gives 0, inf gives inf, ±0 gives ln 2 / beta.
///
/// # Examples
///
/// ```
/// use activations::Softplus;
///
/// let mut y = [0.0_f32; 3];
/// Softplus::new(2.0).forward(&[f32::NEG_INFINITY, 0.0, 50.0], &mut y);
/// assert_eq!(y, [0.0, std::f32::consts::LN_2 / 2.0, 50.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    rate: Rate,
}

/// The smallest beta.
const MIN_BETA: f64 = 1.0 / (1 << 20) as f64;

impl Softplus {
    /// A softplus with this factor of x.
    ///
    /// # Panics
    ///
    /// Unless beta is in [2^-20, 2^20].
    #[track_caller]
    pub const fn new(beta: f64) -> Self {
        check::parameter(beta >= MIN_BETA && beta <= 1.0 / MIN_BETA, "beta must be in [2^-20, 2^20], not ", beta);
        Self { rate: Rate::new(beta) }
    }

    /// The factor of x.
    pub const fn beta(self) -> f64 {
        self.rate.rate
    }
}

impl Default for Softplus {
    /// A beta of 1.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for Softplus {
    const NAME: &'static str = "softplus";
    const DEFAULT: Self = Self::new(1.0);
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];

    fn range(self) -> [f64; 2] {
        [0.0, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::softplus(x, self.beta())
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::softplus_gradient(y, dy, self.beta())
    }
}

impl Formula for Softplus {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::softplus_margin(x, &self.rate, margin)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, y: L, dy: L, margin: L) -> L {
        math::softplus_gradient_margin(y, dy, &self.rate, margin)
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::softplus(x, &self.rate)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        math::softplus_gradient(y, dy, &self.rate)
    }
}
