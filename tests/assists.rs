//! Proves that no input makes a kernel slow on Intel CPUs: no multiplication, division or multiply-add of any operation has
//! a subnormal operand or result. Such an instruction takes 50 ns there, and most of them nothing on AMD, so that no clock
//! is asked: the scalar lanes count. One exception is known and counted below.

mod common;

use activations::{BinaryCrossEntropy, Isa, Sigmoid};
use common::KINDS;
use operations::{Element, Operation, Parameters, Shape};

/// Short and long rows, contiguous and interleaved.
const SHAPES: [Shape; 5] = [
    Shape::rows_of(10, 13),
    Shape::rows_of(300, 3),
    Shape::rows_of(2500, 1),
    Shape { outer: 1, axis: 40, inner: 33 },
    Shape { outer: 2, axis: 7, inner: 3 },
];

/// The number of assists of the first form of an operation.
fn assists<T: Element>(operation: &Operation<T>, numbers: &[T]) -> u64 {
    let inputs = Isa::Scalar.with(|| operation.inputs_from(numbers));
    let views: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<Vec<T>> = operation.outputs.iter().map(|len| vec![T::default(); *len]).collect();
    let form = &operation.forms[0];
    if let Some(input) = form.overwrites {
        outputs[0].copy_from_slice(&inputs[input]);
    }
    let mut outputs: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    Isa::count_assists(|| (form.call)(&views, &mut outputs)).1
}

fn no_input_needs_an_assist<T: Element>() {
    let mut found = Vec::new();
    for shape in SHAPES {
        let len = shape.len();
        for operation in operations::all::<T>(shape, &Parameters::default()) {
            for (k, (kind, first)) in KINDS.iter().enumerate() {
                // Gradients and losses of two sources: every kind with every kind.
                let others = if operation.inputs.len() > 1 { &KINDS[..] } else { &KINDS[k..=k] };
                for (other_kind, other) in others {
                    let number = |i: usize| T::rounded(if i < len { first(i) } else { other(i - len) });
                    let numbers: Vec<T> = (0..2 * len).map(number).collect();
                    let count = assists(&operation, &numbers);
                    if count > 0 {
                        found.push(format!("{count} assists: {}, {kind}, {other_kind}", operation.title()));
                    }
                }
            }
        }
    }
    found.truncate(50);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_input_needs_an_assist_f32() {
    no_input_needs_an_assist::<f32>();
}

#[test]
fn no_input_needs_an_assist_f64() {
    no_input_needs_an_assist::<f64>();
}

#[test]
fn an_assist_is_counted() {
    // The known exception: a gradient that cancels to its last digits, times a small scale.
    let x = [-30.0_f32; 64];
    let mut t = [0.0; 64];
    Sigmoid.forward(&x, &mut t);
    for (i, t) in t.iter_mut().enumerate() {
        *t = f32::from_bits(t.to_bits() + i as u32);
    }
    let (mut losses, mut dx) = ([0.0; 64], [0.0; 64]);
    let mut count = |scale: f64| {
        let work = || BinaryCrossEntropy::new().forward_backward(&x, &t, scale, &mut losses, &mut dx);
        Isa::count_assists(work).1
    };
    assert_eq!(count(1.0), 0);
    assert!(count(2_f64.powi(-60)) > 0);
    let subnormal = dx.iter().filter(|dx| dx.is_subnormal()).count();
    assert!(subnormal > 0, "no gradient is subnormal: {dx:?}");
}
