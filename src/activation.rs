//! The activations: their public trait, the list of them all, and the implementations that follow from the list.

#[cfg(feature = "exact")]
mod exact;
mod formula;
mod methods;

#[cfg(feature = "exact")]
pub use exact::{Exact, ExactActivation};
pub use methods::ActivationExt;

use crate::cost::Cost;
use crate::dispatch::Level;
use crate::elementwise;
use crate::float::{Float, Kernels};
use crate::lanes::Slices;
pub use formula::Formula;
use formula::{Backward, Declaration, Forward};
#[cfg(feature = "exact")]
use formula::{ExactBackward, ExactForward};
use methods::methods;

/// What a gradient takes beside the gradient with respect to the output: the first slice of `backward`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The output, which determines the gradient. The gradient is that of the stored output.
    Output,
    /// The input.
    Input,
}

impl Saved {
    /// The one of both that is saved.
    ///
    /// ```
    /// use activations::{Activation, GeluTanh};
    ///
    /// let (x, mut y, mut dx) = ([0.5_f32, -2.0], [0.0; 2], [0.0; 2]);
    /// GeluTanh.forward(&x, &mut y);
    /// GeluTanh.backward(GeluTanh.saved().of(&x, &y), &[1.0; 2], &mut dx);
    /// ```
    pub fn of<T>(self, input: T, output: T) -> T {
        match self {
            Saved::Input => input,
            Saved::Output => output,
        }
    }
}

/// An activation, known at compile time or chosen at run time, for example by a model's configuration.
///
/// `dyn Activation` has the same methods as the activations themselves; see [`ACTIVATIONS`] and [`by_name`]. In a
/// function that is generic over activations, import the trait [`ActivationExt`] to call them.
///
/// The trait is sealed. [`activation!`](crate::activation) implements it for types of your own.
///
/// ```
/// let act = activations::by_name("tanh").unwrap();
/// let mut y = [0.0_f32; 2];
/// act.forward(&[0.0, 20.0], &mut y);
/// assert_eq!(y, [0.0, 1.0]);
/// ```
pub trait Activation: Kernels + Send + Sync {
    /// The name in lower case.
    fn name(&self) -> &'static str;
    /// The bound on the error of a forward result in ulp: `bits` is 32 for `f32` and 64 for `f64`, and `fused` says
    /// whether the instruction set has a fused multiply-add.
    fn max_ulp(&self, bits: u32, fused: bool) -> f64;
    /// The bound on the error of a gradient: in ulp of the gradient that follows from the stored output, or, from the
    /// saved input, in ulp of the larger of |gradient| and |dy| / 8.
    fn gradient_ulp(&self) -> f64;
    /// The |x| above which a gradient from the saved input is also within 8 ulp of itself.
    fn gradient_tail(&self) -> f64;
    /// What `backward` takes: the output or the input.
    fn saved(&self) -> Saved;
    /// The smallest and the largest value.
    fn range(&self) -> [f64; 2];
    /// The activation in plain scalar `f64`.
    fn reference(&self, x: f64) -> f64;
    /// The gradient in plain scalar `f64`, from what is [`saved`](Self::saved).
    fn reference_gradient(&self, saved: f64, dy: f64) -> f64;
    #[doc(hidden)]
    fn aliases(&self) -> &'static [&'static str];
    #[doc(hidden)]
    #[cfg(feature = "exact")]
    fn as_exact(&self) -> Option<&dyn ExactActivation> {
        None
    }
}

impl<A: Activation + ?Sized> Kernels for &A {
    fn cost(&self) -> Cost {
        (**self).cost()
    }
    fn forward_f32(&self, level: Level, slices: &mut Slices<f32, 1>) {
        (**self).forward_f32(level, slices);
    }
    fn backward_f32(&self, level: Level, slices: &mut Slices<f32, 2>) {
        (**self).backward_f32(level, slices);
    }
    #[cfg(feature = "f64")]
    fn forward_f64(&self, level: Level, slices: &mut Slices<f64, 1>) {
        (**self).forward_f64(level, slices);
    }
    #[cfg(feature = "f64")]
    fn backward_f64(&self, level: Level, slices: &mut Slices<f64, 2>) {
        (**self).backward_f64(level, slices);
    }
}

impl<A: Activation + ?Sized> Activation for &A {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn max_ulp(&self, bits: u32, fused: bool) -> f64 {
        (**self).max_ulp(bits, fused)
    }
    fn gradient_ulp(&self) -> f64 {
        (**self).gradient_ulp()
    }
    fn gradient_tail(&self) -> f64 {
        (**self).gradient_tail()
    }
    fn saved(&self) -> Saved {
        (**self).saved()
    }
    fn range(&self) -> [f64; 2] {
        (**self).range()
    }
    fn reference(&self, x: f64) -> f64 {
        (**self).reference(x)
    }
    fn reference_gradient(&self, saved: f64, dy: f64) -> f64 {
        (**self).reference_gradient(saved, dy)
    }
    fn aliases(&self) -> &'static [&'static str] {
        (**self).aliases()
    }
    #[cfg(feature = "exact")]
    fn as_exact(&self) -> Option<&dyn ExactActivation> {
        (**self).as_exact()
    }
}

