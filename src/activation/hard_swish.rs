//! The hard swish: x times the hard sigmoid.

use super::formula::{Declaration, Formula};
use super::{HardSigmoid, Saved};
use crate::cost::Cost;
use crate::lanes::Lanes;
use crate::{math, reference};

/// The hard swish, x times the [hard sigmoid](HardSigmoid), as in MobileNetV3.
///
/// The gradient, from the saved input, is 0 below -3, `dy (2 x + 3) / 6` from -3 to 3, and `dy` above.
///
/// # Accuracy
///
/// Within 2.5 ulp. Gradients: within 4.5 ulp of the larger of |gradient| and |dy| / 8.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf. Everything up to -3, -inf included, gives -0.
///
/// # Examples
///
/// ```
/// use activations::HardSwish;
///
/// let mut x = [f32::NEG_INFINITY, -1.5, 3.0];
/// HardSwish.forward_in_place(&mut x);
/// assert_eq!(x, [0.0, -0.375, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HardSwish;

impl Declaration for HardSwish {
    const NAME: &'static str = "hard_swish";
    const DEFAULT: Self = HardSwish;
    const MAX_ULP: [f64; 2] = [2.5, 2.5];
    const MAX_ULP_F64: [f64; 2] = [2.5, 2.5];
    const GRADIENT_ULP: f64 = 4.5;
    const SAVED: Saved = Saved::Input;
    const COST: Cost = Cost::CHEAP;

    fn range(self) -> [f64; 2] {
        [-0.375, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::hard_swish(x)
    }

    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        reference::hard_swish_gradient(x, dy)
    }
}

impl Formula for HardSwish {
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        // -inf times 0 would be NaN.
        x.splat(-3.0).max(x) * HardSigmoid::of(x)
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, _: L, dy: L, margin: L) -> L {
        math::margin(dy, margin)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        let (zero, three) = (x.splat(0.0), x.splat(3.0));
        let inside = dy * ((x + x + three) / x.splat(6.0));
        L::select(x.lt(x.splat(-3.0)), zero, L::select(three.lt(x), dy, inside))
    }
}
