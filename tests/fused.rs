//! Proves that a bias of any length repeats over x, whatever the lengths of blocks, and that threads begin with the right
//! number of it. `operations.rs` tests additions of equal lengths and gates.

mod common;

use activations::*;
use common::{assert_same_bits, random};
use operations::Element;

/// The activation of x plus the repeated bias, by other methods.
fn expected<T: Element>(act: &dyn Activation, x: &[T], bias: &[T]) -> Vec<T> {
    let mut sums: Vec<T> = x.iter().zip(bias.iter().cycle()).map(|(x, bias)| *x + *bias).collect();
    act.forward_in_place(&mut sums);
    sums
}

fn a_bias_repeats<T: Element>() {
    // Around the length below which a bias is copied, and around that of a block.
    let lengths = (1..40).chain([63, 64, 65, 127, 255, 256, 257, 511, 512, 513, 1023, 1024, 2047, 2048, 2049, 5000]);
    for len in lengths {
        for rows in [1, 2, 3, 11] {
            let (x, bias): (Vec<T>, Vec<T>) = (random(len * rows, 9.0, 1), random(len, 3.0, 2));
            for act in [&Relu as &dyn Activation, &Silu, &Tanh] {
                let expected = expected(act, &x, &bias);
                let (mut y, mut in_place) = (x.clone(), x.clone());
                act.forward_biased(&x, &bias, &mut y);
                assert_same_bits(&y, &expected, &format!("{} of {rows} rows of {len}", act.name()));
                act.forward_biased_in_place(&mut in_place, &bias);
                assert_same_bits(&in_place, &expected, &format!("{} of {rows} rows of {len}, in place", act.name()));
            }
        }
    }
}

#[test]
fn a_bias_repeats_f32() {
    for isa in Isa::available() {
        isa.with(a_bias_repeats::<f32>);
    }
}

#[test]
fn a_bias_repeats_f64() {
    a_bias_repeats::<f64>();
}

#[test]
fn nothing_is_done_with_nothing() {
    Relu.forward_biased::<f32>(&[], &[], &mut []);
    Relu.forward_biased::<f32>(&[], &[1.0, 2.0], &mut []);
    Relu.forward_added::<f64>(&[], &[], &mut []);
    Gated(Relu).forward::<f32>(&[], &[], &mut []);
    Gated(Relu).rows(0).forward::<f32>(&[], &mut []);
    Gated(Relu).rows(7).backward::<f32>(&[], &[], &mut []);
}

#[cfg(feature = "rayon")]
#[test]
fn threads_begin_with_the_right_number_of_a_bias() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool");
    for len in [1, 7, 255, 300, 1000, 65_537] {
        let rows = 700_000_usize.div_ceil(len);
        let (x, bias): (Vec<f32>, Vec<f32>) = (random(len * rows, 9.0, 1), random(len, 3.0, 2));
        let expected = expected(&Silu, &x, &bias);
        let (mut y, mut in_place) = (x.clone(), x.clone());
        pool.install(|| {
            Silu.par_forward_biased(&x, &bias, &mut y);
            Silu.par_forward_biased_in_place(&mut in_place, &bias);
        });
        assert_same_bits(&y, &expected, &format!("rows of {len}"));
        assert_same_bits(&in_place, &expected, &format!("rows of {len}, in place"));
    }
}
