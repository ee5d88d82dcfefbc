//! Softsign: one division.

use super::formula::{Declaration, Formula};
use crate::lanes::{Element, Lanes};
use crate::{math, reference};

/// The softsign, `x / (1 + |x|)`.
///
/// It saturates like [`Tanh`](crate::Tanh), but slowly. The gradient from the output is `dy (1 - |y|)^2`.
///
/// # Accuracy
///
/// Within 1.5 ulp. Gradients: within 4 ulp of the formula at the stored output. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±inf gives ±1, ±0 keeps its sign.
///
/// # Examples
///
/// ```
/// use activations::Softsign;
///
/// let mut x = [-1.0_f32, 0.0, f32::INFINITY];
/// Softsign.forward_in_place(&mut x);
/// assert_eq!(x, [-0.5, 0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softsign;

impl Declaration for Softsign {
    const NAME: &'static str = "softsign";
    const DEFAULT: Self = Softsign;
    const MAX_ULP: [f64; 2] = [1.5, 1.5];
    const MAX_ULP_F64: [f64; 2] = [1.5, 1.5];

    fn range(self) -> [f64; 2] {
        [-1.0, 1.0]
    }

    fn reference(self, x: f64) -> f64 {
        reference::softsign(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::softsign_gradient(y, dy)
    }
}

impl Formula for Softsign {
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        // Infinity would give infinity over infinity.
        let mut a = x.splat(L::Float::MAX_FINITE).min(x.abs());
        if L::GRADUAL {
            // The division sees no subnormal number. Below this one the result is x.
            a = math::least_factor(x).max(a);
        }
        let y = (a / (x.splat(1.0) + a)).copysign(x);
        if L::GRADUAL { L::select(x.abs().lt(math::least_factor(x)), x, y) } else { y }
    }

    #[inline(always)]
    fn gradient_margin<L: Lanes>(self, _: L, dy: L, margin: L) -> L {
        math::margin(dy, margin)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let rest = y.splat(1.0) - y.abs();
        dy * (rest * rest)
    }
}
