//! Swish: x times the sigmoid of a multiple of x. [`QuickGelu`](super::QuickGelu) is one of its multiples, and runs its
//! loops. [`Silu`](super::Silu) has its bits.

use super::Saved;
use super::formula::{Declaration, Formula};
use crate::lanes::{Lanes, Real};
use crate::math::{self, Argument};
use crate::{check, reference};

/// The swish with a parameter, `x / (1 + e^(-beta x))`.
///
/// With beta = 1 it is [`Silu`](crate::Silu). The gradient, from the saved input, is `dy * s * (1 + beta x (1 - s))` with
/// `s` the sigmoid of `beta x`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal: `beta x` is carried
/// in two parts. Gradients: within 5 ulp of the larger of |gradient| and |dy| / 8, and for |beta x| > 4 within 8 ulp of the
/// gradient. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign. For a positive beta inf gives inf and -inf gives -0.
///
/// # Examples
///
/// ```
/// use activations::Swish;
///
/// let act = Swish::new(0.0);
/// let mut y = [0.0_f32; 2];
/// act.forward(&[-3.0, 5.0], &mut y);
/// assert_eq!(y, [-1.5, 2.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    beta: f64,
}

impl Swish {
    /// A swish with this factor.
    ///
    /// # Panics
    ///
    /// Unless the factor is 0, or its magnitude lies between 0.001 and 1000.
    #[track_caller]
    pub const fn new(beta: f64) -> Self {
        let is_allowed = beta == 0.0 || beta.abs() >= 1e-3 && beta.abs() <= 1e3;
        check::parameter(is_allowed, "beta must be 0, or between 1e-3 and 1e3 in magnitude, not ", beta);
        Self { beta }
    }

    /// The factor.
    pub const fn beta(self) -> f64 {
        self.beta
    }

    /// beta x.
    #[inline(always)]
    fn argument<L: Lanes>(self, x: L) -> Argument<L> {
        // Below the first number e^-u is 1, above the second 0.
        let least = if L::Float::IS_F32 { 2_f64.powi(-40) } else { 2_f64.powi(-70) };
        let a = math::magnitude(x, least, 2000.0 / self.beta.abs());
        let [high, low] = math::constant_in_parts::<L>(self.beta.abs(), 0);
        let zero = x.splat(0.0);
        let is_positive = if self.beta > 0.0 { zero.le(x) } else { x.le(zero) };
        Argument { is_positive, size: math::product_in_parts(a, [x.splat(high), x.splat(low)]) }
    }

    /// The limits on |beta x| for plain lanes. With a large beta, |x| may be small where e^-u is.
    #[inline(always)]
    fn limits<L: Lanes>(self) -> [f64; 2] {
        let [value, gradient] = math::limits::<L>();
        [if self.beta.abs() <= 2.0 { value } else { gradient }, gradient]
    }
}

impl Default for Swish {
    /// A factor of 1.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for Swish {
    const NAME: &'static str = "swish";
    const DEFAULT: Self = Self::new(1.0);
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];
    const GRADIENT_ULP: f64 = 5.0;
    const SAVED: Saved = Saved::Input;

    fn gradient_tail(self) -> f64 {
        4.0 / self.beta.abs()
    }

    fn range(self) -> [f64; 2] {
        // x sigmoid(x) has its minimum at -1.278.
        let least = -0.278_464_6 / self.beta.abs();
        match self.beta {
            0.0 => [f64::NEG_INFINITY, f64::INFINITY],
            beta if beta > 0.0 => [least, f64::INFINITY],
            _ => [f64::NEG_INFINITY, -least],
        }
    }

    fn reference(self, x: f64) -> f64 {
        reference::swish(x, self.beta)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::swish_gradient(x, dy, self.beta)
    }
}

impl Formula for Swish {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        let [limit, _] = self.limits::<L>();
        (x.splat(limit / self.beta.abs()) - x.abs()).min(math::margin(x, margin))
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        if self.beta == 0.0 {
            return x * x.splat(0.5);
        }
        math::times_sigmoid(x, self.argument(x), self.limits::<L>()[0])
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        let [_, limit] = self.limits::<L>();
        (x.splat(limit / self.beta.abs()) - x.abs()).min(math::margin(x, math::margin(dy, margin)))
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        if self.beta == 0.0 {
            return dy * dy.splat(0.5);
        }
        let v = self.argument(x);
        math::times_sigmoid_gradient(v, v.size, dy, self.limits::<L>()[1])
    }
}
