//! The activation is judged by the judge of the crate's own activations, and takes part in what is built on them.

use activations::{Activation, ActivationExt, Gated, judge};
use custom::TanhExp;

#[test]
fn values_and_gradients_are_within_their_bounds() {
    judge::assert_right(&TanhExp);
}

#[test]
fn it_is_an_activation_like_the_others() {
    let act: &dyn Activation = &TanhExp;
    let (x, mut y) = ([0.5_f32, -1.0], [0.0; 2]);
    act.forward_added(&x, &[0.25, 0.25], &mut y);
    let mut expected = [0.75_f32, -0.75];
    TanhExp.forward_in_place(&mut expected);
    assert_eq!(y, expected);

    let mut gated = [0.0; 2];
    Gated(TanhExp).forward(&[0.75, -0.75], &[2.0, 2.0], &mut gated);
    assert_eq!(gated, expected.map(|y| 2.0 * y));
}
