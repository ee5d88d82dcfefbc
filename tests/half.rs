//! Proves for `f16` and `bf16` that every operation gives the bits of the `f32` operation on the same numbers, rounded once
//! to nearest even, on every instruction set. The conversions of the crate `half` are the oracle of the conversions.

mod common;

use activations::*;
use common::{on_every_isa, on_every_isa_in_a_pool};
use half::{bf16, f16};
use operations::uninit;

/// A 16-bit type, and its conversions by the crate `half`.
trait Half: Float<Arithmetic = f32> {
    const NAME: &'static str;
    fn of_bits(bits: u16) -> Self;
    fn bits(self) -> u16;
    fn wide(self) -> f32;
    fn rounded(x: f32) -> Self;
}

macro_rules! half {
    ($half:ident) => {
        impl Half for $half {
            const NAME: &'static str = stringify!($half);
            fn of_bits(bits: u16) -> Self {
                $half::from_bits(bits)
            }
            fn bits(self) -> u16 {
                self.to_bits()
            }
            fn wide(self) -> f32 {
                self.to_f32()
            }
            fn rounded(x: f32) -> Self {
                $half::from_f32(x)
            }
        }
    };
}

half!(f16);
half!(bf16);

fn wide<H: Half>(x: &[H]) -> Vec<f32> {
    x.iter().map(|x| x.wide()).collect()
}

fn rounded<H: Half>(x: &[f32]) -> Vec<H> {
    x.iter().map(|x| H::rounded(*x)).collect()
}

/// Panics unless each number is the `f32` one, rounded. Any NaN equals any other.
#[track_caller]
fn assert_rounded<H: Half>(what: &str, actual: &[H], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let nearest = H::rounded(*expected);
        let is_same = actual.bits() == nearest.bits() || actual.wide().is_nan() && expected.is_nan();
        assert!(is_same, "{} {} {what}: {actual} at {i}, not {nearest}", Isa::current(), H::NAME);
    }
}

/// Panics unless two slices of `f32` have the same bits.
#[track_caller]
fn assert_same(what: &str, actual: &[f32], expected: &[f32]) {
    common::assert_same_bits(actual, expected, what);
}

/// All numbers of a type.
fn all<H: Half>() -> Vec<H> {
    (0..=u16::MAX).map(H::of_bits).collect()
}

/// Numbers of ordinary sizes, and with `hard` also special ones.
fn numbers<H: Half>(len: usize, seed: usize, hard: bool) -> Vec<H> {
    let number = |i: usize| {
        let i = i + 7919 * seed;
        let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-7, 6e4, -1e-38];
        if hard && i % 37 == 5 { special[i / 37 % special.len()] } else { 6.0 * common::noise(i) as f32 }
    };
    (0..len).map(|i| H::rounded(number(i))).collect()
}

/// All numbers are converted to `f32` as the crate `half` does it: the log-sum-exp of one number is that number.
fn widening<H: Half>() {
    let x = all::<H>();
    let mut y = vec![0.0; x.len()];
    LogSumExp::rows(1).forward(&x, &mut y);
    // An infinite logit has no sign of a zero to keep.
    let expected: Vec<f32> = wide(&x).iter().map(|x| if *x == 0.0 { 0.0 } else { *x }).collect();
    let y: Vec<f32> = y.iter().map(|y| if *y == 0.0 { 0.0 } else { *y }).collect();
    assert_same("widened", &y, &expected);
}

/// Numbers around each boundary between two roundings are rounded as the crate `half` does it: 1 times them is them.
fn narrowing<H: Half>() {
    let ones = [H::rounded(1.0); 19];
    for bits in 0..=u16::MAX {
        let (here, next) = (H::of_bits(bits).wide(), H::of_bits(bits.wrapping_add(1)).wide());
        // The middle, or for the largest number the place where the next one would be half a step away.
        let middle = if next.is_finite() { here / 2.0 + next / 2.0 } else { here + here.abs() / 1e3 };
        for x in [here, middle, middle.next_up(), middle.next_down()] {
            let mut y = ones;
            scale(&mut y, x.into());
            assert_rounded(&format!("of {x:e}"), &y, &[x; 19]);
        }
    }
    // The place itself where the largest numbers round to infinity.
    for x in [65_519.996_f32, 65_520.0, 3.389_531_3e38, 3.396_177e38, f32::MAX] {
        let mut y = ones;
        scale(&mut y, x.into());
        assert_rounded(&format!("of {x:e}"), &y, &[x; 19]);
    }
}