/// The activation of this name with its default parameters, if there is one.
///
/// The names are those of this crate, of torch, of ONNX and of model configurations. Upper and lower case are the same,
/// and `_` and `-` do not matter.
///
/// ```
/// assert_eq!(activations::by_name("LeakyReLU").unwrap().name(), "leaky_relu");
/// ```
pub fn by_name(name: &str) -> Option<&'static dyn Activation> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let name = plain(name);
    let is_named = |act: &dyn Activation| plain(act.name()) == name || act.aliases().contains(&&*name);
    ACTIVATIONS.iter().copied().find(|act| is_named(*act))
}

/// Declares the modules, the list of activations, and for each its methods and traits, which follow from its formula. An
/// activation with an exact tier is followed by `exact`, one that runs the loops of another by `shared`.
macro_rules! activations {
    ($($module:ident::$name:ident $($tier:ident)? ,)*) => {
        $(
            mod $module;
            pub use $module::$name;

            impl $name {
                methods!([pub] [T: Float,] T, Kernels::cost, T::forward, T::backward);
            }

            impl Kernels for $name {
                fn cost(&self) -> Cost {
                    Self::COST
                }
                fn forward_f32(&self, level: Level, slices: &mut Slices<f32, 1>) {
                    run!($($tier)?, self.forward_f32(level, slices), Forward);
                }
                fn backward_f32(&self, level: Level, slices: &mut Slices<f32, 2>) {
                    run!($($tier)?, self.backward_f32(level, slices), Backward);
                }
                #[cfg(feature = "f64")]
                fn forward_f64(&self, level: Level, slices: &mut Slices<f64, 1>) {
                    run!($($tier)?, self.forward_f64(level, slices), Forward);
                }
                #[cfg(feature = "f64")]
                fn backward_f64(&self, level: Level, slices: &mut Slices<f64, 2>) {
                    run!($($tier)?, self.backward_f64(level, slices), Backward);
                }
            }

            impl Activation for $name {
                fn name(&self) -> &'static str {
                    Self::NAME
                }
                fn max_ulp(&self, bits: u32, fused: bool) -> f64 {
                    let bounds = if bits == 64 { Self::MAX_ULP_F64 } else { Self::MAX_ULP };
                    bounds[usize::from(!fused)]
                }
                fn gradient_ulp(&self) -> f64 {
                    Self::GRADIENT_ULP
                }
                fn gradient_tail(&self) -> f64 {
                    Declaration::gradient_tail(*self)
                }
                fn saved(&self) -> Saved {
                    Self::SAVED
                }
                fn range(&self) -> [f64; 2] {
                    Declaration::range(*self)
                }
                fn reference(&self, x: f64) -> f64 {
                    Declaration::reference(*self, x)
                }
                fn reference_gradient(&self, saved: f64, dy: f64) -> f64 {
                    Declaration::reference_gradient(*self, saved, dy)
                }
                fn aliases(&self) -> &'static [&'static str] {
                    Self::ALIASES
                }
                $(as_exact!($tier);)?
            }

            $(exact_tier!($tier $name);)?
        )*

        /// Every activation, with its default parameters.
        pub static ACTIVATIONS: &[&dyn Activation] = &[$(&$name::DEFAULT),*];
    };
}

/// Runs a kernel of an activation: a map of its formula, or the kernel of the activation that `kernel()` returns.
macro_rules! run {
    (shared, $act:ident.$method:ident($level:ident, $slices:ident), $map:ident) => {
        $act.kernel().$method($level, $slices)
    };
    ($($exact:ident)?, $act:ident.$method:ident($level:ident, $slices:ident), $map:ident) => {
        elementwise::run($level, $map(*$act), $slices)
    };
}

/// The exact tier of an activation as `dyn`.
macro_rules! as_exact {
    (shared) => {};
    (exact) => {
        #[cfg(feature = "exact")]
        fn as_exact(&self) -> Option<&dyn ExactActivation> {
            Some(self)
        }
    };
}

/// The exact tier of an activation.
macro_rules! exact_tier {
    (shared $name:ident) => {};
    (exact $name:ident) => {
        #[cfg(feature = "exact")]
        impl $name {
            /// The exact tier of this activation: every `f32` result is the one nearest to the true value.
            pub const fn exact(self) -> Exact<Self> {
                Exact(self)
            }
        }

        #[cfg(feature = "exact")]
        impl ExactActivation for $name {
            fn exact_forward(&self, level: Level, slices: &mut Slices<f32, 1>) {
                elementwise::run(level, ExactForward(*self), slices);
            }
            fn exact_backward(&self, level: Level, slices: &mut Slices<f32, 2>) {
                elementwise::run(level, ExactBackward(*self), slices);
            }
        }
    };
}

activations! {
    relu::Relu exact,
    leaky_relu::LeakyRelu exact,
    sigmoid::Sigmoid exact,
    tanh::Tanh exact,
    exp::Exp exact,
    swish::Swish,
    silu::Silu,
    quick_gelu::QuickGelu shared,
    gelu::Gelu,
    gelu_tanh::GeluTanh,
    mish::Mish,
    softplus::Softplus,
    log_sigmoid::LogSigmoid,
    erf::Erf,
    elu::Elu,
    celu::Celu shared,
    selu::Selu shared,
    softsign::Softsign,
    hard_sigmoid::HardSigmoid,
    hard_swish::HardSwish,
    hard_tanh::HardTanh,
    relu6::Relu6 shared,
}
