//! Proves what softmax, log-softmax and log-sum-exp give for rows with infinities, NaN, one element or huge logits, on
//! every instruction set, and that adding a constant to a row barely changes its softmax. `operations.rs` judges them
//! on other inputs.

mod common;

use activations::{Isa, LogSoftmax, LogSumExp, Softmax, reference};
use approx::assert_relative_eq;
use common::{as_f64, random, same_bits};

#[test]
fn special_rows_of_the_exact_softmax() {
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
fn special_rows_of_softmax_and_log_softmax() {
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
                assert!(x.iter().all(|x| x.is_nan()), "{isa}: all -inf");
                let mut x = vec![-inf; columns];
                x[1] = f32::MAX;
                let mut log = x.clone();
                Softmax::rows(columns).forward_in_place(&mut x);
                LogSoftmax::rows(columns).forward_in_place(&mut log);
                assert!(x[1] == 1.0 && x[0] == 0.0 && log[1] == 0.0 && log[0] == -inf, "{isa}");
            }
            for scale in [1.0, 1e-40, 1e6, f32::MAX] {
                let mut x: Vec<f32> = random(20_000, scale, 5);
                let mut log = x.clone();
                Softmax::rows(1).forward_in_place(&mut x);
                LogSoftmax::rows(1).forward_in_place(&mut log);
                assert!(x.iter().all(|&x| x == 1.0) && log.iter().all(|&x| x == 0.0), "{isa}: rows of one");
            }
        });
    }
}

#[test]
fn a_constant_added_to_a_row_changes_little() {
    let x: Vec<f32> = random(100, 5.0, 11);
    let shifted: Vec<f32> = x.iter().map(|x| x + 64.0).collect();
    // What rounding has left of x in the shifted row: both rows have exactly the same differences.
    let back: Vec<f32> = shifted.iter().map(|x| x - 64.0).collect();
    let (mut y_shifted, mut y) = (vec![0.0; 100], vec![0.0; 100]);
    Softmax::rows(100).forward(&shifted, &mut y_shifted);
    Softmax::rows(100).forward(&back, &mut y);
    assert_relative_eq!(y_shifted[..], y[..], epsilon = 0.0, max_relative = 8.0 * f32::EPSILON);
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
                let of_reference = reference::log_sum_exp(&as_f64(&x[columns..2 * columns])) as f32;
                assert!(same_bits(&[of_reference], &[expected]), "the reference of {special:?}: {of_reference}");
            }
        }
    }
}
