//! The public type of the exact tier. Its formulas are `exact` and `exact_gradient` of each activation.

use super::Activation;
use super::methods::methods;
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::lanes::Slices;

/// The exact tier of an operation: every `f32` result is the one nearest to the true value.
///
/// `exact()` of an activation returns its exact tier, which has the methods of the activation, for `f32`. Activations for
/// which it is not proved for all 2^32 inputs have none, so that `exact()` of `dyn Activation` is an `Option`. Inputs are
/// widened to `f64`, the formula is evaluated there, and the result is rounded once to `f32`. Gradients are computed in the
/// same way.
///
/// The exact tier of [`Softmax`](crate::Softmax) also sums in `f64`: its probabilities are within 0.51 ulp, with the
/// same bits on all instruction sets for which [`Isa::is_fused`](crate::Isa::is_fused) holds.
///
/// # Which one to use
///
/// | | the activation itself | its exact tier |
/// |---|---|---|
/// | elements | `f32`, `f64` | `f32` |
/// | worst error in ulp: sigmoid, tanh, exp | 1.8, 1.2, 0.9 | 0.5: no `f32` is nearer |
/// | results that are not the nearest | 3.3 %, 1.2 %, 2.8 % | none of the 2^32 |
/// | monotonic | except for single steps of an ulp | everywhere |
/// | the same bits | wherever [`Isa::is_fused`](crate::Isa::is_fused) | everywhere |
/// | gradient at a stored output | within 4 ulp | within 0.5, as far as `f64` can tell |
/// | ns/element with AVX-512, AVX2, SSE2: sigmoid | 0.22, 0.38, 1.2 | 0.69, 0.89, 2.0 |
/// | tanh | 0.27, 0.37, 1.2 | 0.73, 1.0, 2.4 |
/// | exp | 0.15, 0.22, 0.73 | 0.66, 0.88, 2.5 |
///
/// Use the activation itself where no bits are compared: an ulp does not matter in training and in most inference. Use
/// the exact tier where results must be the same on every machine or as those of another correctly rounded
/// implementation, where a test compares with `==`, or where the result must be monotonic.
///
/// The times are those of 65 536 elements on an AMD EPYC (Zen 4), as `cargo bench --bench activations -- 65536` prints
/// them.
///
/// # Proof
///
/// `cargo run --release -p exhaustive` judges the results for all 2^32 inputs on every instruction set that the
/// machine has, by double-double arithmetic where `f64` is too coarse, and prints a hash of all results:
///
/// | | results | derivatives at the results |
/// |---|---|---|
/// | relu | `0x75be18577d6f4325` | `0x25f05e0d09522325` |
/// | leaky relu, slope 0.01 | `0x9adcebea5135f2a8` | `0xb91a75259258c325` |
/// | sigmoid | `0x8206013cf4b8d946` | `0x761937e5e0455de9` |
/// | tanh | `0x0e2a60aa0566b949` | `0xae9e6a5a195cf171` |
/// | exp | `0xc97cfe5ec761e624` | `0xc97cfe5ec761e624` |
///
/// # Examples
///
/// ```
/// use activations::{Isa, Sigmoid};
///
/// let x = [-30.0_f32, -1e-7, 0.3, 5.0];
/// for isa in Isa::available() {
///     let mut y = [0.0; 4];
///     isa.with(|| Sigmoid.exact().forward(&x, &mut y));
///     // The same bits on every machine.
///     assert_eq!(y.map(f32::to_bits), [0x29d2b706, 0x3effffff, 0x3f130eaa, 0x3f7e4961]);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact<A>(pub(crate) A);

/// An activation that has an exact tier, see [`Exact`]. The trait is sealed.
#[allow(missing_docs)]
pub trait ExactActivation: Activation {
    #[doc(hidden)]
    fn exact_forward(&self, level: Level, slices: &mut Slices<f32, 1>);
    #[doc(hidden)]
    fn exact_backward(&self, level: Level, slices: &mut Slices<f32, 2>);
}

impl<A: ExactActivation + ?Sized> ExactActivation for &A {
    fn exact_forward(&self, level: Level, slices: &mut Slices<f32, 1>) {
        (**self).exact_forward(level, slices);
    }
    fn exact_backward(&self, level: Level, slices: &mut Slices<f32, 2>) {
        (**self).exact_backward(level, slices);
    }
}

impl<A: ExactActivation> Exact<A> {
    methods!([pub] [] f32, Self::cost, Self::forward_kernel, Self::backward_kernel);

    fn cost(&self) -> Cost {
        self.0.cost()
    }
    fn forward_kernel(&self, level: Level, slices: &mut Slices<f32, 1>) {
        self.0.exact_forward(level, slices);
    }
    fn backward_kernel(&self, level: Level, slices: &mut Slices<f32, 2>) {
        self.0.exact_backward(level, slices);
    }
}
