//! Softmax alone.

use std::hint::black_box;

use activations::Softmax;

fn main() {
    let x = black_box(vec![1.0_f32; 100]);
    let mut y = vec![0.0; 100];
    Softmax::rows(10).forward(&x, &mut y);
    black_box(&y);
}
