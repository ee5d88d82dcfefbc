//! Cross-entropy on every instruction set, against its definition in `f64`.

use activations::{CrossEntropy, Isa, reference};

#[test]
fn losses_and_gradients_match_the_definition() {
    for isa in Isa::available() {
        for classes in [1, 2, 10, 17, 128, 1000] {
            let rows = 21;
            let logits: Vec<f32> = (0..rows * classes).map(|i| ((i * i + 7 * i) % 1009) as f32 * 0.02 - 10.0).collect();
            let targets: Vec<u32> = (0..rows).map(|r| (r * 5 % classes) as u32).collect();
            let loss = CrossEntropy::rows(classes);
            let (mut alone, mut losses, mut gradient) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; logits.len()]);
            let mut in_place = logits.clone();
            isa.with(|| {
                loss.forward(&logits, &targets, &mut alone);
                loss.forward_backward(&logits, &targets, 0.25, &mut losses, &mut gradient);
                loss.forward_backward_in_place(&mut in_place, &targets, 0.25, &mut alone);
            });
            assert!(alone == losses && in_place == gradient, "{isa} {classes}");
            for r in 0..rows {
                let row: Vec<f64> = logits[r * classes..][..classes].iter().map(|&x| x.into()).collect();
                let target = targets[r] as usize;
                let exact = reference::cross_entropy(&row, target);
                assert!(losses[r] >= 0.0, "{isa} {classes}");
                let error = (f64::from(losses[r]) - exact).abs() / exact.max(1.0);
                assert!(error <= 4.0 * f64::from(f32::EPSILON), "{isa} {classes}: {} and {exact}", losses[r]);
                for (i, exact) in reference::cross_entropy_gradient(&row, target).into_iter().enumerate() {
                    let exact = 0.25 * exact;
                    let error = (f64::from(gradient[r * classes + i]) - exact).abs();
                    assert!(error <= 1e-6 * 0.25, "{isa} {classes}: {} and {exact}", gradient[r * classes + i]);
                }
            }
        }
    }
}

#[test]
fn a_bad_row_leaves_the_others_alone() {
    for isa in Isa::available() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut x = [0.0, 1.0, bad, bad, 0.0, 1.0];
            let mut losses = [0.0; 3];
            isa.with(|| CrossEntropy::rows(2).forward_backward_in_place(&mut x, &[0, 1, 0], 1.0, &mut losses));
            assert!(losses[1].is_nan() && x[2].is_nan() && x[3].is_nan(), "{isa} {bad}");
            assert!(losses[0] == losses[2] && x[0] == x[4] && losses[0].is_finite() && x[0].is_finite(), "{isa} {bad}");
        }
    }
}
