//! The activations on every instruction set: accuracy, special values, shapes and bits.

mod common;

use activations::{ACTIVATIONS, Activation, Exp, Float, Isa, Relu, Sigmoid, Tanh, ulp};
use common::{inputs, same_bits};

fn forward<T: Float>(act: &dyn Activation, isa: Isa, x: &[T]) -> Vec<T> {
    let mut y = vec![T::default(); x.len()];
    isa.with(|| act.forward(x, &mut y));
    y
}

#[test]
fn every_instruction_set_is_within_its_bound() {
    let x = inputs();
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            let y = forward(*act, isa, &x);
            let mut worst = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let error = ulp::error(y, act.reference(x.into()));
                if error > worst.0 {
                    worst = (error, x);
                }
                let [least, most] = act.range();
                assert!(x.is_nan() || (least..=most).contains(&f64::from(y)), "{isa} {}({x:e}) = {y:e}", act.name());
            }
            println!("{isa} {}: at most {:.3} ulp, at {:e}", act.name(), worst.0, worst.1);
            let bound = act.max_ulp(32, isa.is_fused());
            assert!(worst.0 <= bound, "{isa} {}({:e}): {} ulp, bound {bound}", act.name(), worst.1, worst.0);
        }
    }
}

#[test]
fn gradients_are_within_four_ulp_of_the_closed_form() {
    let values = inputs();
    let dy: Vec<f32> = values.iter().rev().copied().collect();
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            let y = forward(*act, isa, &values);
            let mut dx = vec![0.0; y.len()];
            isa.with(|| act.backward(&y, &dy, &mut dx));
            for i in 0..y.len() {
                let exact = act.reference_gradient(y[i].into(), dy[i].into());
                let error = ulp::error(dx[i], exact);
                // A product that overflows on its way to one that does not is the formula's own limit.
                assert!(
                    error <= 4.0,
                    "{isa} {} y = {:e}, dy = {:e}: {:e}, not {exact:e}",
                    act.name(),
                    y[i],
                    dy[i],
                    dx[i]
                );
            }
        }
    }
}

#[test]
fn gradients_match_finite_differences_of_the_reference() {
    for act in ACTIVATIONS {
        for x in [-3.0, -1.1, -0.3, 0.2, 0.9, 2.5_f64] {
            let h = 1e-5;
            let slope = (act.reference(x + h) - act.reference(x - h)) / (2.0 * h);
            let mut dx = [0.0];
            act.backward(&[act.reference(x)], &[1.0], &mut dx);
            assert!(
                (dx[0] - slope).abs() < 1e-8 * slope.abs().max(1.0),
                "{} at {x}: {} and {slope}",
                act.name(),
                dx[0]
            );
        }
    }
}

#[test]
fn fused_instruction_sets_give_the_same_bits() {
    println!("available: {}", Isa::available().map(|isa| isa.to_string()).collect::<Vec<_>>().join(" "));
    let x = inputs();
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x) * 1.000_000_1).collect();
    for act in ACTIVATIONS {
        let (expected, expected_wide) = (forward(*act, Isa::Scalar, &x), forward(*act, Isa::Scalar, &wide));
        for isa in Isa::available().filter(|isa| isa.is_fused()) {
            let (y, y_wide) = (forward(*act, isa, &x), forward(*act, isa, &wide));
            assert!(same_bits(&y, &expected), "{isa} {}", act.name());
            for i in 0..x.len() {
                let same = y_wide[i].to_bits() == expected_wide[i].to_bits() || y_wide[i].is_nan() && wide[i].is_nan();
                assert!(same, "{isa} {}({:e}) in f64", act.name(), wide[i]);
            }
        }
    }
}

#[test]
fn length_offset_and_aliasing_do_not_change_a_bit() {
    let x: Vec<f32> = inputs().into_iter().step_by(37).take(400).collect();
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            let whole = forward(*act, isa, &x);
            for len in 0..140 {
                for offset in [0, 1, 3, 7, 64] {
                    let part = &x[offset..offset + len];
                    let mut y = vec![7.0; len + 2];
                    isa.with(|| act.forward(part, &mut y[1..=len]));
                    assert!(y[0] == 7.0 && y[len + 1] == 7.0, "{isa} {} wrote outside at {len}", act.name());
                    let mut in_place = part.to_vec();
                    isa.with(|| act.forward_in_place(&mut in_place));
                    let expected = &whole[offset..offset + len];
                    assert!(same_bits(&y[1..=len], expected), "{isa} {} of {len} at {offset}", act.name());
                    assert!(same_bits(&in_place, expected), "{isa} {} of {len} at {offset} in place", act.name());
                    let mut dx = vec![0.0; len];
                    isa.with(|| act.backward(&whole[..len], part, &mut dx));
                    let mut dy = part.to_vec();
                    isa.with(|| act.backward_in_place(&whole[..len], &mut dy));
                    assert!(same_bits(&dx, &dy), "{isa} {} gradient in place", act.name());
                }
            }
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
        assert!((slope[0] - s[0] * (1.0 - s[0])).abs() < 1e-15, "the derivative of the sigmoid is s (1 - s)");
        let mut t = [x];
        Tanh.forward_in_place(&mut t);
        assert!((t[0] - (2.0 * s[1] - 1.0)).abs() < 1e-15, "tanh x is 2 sigmoid 2x - 1");
    }
}

#[test]
fn f64_gradients_are_within_four_ulp_of_the_closed_form() {
    let tiny = [0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-160, 1e-150, 1e-10, 0.3, 0.999, 1.0, f64::NAN];
    let dy = [0.0, 5e-324, -3e-312, 2.3e-308, -1e-300, 1e-160, 1e-150, 1.0, 1e5, 1e300, f64::INFINITY, f64::NAN];
    for isa in Isa::available() {
        for act in ACTIVATIONS {
            for y in tiny {
                for dy in dy {
                    let mut dx = [dy];
                    isa.with(|| act.backward_in_place(&[y], &mut dx));
                    let exact = act.reference_gradient(y, dy);
                    assert!(ulp::error(dx[0], exact) <= 4.0, "{isa} {} y {y:e} dy {dy:e}: {:e}", act.name(), dx[0]);
                }
            }
        }
    }
}
