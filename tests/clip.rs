//! Proves that gradient clipping is right at the ends of the formats, on every instruction set: norms and limits whose
//! squares overflow or are subnormal, and inputs that are not finite. `operations.rs` judges its results on other
//! inputs.

use activations::{Isa, clip_by_global_norm, clip_by_value, reference};
use approx::{assert_abs_diff_eq, assert_relative_eq};

#[test]
fn clipping_by_value_agrees_with_the_reference() {
    for isa in Isa::available() {
        let mut x: Vec<f32> = (0..100).map(|i| i as f32 - 50.0).chain([f32::NAN, f32::NEG_INFINITY, 1e-40]).collect();
        let before = x.clone();
        isa.with(|| clip_by_value(&mut x, 3.5));
        for (after, before) in x.iter().zip(&before) {
            assert!(
                before.is_nan() && after.is_nan()
                    || f64::from(*after) == reference::clip_by_value((*before).into(), 3.5),
                "{isa}: {before} was clipped to {after}"
            );
        }
    }
}

#[test]
fn norms_of_any_size_are_accurate() {
    for isa in Isa::available() {
        for size in [1.0_f32, 1e-30, 1e30, 1e-44, 3e38] {
            let (mut a, mut b) = (vec![size; 37], vec![-size; 63]);
            let norm = isa.with(|| clip_by_global_norm(&mut [&mut a, &mut b], f64::INFINITY));
            let exact = 10.0 * f64::from(size);
            assert_relative_eq!(norm, exact, epsilon = 0.0, max_relative = 1e-14);
            assert!(a[0] == size && b[62] == -size, "{isa}: an infinite limit must change nothing");
            isa.with(|| clip_by_global_norm(&mut [&mut a, &mut b], 0.5 * exact));
            let half = (f64::from(size) * 0.5) as f32;
            assert!(a.iter().all(|a| *a == half) && b.iter().all(|b| *b == -half), "{isa} {size:e}");
        }
        for size in [1.0_f64, 1e-200, 1e200, 1e300, 1e-310] {
            let mut a = vec![size; 100];
            let norm = isa.with(|| clip_by_global_norm(&mut [&mut a], 2.5 * size));
            assert_relative_eq!(norm, 10.0 * size, epsilon = 0.0, max_relative = 1e-13);
            assert_relative_eq!(a[0], 0.25 * size, epsilon = 0.0, max_relative = 1e-12);
        }
    }
}

#[test]
fn limits_of_any_size_are_reached() {
    for isa in Isa::available() {
        for (norm, limit) in [(4e237, 1.5e-306), (1e308, 1e17), (1e308, 1e-310), (1e-300, 1e-320), (2e300, 0.25)] {
            let mut x = [norm, -norm * 1e-3, 0.0];
            isa.with(|| clip_by_global_norm(&mut [&mut x], limit));
            let exact = [limit, -limit * 1e-3, 0.0];
            assert_abs_diff_eq!(x[..], exact[..], epsilon = 1e-6 * limit + 1e-323);
        }
    }
}

#[test]
fn a_norm_that_overflows_is_clipped() {
    for isa in Isa::available() {
        for (limit, exact) in [
            (1.0, std::f64::consts::FRAC_1_SQRT_2),
            (1e300, 7.071_067_811_865_475e299),
            (1e-200, 7.071_067_811_865_475e-201),
        ] {
            let mut x = [f64::MAX, -f64::MAX];
            let norm = isa.with(|| clip_by_global_norm(&mut [&mut x], limit));
            assert_eq!(norm, f64::INFINITY, "{isa}");
            assert_relative_eq!(x[..], [exact, -exact][..], epsilon = 0.0, max_relative = 1e-15);
        }
    }
}

#[test]
fn a_limit_below_every_f32_leaves_zeros() {
    for isa in Isa::available() {
        let mut x = [1e38_f32; 37];
        isa.with(|| clip_by_global_norm(&mut [&mut x], 1e-300));
        assert_eq!(x, [0.0; 37], "{isa}");
    }
}

#[test]
fn the_norm_has_the_same_bits_on_fused_instruction_sets() {
    let values: Vec<f32> = (0..10_001).map(|i| (i as f32).sin()).collect();
    let norms: Vec<u64> = Isa::available()
        .map(|isa| isa.with(|| clip_by_global_norm(&mut [&mut values.clone()], f64::INFINITY)).to_bits())
        .collect();
    assert!(norms.iter().all(|norm| *norm == norms[0]), "{norms:x?}");
    let exact = reference::global_norm(&values.iter().map(|&x| x.into()).collect::<Vec<f64>>());
    assert_relative_eq!(f64::from_bits(norms[0]), exact, epsilon = 0.0, max_relative = 1e-13);
}

#[test]
fn gradients_with_a_norm_that_is_not_finite_stay() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x = [1.0, bad, 3.0];
        let norm = clip_by_global_norm(&mut [&mut x], 1.0);
        assert!(!norm.is_finite() && x[0] == 1.0 && x[2] == 3.0);
    }
    assert_eq!(clip_by_global_norm::<f64>(&mut [], 1.0), 0.0);
    let mut zeroed = [3.0_f32, 4.0];
    assert_eq!((clip_by_global_norm(&mut [&mut zeroed], 0.0), zeroed), (5.0, [0.0, 0.0]));
}
