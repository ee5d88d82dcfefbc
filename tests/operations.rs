//! Proves for every operation of the list, on every instruction set:
//!
//! - All forms give the same bits, within the operation's bound of an `f64` reference, and write nothing outside their
//!   outputs (`Operation::check`). Inputs are of twelve kinds and many shapes.
//! - All instruction sets with a fused multiply-add give the same bits.
//! - A part of a slice has the bits of that part of the whole slice's results. An inner axis has the bits of its rows
//!   made contiguous.

mod common;

use activations::{Isa, judge};
use common::{KINDS, noise, same_bits};
use operations::{Element, Family, Operation, Options, Parameters, Shape, binary, elementwise, loss};

/// `[outer, axis, inner]`: short and long rows, contiguous (`inner` = 1) and interleaved.
const SHAPES: [[usize; 3]; 15] = [
    [0, 5, 1],
    [1, 1, 1],
    [70, 1, 1],
    [19, 2, 1],
    [37, 10, 1],
    [17, 16, 1],
    [3, 17, 1],
    [5, 33, 1],
    [3, 300, 1],
    [1, 2500, 1],
    [3, 4, 5],
    [1, 16, 33],
    [2, 40, 129],
    [1, 700, 3],
    [2, 1, 7],
];

/// Checks an operation on every instruction set. Those with a fused multiply-add must give the same bits.
fn check<T: Element>(operation: &Operation<T>, numbers: &[T], kind: &str) {
    let inputs = Isa::Scalar.with(|| operation.inputs_from(numbers));
    let mut fused: Option<Vec<u64>> = None;
    for isa in Isa::available() {
        isa.with(|| {
            let bits = operation.check(&inputs, [3, 2]).bits();
            if isa.is_fused() {
                let expected = fused.get_or_insert_with(|| bits.clone());
                assert!(
                    *expected == bits,
                    "{}, inputs {kind}: other bits than other instruction sets",
                    operation.title()
                );
            }
        });
    }
}

fn every_shape_and_kind<T: Element>() {
    for [outer, axis, inner] in SHAPES {
        let shape = Shape { outer, axis, inner };
        let mut operations = operations::all::<T>(shape, &Parameters::default());
        operations.extend(elementwise::other_parameters(shape.len()));
        for weight in [0.0, 0.3, 20.0, 1e-20, 1e20] {
            operations.extend(binary::with_weight(shape.len(), weight, -0.3));
        }
        for (kind, number) in KINDS {
            let numbers: Vec<T> = (0..shape.len().max(1)).map(|i| T::rounded(number(i))).collect();
            operations.iter().for_each(|operation| check(operation, &numbers, kind));
        }
    }
}

#[test]
fn every_operation_is_right_f32() {
    println!("available: {}", Isa::available().map(|isa| isa.to_string()).collect::<Vec<_>>().join(" "));
    every_shape_and_kind::<f32>();
}

#[test]
fn every_operation_is_right_f64() {
    every_shape_and_kind::<f64>();
}

/// Rows so long that the depth of the tree of a sum matters.
#[test]
fn long_rows_are_right() {
    for columns in [5000, 128_256] {
        for (kind, number) in &KINDS[..11] {
            let numbers: Vec<f32> = (0..columns).map(|i| number(i) as f32).collect();
            let shape = Shape::rows_of(columns, 1);
            let operations = operations::all(shape, &Parameters::default());
            let has_rows = |operation: &&Operation<f32>| operation.family == Family::Axis;
            operations.iter().filter(has_rows).for_each(|operation| check(operation, &numbers, kind));
        }
    }
}

/// Every combination of the options of a loss.
fn every_option<T: Element>() {
    for [outer, axis, inner] in [[7, 5, 1], [3, 40, 1], [2, 3, 20], [1, 300, 1]] {
        let shape = Shape { outer, axis, inner };
        let targets: Vec<u32> = (0..shape.rows()).map(|r| ((7 * r + 3) % axis) as u32).collect();
        for (kind, number) in KINDS {
            let numbers: Vec<T> = (0..shape.len()).map(|i| T::rounded(number(i))).collect();
            for options in Options::combinations() {
                let operations = loss::all(shape, &targets, None, options);
                let soft = loss::soft(shape, Some(0.5), options);
                operations.iter().chain(&soft).for_each(|operation| check(operation, &numbers, kind));
            }
        }
    }
}

#[test]
fn every_option_of_a_loss_is_right() {
    every_option::<f32>();
    every_option::<f64>();
}

