//! ReLU6: [`HardTanh`] from 0 to 6, whose loops it runs.

use super::HardTanh;
use super::formula::Declaration;
use crate::cost::Cost;

/// The relu with an upper limit: x limited to `[0, 6]`.
///
/// The gradient from the output is `dy` where the output is strictly between 0 and 6, else 0.
///
/// # Accuracy
///
/// Exact.
///
/// # Special values
///
/// NaN gives NaN, and its gradient is `dy`. -0 gives +0. The gradient is selected, not multiplied: where the output is 0 or
/// 6 an infinite or NaN `dy` gives 0.
///
/// # Examples
///
/// ```
/// use activations::Relu6;
///
/// let mut x = [-2.0_f32, 0.5, 30.0];
/// Relu6.forward_in_place(&mut x);
/// assert_eq!(x, [0.0, 0.5, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu6;

impl Relu6 {
    /// The activation whose loops this one runs.
    pub(super) const fn kernel(self) -> HardTanh {
        HardTanh::new(0.0, 6.0)
    }
}

impl Declaration for Relu6 {
    const NAME: &'static str = "relu6";
    const DEFAULT: Self = Relu6;
    const MAX_ULP: [f64; 2] = HardTanh::MAX_ULP;
    const MAX_ULP_F64: [f64; 2] = HardTanh::MAX_ULP_F64;
    const COST: Cost = HardTanh::COST;

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
