//! A plain loop, without the crate.

use std::hint::black_box;

fn main() {
    let x = black_box(vec![1.0_f32; 100]);
    let mut y = vec![0.0; 100];
    for (y, x) in y.iter_mut().zip(&x) {
        *y = x.max(0.0);
    }
    black_box(&y);
}
