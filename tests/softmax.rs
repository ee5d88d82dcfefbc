//! Softmax and log-softmax on every instruction set: accuracy, special rows, shapes, bits and panics.

use activations::{Isa, LogSoftmax, Softmax, reference, ulp};

fn random(len: usize, scale: f32, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
        })
        .collect()
}

/// Random, equal, two-valued, sorted and dominated rows.
fn rows(columns: usize) -> Vec<Vec<f32>> {
    let mut sorted = random(columns, 10.0, 9);
    sorted.sort_by(f32::total_cmp);
    let mut dominated = random(columns, 1.0, 4);
    dominated[columns / 2] = 110.0;
    let two = (0..columns).map(|i| if i % 3 == 0 { 1.5 } else { -0.25 }).collect();
    vec![random(columns, 10.0, 1), random(columns, 100.0, 2), vec![0.37; columns], two, sorted, dominated]
}

#[test]
fn every_instruction_set_is_within_its_bound() {
    for isa in Isa::available() {
        for columns in [1, 2, 3, 10, 15, 16, 17, 31, 64, 100, 128, 129, 1000, 5000, 128_256] {
            let (mut worst, mut worst_log) = (0.0_f64, 0.0_f64);
            for x in rows(columns) {
                let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
                let (mut y, mut log) = (vec![0.0; columns], vec![0.0; columns]);
                isa.with(|| Softmax::rows(columns).forward(&x, &mut y));
                isa.with(|| LogSoftmax::rows(columns).forward(&x, &mut log));
                let (exact, exact_log) = (reference::softmax(&wide), reference::log_softmax(&wide));
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
fn f64_is_close_to_the_reference() {
    for isa in Isa::available() {
        for columns in [1, 7, 8, 9, 130, 1000] {
            let x: Vec<f64> = random(columns, 50.0, 3).into_iter().map(|x| f64::from(x) * 1.000_000_01).collect();
            let (mut y, mut log) = (vec![0.0; columns], vec![0.0; columns]);
            isa.with(|| Softmax::rows(columns).forward(&x, &mut y));
            isa.with(|| LogSoftmax::rows(columns).forward(&x, &mut log));
            for (i, (exact, exact_log)) in
                reference::softmax(&x).into_iter().zip(reference::log_softmax(&x)).enumerate()
            {
                // The reference rounds x - max and sums in order: its own error is most of this.
                assert!((y[i] - exact).abs() <= 1e-13 * exact, "{isa} {columns}: {} and {exact}", y[i]);
                assert!((log[i] - exact_log).abs() <= 1e-14 * exact_log.abs().max(1.0), "{isa} {columns}");
            }
        }
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
            let mut parallel = vec![0.0; x.len()];
            #[cfg(feature = "rayon")]
            isa.with(|| rows.par_forward(&x, &mut parallel));
            #[cfg(not(feature = "rayon"))]
            parallel.copy_from_slice(&whole);
            assert_eq!(parallel, whole);
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
                let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
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

#[test]
#[should_panic(expected = "x has 7 elements: not whole rows of 3")]
fn ragged_rows_are_refused() {
    Softmax::rows(3).forward(&[0.0_f32; 7], &mut [0.0; 7]);
}

#[test]
#[should_panic(expected = "axis has 0 elements, 1 apart: neither may be 0")]
fn rows_of_nothing_are_refused() {
    LogSoftmax::rows(0);
}
