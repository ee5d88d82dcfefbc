//! Proves what softmax, log-softmax and log-sum-exp give for rows with infinities, NaN, one element or huge logits, on
//! every instruction set, and that adding a constant to a row barely changes its softmax. `operations.rs` judges them
//! on other inputs.

mod common;

use activations::{CrossEntropy, Isa, LogSoftmax, LogSumExp, Softmax, reference};
use approx::assert_relative_eq;
use common::{as_f64, assert_same_bits, on_every_isa, random, same_bits};
use operations::Element;

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

/// A row of a kind that the sum of the others treats in its own way. `r` varies the place of the largest logit.
fn row_of_kind<T: Element>(kind: usize, r: usize, columns: usize) -> Vec<T> {
    let mut x: Vec<T> = random(columns, 2.0, r as u32);
    let place = r * 7 % columns;
    match kind {
        0 => {}
        1 => x[place] = T::rounded(40.0),
        // The largest logit twice, and otherwise nothing.
        2 => {
            x.fill(T::rounded(-50.0));
            (x[place], x[(place + 3) % columns]) = (T::rounded(2.0), T::rounded(2.0));
        }
        3 => x.fill(T::rounded(0.37)),
        // The others sum to about half of the largest term, where one sum takes the place of the other.
        4 => {
            let others = ((columns - 1).max(1) as f64).ln();
            x.fill(T::rounded(1.0));
            x[place] = T::rounded(1.0 + others + std::f64::consts::LN_2 + ((r % 40) as f64 - 20.0) * 1e-8);
        }
        5 => {
            x.fill(T::rounded(f64::NEG_INFINITY));
            x[place] = T::rounded(-3.0);
        }
        _ => x[place] = T::rounded(f64::NAN),
    }
    x
}

#[test]
fn rows_before_a_row_do_not_change_its_logarithm() {
    fn check<T: Element>(columns: usize, rows: usize, kinds: &[usize]) {
        let x: Vec<T> = (0..rows).flat_map(|r| row_of_kind(kinds[r % kinds.len()], r, columns)).collect();
        let targets: Vec<u32> = (0..rows).map(|r| (r * 7 % columns) as u32).collect();
        let run = |x: &[T], targets: &[u32]| {
            let (mut y, mut dx) = (x.to_vec(), x.to_vec());
            let (mut sums, mut losses) = (vec![x[0]; targets.len()], vec![x[0]; targets.len()]);
            LogSoftmax::rows(columns).forward(x, &mut y);
            LogSumExp::rows(columns).forward(x, &mut sums);
            CrossEntropy::rows(columns).forward_backward(x, targets, 1.0, &mut losses, &mut dx);
            [y, sums, losses, dx]
        };
        let all = run(&x, &targets);
        for r in 0..rows {
            let alone = run(&x[r * columns..][..columns], &targets[r..=r]);
            for (all, alone) in all.iter().zip(&alone) {
                let part = &all[r * alone.len()..][..alone.len()];
                assert_same_bits(part, alone, &format!("{}: row {r} of {columns}, {kinds:?}", Isa::current()));
            }
        }
    }
    on_every_isa(|| {
        for columns in [1, 2, 7, 8, 9, 10, 16, 17, 100, 130, 1000, 3000, 9000] {
            let rows = if columns > 1000 { 12 } else { 90 };
            for kinds in [&[0][..], &[1], &[4], &[1, 0], &[1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 0]] {
                check::<f32>(columns, rows, kinds);
                check::<f64>(columns, rows, kinds);
            }
        }
    });
}
