//! `forward_uninit` gives the bits of `forward` in the memory that it was given, whatever that held before.

mod common;

use std::mem::MaybeUninit;

use activations::*;
use common::random;
use operations::Element;

/// The length of a row that is cut up for threads.
const LONG: usize = 300_007;

/// Runs `check` on every instruction set, in a pool of three threads where there are threads.
fn everywhere(check: impl Fn() + Sync) {
    let check = || Isa::available().for_each(|isa| isa.with(&check));
    #[cfg(all(feature = "rayon", not(target_family = "wasm")))]
    rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool").install(check);
    #[cfg(not(all(feature = "rayon", not(target_family = "wasm"))))]
    check();
}

/// Inputs of which some are subnormal, huge or infinite.
fn inputs<T: Element>(len: usize) -> Vec<T> {
    let x = random(len, 12.0, 1);
    let special = [1e-40, -100.0, 3e38, f64::NEG_INFINITY, 1e-310];
    let number = |(i, x): (usize, &f32)| if i % 301 == 70 { special[i / 301 % 5] } else { f64::from(*x) };
    x.iter().enumerate().map(number).map(T::rounded).collect()
}

/// Fails unless `write` gives these results in memory of zeros, of ones, and in memory that was never written.
fn check<T: Element>(
    what: &str,
    x: &[T],
    expected: &[T],
    write: impl for<'y> Fn(&[T], &'y mut [MaybeUninit<T>]) -> &'y mut [T],
) {
    let [mut zeros, mut ones] = [0, u64::MAX].map(|bits| vec![MaybeUninit::new(T::from_bits(bits)); x.len()]);
    let mut never_written = Vec::with_capacity(x.len());
    let never_written = &mut never_written.spare_capacity_mut()[..x.len()];
    for (memory, name) in [(&mut zeros[..], "zeros"), (&mut ones[..], "ones"), (never_written, "never written")] {
        let context = format!("{} {what} in memory of {}: {name}", Isa::current(), std::any::type_name::<T>());
        let start = memory.as_ptr().cast::<T>();
        let y = write(x, memory);
        assert_eq!((y.as_ptr(), y.len()), (start, x.len()), "{context}");
        for i in 0..x.len() {
            assert!(y[i].bits() == expected[i].bits(), "{context}: {:e} at {i}, not {:e}", y[i], expected[i]);
        }
    }
}

/// Checks a method and its parallel twin.
macro_rules! twins {
    ($what:expr, $operation:expr, $x:expr) => {{
        let (what, operation, x) = ($what, $operation, $x);
        let mut expected = x.to_vec();
        operation.forward(x, &mut expected);
        check(what, x, &expected, |x, y| operation.forward_uninit(x, y));
        #[cfg(feature = "rayon")]
        check(what, x, &expected, |x, y| operation.par_forward_uninit(x, y));
    }};
}

/// The same for a function that is generic over activations.
fn generic<T: Element, A: Activation + ?Sized>(act: &A, x: &[T]) {
    twins!(act.name(), act, x);
}

fn activations<T: Element>() {
    let x = inputs::<T>(LONG);
    for act in ACTIVATIONS {
        for len in (0..70).chain([127, 128, 129, 257, 1000, LONG]) {
            twins!(act.name(), act, &x[..len]);
        }
        generic(*act, &x[..1000]);
    }
}

fn exact_activations() {
    let x = inputs::<f32>(LONG);
    for act in ACTIVATIONS {
        for len in (0..70).chain([127, 128, 129, 257, 1000, LONG]) {
            twins!(act.name(), act.exact(), &x[..len]);
        }
    }
}

/// One test for all of them: the threshold is that of the process.
#[test]
fn activations_write_every_element() {
    for threshold in [usize::MAX, 1] {
        set_streaming_threshold(threshold);
        everywhere(|| {
            activations::<f32>();
            activations::<f64>();
            exact_activations();
        });
    }
}

/// Tensors `[outer, axis, inner]`.
const SHAPES: [[usize; 3]; 20] = [
    // Short rows, long ones, and one that is cut up for threads.
    [0, 7, 1],
    [1, 1, 1],
    [50, 1, 1],
    [100, 5, 1],
    [70, 8, 1],
    [70, 16, 1],
    [40, 17, 1],
    [30, 200, 1],
    [20, 1000, 1],
    [300, 1000, 1],
    [1, LONG, 1],
    // Interleaved rows: less than a lane value, more, more than a panel.
    [40, 3, 7],
    [3, 40, 15],
    [2, 9, 16],
    [2, 30, 129],
    [1, 10, 200],
    [1, 300, 300],
    [200, 10, 30],
    [1, 100_000, 3],
    [1, 3, 100_000],
];

fn rows<T: Element>() {
    for [outer, axis, inner] in SHAPES {
        let x = inputs::<T>(outer * axis * inner);
        let shape = format!("[{outer}, {axis}, {inner}]");
        twins!(&format!("softmax of {shape}"), Softmax::axis(axis, inner), &x[..]);
        twins!(&format!("log-softmax of {shape}"), LogSoftmax::axis(axis, inner), &x[..]);
    }
}

#[test]
fn rows_write_every_element() {
    everywhere(|| {
        rows::<f32>();
        rows::<f64>();
    });
}

#[test]
fn exact_softmax_writes_every_element() {
    everywhere(|| {
        for [outer, axis, inner] in SHAPES {
            let x = inputs::<f32>(outer * axis * inner);
            twins!(&format!("exact softmax of [{outer}, {axis}, {inner}]"), Softmax::axis(axis, inner).exact(), &x[..]);
        }
    });
}

#[test]
fn a_shape_and_a_stride_without_gaps_are_fine() {
    let x = inputs::<f32>(120);
    twins!("softmax along", Softmax::along(&[2, 3, 4, 5], 1), &x[..]);
    twins!("log-softmax along", LogSoftmax::along(&[2, 3, 4, 5], 3), &x[..]);
    twins!("softmax of rows", Softmax::rows(5).row_stride(5), &x[..]);
    twins!("exact softmax of rows", Softmax::rows(5).row_stride(5).exact(), &x[..]);
}
