//! What an activation is, the list of them all, and the methods stamped from it.

use crate::entry::Float;
use crate::kernel::Map;
use crate::lanes::{Lanes, Slices};
use crate::{check, math};

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
    /// Nanoseconds an element on a wide instruction set, less rather than more: it decides when threads are worth their
    /// while, and whether memory is what a large slice waits for.
    const COST: f64 = 0.2;

    /// The smaller of `margin` and of what keeps `x` from making anything subnormal or out of range on the way to the
    /// [`value`](Self::value).
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        math::margin(x, margin)
    }

    /// The same on the way to the [`gradient`](Self::gradient).
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

/// The value of a formula as a map of one argument.
#[derive(Clone, Copy)]
pub struct Value<F>(pub F);

impl<F: Formula> Map<1> for Value<F> {
    const IS_CHEAP: bool = F::COST < 0.1;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x]: [L; 1], margin: L) -> L {
        self.0.margin(x, margin)
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        self.0.value(x)
    }
}

/// The correctly rounded value as a map of one argument.
#[derive(Clone, Copy)]
pub struct ExactValue<F>(pub F);

impl<F: Formula> Map<1> for ExactValue<F> {
    const IS_CHEAP: bool = false;

    /// In `f64` every `f32` is ordinary.
    #[inline(always)]
    fn margin<L: Lanes>(self, _: [L; 1], margin: L) -> L {
        margin
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [x]: [L; 1]) -> L {
        let [a, b] = x.widen();
        L::narrow([self.0.exact(a), self.0.exact(b)])
    }
}

/// The gradient of a formula as a map of the output and the incoming gradient.
#[derive(Clone, Copy)]
pub struct Gradient<F>(pub F);

impl<F: Formula> Map<2> for Gradient<F> {
    const IS_CHEAP: bool = true;

    #[inline(always)]
    fn margin<L: Lanes>(self, [y, dy]: [L; 2], margin: L) -> L {
        self.0.gradient_margin(y, dy, margin)
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [y, dy]: [L; 2]) -> L {
        self.0.gradient(y, dy)
    }
}

/// The gradient of a formula in `f64`, rounded once, as a map.
#[derive(Clone, Copy)]
pub struct ExactGradient<F>(pub F);

impl<F: Formula> Map<2> for ExactGradient<F> {
    const IS_CHEAP: bool = true;

    /// In `f64` every `f32` is ordinary.
    #[inline(always)]
    fn margin<L: Lanes>(self, _: [L; 2], margin: L) -> L {
        margin
    }
    #[inline(always)]
    fn apply<L: Lanes>(self, [y, dy]: [L; 2]) -> L {
        let ([y0, y1], [dy0, dy1]) = (y.widen(), dy.widen());
        L::narrow([self.0.exact_gradient(y0, dy0), self.0.exact_gradient(y1, dy1)])
    }
}

/// An activation chosen at run time, from a configuration say.
///
/// `dyn Activation` has the same methods as the activations themselves. See [`ACTIVATIONS`] and
/// [`by_name`].
///
/// ```
/// let act = activations::by_name("tanh").unwrap();
/// let mut y = [0.0_f32; 2];
/// act.forward(&[0.0, 20.0], &mut y);
/// assert_eq!(y, [0.0, 1.0]);
/// ```
pub trait Activation: Send + Sync {
    /// The name in lower case.
    fn name(&self) -> &'static str;
    /// The bound on the error of a forward result in ulp of `T`, on instruction sets with a fused
    /// multiply-add or on those without.
    fn max_ulp(&self, bits: u32, fused: bool) -> f64;
    /// The least and the largest value.
    fn range(&self) -> [f64; 2];
    /// The activation in plain scalar `f64`.
    fn reference(&self, x: f64) -> f64;
    /// The gradient in plain scalar `f64`, from the output.
    fn reference_gradient(&self, y: f64, dy: f64) -> f64;
    #[doc(hidden)]
    fn any(&self) -> Any;
}

/// Nanoseconds an element of any gradient.
#[cfg(feature = "rayon")]
const GRADIENT_COST: f64 = 0.1;

#[cfg(feature = "rayon")]
fn cost_of<F: Formula>(_: F) -> f64 {
    F::COST
}

/// The activation of this name with its default parameters, if there is one.
pub fn by_name(name: &str) -> Option<&'static dyn Activation> {
    ACTIVATIONS.iter().copied().find(|activation| activation.name() == name)
}