#[test]
fn conversions_are_those_of_the_crate_half() {
    on_every_isa(widening::<f16>);
    on_every_isa(widening::<bf16>);
    on_every_isa(narrowing::<f16>);
    on_every_isa(narrowing::<bf16>);
}

/// Value and gradient of all numbers, in every form.
fn functions<H: Half>() {
    let x = all::<H>();
    let wide_x = wide(&x);
    let dy: Vec<H> = (0..x.len()).map(|i| H::rounded([1.0, -0.3, 2e-5, 77.0][i % 4])).collect();
    for act in ACTIVATIONS {
        let name = act.name();
        let mut expected = vec![0.0; x.len()];
        act.forward(&wide_x, &mut expected);
        let mut y = x.clone();
        act.forward(&x, &mut y);
        assert_rounded(name, &y, &expected);
        let mut other = x.clone();
        act.forward_in_place(&mut other);
        assert_rounded(&format!("{name} in place"), &other, &expected);
        act.forward_uninit(&x, uninit(&mut other));
        assert_rounded(&format!("{name} uninit"), &other, &expected);
        act.par_forward(&x, &mut other);
        assert_rounded(&format!("{name} parallel"), &other, &expected);

        let saved: &[H] = act.saved().of(&x, &y);
        act.backward(&wide(saved), &wide(&dy), &mut expected);
        act.backward(saved, &dy, &mut other);
        assert_rounded(&format!("{name} gradient"), &other, &expected);
        let mut other = dy.clone();
        act.backward_in_place(saved, &mut other);
        assert_rounded(&format!("{name} gradient in place"), &other, &expected);
        act.par_backward(saved, &dy, &mut other);
        assert_rounded(&format!("{name} gradient, parallel"), &other, &expected);
    }
}

#[test]
fn all_inputs_of_the_activations_f16() {
    on_every_isa_in_a_pool(functions::<f16>);
}

#[test]
fn all_inputs_of_the_activations_bf16() {
    on_every_isa_in_a_pool(functions::<bf16>);
}

