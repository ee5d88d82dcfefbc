//! Proves that `forward_uninit` and `par_forward_uninit` write every element, with the bits of `forward`, and return
//! the memory that they were given. That memory holds zeros, then ones, then was never written.

mod common;

use std::mem::MaybeUninit;

use activations::*;
use common::{assert_same_bits, on_every_isa_in_a_pool, random};
use operations::Element;

/// A length that is cut into parts for threads.
const LONG: usize = 300_007;

/// Ordinary inputs, of which every 301st is subnormal, huge or infinite.
fn inputs<T: Element>(len: usize) -> Vec<T> {
    let mut x: Vec<T> = random(len, 12.0, 1);
    let special = [1e-40, -100.0, 3e38, f64::NEG_INFINITY, 1e-310];
    let every_301st = x.iter_mut().skip(70).step_by(301);
    every_301st.zip(special.into_iter().cycle()).for_each(|(x, special)| *x = T::rounded(special));
    x
}

/// Panics unless `write` returns the memory that it was given, with the expected results.
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
        let context = format!("{what} of {}, memory {name}", std::any::type_name::<T>());
        let start = memory.as_ptr().cast::<T>();
        let y = write(x, memory);
        assert_eq!((y.as_ptr(), y.len()), (start, x.len()), "{} {context}: other memory", Isa::current());
        assert_same_bits(y, expected, &context);
    }
}

/// Checks `forward_uninit` of an operation and its parallel twin.
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

/// The same from a function that is generic over activations.
fn check_generic<T: Element, A: Activation + ?Sized>(act: &A, x: &[T]) {
    twins!(act.name(), act, x);
}

fn activations<T: Element>() {
    let x = inputs::<T>(LONG);
    for act in ACTIVATIONS {
        for len in (0..70).chain([127, 128, 129, 257, 1000, LONG]) {
            twins!(act.name(), act, &x[..len]);
        }
        check_generic(*act, &x[..1000]);
    }
}

fn exact_activations() {
    let x = inputs::<f32>(LONG);
    for act in ACTIVATIONS {
        let Some(exact) = act.exact() else { continue };
        for len in (0..70).chain([127, 128, 129, 257, 1000, LONG]) {
            twins!(act.name(), exact, &x[..len]);
        }
    }
}

/// A single test, because the threshold for non-temporal stores belongs to the process.
#[test]
fn activations_write_every_element() {
    for threshold in [usize::MAX, 1] {
        set_streaming_threshold(threshold);
        on_every_isa_in_a_pool(|| {
            activations::<f32>();
            activations::<f64>();
            exact_activations();
        });
    }
}

/// `[outer, axis, inner]`.
const SHAPES: [[usize; 3]; 20] = [
    // Short rows, long ones, and one that is cut into parts for threads.
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
    // Interleaved rows: fewer than a lane value holds, more, and more than a panel has (`src/passes/panel.rs`).
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
    on_every_isa_in_a_pool(|| {
        rows::<f32>();
        rows::<f64>();
    });
}

#[test]
fn exact_softmax_writes_every_element() {
    on_every_isa_in_a_pool(|| {
        for [outer, axis, inner] in SHAPES {
            let x = inputs::<f32>(outer * axis * inner);
            twins!(&format!("exact softmax of [{outer}, {axis}, {inner}]"), Softmax::axis(axis, inner).exact(), &x[..]);
        }
    });
}

#[test]
fn a_shape_or_a_stride_without_gaps_is_accepted() {
    let x = inputs::<f32>(120);
    twins!("softmax along", Softmax::along(&[2, 3, 4, 5], 1), &x[..]);
    twins!("log-softmax along", LogSoftmax::along(&[2, 3, 4, 5], 3), &x[..]);
    twins!("softmax of rows", Softmax::rows(5).row_stride(5), &x[..]);
    twins!("exact softmax of rows", Softmax::rows(5).row_stride(5).exact(), &x[..]);
}