/// The four slice methods and their parallel twins, on slices of `$T` by these entry points.
macro_rules! methods {
    ($T:ident $(: $bound:ident)?, $forward:path, $backward:path) => {
        /// Writes the activation of each element of `x` to `y`.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[track_caller]
        #[inline]
        pub fn forward$(<$T: $bound>)?(&self, x: &[$T], y: &mut [$T]) {
            check::same_len("x", x.len(), "y", y.len());
            $forward(self.any(), Slices::<$T, 1>::new(x, y));
        }

        /// Overwrites each element of `x` with its activation.
        #[track_caller]
        #[inline]
        pub fn forward_in_place$(<$T: $bound>)?(&self, x: &mut [$T]) {
            $forward(self.any(), Slices::<$T, 1>::in_place(x));
        }

        /// Writes the gradient with respect to the input to `dx`, from the saved output `y` and the
        /// gradient `dy` with respect to it.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[track_caller]
        #[inline]
        pub fn backward$(<$T: $bound>)?(&self, y: &[$T], dy: &[$T], dx: &mut [$T]) {
            check::same_len("y", y.len(), "dy", dy.len());
            check::same_len("y", y.len(), "dx", dx.len());
            $backward(self.any(), Slices::<$T, 2>::new(y, dy, dx));
        }

        /// Overwrites the gradient `dy` with the gradient with respect to the input.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[track_caller]
        #[inline]
        pub fn backward_in_place$(<$T: $bound>)?(&self, y: &[$T], dy: &mut [$T]) {
            check::same_len("y", y.len(), "dy", dy.len());
            $backward(self.any(), Slices::<$T, 2>::in_place(y, dy));
        }

        /// `forward` on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_forward$(<$T: $bound>)?(&self, x: &[$T], y: &mut [$T]) {
            check::same_len("x", x.len(), "y", y.len());
            let any = self.any();
            crate::parallel::split(Slices::<$T, 1>::new(x, y), any.cost(), move |part| $forward(any, part));
        }

        /// `forward_in_place` on rayon's current pool, with the same bits.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_forward_in_place$(<$T: $bound>)?(&self, x: &mut [$T]) {
            let any = self.any();
            crate::parallel::split(Slices::<$T, 1>::in_place(x), any.cost(), move |part| $forward(any, part));
        }

        /// `backward` on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_backward$(<$T: $bound>)?(&self, y: &[$T], dy: &[$T], dx: &mut [$T]) {
            check::same_len("y", y.len(), "dy", dy.len());
            check::same_len("y", y.len(), "dx", dx.len());
            let any = self.any();
            crate::parallel::split(Slices::<$T, 2>::new(y, dy, dx), $crate::activation::GRADIENT_COST, move |part| $backward(any, part));
        }

        /// `backward_in_place` on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_backward_in_place$(<$T: $bound>)?(&self, y: &[$T], dy: &mut [$T]) {
            check::same_len("y", y.len(), "dy", dy.len());
            let any = self.any();
            crate::parallel::split(Slices::<$T, 2>::in_place(y, dy), $crate::activation::GRADIENT_COST, move |part| $backward(any, part));
        }
    };
}

mod exact;
pub use exact::Exact;

impl dyn Activation + '_ {
    methods!(T: Float, T::forward, T::backward);

    /// Its exact tier: every `f32` result is the one nearest to the true value.
    pub fn exact(&self) -> Exact<&Self> {
        Exact(self)
    }
}

/// Declares the modules, the list and, for each activation, all that follows from its formula.
macro_rules! activations {
    ($($module:ident::$name:ident)*) => {
        $(
            mod $module;
            pub use $module::$name;

            impl $name {
                methods!(T: Float, T::forward, T::backward);

                /// Its exact tier: every `f32` result is the one nearest to the true value.
                pub const fn exact(self) -> Exact<Self> {
                    Exact(self)
                }

                #[inline(always)]
                fn any(&self) -> Any {
                    Any::$name(*self)
                }
            }

            impl From<$name> for Any {
                #[inline(always)]
                fn from(activation: $name) -> Self {
                    Self::$name(activation)
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
                fn any(&self) -> Any {
                    Any::$name(*self)
                }
            }
        )*

        /// One value of any activation.
        #[doc(hidden)]
        #[derive(Clone, Copy)]
        #[allow(missing_docs)]
        pub enum Any {
            $($name($name)),*
        }

        #[cfg(feature = "rayon")]
        impl Any {
            /// Nanoseconds an element of the value.
            fn cost(self) -> f64 {
                with_formula!(self, formula => cost_of(formula))
            }
        }

        /// Every activation, with its default parameters.
        pub static ACTIVATIONS: &[&dyn Activation] = &[$(&$name::DEFAULT),*];

        /// Runs `$body` with the formula that `any` holds.
        macro_rules! with_formula {
            ($any:expr, $formula:ident => $body:expr) => {
                match $any {
                    $($crate::activation::Any::$name($formula) => $body),*
                }
            };
        }
        pub(crate) use with_formula;
    };
}

activations! {
    relu::Relu
    leaky_relu::LeakyRelu
    sigmoid::Sigmoid
    tanh::Tanh
    exp::Exp
}