/// Additions, gates and slopes, at lengths around those of buffers.
fn fused<H: Half>() {
    for len in [0, 1, 15, 16, 17, 128, 130, 2048, 2051, 5000] {
        let (x, a, dy): (Vec<H>, Vec<H>, Vec<H>) =
            (numbers(len, 1, true), numbers(len, 2, true), numbers(len, 3, false));
        let (wide_x, wide_a, wide_dy) = (wide(&x), wide(&a), wide(&dy));
        let zeros = || vec![H::default(); len];
        for act in [&Silu as &dyn Activation, &Sigmoid, &Relu, &Gelu] {
            let name = format!("{} of {len}", act.name());
            // The sum is rounded to the element type.
            let sums: Vec<f32> = wide_x.iter().zip(&wide_a).map(|(x, a)| H::rounded(x + a).wide()).collect();
            let mut expected = vec![0.0; len];
            act.forward(&sums, &mut expected);
            let (mut y, mut sum) = (zeros(), zeros());
            act.forward_added(&x, &a, &mut y);
            assert_rounded(&format!("{name}, added"), &y, &expected);
            act.forward_added_saving(&x, &a, &mut sum, &mut y);
            assert_rounded(&format!("{name}, saving"), &y, &expected);
            assert_rounded(&format!("{name}, the sum"), &sum, &sums);
            y.copy_from_slice(&x);
            act.forward_biased_in_place(&mut y, &a);
            assert_rounded(&format!("{name}, biased"), &y, &expected);

            Gated(act).forward(&wide_x, &wide_a, &mut expected);
            Gated(act).par_forward(&x, &a, &mut y);
            assert_rounded(&format!("{name}, gated"), &y, &expected);
            let (mut dgate, mut dvalue) = (expected.clone(), expected.clone());
            Gated(act).backward(&wide_x, &wide_a, &wide_dy, &mut dgate, &mut dvalue);
            let (mut actual_dgate, mut actual_dvalue) = (zeros(), zeros());
            Gated(act).backward(&x, &a, &dy, &mut actual_dgate, &mut actual_dvalue);
            assert_rounded(&format!("{name}, dgate"), &actual_dgate, &dgate);
            assert_rounded(&format!("{name}, dvalue"), &actual_dvalue, &dvalue);
            if len.is_multiple_of(2) {
                let (mut half, mut wide_half) = (vec![H::default(); len / 2], vec![0.0; len / 2]);
                let gated = Gated(act).rows(len / 2);
                gated.forward(&wide_x, &mut wide_half);
                gated.forward(&x, &mut half);
                assert_rounded(&format!("{name}, gated row"), &half, &wide_half);
                gated.backward(&wide_x, &wide_dy[..len / 2], &mut expected);
                gated.backward(&x, &dy[..len / 2], &mut y);
                assert_rounded(&format!("{name}, gradient of a gated row"), &y, &expected);
            }
        }
    }
    for [outer, channels, inner] in [[1, 1, 9000], [200, 33, 1], [3, 1300, 1], [2, 5, 700], [70, 4, 3]] {
        let len = outer * channels * inner;
        let (x, dy): (Vec<H>, Vec<H>) = (numbers(len, 1, false), numbers(len, 2, false));
        let slopes: Vec<H> = numbers(channels, 3, false);
        let act = PRelu::axis(channels, inner);
        let (wide_x, wide_dy, wide_slopes) = (wide(&x), wide(&dy), wide(&slopes));
        let (mut expected, mut expected_slopes) = (wide_x.clone(), wide_slopes.clone());
        let (mut y, mut dslopes) = (x.clone(), slopes.clone());
        act.forward(&wide_x, &wide_slopes, &mut expected);
        act.forward(&x, &slopes, &mut y);
        assert_rounded("prelu", &y, &expected);
        act.backward(&wide_x, &wide_slopes, &wide_dy, &mut expected, &mut expected_slopes);
        act.par_backward(&x, &slopes, &dy, &mut y, &mut dslopes);
        assert_rounded("prelu, dx", &y, &expected);
        assert_rounded("prelu, dslopes", &dslopes, &expected_slopes);
    }
}

#[test]
fn additions_gates_and_slopes() {
    on_every_isa_in_a_pool(fused::<f16>);
    on_every_isa_in_a_pool(fused::<bf16>);
}

/// A method of softmax and its relatives, in both types.
macro_rules! rows {
    ($what:expr, $op:expr, $H:ident, $sources:expr, $method:ident) => {{
        let expected = {
            let sources = $sources.map(|x: &[$H]| wide(x));
            let mut y = sources[0].clone();
            rows!(@call $op, $method, sources, y);
            y
        };
        let mut y: Vec<$H> = $sources[0].to_vec();
        let sources: [&[$H]; _] = $sources;
        rows!(@call $op, $method, sources, y);
        assert_rounded(&format!("{} {}", stringify!($method), $what), &y, &expected);
    }};
    (@call $op:expr, forward_in_place, $x:ident, $y:ident) => {
        $y.copy_from_slice(&$x[0]);
        $op.forward_in_place(&mut $y)
    };
    (@call $op:expr, par_forward, $x:ident, $y:ident) => { $op.par_forward(&$x[0], &mut $y) };
    (@call $op:expr, forward, $x:ident, $y:ident) => { $op.forward(&$x[0], &mut $y) };
    (@call $op:expr, backward, $x:ident, $y:ident) => { $op.backward(&$x[0], &$x[1], &mut $y) };
    (@call $op:expr, par_backward, $x:ident, $y:ident) => { $op.par_backward(&$x[0], &$x[1], &mut $y) };
}

