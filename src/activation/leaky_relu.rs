use super::Formula;
use crate::lanes::Lanes;
use crate::{check, reference};

/// The leaky rectified linear unit: `x` where `x > 0`, else `slope * x`.
///
/// The gradient is `dy` where the output is positive, else `slope * dy`.
///
/// # Accuracy
///
/// `f32`: the slope is rounded, then the product, within 1.5 ulp for every slope that is normal as
/// `f32`, subnormal products included.
/// `f64`: within 0.75 ulp, where a subnormal product may be rounded twice; 0.5 elsewhere.
/// (`cargo run --release --example exhaustive`.)
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
    /// Unless the slope is positive and finite, also when rounded to `f32`.
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

impl Formula for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const DEFAULT: Self = Self::new(0.01);
    const MAX_ULP: [f64; 2] = [1.5, 1.5];
    const MAX_ULP_F64: [f64; 2] = [0.75, 0.75];
    const RANGE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
    const COST: f64 = 0.06;

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        let leak = x.splat(self.negative_slope) * x;
        L::select(x.splat(0.0).lt(x), x, leak)
    }

    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let leak = y.splat(self.negative_slope) * dy;
        L::select(y.splat(0.0).lt(y), dy, leak)
    }

    fn reference(self, x: f64) -> f64 {
        reference::leaky_relu(x, self.negative_slope)
    }

    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        reference::leaky_relu_gradient(y, dy, self.negative_slope)
    }
}
