//! Softmax and log-softmax on every instruction set: accuracy, special rows, shapes and bits.

mod common;

use activations::{CrossEntropy, Isa, LogSoftmax, LogSumExp, Softmax, reference, ulp};
use common::{random, same_bits, wide};

/// Random, equal, two-valued, sorted and dominated rows, and rows far from 0.
fn rows(columns: usize) -> Vec<Vec<f32>> {
    let mut sorted = random(columns, 10.0, 9);
    sorted.sort_by(f32::total_cmp);
    let mut dominated = random(columns, 1.0, 4);
    dominated[columns / 2] = 110.0;
    let two = (0..columns).map(|i| if i % 3 == 0 { 1.5 } else { -0.25 }).collect();
    let mut rows =
        vec![random(columns, 10.0, 1), random(columns, 100.0, 2), vec![0.37; columns], two, sorted, dominated];
    for offset in [700.0, -1100.0, 51_014.0, -300_000.0, 1e9] {
        rows.push(random(columns, 10.0, 3).iter().map(|x| x + offset).collect());
    }
    rows
}

#[test]
fn every_instruction_set_is_within_its_bound() {
    for isa in Isa::available() {
        for columns in [1, 2, 3, 10, 15, 16, 17, 31, 64, 100, 128, 129, 1000, 5000, 128_256] {
            let (mut worst, mut worst_log) = (0.0_f64, 0.0_f64);
            for x in rows(columns) {
                let exact_x = wide(&x);
                let (mut y, mut log) = (vec![0.0; columns], vec![0.0; columns]);
                isa.with(|| Softmax::rows(columns).forward(&x, &mut y));
                isa.with(|| LogSoftmax::rows(columns).forward(&x, &mut log));
                let (exact, exact_log) = (reference::softmax(&exact_x), reference::log_softmax(&exact_x));
                for i in 0..columns {
                    assert!((0.0..=1.0).contains(&y[i]) && log[i] <= 0.0, "{isa} {columns}");
                    worst = worst.max(ulp::error(y[i], exact[i]));
                    let unit = f64::from(f32::EPSILON) * exact_log[i].abs().max(1.0);
                    worst_log = worst_log.max((f64::from(log[i]) - exact_log[i]).abs() / unit);
                }
                let sum: f64 = y.iter().map(|&y| f64::from(y)).sum();
                assert!((sum - 1.0).abs() <= 4.0 * f64::from(f32::EPSILON), "{isa} {columns}: the sum is {sum}");
            }
            println!("{isa} {columns} columns: softmax {worst:.2} ulp, log-softmax {worst_log:.2} eps");
            assert!(worst <= if columns <= 1000 { 4.0 } else { 6.0 }, "{isa} {columns}: {worst} ulp");
            assert!(worst_log <= 4.0, "{isa} {columns}: {worst_log} eps");
        }
    }
}

