//! SiLU: [`Swish`] with a factor of 1, whose loops it runs.

use super::formula::Declaration;
use super::{Saved, Swish};

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

impl Silu {
    /// The activation whose loops this one runs.
    pub(super) const fn kernel(self) -> Swish {
        Swish::new(1.0)
    }
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
        self.kernel().range()
    }

    fn reference(self, x: f64) -> f64 {
        self.kernel().reference(x)
    }

    fn reference_gradient(self, saved: f64, dy: f64) -> f64 {
        self.kernel().reference_gradient(saved, dy)
    }
}
