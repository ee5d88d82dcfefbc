//! The error of a result in units in the last place (ulp), as the tests, benches and fuzz targets measure it.
//!
//! One ulp is the spacing of the format at the true value: the distance between the two neighbours that enclose the
//! true value. Where that is subnormal or 0, one ulp is the smallest subnormal number.

use crate::float::Float;

/// The spacing of the numbers of `T` at `exact`.
pub fn spacing<T: Float>(exact: f64) -> f64 {
    // The bits of the exponent field alone are the largest power of two up to |exact|, or 0 where `exact` is subnormal.
    let power = f64::from_bits(exact.to_bits() & f64::INFINITY.to_bits());
    power.max(T::MIN_POSITIVE) * T::EPSILON
}

/// The error of a result in ulp, given the true value.
pub fn error<T: Float>(actual: T, exact: f64) -> f64 {
    error_of(actual, exact, 0.0)
}

/// The error of a result in ulp, given the true value as the unevaluated sum `exact + rest`.
///
/// Where either is NaN, or infinite once rounded to `T`, the error is 0 if they agree and infinity otherwise.
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
