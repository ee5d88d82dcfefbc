//! SiLU: [`Swish`] with a factor of 1, and the bits of that. Its loops are its own, because no product has to be carried in
//! two parts.

use super::formula::{Declaration, Formula};
use super::{Saved, Swish};
use crate::lanes::{Lanes, Real};
use crate::math::{self, Argument};
use crate::reference;

/// The sigmoid linear unit, `x sigmoid(x)`, also known as swish.
///
/// Like [`Relu`](crate::Relu) for large |x|, but smooth, with a minimum of -0.278 at -1.278. The gradient, from the saved
/// input, is `dy * s * (1 + x (1 - s))` with `s` the sigmoid of `x`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal. Gradients: within
/// 5 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 4 within 8 ulp of the gradient.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -0.
///
/// # Examples
///
/// ```
/// use activations::Silu;
///
/// let x = [-100.0_f64, 0.0, 1.0];
/// let (mut y, mut dx) = ([0.0; 3], [0.0; 3]);
/// Silu.forward(&x, &mut y);
/// assert_eq!(y[1], 0.0);
/// Silu.backward(&x, &[1.0; 3], &mut dx);
/// assert_eq!(dx[1], 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Silu;

/// x, as the argument of the sigmoid.
#[inline(always)]
fn argument<L: Lanes>(x: L) -> Argument<L> {
    let least = if L::Float::IS_F32 { 2_f64.powi(-40) } else { 2_f64.powi(-70) };
    Argument { is_positive: x.splat(0.0).le(x), size: (math::magnitude(x, least, 2000.0), None) }
}

impl Declaration for Silu {
    const NAME: &'static str = "silu";
    const ALIASES: &'static [&'static str] = &["sigmoidlinearunit"];
    const DEFAULT: Self = Silu;
    const MAX_ULP: [f64; 2] = Swish::MAX_ULP;
    const MAX_ULP_F64: [f64; 2] = Swish::MAX_ULP_F64;
    const GRADIENT_ULP: f64 = Swish::GRADIENT_ULP;
    const SAVED: Saved = Swish::SAVED;

    fn range(self) -> [f64; 2] {
        Swish::DEFAULT.range()
    }

    fn reference(self, x: f64) -> f64 {
        reference::swish(x, 1.0)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::swish_gradient(x, dy, 1.0)
    }
}

impl Formula for Silu {
    #[inline(always)]
    fn margin<L: Lanes>(self, x: L, margin: L) -> L {
        (x.splat(math::limits::<L>()[0]) - x.abs()).min(math::margin(x, margin))
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        math::times_sigmoid(x, argument(x), math::limits::<L>()[0])
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, x: L, dy: L, margin: L) -> L {
        (x.splat(math::limits::<L>()[1]) - x.abs()).min(math::margin(x, math::margin(dy, margin)))
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        let v = argument(x);
        math::times_sigmoid_gradient(v, v.size, dy, math::limits::<L>()[1])
    }
}
