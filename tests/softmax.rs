//! Softmax and its kin on every instruction set: special rows. `operations.rs` judges their results.

mod common;

use activations::{Isa, LogSoftmax, LogSumExp, Softmax, reference};
use approx::assert_relative_eq;
use common::{random, same_bits, wide};

#[test]
fn special_rows_of_the_exact_tier() {
    for columns in [1, 2, 10, 16, 17, 64, 129, 1000, 5000] {
        for bad in [f32::INFINITY, f32::NAN] {
            let mut x = vec![0.5; columns];
            x[columns - 1] = bad;
            Softmax::rows(columns).exact().forward_in_place(&mut x);
            assert!(x.iter().all(|x| x.is_nan()), "{columns}: {bad}");
        }
        let mut x = vec![f32::NEG_INFINITY; columns];
        x[0] = -3.0;
        Softmax::rows(columns).exact().forward_in_place(&mut x);
        assert!(x[0] == 1.0 && x[1..].iter().all(|x| *x == 0.0), "{columns}: -inf has probability 0");
    }
}

#[test]
fn special_rows() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for isa in Isa::available() {
        isa.with(|| {
            for columns in [2, 20, 300] {
                for bad in [inf, nan] {
                    let mut x = vec![0.5; columns];
                    x[columns - 1] = bad;
                    Softmax::rows(columns).forward_in_place(&mut x);
                    assert!(x.iter().all(|x| x.is_nan()), "{isa} {bad}");
                }
                let mut x = vec![-inf; columns];
                LogSoftmax::rows(columns).forward_in_place(&mut x);
                assert!(x.iter().all(|x| x.is_nan()), "{isa}: no probabilities");
                let mut x = vec![-inf; columns];
                x[1] = f32::MAX;
                let mut log = x.clone();
                Softmax::rows(columns).forward_in_place(&mut x);
                LogSoftmax::rows(columns).forward_in_place(&mut log);
                assert!(x[1] == 1.0 && x[0] == 0.0 && log[1] == 0.0 && log[0] == -inf, "{isa}");
            }
            for scale in [1.0, 1e-40, 1e6, f32::MAX] {
                let mut x = random(20_000, scale, 5);
                let mut log = x.clone();
                Softmax::rows(1).forward_in_place(&mut x);
                LogSoftmax::rows(1).forward_in_place(&mut log);
                assert!(x.iter().all(|&x| x == 1.0) && log.iter().all(|&x| x == 0.0), "{isa}: rows of one");
            }
        });
    }
}

#[test]
fn shifting_a_row_changes_little() {
    let x = random(100, 5.0, 11);
    let shifted: Vec<f32> = x.iter().map(|x| x + 64.0).collect();
    let back: Vec<f32> = shifted.iter().map(|x| x - 64.0).collect();
    let (mut a, mut b) = (vec![0.0; 100], vec![0.0; 100]);
    Softmax::rows(100).forward(&shifted, &mut a);
    Softmax::rows(100).forward(&back, &mut b);
    assert_relative_eq!(a[..], b[..], epsilon = 0.0, max_relative = 8.0 * f32::EPSILON);
}

#[test]
fn special_rows_of_log_sum_exp() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for isa in Isa::available() {
        for columns in [2, 40] {
            for (special, expected) in [([inf, 0.0], inf), ([-inf, -inf], -inf), ([nan, inf], nan), ([-inf, nan], nan)]
            {
                let mut x = vec![special[1]; 3 * columns];
                x[columns + 1] = special[0];
                let mut y = [0.0; 3];
                isa.with(|| LogSumExp::rows(columns).forward(&x, &mut y));
                assert!(same_bits(&y[1..2], &[expected]), "{isa} {special:?}: {}", y[1]);
                let of_reference = reference::log_sum_exp(&wide(&x[columns..2 * columns])) as f32;
                assert!(same_bits(&[of_reference], &[expected]), "the reference of {special:?}: {of_reference}");
            }
        }
    }
}
