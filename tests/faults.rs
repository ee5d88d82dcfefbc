//! Faults that public bug reports found in libraries of this kind, each with the right value.

use activations::{CrossEntropy, Isa, LeakyRelu, LogSoftmax, LogSumExp, Relu, Softmax, clip_by_global_norm, ulp};
use approx::assert_relative_eq;

/// Runs `check` on every instruction set.
fn everywhere(check: impl Fn()) {
    Isa::available().for_each(|isa| isa.with(&check));
}

/// e^-40, and ln(1 + e^-40).
const SMALL: f64 = 4.248_354_255_291_589e-18;

#[test]
fn a_small_log_sum_exp_is_not_lost() {
    everywhere(|| {
        let mut y = [1.0];
        LogSumExp::rows(2).forward(&[0.0_f64, -40.0], &mut y);
        assert!(ulp::error(y[0], SMALL) <= 4.0, "{}: {:e}", Isa::current(), y[0]);
        let mut y = [1.0];
        LogSumExp::rows(2).forward(&[0.0_f32, -100.0], &mut y);
        assert!(ulp::error(y[0], (-100.0_f64).exp()) <= 4.0, "{}: {:e}", Isa::current(), y[0]);
    });
}

#[test]
fn a_loss_near_zero_is_not_lost() {
    everywhere(|| {
        let mut losses = [1.0];
        CrossEntropy::rows(2).forward(&[0.0_f64, -40.0], &[0], &mut losses);
        assert!(ulp::error(losses[0], SMALL) <= 8.0, "{}: {:e}", Isa::current(), losses[0]);
        let mut log = [1.0; 2];
        LogSoftmax::rows(2).forward(&[0.0_f64, -40.0], &mut log);
        assert!(ulp::error(log[0], -SMALL) <= 8.0, "{}: {:e}", Isa::current(), log[0]);
    });
}

#[test]
fn the_gradient_of_a_sure_class_is_the_sum_of_the_others() {
    everywhere(|| {
        let (mut losses, mut dx) = ([0.0], [0.0; 2]);
        CrossEntropy::rows(2).forward_backward(&[17.0_f32, 0.0], &[0], 1.0, &mut losses, &mut dx);
        assert!(ulp::error(dx[0], -4.139_937_546_147e-8) <= 4.0, "{}: {:e}", Isa::current(), dx[0]);
        assert_eq!(dx[0], -dx[1], "{}", Isa::current());
    });
}

#[test]
fn the_backward_of_a_sure_log_probability_is_the_sum_of_the_others() {
    everywhere(|| {
        let (mut y, mut dx) = ([0.0; 3], [0.0; 3]);
        LogSoftmax::rows(3).forward(&[30.0_f64, 0.0, 1.0], &mut y);
        LogSoftmax::rows(3).backward(&y, &[-1.0, 0.0, 0.0], &mut dx);
        let others = (-30.0_f64).exp() + (-29.0_f64).exp();
        assert_relative_eq!(dx[0], -others / (1.0 + others), epsilon = 0.0, max_relative = 1e-14);
        assert_relative_eq!(dx[0], -(dx[1] + dx[2]), epsilon = 0.0, max_relative = 1e-14);
    });
}

#[test]
fn logits_of_minus_infinity_add_nothing() {
    everywhere(|| {
        let mut x = [f32::NEG_INFINITY; 1001];
        x[500] = 3.0;
        let (mut losses, mut dx, mut sum) = ([1.0], [1.0; 1001], [1.0]);
        CrossEntropy::rows(1001).forward_backward(&x, &[500], 1.0, &mut losses, &mut dx);
        LogSumExp::rows(1001).forward(&x, &mut sum);
        assert!(losses[0] == 0.0 && sum[0] == 3.0 && dx.iter().all(|dx| *dx == 0.0), "{}", Isa::current());
    });
}

#[test]
fn a_target_of_minus_infinity_has_an_infinite_loss_and_its_gradient() {
    everywhere(|| {
        let (mut losses, mut dx) = ([0.0], [0.0; 2]);
        CrossEntropy::rows(2).forward_backward(&[f32::NEG_INFINITY, 0.0], &[0], 1.0, &mut losses, &mut dx);
        assert!(losses[0] == f32::INFINITY && dx == [-1.0, 1.0], "{}: {losses:?} {dx:?}", Isa::current());
    });
}

#[test]
fn an_empty_tensor_may_have_an_axis_of_no_elements() {
    Softmax::rows(0).forward::<f32>(&[], &mut []);
}

#[test]
fn a_slope_of_zero_is_a_relu() {
    let x = [f32::NEG_INFINITY, -1.0, -0.0, 0.0, 2.0, f32::INFINITY];
    everywhere(|| {
        let (mut y, mut relu) = (x, x);
        LeakyRelu::new(0.0).forward_in_place(&mut y);
        Relu.forward_in_place(&mut relu);
        assert_eq!(y.map(f32::to_bits), relu.map(f32::to_bits), "{}", Isa::current());
        let (mut dx, mut of_relu) = ([f32::INFINITY; 6], [f32::INFINITY; 6]);
        LeakyRelu::new(0.0).backward_in_place(&y, &mut dx);
        Relu.backward_in_place(&y, &mut of_relu);
        assert_eq!(dx, of_relu, "{}", Isa::current());
    });
}

#[test]
fn finite_gradients_whose_norm_overflows_are_clipped() {
    everywhere(|| {
        let mut gradients = [f64::MAX; 2];
        let norm = clip_by_global_norm(&mut [&mut gradients], 1.0);
        assert_eq!(norm, f64::INFINITY);
        assert_relative_eq!(gradients[0], std::f64::consts::FRAC_1_SQRT_2, max_relative = 1e-15);
    });
}
