//! The judge of error: the distance of a result from the true value, in units in the last place.
//!
//! Tests, benches and fuzz targets all use it. One ulp is the spacing of the format at the true
//! value: the distance between the two neighbours that enclose it, and the smallest subnormal where
//! the true value is subnormal or 0.

use crate::entry::Float;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_the_distance_of_neighbours() {
        for x in [1.0_f32, 1.5, 3.0e-39, 1.0e-45, f32::MIN_POSITIVE, 1e30] {
            assert_eq!(spacing::<f32>(x.into()), f64::from(x.next_up()) - f64::from(x), "at {x:e}");
        }
        for x in [1.0_f64, 1.5, 3.0e-310, 5.0e-324, f64::MIN_POSITIVE, 1e300] {
            assert_eq!(spacing::<f64>(x), x.next_up() - x, "at {x:e}");
        }
        assert_eq!(spacing::<f32>(0.0), f64::from(f32::from_bits(1)));
    }

    #[test]
    fn wrong_results_are_wrong() {
        assert_eq!(error(1.0_f32, 1.0), 0.0);
        assert_eq!(error(1.0_f32.next_up(), 1.0), 1.0);
        assert_eq!(error(f32::from_bits(1), 0.0), 1.0);
        assert_eq!(error(0.0_f32, 1e-10), f64::INFINITY.min(1e-10 / spacing::<f32>(1e-10)));
        assert_eq!(error(f32::NAN, 1.0), f64::INFINITY);
        assert_eq!(error(1.0_f32, f64::NAN), f64::INFINITY);
        assert_eq!(error(f32::NAN, f64::NAN), 0.0);
        assert_eq!(error(f32::INFINITY, 1e39), 0.0);
        assert_eq!(error(f32::MAX, 1e39), f64::INFINITY);
        assert_eq!(error(f32::INFINITY, 1e38), f64::INFINITY);
        assert_eq!(error_of(1.0_f64, 1.0, f64::EPSILON), 1.0);
    }
}