fn softmaxes<H: Half>() {
    // Short, long and longer than a block; interleaved, fewer and more than a lane value; with gaps.
    for (rows, axis, inner, stride) in [
        (1, 1, 1, 1),
        (700, 10, 1, 10),
        (5, 1000, 1, 1000),
        (3, 5001, 1, 5001),
        (40, 12, 1, 17),
        (2, 600, 1, 640),
        (6, 9, 3, 27),
        (50, 100, 50, 5000),
        (400, 5, 200, 1000),
    ] {
        let len = if inner == 1 { rows * stride } else { rows * axis };
        let what = format!("{rows} rows of {axis}, inner {inner}, stride {stride}");
        for hard in [false, true] {
            let (x, dy): (Vec<H>, Vec<H>) = (numbers(len, 1, hard), numbers(len, 2, hard));
            macro_rules! both {
                ($Op:ident) => {{
                    let op = $Op::axis(axis, inner);
                    let op = if inner == 1 { op.row_stride(stride) } else { op };
                    let mut y = x.clone();
                    rows!(what, op, H, [&x[..]], forward);
                    rows!(what, op, H, [&x[..]], forward_in_place);
                    rows!(what, op, H, [&x[..]], par_forward);
                    op.forward(&x, &mut y);
                    rows!(what, op, H, [&y[..], &dy[..]], backward);
                    rows!(what, op, H, [&y[..], &dy[..]], par_backward);
                    if stride == axis * inner {
                        let mut initialised = x.clone();
                        op.forward_uninit(&x, uninit(&mut initialised));
                        assert_rounded(&format!("uninit {what}"), &initialised, &wide(&y));
                    }
                }};
            }
            both!(Softmax);
            both!(LogSoftmax);
            let op = LogSumExp::axis(axis, inner);
            let op = if inner == 1 { op.row_stride(stride) } else { op };
            let (mut expected, mut y) = (vec![0.0; rows], vec![0.0; rows]);
            op.forward(&wide(&x), &mut expected);
            op.forward(&x, &mut y);
            assert_same(&format!("log-sum-exp of {what}"), &y, &expected);
            op.par_forward(&x, &mut y);
            assert_same(&format!("log-sum-exp of {what}, parallel"), &y, &expected);
            losses(&x, rows, axis, inner, stride, &what);
        }
    }
}

fn losses<H: Half>(x: &[H], rows: usize, axis: usize, inner: usize, stride: usize, what: &str) {
    let targets: Vec<i64> = (0..rows).map(|r| if r % 9 == 4 { -100 } else { (7 * r % axis) as i64 }).collect();
    let weights: Vec<f32> = (0..axis).map(|c| 0.5 + (c % 3) as f32).collect();
    let scales: Vec<f32> = (0..rows).map(|r| 0.25 + (r % 5) as f32).collect();
    let plain = CrossEntropy::axis(axis, inner).ignoring(-100);
    let options = plain.label_smoothing(0.1).class_weights(&weights).z_loss(1e-3);
    for loss in [plain, options] {
        let loss = if inner == 1 { loss.row_stride(stride) } else { loss };
        let wide_x = wide(x);
        let (mut expected, mut expected_dx) = (vec![0.0; rows], wide_x.clone());
        let (mut losses, mut dx) = (expected.clone(), x.to_vec());
        loss.forward_backward(&wide_x, &targets, Scale::Rows(&scales), &mut expected, &mut expected_dx);
        loss.forward_backward(x, &targets, Scale::Rows(&scales), &mut losses, &mut dx);
        assert_same(&format!("losses of {what}"), &losses, &expected);
        assert_rounded(&format!("gradient of the loss of {what}"), &dx, &expected_dx);
        dx.copy_from_slice(x);
        loss.par_forward_backward_in_place(&mut dx, &targets, Scale::Rows(&scales), &mut losses);
        assert_same(&format!("losses of {what}, in place"), &losses, &expected);
        assert_rounded(&format!("gradient of the loss of {what}, in place"), &dx, &expected_dx);
        loss.forward(x, &targets, &mut losses);
        loss.forward(&wide_x, &targets, &mut expected);
        assert_same(&format!("losses alone of {what}"), &losses, &expected);
        let [a, b] = [loss.mean(x, &targets), loss.mean(&wide_x, &targets)];
        assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "mean of {what}: {a}, not {b}");

        let q: Vec<H> = numbers::<H>(x.len(), 9, false).iter().map(|q| H::rounded(q.wide().abs() / 6.0)).collect();
        loss.forward_backward_soft(&wide_x, &wide(&q), 0.5, &mut expected, &mut expected_dx);
        dx.copy_from_slice(x);
        loss.forward_backward_soft(x, &q, 0.5, &mut losses, &mut dx);
        assert_same(&format!("soft losses of {what}"), &losses, &expected);
        assert_rounded(&format!("gradient of the soft loss of {what}"), &dx, &expected_dx);
    }
}

