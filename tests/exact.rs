//! Proves that the exact tier of the activations gives the `f32` nearest to the true value, on every instruction set.
//! The true value comes from double-double arithmetic. Then special values, gradients within half an ulp, and the same
//! bits at every length and offset, in place or not. The program `exhaustive` tries all 2^32 inputs.

mod common;

use activations::{
    ACTIVATIONS, Activation, Exact, ExactActivation, Exp, Isa, LeakyRelu, Relu, Sigmoid, Tanh, judge, ulp,
};
use common::{UNTOUCHED, same_bits};
use operations::elementwise::EXACT;
use operations::{DoubleDouble, TrueValue};

/// Each activation that has an exact tier, with that.
fn exact_tiers() -> impl Iterator<Item = (&'static dyn Activation, Exact<&'static dyn ExactActivation>)> {
    ACTIVATIONS.iter().filter_map(|act| Some((*act, act.exact()?)))
}

#[test]
fn every_result_is_the_nearest_f32() {
    let mut x: Vec<f32> = judge::inputs().into_iter().filter(|x| x.is_finite()).collect();
    // Here 1/2 + x/4 and 1 + x are ties or numbers of the format. The sigmoid is close to the first, the exponential to
    // the second.
    let ties = (1..2048).map(|i| i as f32 * 2_f32.powi(-25));
    x.extend(ties.flat_map(|x| [-x, x]));
    for (act, tier) in exact_tiers() {
        let exact = |&x: &f32| TrueValue::of(act, x.into()).nearest_f32();
        let nearest: Vec<f32> = x.iter().map(exact).collect();
        for isa in Isa::available() {
            let mut y = x.clone();
            isa.with(|| tier.forward_in_place(&mut y));
            for i in 0..x.len() {
                let (x, y, nearest) = (x[i], y[i], nearest[i]);
                assert_eq!(y.to_bits(), nearest.to_bits(), "{isa} {}({x:e}) = {y:e}, not {nearest:e}", act.name());
            }
        }
    }
}

#[test]
fn a_product_near_a_tie_is_not_rounded_twice() {
    for below in (0..1000).map(|i| 1.0 + i as f32 * f32::EPSILON) {
        // The product of slope and 3 is a tie of f32 if it is rounded to f64. The exact product is above or below.
        let (above, tie) = (below.next_up(), f64::from(below) + f64::from(f32::EPSILON) / 2.0);
        let exact = DoubleDouble::product(tie / 3.0, 3.0);
        assert_eq!(exact.hi, tie);
        if exact.lo != 0.0 {
            for isa in Isa::available() {
                let mut y = [-3.0];
                isa.with(|| LeakyRelu::new(tie / 3.0).exact().forward_in_place(&mut y));
                assert_eq!(y[0], if exact.lo < 0.0 { -below } else { -above }, "{isa}: near the tie {tie:e}");
            }
        }
    }
}

#[test]
fn special_values_have_their_limits() {
    let x = [f32::NEG_INFINITY, -0.0, 0.0, f32::INFINITY];
    let expected: [(&dyn Activation, [f32; 4]); 5] = [
        (&Relu, [0.0, 0.0, 0.0, f32::INFINITY]),
        (&LeakyRelu::new(0.25), [f32::NEG_INFINITY, -0.0, 0.0, f32::INFINITY]),
        (&Sigmoid, [0.0, 0.5, 0.5, 1.0]),
        (&Tanh, [-1.0, -0.0, 0.0, 1.0]),
        (&Exp, [0.0, 1.0, 1.0, f32::INFINITY]),
    ];
    for isa in Isa::available() {
        for (act, expected) in expected {
            let (mut y, mut nan) = (x, [f32::NAN]);
            let tier = act.exact().expect("an exact tier");
            isa.with(|| {
                tier.forward_in_place(&mut y);
                tier.forward_in_place(&mut nan);
            });
            assert_eq!(y.map(f32::to_bits), expected.map(f32::to_bits), "{isa} {}", act.name());
            assert!(nan[0].is_nan(), "{isa} {}", act.name());
        }
    }
}

#[test]
fn gradients_are_the_closed_form_rounded_once() {
    let values = judge::inputs();
    let dy: Vec<f32> = values.iter().rev().copied().collect();
    for (act, tier) in exact_tiers() {
        let (mut y, mut first) = (values.clone(), None);
        tier.forward_in_place(&mut y);
        for isa in Isa::available() {
            let mut dx = vec![0.0; y.len()];
            isa.with(|| tier.backward(&y, &dy, &mut dx));
            for i in 0..y.len() {
                let exact = act.reference_gradient(y[i].into(), dy[i].into());
                let error = ulp::error(dx[i], exact);
                assert!(error <= EXACT.ulp(), "{isa} {} at y {:e}, dy {:e}: {:e}", act.name(), y[i], dy[i], dx[i]);
            }
            assert!(same_bits(first.get_or_insert_with(|| dx.clone()), &dx), "{isa} {}", act.name());
        }
    }
}

#[test]
fn length_offset_and_overwriting_do_not_change_a_bit() {
    let x: Vec<f32> = judge::inputs().into_iter().step_by(37).take(200).collect();
    for isa in Isa::available() {
        isa.with(|| {
            for (act, tier) in exact_tiers() {
                let mut whole = x.clone();
                tier.forward_in_place(&mut whole);
                for len in 0..100 {
                    for offset in [0, 1, 7, 64] {
                        let (part, expected) = (&x[offset..offset + len], &whole[offset..offset + len]);
                        let mut y = vec![UNTOUCHED; len + 2];
                        tier.forward(part, &mut y[1..=len]);
                        let is_inside = y[0] == UNTOUCHED && y[len + 1] == UNTOUCHED;
                        assert!(is_inside, "{isa} {} of {len} elements wrote outside its output", act.name());
                        assert!(
                            same_bits(&y[1..=len], expected),
                            "{isa} {} of {len} elements from {offset}",
                            act.name()
                        );
                        let (mut dx, mut dy) = (vec![0.0; len], part.to_vec());
                        tier.backward(expected, part, &mut dx);
                        tier.backward_in_place(expected, &mut dy);
                        assert!(same_bits(&dx, &dy), "{isa} {} gradient in place", act.name());
                    }
                }
            }
        });
    }
}

#[test]
fn a_reference_has_the_exact_tier_of_its_activation() {
    for act in ACTIVATIONS {
        // The traits of a reference are another implementation.
        let by_reference: &dyn Activation = act;
        assert_eq!(by_reference.exact().is_some(), act.exact().is_some(), "{}", act.name());
    }
}

#[test]
#[should_panic(expected = "lengths differ: saved has 3 elements, dx has 4")]
fn backward_names_the_lengths() {
    Tanh.exact().backward(&[0.0; 3], &[0.0; 3], &mut [0.0; 4]);
}
