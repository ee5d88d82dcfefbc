//! Proves that each of several rows of different lengths has the bits that it has alone, in every method and element type,
//! and that wrong offsets panic before anything is written.

mod common;

use activations::*;
use common::{noise, on_every_isa, pool};
use half::{bf16, f16};
use operations::panics::catch;
use operations::uninit;

/// Lengths around those of lane values and batches, in an order that makes batches of one and of many.
fn lengths() -> Vec<usize> {
    let mut lengths = vec![0, 1, 2, 3, 16, 16, 17, 15, 0, 0, 33, 64, 65, 63, 64, 200, 1000, 5, 0];
    lengths.extend((0..700).map(|i| 1 + i * 7 % 16));
    lengths.extend((0..300).map(|i| i * 13 % 70));
    lengths
}

/// Offsets of rows of these lengths, from the first offset on.
fn offsets(first: usize, lengths: &[usize]) -> Vec<i64> {
    let mut at = first as i64;
    let ends = lengths.iter().map(|len| {
        at += *len as i64;
        at
    });
    [first as i64].into_iter().chain(ends.collect::<Vec<_>>()).collect()
}

fn bits<T: Float>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| if x.to_f64().is_nan() { u64::MAX } else { x.to_f64().to_bits() }).collect()
}

fn numbers<T: Float>(len: usize, seed: usize) -> Vec<T> {
    let number = |i: usize| match (i + seed) % 97 {
        5 => f64::NEG_INFINITY,
        6 if i.is_multiple_of(5) => f64::NAN,
        7 if i % 5 == 1 => f64::INFINITY,
        8 => -90.0,
        _ => 9.0 * noise(i + 1000 * seed),
    };
    (0..len).map(|i| T::from_f64(number(i))).collect()
}

/// The number in outputs before a call.
fn untouched<T: Float>() -> T {
    T::from_f64(operations::UNTOUCHED)
}

/// Compares the methods of an operation on ragged rows with those on each row alone.
macro_rules! compare {
    ($Op:ident, $T:ident) => {{
        let (before, behind) = (3, 5);
        let lengths = lengths();
        let offsets = offsets(before, &lengths);
        let len = *offsets.last().unwrap() as usize + behind;
        let (x, dy): (Vec<$T>, Vec<$T>) = (numbers(len, 1), numbers(len, 2));
        let untouched: $T = untouched();
        let (mut expected, mut expected_dx) = (vec![untouched; len], vec![untouched; len]);
        for row in offsets.windows(2).map(|ends| ends[0] as usize..ends[1] as usize).filter(|row| !row.is_empty()) {
            let op = $Op::rows(row.len());
            op.forward(&x[row.clone()], &mut expected[row.clone()]);
            op.backward(&expected[row.clone()], &dy[row.clone()], &mut expected_dx[row]);
        }
        let op = $Op::ragged(&offsets);
        let what = format!("{} of {} on {}", stringify!($Op), stringify!($T), Isa::current());
        let mut y = vec![untouched; len];
        op.forward(&x, &mut y);
        assert_eq!(bits(&y), bits(&expected), "{what}, forward");
        y.fill(untouched);
        op.par_forward(&x, &mut y);
        assert_eq!(bits(&y), bits(&expected), "{what}, parallel");
        let mut dx = vec![untouched; len];
        op.backward(&expected, &dy, &mut dx);
        assert_eq!(bits(&dx), bits(&expected_dx), "{what}, backward");
        dx.fill(untouched);
        op.par_backward(&expected, &dy, &mut dx);
        assert_eq!(bits(&dx), bits(&expected_dx), "{what}, backward, parallel");

        // In place, the elements outside of the rows stay what they are.
        let inside = before..len - behind;
        y.copy_from_slice(&x);
        op.forward_in_place(&mut y);
        assert_eq!(bits(&y[inside.clone()]), bits(&expected[inside.clone()]), "{what}, in place");
        assert_eq!(bits(&y[..before]), bits(&x[..before]), "{what}, in place, before the rows");
        dx.copy_from_slice(&dy);
        op.par_backward_in_place(&expected, &mut dx);
        assert_eq!(bits(&dx[inside.clone()]), bits(&expected_dx[inside.clone()]), "{what}, backward in place");
        assert_eq!(bits(&dx[len - behind..]), bits(&dy[len - behind..]), "{what}, in place, behind the rows");

        // Offsets of `i32` that begin with 0 cover the slice.
        let narrow: Vec<i32> = offsets.iter().map(|offset| (*offset - before as i64) as i32).collect();
        let x = &x[inside.clone()];
        let mut y = vec![untouched; x.len()];
        $Op::ragged(&narrow).forward_uninit(x, uninit(&mut y));
        assert_eq!(bits(&y), bits(&expected[inside]), "{what}, uninit");
    }};
}

