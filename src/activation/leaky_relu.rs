//! The leaky relu: one product and a select. The exact tier needs its `f64` product rounded to odd.

use super::Relu;
#[cfg(feature = "exact")]
use super::formula::ExactFormula;
use super::formula::{Declaration, Formula};
use crate::cost::Cost;
use crate::lanes::Lanes;
use crate::{check, reference};

/// The leaky rectified linear unit: `x` where `x > 0`, else `slope * x`.
///
/// The gradient is `dy` where the output is positive, else `slope * dy`.
///
/// # Accuracy
///
/// `f32`: within 1.5 ulp for every slope that is normal as `f32`, subnormal products included: the slope is rounded to
/// `f32`, then the product. `f64`: within 0.5 ulp, or 0.75 if the product is subnormal, since it may be rounded twice.
/// (`cargo run --release -p exhaustive`.)
///
/// # Special values
///
/// NaN gives NaN, ±0 keeps its sign, -inf gives -inf.
///
/// # Examples
///
/// ```
/// use activations::LeakyRelu;
///
/// let act = LeakyRelu::new(0.25);
/// let mut y = [0.0_f64; 2];
/// act.forward(&[-2.0, 3.0], &mut y);
/// assert_eq!(y, [-0.5, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    negative_slope: f64,
}

impl LeakyRelu {
    /// A leaky relu with this slope for negative inputs.
    ///
    /// # Panics
    ///
    /// Unless the slope is 0, or positive and finite, also when rounded to `f32`. With a slope of 0 it is
    /// [`Relu`](super::Relu).
    #[track_caller]
    pub const fn new(negative_slope: f64) -> Self {
        check::negative_slope(negative_slope);
        Self { negative_slope }
    }

    /// The slope for negative inputs.
    pub const fn negative_slope(self) -> f64 {
        self.negative_slope
    }
}

impl Default for LeakyRelu {
    /// A slope of 0.01.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Declaration for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const DEFAULT: Self = Self::new(0.01);
    const MAX_ULP: [f64; 2] = [1.5, 1.5];
    const MAX_ULP_F64: [f64; 2] = [0.75, 0.75];
    const COST: Cost = Cost::CHEAP;

    fn range(self) -> [f64; 2] {
        [f64::NEG_INFINITY, f64::INFINITY]
    }

    fn reference(self, x: f64) -> f64 {
        reference::leaky_relu(x, self.negative_slope)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::leaky_relu_gradient(y, dy, self.negative_slope)
    }
}

impl Formula for LeakyRelu {
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        if self.negative_slope == 0.0 {
            return Relu.value(x);
        }
        let leak = x.splat(self.negative_slope) * x;
        L::select(x.splat(0.0).lt(x), x, leak)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        if self.negative_slope == 0.0 {
            return Relu.gradient(y, dy);
        }
        let leak = y.splat(self.negative_slope) * dy;
        L::select(y.splat(0.0).lt(y), dy, leak)
    }
}

#[cfg(feature = "exact")]
impl ExactFormula for LeakyRelu {
    #[inline(always)]
    fn exact<L: Lanes>(self, x: L) -> L {
        if self.negative_slope == 0.0 {
            return Relu.value(x);
        }
        L::select(x.splat(0.0).lt(x), x, product_rounded_to_odd(self.negative_slope, x))
    }
}

/// factor * x, rounded to odd: an inexact product becomes the one of its two `f64` neighbours whose last bit is odd.
/// `x` is an `f32` number.
///
/// Rounding such a product to `f32` is correct. A number half way between two `f32` has an even last bit, so an inexact
/// product never becomes such a tie, but stays on its side of it.
#[inline(always)]
fn product_rounded_to_odd<L: Lanes>(factor: f64, x: L) -> L {
    // The factor in two parts, head and the rest.
    let head = f64::from_bits(factor.to_bits() >> 27 << 27);
    let product = x.splat(factor) * x;
    // The rounding error of the product, exactly: x has 24 digits and the parts of the factor at most 27, so that both
    // products below are exact.
    let lost = x.splat(head) * x - product + x.splat(factor - head) * x;
    // Positive where the true product is larger in magnitude than the rounded one: one step up makes an even pattern
    // odd.
    let (zero, side) = (x.splat(0.0), lost * product);
    let down = L::select(side.lt(zero), x.splat_bits(1), zero);
    let step = L::select(zero.lt(side), x.splat_bits(1), zero.sub_bits(down));
    // The last bit, shifted to the exponent field, so that it makes a number other than 0.
    let is_odd = zero.lt(product.shl_bits::<62>().abs());
    L::select(is_odd, product, product.add_bits(step))
}
