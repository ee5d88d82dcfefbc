//! SELU: the formula of [`Elu`] with two constants, whose loops it runs.

use super::Elu;
use super::formula::Declaration;
use crate::reference::SELU;

/// The scaled exponential linear unit, `scale x` where `x > 0`, else `scale alpha (e^x - 1)`.
///
/// The constants, scale = 1.0507 and alpha = 1.6733, are torch's. With them a deep network keeps mean 0 and variance 1
/// from layer to layer. The gradient from the output is `scale dy` where the output is positive, else
/// `dy (y + scale alpha)`.
///
/// # Accuracy
///
/// Within 2.5 ulp with a fused multiply-add, 3.2 without. Gradients: within 4 ulp of the formula at the stored output.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, inf gives inf, -inf gives -1.7581.
///
/// # Examples
///
/// ```
/// use activations::Selu;
///
/// let mut x = [f64::NEG_INFINITY, 0.0, 1.0];
/// Selu.forward_in_place(&mut x);
/// assert_eq!(x, [-1.758_099_340_847_376_6, 0.0, 1.050_700_987_355_480_5]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Selu;

impl Selu {
    /// The activation whose loops this one runs.
    pub(super) const fn kernel(self) -> Elu {
        Elu::with(SELU[0], SELU[1], 1.0)
    }
}

impl Declaration for Selu {
    const NAME: &'static str = "selu";
    const DEFAULT: Self = Selu;
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
