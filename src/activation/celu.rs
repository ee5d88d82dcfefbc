//! CELU: the formula of [`Elu`] with a width, whose loops it runs.

use super::Elu;
use super::formula::Declaration;
use crate::check;

/// The continuously differentiable exponential linear unit, `x` where `x > 0`, else `alpha (e^(x / alpha) - 1)`.
///
/// The gradient from the output is `dy` where the output is positive, else `dy (y + alpha) / alpha`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without. Gradients: within 4 ulp of the formula at the stored output.
/// (`cargo run --release -p exhaustive`, with an alpha of 1; `cargo test` tries others.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -alpha.
///
/// # Examples
///
/// ```
/// use activations::Celu;
///
/// let mut y = [0.0_f32; 2];
/// Celu::new(0.5).forward(&[f32::NEG_INFINITY, 3.0], &mut y);
/// assert_eq!(y, [-0.5, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

impl Celu {
    /// A unit with this limit for negative inputs, as a magnitude.
    ///
    /// # Panics
    ///
    /// Unless alpha is between 1e-6 and 1e6.
    #[track_caller]
    pub const fn new(alpha: f64) -> Self {
        check::parameter(alpha >= 1e-6 && alpha <= 1e6, "alpha must be between 1e-6 and 1e6, not ", alpha);
        Self { alpha }
    }

    /// The limit for negative inputs, as a magnitude.
    pub const fn alpha(self) -> f64 {
        self.alpha
    }

    /// The activation whose loops this one runs.
    pub(super) const fn kernel(self) -> Elu {
        Elu::with(1.0, self.alpha, self.alpha)
    }
}

impl Default for Celu {
    /// An alpha of 1.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for Celu {
    const NAME: &'static str = "celu";
    const DEFAULT: Self = Self::new(1.0);
    const MAX_ULP: [f64; 2] = Elu::MAX_ULP;
    const MAX_ULP_F64: [f64; 2] = Elu::MAX_ULP_F64;

    fn range(self) -> [f64; 2] {
        self.kernel().range()
    }

    fn reference(self, x: f64) -> f64 {
        self.kernel().reference(x)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        self.kernel().reference_gradient(y, dy)
    }
}
