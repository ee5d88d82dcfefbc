//! Relu alone: the same as the plain loop, by a call of the crate.

use std::hint::black_box;

use activations::Relu;

fn main() {
    let x = black_box(vec![1.0_f32; 100]);
    let mut y = vec![0.0; 100];
    Relu.forward(&x, &mut y);
    black_box(&y);
}
