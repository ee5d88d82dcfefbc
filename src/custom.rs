//! Activations of your own, with all methods, instruction sets and element types of those in this crate.
//!
//! Implement [`Definition`] for a type and name the type in [`activation!`](crate::activation). The formula is written
//! once, for a value of any [`Lanes`] type: 16 `f32` or 8 `f64`.
//!
//! ```
//! use activations::custom::{Definition, Lanes};
//! use activations::{ActivationExt, Gated, Saved};
//!
//! /// The square of the relu.
//! #[derive(Clone, Copy)]
//! struct SquaredRelu;
//!
//! impl Definition for SquaredRelu {
//!     const NAME: &'static str = "squared_relu";
//!     const MAX_ULP: [f64; 2] = [0.5, 0.5];
//!     const MAX_ULP_F64: [f64; 2] = [0.5, 0.5];
//!     const SAVED: Saved = Saved::Input;
//!
//!     fn reference(self, x: f64) -> f64 {
//!         if x < 0.0 { 0.0 } else { x * x }
//!     }
//!     fn reference_gradient(self, x: f64, dy: f64) -> f64 {
//!         if x < 0.0 { 0.0 * dy } else { 2.0 * x * dy }
//!     }
//!
//!     #[inline(always)]
//!     fn value<L: Lanes>(self, x: L) -> L {
//!         let positive = x.splat(0.0).max(x);
//!         positive * positive
//!     }
//!     #[inline(always)]
//!     fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
//!         let positive = x.splat(0.0).max(x);
//!         (positive + positive) * dy
//!     }
//! }
//!
//! activations::activation!(SquaredRelu);
//!
//! let mut y = [0.0_f32; 3];
//! SquaredRelu.forward(&[-1.0, 2.0, 3.0], &mut y);
//! assert_eq!(y, [0.0, 4.0, 9.0]);
//! Gated(SquaredRelu).forward(&[3.0_f64], &[0.5], &mut [0.0]);
//! ```
//!
//! # Same bits
//!
//! Every method of [`Lanes`] is defined for all inputs and gives the same bits on every instruction set with a fused
//! multiply-add, so that your results do too. Sums and products are rounded to nearest, with subnormal numbers.
//!
//! # Speed
//!
//! - `value`, `gradient` and all functions that they call must be `#[inline(always)]`. A function that is not inlined is
//!   compiled without the instruction set, and then each operation in it is a call.
//! - The loops are compiled in your crate, with its options. Without optimisation they take 130 times as long (`cargo run -p
//!   custom`, with and without `--release`, AMD EPYC, Zen 3): give
//!   the crate that has the definition `[profile.dev.package.your-crate] opt-level = 3`, or build with `--release`.
//! - A product or a multiply-add with a subnormal operand or result takes 20 to 150 times as long on Intel CPUs. [`exp`]
//!   and the other functions take no subnormal number the slow way.
//!
//! [`exp`]: Lanes::exp

use std::ops::{Add, Div, Mul, Sub};

use crate::activation::Saved;
use crate::activation::{Erf, Exp, Formula, Sigmoid, Softplus, Tanh};
use crate::dispatch::Level;
use crate::elementwise::{self, Map};
use crate::lanes::{self, Gradual, Real, Slices};
use crate::math;

/// What is known of an activation: its formula, a reference to judge it by, and bounds.
///
/// [`activation!`](crate::activation) makes an [`Activation`](crate::Activation) of it. `activations::judge`, with the
/// feature `judge`, tests it. New items of this trait always have defaults.
pub trait Definition: Copy + Send + Sync + 'static {
    /// The name in lower case.
    const NAME: &'static str;
    /// The bound on the error of an `f32` result in ulp, with a fused multiply-add and without.
    const MAX_ULP: [f64; 2];
    /// The same for `f64`.
    const MAX_ULP_F64: [f64; 2];
    /// The bound on the error of a gradient, both types: in ulp of the gradient that follows from the stored output,
    /// or, from the saved input, in ulp of the larger of |gradient| and |dy| / 8.
    const GRADIENT_ULP: f64 = 4.0;
    /// What the gradient takes.
    const SAVED: Saved = Saved::Output;

    /// The |x| above which a gradient from the saved input is also within 8 ulp of itself. There is none by default.
    fn gradient_tail(self) -> f64 {
        f64::INFINITY
    }
    /// The smallest and the largest value.
    fn range(self) -> [f64; 2] {
        [f64::NEG_INFINITY, f64::INFINITY]
    }
    /// The activation in scalar `f64`, by code that `value` does not share.
    fn reference(self, x: f64) -> f64;
    /// The gradient in scalar `f64`, from what is saved.
    fn reference_gradient(self, saved: f64, dy: f64) -> f64;

    /// The activation of each lane.
    fn value<L: Lanes>(self, x: L) -> L;
    /// The gradient with respect to the input, from what is [`SAVED`](Self::SAVED) and the gradient `dy` with respect to
    /// the output.
    fn gradient<L: Lanes>(self, saved: L, dy: L) -> L;
}

