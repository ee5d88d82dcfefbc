//! Proves that no input makes a kernel slow on Intel CPUs: no multiplication, division or multiply-add of any operation has
//! a subnormal operand or result. Such an instruction takes 50 ns there, and most of them nothing on AMD, so that no clock
//! is asked: the scalar lanes count.

mod common;

use activations::Isa;
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
        for operation in operations::all::<T>(shape, &Parameters::default()) {
            for (kind, number) in KINDS {
                // Gradients take y from the first numbers and dy from the others.
                let numbers: Vec<T> = (0..2 * shape.len() + 64).map(|i| T::rounded(number(i))).collect();
                let count = assists(&operation, &numbers);
                if count > 0 {
                    found.push(format!("{count} assists: {}, {kind}", operation.title()));
                }
            }
        }
    }
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
    use activations::{Exp, Sigmoid};
    // Plain lanes meet no subnormal number here, and gradual lanes avoid them.
    let mut y = [0.0; 20];
    assert_eq!(Isa::count_assists(|| Exp.forward(&[-95.0_f32; 20], &mut y)).1, 0);
    assert_eq!(Isa::count_assists(|| Sigmoid.forward(&[1.0_f32; 20], &mut y)).1, 0);
}
