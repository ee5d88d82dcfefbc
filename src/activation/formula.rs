//! The declaration of an activation, and the four [`Map`]s that follow from it: forward and backward, fast and exact.

use super::Saved;
use crate::cost::Cost;
use crate::elementwise::Map;
use crate::lanes::Lanes;
use crate::math;

/// What is known of an activation. Its methods, tests and docs follow from it.
pub trait Declaration: Copy + Send + Sync + 'static {
    /// The name in lower case, as model configurations have it.
    const NAME: &'static str;
    /// Other names in lower case, without `_` and `-`, under which model configurations and other libraries know it.
    const ALIASES: &'static [&'static str] = &[];
    /// The instance with default parameters, for [`by_name`](super::by_name) and [`ACTIVATIONS`](super::ACTIVATIONS).
    const DEFAULT: Self;
    /// The bound on the error of an `f32` result in ulp, with a fused multiply-add and without.
    const MAX_ULP: [f64; 2];
    /// The same for `f64`.
    const MAX_ULP_F64: [f64; 2];
    /// The bound on the error of a gradient, both types: in ulp of the gradient that follows from the stored output,
    /// or, from the saved input, in ulp of the larger of |gradient| and |dy| / 8.
    const GRADIENT_ULP: f64 = 4.0;
    /// What the gradient takes.
    const SAVED: Saved = Saved::Output;
    /// The cost of the value per element.
    const COST: Cost = Cost::FUNCTION;

    /// The |x| above which a gradient from the saved input is within 8 ulp of itself.
    fn gradient_tail(self) -> f64 {
        4.0
    }
    /// The smallest and the largest value.
    fn range(self) -> [f64; 2];
    /// The activation in scalar `f64`, by code that the kernels do not share.
    fn reference(self, x: f64) -> f64;
    /// The gradient in scalar `f64`, from what is saved.
    fn reference_gradient(self, saved: f64, dy: f64) -> f64;
}

/// The arithmetic of an activation. Its kernels follow from it.
pub trait Formula: Declaration {
    /// Whether [`value`](Self::value) has hard elements: inputs for which an intermediate is subnormal or overflows.
    /// See [`Map`].
    const HAS_HARD: bool = true;
    /// Whether [`gradient`](Self::gradient) has hard elements.
    const GRADIENT_HAS_HARD: bool = true;

    /// min(margin, distance from x to the nearest input with a subnormal or overflowing intermediate of the
    /// [`value`](Self::value)).
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::margin(x, margin)
    }

    /// The same for the [`gradient`](Self::gradient).
    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, saved: L, dy: L, margin: L) -> L {
        math::margin(saved, math::margin(dy, margin))
    }

    /// The activation. On plain lanes for inputs that are not hard, on gradual lanes for every input.
    fn value<L: Lanes>(self, x: L) -> L;
    /// The gradient with respect to the input, from what is [`SAVED`](Self::SAVED) and the gradient `dy` with respect to
    /// the output.
    fn gradient<L: Lanes>(self, saved: L, dy: L) -> L;
}

/// The declaration of the exact tier of an activation that has one.
#[cfg(feature = "exact")]
pub trait ExactFormula: Formula {
    /// The activation of `f32` numbers, in `f64` lanes. Rounded to `f32`, the result must be the `f32` nearest to the
    /// true value.
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        self.value(x)
    }
    /// The gradient of `f32` numbers, in `f64` lanes, with the same bits on every instruction set.
    #[inline(always)]
    fn exact_gradient<L: Lanes>(self, saved: L, dy: L) -> L {
        self.gradient(saved, dy)
    }
}

/// The least number of `f32` that is not below x: an end of the range of the results of both types.
pub fn rounded_up(x: f64) -> f64 {
    let rounded = x as f32;
    if f64::from(rounded) < x { rounded.next_up().into() } else { rounded.into() }
}

/// The map of [`Formula::value`].
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
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        [self.0.value(x)]
    }
}

/// The map of [`Formula::gradient`].
#[derive(Clone, Copy)]
pub struct Backward<F>(pub F);

impl<F: Formula> Map<2> for Backward<F> {
    const IS_MEMORY_BOUND: bool = Cost::GRADIENT.is_memory_bound();
    const HAS_HARD: bool = F::GRADIENT_HAS_HARD;

    #[inline(always)]
    fn margin<L: Lanes>(self, [saved, dy]: [L; 2], margin: L) -> L {
        self.0.gradient_margin(saved, dy, margin)
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [saved, dy]: [L; 2]) -> [L; 1] {
        [self.0.gradient(saved, dy)]
    }
}

/// The map of [`ExactFormula::exact`], rounded to `f32`. There are no hard elements, because in `f64` every `f32` is normal.
#[cfg(feature = "exact")]
#[derive(Clone, Copy)]
pub struct ExactForward<F>(pub F);

#[cfg(feature = "exact")]
impl<F: ExactFormula> Map<1> for ExactForward<F> {
    const IS_MEMORY_BOUND: bool = false;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        let [a, b] = x.widen();
        [L::narrow([self.0.exact(a), self.0.exact(b)])]
    }
}

/// The map of [`ExactFormula::exact_gradient`], rounded to `f32`.
#[cfg(feature = "exact")]
#[derive(Clone, Copy)]
pub struct ExactBackward<F>(pub F);

#[cfg(feature = "exact")]
impl<F: ExactFormula> Map<2> for ExactBackward<F> {
    const IS_MEMORY_BOUND: bool = Cost::GRADIENT.is_memory_bound();
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [saved, dy]: [L; 2]) -> [L; 1] {
        let ([saved0, saved1], [dy0, dy1]) = (saved.widen(), dy.widen());
        [L::narrow([self.0.exact_gradient(saved0, dy0), self.0.exact_gradient(saved1, dy1)])]
    }
}