#[test]
fn the_exact_tier_is_within_half_an_ulp_and_a_hundredth() {
    for columns in [1, 2, 10, 16, 17, 64, 129, 1000, 5000, 128_256] {
        for x in rows(columns) {
            let exact = reference::softmax(&wide(&x));
            let (side_by_side, mut fused) = (x.repeat(3), None);
            for isa in Isa::available() {
                let (mut y, mut across) = (x.clone(), transposed(&side_by_side, 3, columns));
                isa.with(|| Softmax::rows(columns).exact().forward_in_place(&mut y));
                isa.with(|| Softmax::axis(columns, 3).exact().forward_in_place(&mut across));
                for (i, y) in y.iter().enumerate() {
                    let error = ulp::error(*y, exact[i]);
                    assert!(error <= 0.51 && *y <= 1.0, "{isa} {columns}: {y:e}, not {:e}", exact[i]);
                }
                assert!(same_bits(&across, &transposed(&y.repeat(3), 3, columns)), "{isa} {columns}: an axis differs");
                if isa.is_fused() {
                    assert!(same_bits(fused.get_or_insert_with(|| y.clone()), &y), "{isa} {columns}: other bits");
                }
            }
        }
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
fn a_row_has_the_same_bits_wherever_it_stands() {
    for columns in [1, 5, 10, 16, 33, 127, 300, 2000] {
        let x = random(columns * 19, 12.0, 6);
        let (rows, log_rows) = (Softmax::rows(columns), LogSoftmax::rows(columns));
        let mut expected: Option<Vec<f32>> = None;
        for isa in Isa::available() {
            let mut whole = vec![0.0; x.len()];
            isa.with(|| rows.forward(&x, &mut whole));
            if isa.is_fused() {
                assert_eq!(*expected.get_or_insert_with(|| whole.clone()), whole, "{isa} {columns}");
            }
            let (mut dx, mut log, mut dx_log) = (whole.clone(), x.clone(), x.clone());
            isa.with(|| rows.backward_in_place(&whole, &mut dx));
            isa.with(|| log_rows.forward_in_place(&mut log));
            isa.with(|| log_rows.backward_in_place(&log, &mut dx_log));
            for r in 0..19 {
                let range = r * columns..(r + 1) * columns;
                let mut alone = vec![9.0; columns + 1];
                alone[1..].copy_from_slice(&x[range.clone()]);
                isa.with(|| rows.forward_in_place(&mut alone[1..]));
                assert_eq!(alone[1..], whole[range.clone()], "{isa} {columns} row {r}");
                let mut gradient = vec![0.0; columns];
                isa.with(|| rows.backward(&alone[1..], &alone[1..], &mut gradient));
                assert_eq!(gradient, dx[range.clone()], "{isa} {columns} gradient of row {r}");
                isa.with(|| log_rows.backward(&log[range.clone()], &x[range.clone()], &mut gradient));
                assert_eq!(gradient, dx_log[range], "{isa} {columns} log gradient of row {r}");
            }
        }
    }
}

#[test]
fn nothing_is_written_outside() {
    const GUARD: f32 = 7.5;
    let x = random(3 * 70, 5.0, 12);
    for isa in Isa::available() {
        for columns in 1..70 {
            for rows in [1, 3] {
                let len = rows * columns;
                let (x, mut guarded) = (&x[..len], vec![GUARD; len + 2]);
                let mut check = |what: &str, write: &dyn Fn(&mut [f32])| {
                    isa.with(|| write(&mut guarded[1..=len]));
                    assert!(guarded[0] == GUARD && guarded[len + 1] == GUARD, "{isa} {what} {rows}x{columns}");
                };
                check("softmax", &|y| Softmax::rows(columns).forward(x, y));
                check("log-softmax", &|y| LogSoftmax::rows(columns).forward(x, y));
                check("softmax across", &|y| Softmax::axis(rows, columns).forward(x, y));
                check("gradient", &|y| Softmax::rows(columns).backward(x, x, y));
                check("gradient of the logarithm", &|y| LogSoftmax::rows(columns).backward(x, x, y));
                check("gradient across", &|y| Softmax::axis(rows, columns).backward(x, x, y));
                check("log-sum-exp", &|y| LogSumExp::rows(columns).forward(x, &mut y[..rows]));
                check("cross-entropy", &|y| {
                    let mut losses = [0.0; 3];
                    CrossEntropy::rows(columns).forward_backward(x, &[0; 3][..rows], 1.0, &mut losses[..rows], y);
                });
            }
        }
    }
}

#[test]
fn gradients_match_the_closed_form() {
    let eps = f64::from(f32::EPSILON);
    for isa in Isa::available() {
        for columns in [1, 2, 10, 17, 128, 1000] {
            for scale in [1.0, 1e-40, 1e-20, 1e30] {
                let (x, dy) = (random(columns, 8.0, 7), random(columns, scale, 8));
                let (mut y, mut log) = (x.clone(), x);
                let (mut dx, mut dx_log) = (dy.clone(), dy.clone());
                isa.with(|| {
                    Softmax::rows(columns).forward_in_place(&mut y);
                    LogSoftmax::rows(columns).forward_in_place(&mut log);
                    Softmax::rows(columns).backward_in_place(&y, &mut dx);
                    LogSoftmax::rows(columns).backward_in_place(&log, &mut dx_log);
                });
                let exact = reference::softmax_gradient(&wide(&y), &wide(&dy));
                let exact_log = reference::log_softmax_gradient(&wide(&log), &wide(&dy));
                let largest = dy.iter().fold(0.0, |m: f64, &d| m.max(f64::from(d).abs()));
                let sum: f64 = dy.iter().map(|&d| f64::from(d)).sum::<f64>().abs();
                let unit = 16.0 * eps * largest + 2.0 * f64::from(f32::from_bits(1));
                for i in 0..columns {
                    assert!((f64::from(dx[i]) - exact[i]).abs() <= unit, "{isa} {columns} {scale}");
                    let error = (f64::from(dx_log[i]) - exact_log[i]).abs();
                    assert!(error <= unit.max(16.0 * eps * sum), "{isa} {columns} {scale}: {error:e}");
                }
            }
        }
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
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 8.0 * f32::EPSILON * b, "{a} and {b}");
    }
}

/// The tensor `[outer, axis, inner]` with its last two axes exchanged.
fn transposed(x: &[f32], axis: usize, inner: usize) -> Vec<f32> {
    let mut y = Vec::with_capacity(x.len());
    for matrix in x.chunks(axis * inner) {
        for j in 0..inner {
            y.extend(matrix.iter().skip(j).step_by(inner));
        }
    }
    y
}

#[test]
fn an_axis_has_the_bits_of_its_rows() {
    for (outer, axis, inner) in
        [(1, 1, 2), (3, 4, 5), (2, 10, 16), (1, 16, 33), (2, 129, 17), (1, 1000, 3), (1, 2100, 20)]
    {
        let mut x = random(outer * axis * inner, 12.0, 13);
        x[axis * inner / 2] = f32::NEG_INFINITY;
        let dy = random(x.len(), 3.0, 14);
        let (rows_x, rows_dy) = (transposed(&x, axis, inner), transposed(&dy, axis, inner));
        // Back again: rows and columns change places.
        let back = |rows: &[f32]| transposed(rows, inner, axis);
        for isa in Isa::available() {
            isa.with(|| {
                macro_rules! check {
                    ($operation:ident) => {
                        let (along, across) = ($operation::rows(axis), $operation::axis(axis, inner));
                        let (mut expected, mut y) = (rows_x.clone(), x.clone());
                        along.forward_in_place(&mut expected);
                        across.forward_in_place(&mut y);
                        assert!(same_bits(&y, &back(&expected)), "{isa} [{outer}, {axis}, {inner}]");
                        let (mut out_of_place, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                        across.forward(&x, &mut out_of_place);
                        assert!(same_bits(&out_of_place, &y), "{isa} [{outer}, {axis}, {inner}] out of place");
                        let (mut expected_dx, mut dx_in_place) = (rows_dy.clone(), dy.clone());
                        along.backward_in_place(&expected, &mut expected_dx);
                        across.backward_in_place(&y, &mut dx_in_place);
                        across.backward(&y, &dy, &mut dx);
                        assert!(same_bits(&dx, &back(&expected_dx)), "{isa} [{outer}, {axis}, {inner}] gradient");
                        assert!(same_bits(&dx, &dx_in_place), "{isa} [{outer}, {axis}, {inner}] gradient in place");
                    };
                }
                check!(Softmax);
                check!(LogSoftmax);
                let (mut expected, mut sums) = (vec![0.0; outer * inner], vec![0.0; outer * inner]);
                LogSumExp::rows(axis).forward(&rows_x, &mut expected);
                LogSumExp::axis(axis, inner).forward(&x, &mut sums);
                assert!(same_bits(&sums, &expected), "{isa} [{outer}, {axis}, {inner}] log-sum-exp");
            });
        }
    }
}

#[test]
fn log_sum_exp_is_within_its_bound() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for isa in Isa::available() {
        for columns in [1, 2, 10, 17, 128, 1000, 5000] {
            for x in rows(columns) {
                let (mut y, exact) = ([0.0_f32], reference::log_sum_exp(&wide(&x)));
                isa.with(|| LogSumExp::rows(columns).forward(&x, &mut y));
                let error = (f64::from(y[0]) - exact).abs() / (f64::from(f32::EPSILON) * exact.abs().max(1.0));
                assert!(error <= 4.0, "{isa} {columns}: {} and {exact}", y[0]);
            }
        }
        for columns in [2, 40] {
            for (special, expected) in [([inf, 0.0], inf), ([-inf, -inf], -inf), ([nan, inf], nan), ([-inf, nan], nan)]
            {
                let mut x = vec![special[1]; 3 * columns];
                x[columns + 1] = special[0];
                let mut y = [0.0; 3];
                isa.with(|| LogSumExp::rows(columns).forward(&x, &mut y));
                assert!(same_bits(&y[1..2], &[expected]), "{isa} {special:?}: {}", y[1]);
                assert_eq!(
                    reference::log_sum_exp(&wide(&x[columns..2 * columns])).to_bits() << 12,
                    f64::from(expected).to_bits() << 12
                );
            }
        }
    }
}
