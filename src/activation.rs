//! The activations: their public trait, the list of them all, and the implementations that follow from the list.

#[cfg(feature = "exact")]
mod exact;
mod formula;
mod methods;

#[cfg(feature = "exact")]
pub use exact::Exact;
pub use methods::ActivationExt;

use crate::cost::Cost;
use crate::dispatch::Level;
use crate::elementwise;
use crate::float::{Float, Kernels};
use crate::lanes::Slices;
use formula::{Backward, Formula, Forward};
#[cfg(feature = "exact")]
use formula::{ExactBackward, ExactForward};
use methods::methods;

/// An activation, known at compile time or chosen at run time, for example by a model's configuration.
///
/// `dyn Activation` has the same methods as the activations themselves; see [`ACTIVATIONS`] and [`by_name`]. In a
/// function that is generic over activations, import the trait [`ActivationExt`] to call them. The trait is sealed.
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
    /// The smallest and the largest value.
    fn range(&self) -> [f64; 2];
    /// The activation in plain scalar `f64`.
    fn reference(&self, x: f64) -> f64;
    /// The gradient in plain scalar `f64`, from the output.
    fn reference_gradient(&self, y: f64, dy: f64) -> f64;
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
    #[cfg(feature = "exact")]
    fn exact_forward(&self, level: Level, slices: &mut Slices<f32, 1>) {
        (**self).exact_forward(level, slices);
    }
    #[cfg(feature = "exact")]
    fn exact_backward(&self, level: Level, slices: &mut Slices<f32, 2>) {
        (**self).exact_backward(level, slices);
    }
}

impl<A: Activation + ?Sized> Activation for &A {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn max_ulp(&self, bits: u32, fused: bool) -> f64 {
        (**self).max_ulp(bits, fused)
    }
    fn range(&self) -> [f64; 2] {
        (**self).range()
    }
    fn reference(&self, x: f64) -> f64 {
        (**self).reference(x)
    }
    fn reference_gradient(&self, y: f64, dy: f64) -> f64 {
        (**self).reference_gradient(y, dy)
    }
}

/// The activation of this name with its default parameters, if there is one.
pub fn by_name(name: &str) -> Option<&'static dyn Activation> {
    ACTIVATIONS.iter().copied().find(|activation| activation.name() == name)
}

/// Declares the modules, the list of activations, and for each its methods and traits, which follow from its formula.
macro_rules! activations {
    ($($module:ident::$name:ident)*) => {
        $(
            mod $module;
            pub use $module::$name;

            impl $name {
                methods!([pub] [T: Float,] T, Kernels::cost, T::forward, T::backward);

                /// The exact tier of this activation: every `f32` result is the one nearest to the true value.
                #[cfg(feature = "exact")]
                pub const fn exact(self) -> Exact<Self> {
                    Exact(self)
                }
            }

            impl Kernels for $name {
                fn cost(&self) -> Cost {
                    Self::COST
                }
                fn forward_f32(&self, level: Level, slices: &mut Slices<f32, 1>) {
                    elementwise::run(level, Forward(*self), slices);
                }
                fn backward_f32(&self, level: Level, slices: &mut Slices<f32, 2>) {
                    elementwise::run(level, Backward(*self), slices);
                }
                #[cfg(feature = "f64")]
                fn forward_f64(&self, level: Level, slices: &mut Slices<f64, 1>) {
                    elementwise::run(level, Forward(*self), slices);
                }
                #[cfg(feature = "f64")]
                fn backward_f64(&self, level: Level, slices: &mut Slices<f64, 2>) {
                    elementwise::run(level, Backward(*self), slices);
                }
                #[cfg(feature = "exact")]
                fn exact_forward(&self, level: Level, slices: &mut Slices<f32, 1>) {
                    elementwise::run(level, ExactForward(*self), slices);
                }
                #[cfg(feature = "exact")]
                fn exact_backward(&self, level: Level, slices: &mut Slices<f32, 2>) {
                    elementwise::run(level, ExactBackward(*self), slices);
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
                fn range(&self) -> [f64; 2] {
                    Self::RANGE
                }
                fn reference(&self, x: f64) -> f64 {
                    Formula::reference(*self, x)
                }
                fn reference_gradient(&self, y: f64, dy: f64) -> f64 {
                    Formula::reference_gradient(*self, y, dy)
                }
            }
        )*

        /// Every activation, with its default parameters.
        pub static ACTIVATIONS: &[&dyn Activation] = &[$(&$name::DEFAULT),*];
    };
}

activations! {
    relu::Relu
    leaky_relu::LeakyRelu
    sigmoid::Sigmoid
    tanh::Tanh
    exp::Exp
}