/// The same for the log-sum-exp, which has one result for each row.
macro_rules! compare_log_sum_exp {
    ($T:ident, $Row:ident) => {{
        let offsets = offsets(2, &lengths());
        let x: Vec<$T> = numbers(*offsets.last().unwrap() as usize, 1);
        let mut expected = vec![$Row::NEG_INFINITY; offsets.len() - 1];
        for (ends, y) in offsets.windows(2).zip(&mut expected).filter(|(ends, _)| ends[0] < ends[1]) {
            let row = &x[ends[0] as usize..ends[1] as usize];
            LogSumExp::rows(row.len()).forward(row, std::slice::from_mut(y));
        }
        let mut y = expected.clone();
        y.fill(0.5);
        LogSumExp::ragged(&offsets).forward(&x, &mut y);
        assert_eq!(bits(&y), bits(&expected), "log-sum-exp of {}", stringify!($T));
        y.fill(0.5);
        LogSumExp::ragged(&offsets).par_forward(&x, &mut y);
        assert_eq!(bits(&y), bits(&expected), "log-sum-exp of {}, parallel", stringify!($T));
    }};
}

fn all() {
    compare!(Softmax, f32);
    compare!(LogSoftmax, f32);
    compare_log_sum_exp!(f32, f32);
    compare!(Softmax, f64);
    compare!(LogSoftmax, f64);
    compare_log_sum_exp!(f64, f64);
    compare!(Softmax, f16);
    compare!(LogSoftmax, bf16);
    compare_log_sum_exp!(bf16, f32);
}

#[test]
fn rows_have_the_bits_that_they_have_alone() {
    on_every_isa(all);
}

#[test]
#[cfg(all(feature = "rayon", not(target_family = "wasm")))]
fn so_they_have_on_threads() {
    let lengths: Vec<usize> = (0..200_000).map(|i| i * 7 % 17).collect();
    let offsets = offsets(0, &lengths);
    let x: Vec<f32> = numbers(*offsets.last().unwrap() as usize, 3);
    let (mut y, mut par_y) = (x.clone(), x.clone());
    Softmax::ragged(&offsets).forward_in_place(&mut y);
    pool(3).install(|| Softmax::ragged(&offsets).par_forward_in_place(&mut par_y));
    assert_eq!(bits(&par_y), bits(&y));
}

#[test]
fn no_offsets_are_no_rows() {
    let mut y = [0.5_f32; 2];
    Softmax::ragged::<i32>(&[]).forward(&[1.0; 2], &mut y);
    Softmax::ragged(&[1_i64]).forward(&[1.0; 2], &mut y);
    LogSumExp::ragged(&[1]).forward(&[1.0_f32; 2], &mut []);
    assert_eq!(y, [0.5; 2]);
}

#[test]
#[cfg(panic = "unwind")]
fn wrong_offsets_panic_before_anything_is_written() {
    let message = |work: &mut dyn FnMut()| catch(work).expect("a panic");
    let x = [0.5_f32; 6];
    let mut y = [9.0; 6];
    for (offsets, expected) in [
        (&[-1, 2][..], "the first offset is -1"),
        (&[0, 3, 2], "offset 2 is 2, less than the one before it, 3"),
        (&[0, 7], "the last offset is 7, but x has 6 elements"),
        (&[0, i64::MAX], "the last offset is 9223372036854775807, but x has 6 elements"),
    ] {
        let caught = message(&mut || Softmax::ragged(offsets).forward(&x, &mut y));
        assert_eq!(caught.message, expected);
        assert!(caught.file.ends_with("tests/ragged.rs"), "{caught:?}");
    }
    let caught = message(&mut || Softmax::ragged(&[0, 6]).forward(&x, &mut y[..5]));
    assert_eq!(caught.message, "lengths differ: x has 6 elements, y has 5");
    let caught = message(&mut || _ = Softmax::ragged(&[1, 6]).forward_uninit(&x, uninit(&mut y)).len());
    assert!(caught.message.starts_with("rows from 1 to 6 do not cover the 6 elements of x"), "{caught:?}");
    let caught = message(&mut || LogSumExp::ragged(&[0, 3, 6]).forward(&x, &mut y[..3]));
    assert_eq!(caught.message, "y has 3 elements for 2 rows");
    let caught = message(&mut || LogSoftmax::ragged(&[0, 7]).backward(&x, &x, &mut y));
    assert_eq!(caught.message, "the last offset is 7, but y has 6 elements");
    assert_eq!(y, [9.0; 6]);
}