/// The types that [`Lanes`] is for.
pub trait Sealed {}

impl<L: lanes::Lanes> Sealed for L {}

/// A lane value: 16 `f32` or 8 `f64`, on some instruction set. The trait is sealed.
///
/// The operators work lane by lane. A constant is made from a lane value that is there already: `x.splat(1.0)`.
pub trait Lanes:
    Sealed + Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The result of a comparison, one truth value for each lane.
    type Mask: Copy;

    /// The same value in every lane, rounded to the lane type. The lanes of `self` do not matter.
    fn splat(self, value: f64) -> Self;
    /// `self * factor + term`, rounded once on instruction sets with a fused multiply-add.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`, likewise.
    fn neg_mul_add(self, factor: Self, term: Self) -> Self;
    /// The magnitude.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// `self > other ? self : other`: NaN in either gives `other`. `x.splat(limit).max(x)` keeps a NaN of x.
    fn max(self, other: Self) -> Self;
    /// `self < other ? self : other`: NaN in either gives `other`.
    fn min(self, other: Self) -> Self;
    /// `self < other`, false for NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`, false for NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The exponential: the bits of [`Exp`].
    fn exp(self) -> Self;
    /// The bits of [`Sigmoid`].
    fn sigmoid(self) -> Self;
    /// The bits of [`Tanh`].
    fn tanh(self) -> Self;
    /// ln(1 + e^x): the bits of [`Softplus`] with a beta of 1.
    fn softplus(self) -> Self;
    /// The error function: the bits of [`Erf`].
    fn erf(self) -> Self;
}

/// Methods that are those of the internal lanes, and functions that are the values of activations.
macro_rules! lanes {
    ([$($method:ident($($argument:ident),*);)*] [$($function:ident = $act:expr;)*]) => {
        impl<L: lanes::Lanes> Lanes for L {
            type Mask = <L as lanes::Lanes>::Mask;

            $(
                #[inline(always)]
                fn $method(self $(, $argument: Self)*) -> Self {
                    lanes::Lanes::$method(self $(, $argument)*)
                }
            )*
            $(
                #[inline(always)]
                fn $function(self) -> Self {
                    value($act, self)
                }
            )*

            #[inline(always)]
            fn splat(self, value: f64) -> Self {
                lanes::Lanes::splat(self, value)
            }
            #[inline(always)]
            fn lt(self, other: Self) -> Self::Mask {
                lanes::Lanes::lt(self, other)
            }
            #[inline(always)]
            fn le(self, other: Self) -> Self::Mask {
                lanes::Lanes::le(self, other)
            }
            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                lanes::Lanes::select(mask, yes, no)
            }
        }
    };
}

lanes! {
    [
        mul_add(factor, term);
        neg_mul_add(factor, term);
        abs();
        copysign(sign);
        max(other);
        min(other);
    ]
    [
        exp = Exp;
        sigmoid = Sigmoid;
        tanh = Tanh;
        softplus = const { Softplus::new(1.0) };
        erf = Erf;
    ]
}

/// The value of an activation of this crate for any input: on plain lanes where no element is hard, else on gradual lanes.
#[inline(always)]
fn value<F: Formula, L: lanes::Lanes>(act: F, x: L) -> L {
    if !F::HAS_HARD || math::is_ordinary(act.margin(x, lanes::Lanes::splat(x, f64::INFINITY))) {
        return act.value(x);
    }
    act.value(Gradual(x)).0
}

/// The map of [`Definition::value`]. No element is hard: every method of [`Lanes`] takes any input.
#[derive(Clone, Copy)]
struct Forward<D>(D);

