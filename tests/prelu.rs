//! Proves for PReLU that the slope of each element is that of its channel, whatever the layout, and that sums of slopes do
//! not depend on threads. `operations.rs` judges each result.

mod common;

use activations::*;
use common::{assert_same_bits, on_every_isa, pool, random};
use operations::Element;

/// The tensor `[outer, channels, inner]` with the channels last: `[outer, inner, channels]`.
fn channels_last<T: Element>(x: &[T], channels: usize, inner: usize) -> Vec<T> {
    let at = |image: &[T], k: usize| image[k % channels * inner + k / channels];
    x.chunks(channels * inner).flat_map(|image| (0..image.len()).map(|k| at(image, k)).collect::<Vec<T>>()).collect()
}

fn every_layout<T: Element>() {
    // Around the length of a block, of a lane value, and of the segments that are summed on their own.
    for [outer, channels, inner] in [
        [1, 1, 5000],
        [3, 1, 7],
        [2, 3, 1],
        [130, 5, 1],
        [65, 17, 1],
        [3, 1500, 1],
        [70, 3, 5],
        [2, 7, 64],
        [3, 4, 1025],
    ] {
        let len = outer * channels * inner;
        let (x, dy): (Vec<T>, Vec<T>) = (random(len, 5.0, 1), random(len, 2.0, 2));
        let slopes: Vec<T> = random(channels, 1.0, 3);
        let act = PRelu::axis(channels, inner);
        let (mut y, mut dx, mut dslopes) = (x.clone(), x.clone(), slopes.clone());
        act.forward(&x, &slopes, &mut y);
        act.backward(&x, &slopes, &dy, &mut dx, &mut dslopes);
        for i in 0..len {
            let slope = slopes[i / inner % channels];
            let [expected_y, expected_dx] = [x[i], dy[i]].map(|factor| {
                let product = slope.into() * factor.into();
                if x[i].into() > 0.0 { factor } else { T::rounded(product) }
            });
            assert!(y[i].bits() == expected_y.bits(), "y at {i} of [{outer}, {channels}, {inner}]");
            assert!(dx[i].bits() == expected_dx.bits(), "dx at {i} of [{outer}, {channels}, {inner}]");
        }

        // The same channels in another layout.
        let last = PRelu::axis(channels, 1);
        let (x_last, dy_last) = (channels_last(&x, channels, inner), channels_last(&dy, channels, inner));
        let (mut dx_last, mut dslopes_last) = (x.clone(), slopes.clone());
        last.backward(&x_last, &slopes, &dy_last, &mut dx_last, &mut dslopes_last);
        assert_same_bits(&dx_last, &channels_last(&dx, channels, inner), "dx, channels last");
        for (a, b) in dslopes.iter().zip(&dslopes_last) {
            let (a, b): (f64, f64) = ((*a).into(), (*b).into());
            assert!((a - b).abs() <= 1e3 * T::EPSILON * (1.0 + a.abs()), "dslope {a}, {b} with channels last");
        }
    }
}

#[test]
fn every_layout_f32() {
    on_every_isa(every_layout::<f32>);
}

#[test]
fn every_layout_f64() {
    on_every_isa(every_layout::<f64>);
}

#[test]
fn without_elements_the_gradient_of_a_slope_is_0() {
    for act in [PRelu::axis(3, 0), PRelu::axis(3, 2)] {
        let mut dslopes = [1.0_f32; 3];
        act.backward(&[], &[0.5; 3], &[], &mut [], &mut dslopes);
        assert_eq!(dslopes, [0.0; 3]);
    }
    PRelu::axis(0, 2).backward::<f32>(&[], &[], &[], &mut [], &mut []);
}

#[test]
#[cfg(all(feature = "rayon", not(target_family = "wasm")))]
fn threads_do_not_matter() {
    for [channels, inner, outer] in [[1, 1, 3_000_000], [64, 1, 40_000], [16, 5000, 30], [3, 40, 30_000]] {
        let len = channels * inner * outer;
        let (x, dy): (Vec<f32>, Vec<f32>) = (random(len, 5.0, 1), random(len, 2.0, 2));
        let slopes: Vec<f32> = random(channels, 1.0, 3);
        let act = PRelu::axis(channels, inner);
        let (mut dx, mut dslopes) = (dy.clone(), slopes.clone());
        act.backward_in_place(&x, &slopes, &mut dx, &mut dslopes);
        for threads in [2, 3, 7] {
            let (mut par_dx, mut par_dslopes) = (dy.clone(), slopes.clone());
            pool(threads).install(|| act.par_backward_in_place(&x, &slopes, &mut par_dx, &mut par_dslopes));
            assert_same_bits(&par_dx, &dx, "dx");
            assert_same_bits(&par_dslopes, &dslopes, "dslopes");
        }
    }
}