/// Inputs at the edges, log-spaced, and of any bits.
#[test]
fn elementwise_operations_are_right_for_numbers_of_all_sizes() {
    let x = judge::inputs();
    let double: Vec<f64> = x.iter().map(|x| f64::from(*x) * 1.000_000_1).collect();
    elementwise::all(x.len()).iter().for_each(|operation| check(operation, &x, "of all sizes"));
    elementwise::all(double.len()).iter().for_each(|operation| check(operation, &double, "of all sizes"));
}

/// Cuts a slice of five times the shape `part` in five. Each fifth alone must have the bits of that fifth of the
/// results: they depend neither on the position in a slice nor on its length.
fn check_parts<T: Element>(part: Shape, numbers: &[T]) {
    let whole = Shape { outer: 5 * part.outer, ..part };
    let of_whole = operations::all::<T>(whole, &Parameters::default());
    let of_part = operations::all::<T>(part, &Parameters::default());
    for (operation, of_part) in
        of_whole.iter().zip(&of_part).filter(|(operation, _)| operation.family != Family::Reduction)
    {
        for isa in Isa::available() {
            isa.with(|| {
                let inputs = operation.inputs_from(numbers);
                let results = operation.run(&operation.forms[0], &inputs);
                let cut = |slices: &[Vec<T>], k: usize| -> Vec<Vec<T>> {
                    slices.iter().map(|slice| slice.chunks(slice.len() / 5).nth(k).expect("a part").to_vec()).collect()
                };
                // The classes of a loss begin again with each part only if they repeat.
                for k in if operation.item == "CrossEntropy" { 0..1 } else { 0..5 } {
                    let actual = of_part.run(&of_part.forms[0], &cut(&inputs, k));
                    let expected = cut(&results.outputs, k);
                    let is_same = actual.outputs.iter().zip(&expected).all(|(a, b)| same_bits(a, b));
                    assert!(is_same, "{}: part {k} alone has other bits", operation.title());
                }
            });
        }
    }
}

fn parts_of_every_length<T: Element>() {
    let numbers: Vec<T> = (0..5 * 2100).map(|i| T::rounded(12.0 * noise(i))).collect();
    for len in (1..70).chain([127, 128, 129, 200, 2100]) {
        check_parts(Shape::rows_of(len, 1), &numbers);
    }
    for [outer, axis, inner] in [[3, 5, 1], [17, 3, 1], [1, 7, 3], [1, 10, 40]] {
        check_parts(Shape { outer, axis, inner }, &numbers);
    }
}

#[test]
fn a_part_has_the_bits_of_the_whole_f32() {
    parts_of_every_length::<f32>();
}

#[test]
fn a_part_has_the_bits_of_the_whole_f64() {
    parts_of_every_length::<f64>();
}

/// Rows along an inner axis must have the bits of the same rows made contiguous.
fn check_axis<T: Element>([outer, axis, inner]: [usize; 3], number: fn(usize) -> f64) {
    let interleaved = Shape { outer, axis, inner };
    let contiguous = Shape::rows_of(axis, outer * inner);
    let numbers: Vec<T> = (0..interleaved.len()).map(|i| T::rounded(number(i))).collect();
    // The elements of the tensor, row by row.
    let gather_rows = |x: &[T]| -> Vec<T> {
        (0..interleaved.rows()).flat_map(|r| interleaved.row_indices(r)).map(|i| x[i]).collect()
    };
    let pairs = operations::softmax::all::<T>(interleaved).into_iter().zip(operations::softmax::all::<T>(contiguous));
    for (of_interleaved, of_contiguous) in pairs {
        for isa in Isa::available() {
            isa.with(|| {
                let inputs = of_interleaved.inputs_from(&numbers);
                let rows: Vec<Vec<T>> = inputs.iter().map(|x| gather_rows(x)).collect();
                let actual = of_interleaved.run(&of_interleaved.forms[0], &inputs).outputs.remove(0);
                let expected = of_contiguous.run(&of_contiguous.forms[0], &rows).outputs.remove(0);
                let actual = if actual.len() == interleaved.len() { gather_rows(&actual) } else { actual };
                assert!(same_bits(&actual, &expected), "{}: not the bits of contiguous rows", of_interleaved.title());
            });
        }
    }
}

#[test]
fn an_axis_has_the_bits_of_contiguous_rows() {
    for shape in [[1, 1, 2], [3, 4, 5], [2, 10, 16], [1, 16, 33], [2, 129, 17], [1, 1000, 3], [1, 2100, 20]] {
        for (_, number) in [KINDS[0], KINDS[12]] {
            check_axis::<f32>(shape, number);
            check_axis::<f64>(shape, number);
        }
    }
}
