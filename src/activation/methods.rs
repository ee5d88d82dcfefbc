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
                    let run = |level, mut part: $crate::lanes::Slices<$T, 1>| {
                        $forward(self, level, &mut part);
                        // Does nothing, unless a kernel from another crate has not written.
                        part.zero_uninit();
                    };
                    $crate::call::Call { work, cost, run }.on(threads)
                })
            }

            /// Writes the activation of each sum `x + addend` to `y`: a residual connection. The bits are those of a sum
            /// that is rounded to the element type, and then `forward`.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn forward_added | par_forward_added [$($generics)*]
            (&self, x: &[$T], addend: &[$T], y: &mut [$T]) {
                let work = $crate::fused::Added::once(Some(x), addend, None, y);
                $crate::activation::methods::added!(self, $T, $cost, $forward, work).on(threads)
            }

            /// Overwrites each element of `x` with the activation of the sum `x + addend`.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn forward_added_in_place | par_forward_added_in_place [$($generics)*]
            (&self, x: &mut [$T], addend: &[$T]) {
                let work = $crate::fused::Added::once(None, addend, None, x);
                $crate::activation::methods::added!(self, $T, $cost, $forward, work).on(threads)
            }

            /// Writes each sum `x + addend` to `sum` and its activation to `y`. `backward` of an activation that saves the
            /// input wants `sum`.
            ///
            /// # Panics
            ///
            /// If the lengths differ.
            $($visibility)* threads => fn forward_added_saving | par_forward_added_saving [$($generics)*]
            (&self, x: &[$T], addend: &[$T], sum: &mut [$T], y: &mut [$T]) {
                let work = $crate::fused::Added::once(Some(x), addend, Some(sum), y);
                $crate::activation::methods::added!(self, $T, $cost, $forward, work).on(threads)
            }

            /// Writes the activation of each sum `x + bias` to `y`, where the bias repeats: one number for each column of
            /// the rows of `x`. The bits are those of a sum that is rounded to the element type, and then `forward`.
            ///
            /// # Panics
            ///
            /// If the lengths of `x` and `y` differ, or are not a multiple of that of `bias`.
            $($visibility)* threads => fn forward_biased | par_forward_biased [$($generics)*]
            (&self, x: &[$T], bias: &[$T], y: &mut [$T]) {
                let work = $crate::fused::Added::biased(Some(x), bias, y);
                $crate::activation::methods::added!(self, $T, $cost, $forward, work).on(threads)
            }

            /// Overwrites each element of `x` with the activation of the sum `x + bias`, where the bias repeats.
            ///
            /// # Panics
            ///
            /// If the length of `x` is not a multiple of that of `bias`.
            $($visibility)* threads => fn forward_biased_in_place | par_forward_biased_in_place [$($generics)*]
            (&self, x: &mut [$T], bias: &[$T]) {
                let work = $crate::fused::Added::biased(None, bias, x);
                $crate::activation::methods::added!(self, $T, $cost, $forward, work).on(threads)
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

/// The call of an activation after an addition: `added!(self, type, cost, forward kernel, slices)`.
macro_rules! added {
    ($act:ident, $T:ident, $cost:path, $forward:path, $work:ident) => {
        $crate::call::Call {
            work: $work,
            cost: || $cost($act).and($crate::cost::Cost::CHEAP),
            run: |level, part| {
                <$T as $crate::float::Float>::added(level, part, &|level, slices| $forward($act, level, slices))
            },
        }
    };
}
pub(super) use added;

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
