//! The judge of error: the distance of a result from the true value, in units in the last place.
//!
//! Tests, benches and fuzz targets all use it. One ulp is the spacing of the format at the true
//! value: the distance between the two neighbours that enclose it, and the smallest subnormal where
//! the true value is subnormal or 0.

use crate::float::Float;

/// The spacing of `T` at `exact`.
pub fn spacing<T: Float>(exact: f64) -> f64 {
    let epsilon = if size_of::<T>() == 4 { f32::EPSILON.into() } else { f64::EPSILON };
    // The exponent's bits alone are the largest power of two up to |exact|, or 0 if that is subnormal.
    let power = f64::from_bits(exact.to_bits() & f64::INFINITY.to_bits());
    power.max(T::MIN_POSITIVE) * epsilon
}

/// The error of a result in ulp, given the true value.
pub fn error<T: Float>(actual: T, exact: f64) -> f64 {
    error_of(actual, exact, 0.0)
}

/// The error of a result in ulp, given the true value as an unevaluated sum.
///
/// NaN is right for NaN and infinitely wrong otherwise; so is an infinity where the true value rounds to
/// a finite number, and the reverse.
pub fn error_of<T: Float>(actual: T, exact: f64, rest: f64) -> f64 {
    let value = actual.to_f64();
    if value.is_nan() || exact.is_nan() {
        return if value.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let rounded = T::from_f64(exact).to_f64();
    if value.is_infinite() || rounded.is_infinite() {
        return if value == rounded { 0.0 } else { f64::INFINITY };
    }
    ((value - exact) - rest).abs() / spacing::<T>(exact)
}
