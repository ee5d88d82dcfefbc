//! An activation that the crate does not have, as a user declares it: TanhExp, without `unsafe`.
//!
//! `cargo test -p custom` judges it as the crate's own activations are judged.
#![forbid(unsafe_code)]

use activations::Saved;
use activations::custom::{Definition, Lanes};

/// TanhExp, `x tanh(e^x)`: a smooth activation like Mish, with fewer operations.
#[derive(Clone, Copy, Debug, Default)]
pub struct TanhExp;

/// Above this x, tanh(e^x) is 1 in `f64` too.
const MOST: f64 = 4.0;

impl Definition for TanhExp {
    const NAME: &'static str = "tanh_exp";
    const MAX_ULP: [f64; 2] = [5.0, 5.5];
    const MAX_ULP_F64: [f64; 2] = [5.0, 5.5];
    const GRADIENT_ULP: f64 = 10.0;
    const SAVED: Saved = Saved::Input;

    fn range(self) -> [f64; 2] {
        [-0.353_3, f64::INFINITY]
    }
    fn reference(self, x: f64) -> f64 {
        let h = (x.max(-1000.0) / 2.0).exp();
        let y = if x < -20.0 { x.max(-1000.0) * h * h } else { x * (h * h).tanh() };
        if x.is_nan() { x } else { y }
    }
    fn reference_gradient(self, x: f64, dy: f64) -> f64 {
        let e = x.min(MOST).exp();
        let slope = e.tanh() + x * e / e.cosh().powi(2);
        let tail = (1.0 + x.max(-1000.0)) * (x.max(-1000.0) / 2.0).exp() * dy * (x / 2.0).exp();
        if x < -20.0 {
            tail
        } else if x > MOST {
            dy
        } else {
            slope * dy
        }
    }

    /// e^x is h^2 with h = e^(x / 2). In the negative tail tanh(e^x) = e^x, which may be subnormal and then has few digits.
    /// So there x is multiplied by h twice, and only the last product is small.
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        // x limited from below keeps -inf out of a product with 0. NaN stays NaN.
        let a = x.splat(-1000.0).max(x);
        let h = (a * x.splat(0.5)).exp();
        L::select(x.lt(x.splat(-20.0)), a * h * h, x * (h * h).tanh())
    }

    /// tanh(e) + x e (1 - tanh(e)^2), with e = e^x. The difference is 4 sigmoid(2 e) sigmoid(-2 e), which does not cancel.
    #[inline(always)]
    fn gradient<L: Lanes>(self, x: L, dy: L) -> L {
        let one = x.splat(1.0);
        let a = x.splat(-1000.0).max(x.splat(MOST).min(x));
        let h = (a * x.splat(0.5)).exp();
        let e = h * h;
        let change = (e + e).sigmoid() * (x.splat(-2.0) * e).sigmoid() * x.splat(4.0);
        let slope = (a * e).mul_add(change, e.tanh());
        L::select(x.lt(x.splat(-20.0)), (one + a) * h * dy * h, slope * dy)
    }
}

activations::activation!(TanhExp);
