//! The methods of all activations, written once.

use crate::activation::Activation;
use crate::float::{Float, Kernels};

/// Declares the slice methods and their parallel twins:
/// `methods!([visibility] [generics,] type, cost, forward kernel, backward kernel)`.
macro_rules! methods {
    ([$($visibility:tt)*] [$($generics:tt)*] $T:ident, $cost:path, $forward:path, $backward:path) => {
        $crate::call::twins! {
            /// Writes the activation of each element of `x` to `y`.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn forward | par_forward [$($generics)*] (&self, x: &[$T], y: &mut [$T]) {
                let work = $crate::lanes::Slices::<$T, 1>::new([("x", x)], ("y", y));
                let cost = || $cost(self);
                $crate::call::Call { work, cost, run: |level, mut part| $forward(self, level, &mut part) }.on(threads)
            }

            /// Overwrites each element of `x` with its activation.
            $($visibility)* threads => fn forward_in_place | par_forward_in_place [$($generics)*] (&self, x: &mut [$T]) {
                let work = $crate::lanes::Slices::<$T, 1>::in_place(x);
                let cost = || $cost(self);
                $crate::call::Call { work, cost, run: |level, mut part| $forward(self, level, &mut part) }.on(threads)
            }

            /// Writes the activation of each element of `x` to `y`, which may be uninitialised, and returns `y` as
            /// initialised.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn forward_uninit | par_forward_uninit ['y, $($generics)*]
            (&self, x: &[$T], y: &'y mut [std::mem::MaybeUninit<$T>]) -> &'y mut [$T] {
                $crate::lanes::initialise([("x", x)], ("y", y), |work| {
                    let cost = || $cost(self);
                    $crate::call::Call { work, cost, run: |level, mut part| $forward(self, level, &mut part) }.on(threads)
                })
            }

            /// Writes the gradient with respect to the input to `dx`, from the gradient `dy` with respect to the output and
            /// what was saved: the output or the input, as [`Activation::saved`]($crate::Activation::saved) says.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn backward | par_backward [$($generics)*]
            (&self, saved: &[$T], dy: &[$T], dx: &mut [$T]) {
                let work = $crate::lanes::Slices::<$T, 2>::new([("saved", saved), ("dy", dy)], ("dx", dx));
                let cost = || $crate::cost::Cost::GRADIENT;
                $crate::call::Call { work, cost, run: |level, mut part| $backward(self, level, &mut part) }.on(threads)
            }

            /// Overwrites the gradient `dy` with the gradient with respect to the input. `saved` is what `backward` takes.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn backward_in_place | par_backward_in_place [$($generics)*]
            (&self, saved: &[$T], dy: &mut [$T]) {
                let work = $crate::lanes::Slices::<$T, 2>::in_place(("saved", saved), ("dy", dy));
                let cost = || $crate::cost::Cost::GRADIENT;
                $crate::call::Call { work, cost, run: |level, mut part| $backward(self, level, &mut part) }.on(threads)
            }
        }
    };
}
pub(super) use methods;

/// The methods of activations, for functions that are generic over them.
///
/// A value of a known activation type or of `dyn Activation` has these methods without the trait. No type can override
/// them.
///
/// ```
/// use activations::{Activation, ActivationExt, Relu};
///
/// fn hidden_layer<A: Activation + ?Sized>(activation: &A, x: &mut [f32]) {
///     activation.forward_in_place(x);
/// }
///
/// let mut x = [-1.0, 2.0];
/// hidden_layer(&Relu, &mut x);
/// assert_eq!(x, [0.0, 2.0]);
/// hidden_layer(activations::by_name("tanh").unwrap(), &mut x);
/// ```
pub trait ActivationExt: Activation {
    methods!([] [T: Float,] T, Kernels::cost, T::forward, T::backward);
}

impl<A: Activation + ?Sized> ActivationExt for A {}

impl dyn Activation + '_ {
    methods!([pub] [T: Float,] T, Kernels::cost, T::forward, T::backward);

    /// The exact tier of this activation, if it has one: every `f32` result is the one nearest to the true value.
    #[cfg(feature = "exact")]
    pub fn exact(&self) -> Option<super::Exact<&dyn super::ExactActivation>> {
        self.as_exact().map(super::Exact)
    }
}
