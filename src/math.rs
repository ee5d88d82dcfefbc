//! Functions of one lane value.

mod exp;
mod ln;
mod tanh;

pub use exp::{Exponential, exp, exp_scaled, max_ordinary};
pub use ln::ln;
pub use tanh::HyperbolicTangent;

use crate::lanes::{Lanes, Mask};
use crate::real::Real;

/// The functions whose algorithm differs between the element types.
pub trait Elementary: Exponential + HyperbolicTangent {}

impl<T: Exponential + HyperbolicTangent> Elementary for T {}

/// Where `x` is 0 or large enough that a product of two such numbers, or three with one near 1, is normal.
#[inline(always)]
pub fn is_moderate<L: Lanes>(x: L) -> L::Mask {
    let magnitude = x.abs();
    let least = if <L::Float as Real>::MIN_POSITIVE > 1e-100 { 2_f64.powi(-60) } else { 2_f64.powi(-500) };
    x.splat(least).le(magnitude) | magnitude.le(x.splat(0.0))
}

/// A product without the price of a subnormal one.
#[inline(always)]
pub fn product<L: Lanes>(a: L, b: L) -> L {
    if (is_moderate(a) & is_moderate(b)).all() { a * b } else { a.gradual_mul(b) }
}
