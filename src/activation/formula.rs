//! The declaration of an activation, and the maps that follow from it.

use crate::cost::Cost;
use crate::elementwise::Map;
use crate::lanes::Lanes;
use crate::math;

/// The declaration of an activation: everything else follows from it.
pub trait Formula: Copy + Send + Sync + 'static {
    /// The name in lower case, as in a model's configuration.
    const NAME: &'static str;
    /// The instance that stands for the activation where none is given.
    const DEFAULT: Self;
    /// The largest error of an `f32` result in ulp, with a fused multiply-add and without.
    const MAX_ULP: [f64; 2];
    /// The same for `f64`.
    const MAX_ULP_F64: [f64; 2];
    /// The least and the largest value.
    const RANGE: [f64; 2];
    /// What the value costs.
    const COST: Cost = Cost::FUNCTION;
    /// Whether the value has hard elements: see [`Map`].
    const HAS_HARD: bool = true;
    /// Whether the gradient has.
    const GRADIENT_HAS_HARD: bool = true;

    /// min(margin, distance from x to the nearest input with a subnormal or overflowing intermediate of the
    /// [`value`](Self::value)).
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::margin(x, margin)
    }

    /// The same for the [`gradient`](Self::gradient).
    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, y: L, dy: L, margin: L) -> L {
        math::margin(y, math::margin(dy, margin))
    }

    /// The activation itself.
    fn value<L: Lanes>(self, x: L) -> L;
    /// The value of `f32` numbers in `f64` lanes: rounded to `f32`, it must be the nearest to the true value.
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        self.value(x)
    }
    /// The gradient with respect to the input, from the saved output and the gradient that comes in.
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L;
    /// The gradient of `f32` numbers in `f64` lanes, with the same bits on every instruction set.
    #[inline(always)]
    fn exact_gradient<L: Lanes>(self, y: L, dy: L) -> L {
        self.gradient(y, dy)
    }
    /// The activation in `f64`, by a formula of its own.
    fn reference(self, x: f64) -> f64;
    /// The gradient in `f64`, from the output.
    fn reference_gradient(self, y: f64, dy: f64) -> f64;
}

/// The value of a formula.
#[derive(Clone, Copy)]
pub struct Forward<F>(pub F);

impl<F: Formula> Map<1> for Forward<F> {
    const IS_MEMORY_BOUND: bool = F::COST.is_memory_bound();
    const HAS_HARD: bool = F::HAS_HARD;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        self.0.margin(x, margin)
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        self.0.value(x)
    }
}

/// The gradient of a formula, from the output and the gradient with respect to it.
#[derive(Clone, Copy)]
pub struct Backward<F>(pub F);

impl<F: Formula> Map<2> for Backward<F> {
    const IS_MEMORY_BOUND: bool = Cost::GRADIENT.is_memory_bound();
    const HAS_HARD: bool = F::GRADIENT_HAS_HARD;

    #[inline(always)]
    fn margin<L: Lanes>(self, [y, dy]: [L; 2], margin: L) -> L {
        self.0.gradient_margin(y, dy, margin)
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [y, dy]: [L; 2]) -> L {
        self.0.gradient(y, dy)
    }
}

/// The correctly rounded value. In `f64` no `f32` is hard.
#[cfg(feature = "exact")]
#[derive(Clone, Copy)]
pub struct ExactForward<F>(pub F);

#[cfg(feature = "exact")]
impl<F: Formula> Map<1> for ExactForward<F> {
    const IS_MEMORY_BOUND: bool = false;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        let [a, b] = x.widen();
        L::narrow([self.0.exact(a), self.0.exact(b)])
    }
}

/// The gradient in `f64`, rounded once.
#[cfg(feature = "exact")]
#[derive(Clone, Copy)]
pub struct ExactBackward<F>(pub F);

#[cfg(feature = "exact")]
impl<F: Formula> Map<2> for ExactBackward<F> {
    const IS_MEMORY_BOUND: bool = Cost::GRADIENT.is_memory_bound();
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [y, dy]: [L; 2]) -> L {
        let ([y0, y1], [dy0, dy1]) = (y.widen(), dy.widen());
        L::narrow([self.0.exact_gradient(y0, dy0), self.0.exact_gradient(y1, dy1)])
    }
}