#[test]
fn rows_f16() {
    on_every_isa_in_a_pool(softmaxes::<f16>);
}

#[test]
fn rows_bf16() {
    on_every_isa_in_a_pool(softmaxes::<bf16>);
}

fn gradients<H: Half>() {
    for len in [0, 1, 100, 128, 2047, 2048, 2050, 10_000] {
        let (x, t): (Vec<H>, Vec<H>) = (numbers(len, 1, false), numbers(len, 2, false));
        let (wide_x, wide_t) = (wide(&x), wide(&t));
        let [norm, expected] = [global_norm(&[&x]), global_norm(&[&wide_x])];
        assert_eq!(norm, expected, "norm of {len}");
        assert_eq!(par_global_norm(&[&x]), expected, "parallel norm of {len}");
        let (mut clipped, mut wide_clipped) = (x.clone(), wide_x.clone());
        let norms = [clip_by_global_norm(&mut [&mut clipped], 3.0), clip_by_global_norm(&mut [&mut wide_clipped], 3.0)];
        assert_eq!(norms[0], norms[1]);
        assert_rounded("clipped by norm", &clipped, &wide_clipped);
        let (mut clipped, mut wide_clipped) = (x.clone(), wide_x.clone());
        clip_by_value(&mut clipped, 0.7);
        clip_by_value(&mut wide_clipped, H::rounded(0.7).wide().into());
        assert_rounded("clipped by value", &clipped, &wide_clipped);

        let weights: Vec<f32> = (0..len / 2).map(|i| 0.3 + (i % 4) as f32).collect();
        for loss in [BinaryCrossEntropy::new(), BinaryCrossEntropy::new().positive_weight(3.0)]
            .into_iter()
            .chain((len > 1 && len.is_multiple_of(2)).then(|| BinaryCrossEntropy::new().positive_weights(&weights)))
        {
            let (mut losses, mut dx) = (wide_x.clone(), wide_x.clone());
            let (mut half_losses, mut half_dx) = (x.clone(), x.clone());
            loss.forward_backward(&wide_x, &wide_t, 0.25, &mut losses, &mut dx);
            loss.forward_backward(&x, &t, 0.25, &mut half_losses, &mut half_dx);
            assert_rounded("binary loss", &half_losses, &losses);
            assert_rounded("gradient of the binary loss", &half_dx, &dx);
            loss.par_forward(&x, &t, &mut half_losses);
            assert_rounded("binary loss alone", &half_losses, &losses);
        }
    }
}

#[test]
fn clipping_and_binary_losses() {
    on_every_isa_in_a_pool(gradients::<f16>);
    on_every_isa_in_a_pool(gradients::<bf16>);
}

#[test]
fn rounding_the_oracle_is_to_nearest_even() {
    // The oracle itself, at a few numbers.
    assert_eq!(rounded::<f16>(&[2049.0, 2051.0, 65_519.0]), [2048.0, 2052.0, 65_504.0].map(f16::from_f32));
    assert_eq!(rounded::<bf16>(&[257.0, 259.0]), [256.0, 260.0].map(bf16::from_f32));
}
