//! QuickGELU: [`Swish`] with a factor of 1.702, whose loops it runs.

use super::formula::Declaration;
use super::{Saved, Swish};

/// The approximation of GELU by a sigmoid, `x sigmoid(1.702 x)`, as in CLIP.
///
/// It differs from [`Gelu`](crate::Gelu) by up to 0.021. The gradient is taken from the saved input.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without, also where the result is small or subnormal: `1.702 x` is carried
/// in two parts. Gradients: within 5 ulp of the larger of |gradient| and |dy| / 8, and for |x| > 2.4 within 8 ulp of the
/// gradient. (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -0.
///
/// # Examples
///
/// ```
/// use activations::QuickGelu;
///
/// let mut x = [-1e30_f32, 2.0];
/// QuickGelu.forward_in_place(&mut x);
/// assert!(x[0] == 0.0 && (x[1] - 1.935_65).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuickGelu;

impl QuickGelu {
    /// The activation whose loops this one runs.
    pub(super) const fn kernel(self) -> Swish {
        Swish::new(1.702)
    }
}

impl Declaration for QuickGelu {
    const NAME: &'static str = "quick_gelu";
    const DEFAULT: Self = QuickGelu;
    const MAX_ULP: [f64; 2] = Swish::MAX_ULP;
    const MAX_ULP_F64: [f64; 2] = Swish::MAX_ULP_F64;
    const GRADIENT_ULP: f64 = Swish::GRADIENT_ULP;
    const SAVED: Saved = Swish::SAVED;

    fn gradient_tail(self) -> f64 {
        self.kernel().gradient_tail()
    }

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