impl<D: Definition> Map<1> for Forward<D> {
    const IS_MEMORY_BOUND: bool = false;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: lanes::Lanes>(self, [x]: [L; 1]) -> [L; 1] {
        [self.0.value(x)]
    }
}

/// The map of [`Definition::gradient`].
#[derive(Clone, Copy)]
struct Backward<D>(D);

impl<D: Definition> Map<2> for Backward<D> {
    const IS_MEMORY_BOUND: bool = false;
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: lanes::Lanes>(self, [saved, dy]: [L; 2]) -> [L; 1] {
        [self.0.gradient(saved, dy)]
    }
}

/// What [`activation!`](crate::activation) names. Not for other use: it may change in any version.
#[doc(hidden)]
pub mod private {
    use super::{Backward, Definition, Forward, Level, Real, Slices, elementwise};

    pub use crate::cost::Cost;
    pub use crate::dispatch::Level as InstructionSet;
    pub use crate::float::Kernels;
    pub use crate::lanes::Slices as Views;

    /// The loops of a definition.
    pub fn forward<T: Real, D: Definition>(definition: D, level: Level, slices: &mut Slices<T, 1>) {
        elementwise::run(level, Forward(definition), slices);
    }

    /// The loops of its gradient.
    pub fn backward<T: Real, D: Definition>(definition: D, level: Level, slices: &mut Slices<T, 2>) {
        elementwise::run(level, Backward(definition), slices);
    }
}

/// Makes an [`Activation`](crate::Activation) of a type that implements [`custom::Definition`](crate::custom::Definition).
///
/// Its methods are those of [`ActivationExt`](crate::ActivationExt). [`custom`](crate::custom) has an example.
#[macro_export]
macro_rules! activation {
    ($name:ty) => {
        impl $crate::custom::private::Kernels for $name {
            fn cost(&self) -> $crate::custom::private::Cost {
                $crate::custom::private::Cost::FUNCTION
            }
            $crate::kernels_of_definition!(f32, forward_f32, backward_f32);
            $crate::f64_kernels_of_definition!();
        }

        impl $crate::Activation for $name {
            fn name(&self) -> &'static str {
                <Self as $crate::custom::Definition>::NAME
            }
            fn max_ulp(&self, bits: u32, fused: bool) -> f64 {
                let bounds = if bits == 64 {
                    <Self as $crate::custom::Definition>::MAX_ULP_F64
                } else {
                    <Self as $crate::custom::Definition>::MAX_ULP
                };
                bounds[usize::from(!fused)]
            }
            fn gradient_ulp(&self) -> f64 {
                <Self as $crate::custom::Definition>::GRADIENT_ULP
            }
            fn gradient_tail(&self) -> f64 {
                $crate::custom::Definition::gradient_tail(*self)
            }
            fn saved(&self) -> $crate::Saved {
                <Self as $crate::custom::Definition>::SAVED
            }
            fn range(&self) -> [f64; 2] {
                $crate::custom::Definition::range(*self)
            }
            fn reference(&self, x: f64) -> f64 {
                $crate::custom::Definition::reference(*self, x)
            }
            fn reference_gradient(&self, saved: f64, dy: f64) -> f64 {
                $crate::custom::Definition::reference_gradient(*self, saved, dy)
            }
            fn aliases(&self) -> &'static [&'static str] {
                &[]
            }
        }
    };
}

/// The kernels of a definition for one element type.
#[doc(hidden)]
#[macro_export]
macro_rules! kernels_of_definition {
    ($float:ident, $forward:ident, $backward:ident) => {
        fn $forward(
            &self,
            level: $crate::custom::private::InstructionSet,
            slices: &mut $crate::custom::private::Views<$float, 1>,
        ) {
            $crate::custom::private::forward(*self, level, slices);
        }
        fn $backward(
            &self,
            level: $crate::custom::private::InstructionSet,
            slices: &mut $crate::custom::private::Views<$float, 2>,
        ) {
            $crate::custom::private::backward(*self, level, slices);
        }
    };
}

/// Those for `f64`, if the feature is on. The crate that calls [`activation!`](crate::activation) has other features.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "f64")]
macro_rules! f64_kernels_of_definition {
    () => {
        $crate::kernels_of_definition!(f64, forward_f64, backward_f64);
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "f64"))]
macro_rules! f64_kernels_of_definition {
    () => {};
}
