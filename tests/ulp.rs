//! Proves that `activations::ulp`, which all other tests rely on, measures errors in units of the spacing of the
//! format, and gives an infinite error where NaN or infinity is wrong or missing.

use activations::ulp::{error, error_of, spacing};

#[test]
fn spacing_is_the_distance_to_the_next_number() {
    for x in [1.0_f32, 1.5, 3.0e-39, 1.0e-45, f32::MIN_POSITIVE, 1e30] {
        assert_eq!(spacing::<f32>(x.into()), f64::from(x.next_up()) - f64::from(x), "at {x:e}");
    }
    for x in [1.0_f64, 1.5, 3.0e-310, 5.0e-324, f64::MIN_POSITIVE, 1e300] {
        assert_eq!(spacing::<f64>(x), x.next_up() - x, "at {x:e}");
    }
    assert_eq!(spacing::<f32>(0.0), f64::from(f32::from_bits(1)));
}

#[test]
fn errors_are_in_units_of_the_spacing() {
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
