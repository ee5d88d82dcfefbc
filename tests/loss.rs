//! Proves that a row of logits that is not finite has a loss and a gradient of NaN, and does not change the rows beside
//! it, on every instruction set. `operations.rs` judges cross-entropy on other inputs.

use activations::{CrossEntropy, Isa};

#[test]
fn a_row_that_is_not_finite_does_not_change_others() {
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
