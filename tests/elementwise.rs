//! Proves properties of the activations that do not rest on the references alone: special values, identities between
//! activations, and gradients that agree with finite differences. Gradients in `f64` are judged where y or dy is tiny
//! or huge. `operations.rs` judges results on all other inputs.

use activations::judge::gradient_error;
use activations::{ACTIVATIONS, Exp, Isa, Relu, Sigmoid, Tanh};
use approx::{assert_abs_diff_eq, assert_relative_eq, relative_eq};

#[test]
fn gradients_match_finite_differences_of_the_reference() {
    for act in ACTIVATIONS {
        for x in [-3.2, -1.1, -0.3, 0.2, 0.9, 2.5_f64] {
            let h = 1e-5;
            let slope = (act.reference(x + h) - act.reference(x - h)) / (2.0 * h);
            let mut dx = [0.0];
            let saved = act.saved().of(x, act.reference(x));
            act.backward(&[saved], &[1.0], &mut dx);
            let is_close = relative_eq!(dx[0], slope, max_relative = 1e-8, epsilon = 1e-8);
            assert!(is_close, "the slope of {} at {x} is {slope}, not {}", act.name(), dx[0]);
        }
    }
}

#[test]
fn special_values_have_their_limits() {
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
fn sigmoid_and_tanh_satisfy_their_identities() {
    for x in [-5.0, -0.7, 0.0, 0.3, 2.0_f64] {
        let mut sigmoids = [x, 2.0 * x];
        Sigmoid.forward_in_place(&mut sigmoids);
        let mut slope = [0.0];
        Sigmoid.backward(&sigmoids[..1], &[1.0], &mut slope);
        assert_relative_eq!(slope[0], sigmoids[0] * (1.0 - sigmoids[0]), max_relative = 1e-15);
        let mut tanh = [x];
        Tanh.forward_in_place(&mut tanh);
        assert_abs_diff_eq!(tanh[0], 2.0 * sigmoids[1] - 1.0, epsilon = 1e-15);
    }
}

#[test]
fn f64_gradients_of_tiny_and_huge_numbers_are_within_their_bound() {
    let outputs = [0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-160, 1e-150, 1e-10, 0.3, 0.999, 1.0, f64::NAN];
    let gradients = [0.0, 5e-324, -3e-312, 2.3e-308, -1e-300, 1e-160, 1e-150, 1.0, 1e5, 1e300, f64::INFINITY, f64::NAN];
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            for y in outputs {
                for dy in gradients {
                    let mut dx = [dy];
                    isa.with(|| act.backward_in_place(&[y], &mut dx));
                    let (error, exact) = (gradient_error(*act, y, dy, dx[0]), act.reference_gradient(y, dy));
                    assert!(
                        error <= act.gradient_ulp(),
                        "{isa} {} at {y:e}, dy {dy:e}: {:e}, not {exact:e}, {error} ulp",
                        act.name(),
                        dx[0]
                    );
                }
            }
        }
    }
}
