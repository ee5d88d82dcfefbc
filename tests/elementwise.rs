//! The activations on every instruction set: special values, identities, and gradients against finite differences.
//! `operations.rs` judges their results.

use activations::{ACTIVATIONS, Exp, Isa, Relu, Sigmoid, Tanh, ulp};
use approx::{assert_abs_diff_eq, assert_relative_eq};
use operations::elementwise::GRADIENT;

#[test]
fn gradients_match_finite_differences_of_the_reference() {
    for act in ACTIVATIONS {
        for x in [-3.0, -1.1, -0.3, 0.2, 0.9, 2.5_f64] {
            let h = 1e-5;
            let slope = (act.reference(x + h) - act.reference(x - h)) / (2.0 * h);
            let mut dx = [0.0];
            act.backward(&[act.reference(x)], &[1.0], &mut dx);
            println!("{} at {x}", act.name());
            assert_relative_eq!(dx[0], slope, max_relative = 1e-8, epsilon = 1e-8);
        }
    }
}

#[test]
fn special_values() {
    for isa in Isa::available() {
        isa.with(|| {
            let mut x = [f64::NEG_INFINITY, -0.0, 0.0, f64::INFINITY, f64::NAN];
            Sigmoid.forward_in_place(&mut x);
            assert_eq!(x[..4], [0.0, 0.5, 0.5, 1.0]);
            assert!(x[4].is_nan());
            let mut x = [f32::NEG_INFINITY, -0.0, -1e-42, f32::INFINITY];
            Tanh.forward_in_place(&mut x);
            assert_eq!(x.map(f32::to_bits), [-1.0_f32, -0.0, -1e-42, 1.0].map(f32::to_bits));
            let mut x = [f32::NEG_INFINITY, -0.0, f32::INFINITY, 100.0];
            Exp.forward_in_place(&mut x);
            assert_eq!(x, [0.0, 1.0, f32::INFINITY, f32::INFINITY]);
            let mut x = [-0.0_f32, -3.0, f32::NAN];
            Relu.forward_in_place(&mut x);
            assert!(x[0].to_bits() == 0 && x[1].to_bits() == 0 && x[2].is_nan());
            let mut dy = [f32::INFINITY];
            Relu.backward_in_place(&[0.0], &mut dy);
            assert_eq!(dy, [0.0]);
        });
    }
}

#[test]
fn identities() {
    for x in [-5.0, -0.7, 0.0, 0.3, 2.0_f64] {
        let mut s = [x, 2.0 * x];
        Sigmoid.forward_in_place(&mut s);
        let mut slope = [0.0];
        Sigmoid.backward(&s[..1], &[1.0], &mut slope);
        assert_relative_eq!(slope[0], s[0] * (1.0 - s[0]), max_relative = 1e-15);
        let mut t = [x];
        Tanh.forward_in_place(&mut t);
        assert_abs_diff_eq!(t[0], 2.0 * s[1] - 1.0, epsilon = 1e-15);
    }
}

#[test]
fn f64_gradients_of_tiny_and_huge_numbers_are_within_their_bound() {
    let tiny = [0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-160, 1e-150, 1e-10, 0.3, 0.999, 1.0, f64::NAN];
    let dy = [0.0, 5e-324, -3e-312, 2.3e-308, -1e-300, 1e-160, 1e-150, 1.0, 1e5, 1e300, f64::INFINITY, f64::NAN];
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            for y in tiny {
                for dy in dy {
                    let mut dx = [dy];
                    isa.with(|| act.backward_in_place(&[y], &mut dx));
                    let exact = act.reference_gradient(y, dy);
                    assert!(
                        ulp::error(dx[0], exact) <= GRADIENT.ulp(),
                        "{isa} {} y {y:e} dy {dy:e}: {:e}",
                        act.name(),
                        dx[0]
                    );
                }
            }
        }
    }
}
