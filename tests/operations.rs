//! Every operation of the list in every form, on every instruction set: right, the same bits wherever the slices are, and
//! nothing written outside them.

mod common;

use activations::Isa;
use common::inputs;
use operations::{Element, Family, Operation, Parameters, Shape, elementwise};

/// Numbers of one kind: a name, and the number at each position.
type Kind = (&'static str, fn(usize) -> f64);

/// Between -1 and 1, without a pattern.
fn noise(i: usize) -> f64 {
    (i.wrapping_mul(2_654_435_761) % 20_011) as f64 / 10_005.5 - 1.0
}

const KINDS: [Kind; 12] = [
    ("ordinary", |i| 8.0 * noise(i)),
    ("up to 100", |i| 100.0 * noise(i)),
    ("equal", |_| 0.37),
    ("two values", |i| if i.is_multiple_of(3) { 1.5 } else { -0.25 }),
    ("falling", |i| 20.0 - 0.07 * i as f64),
    ("one far above", |i| if i % 61 == 30 { 110.0 } else { noise(i) }),
    ("far from 0", |i| 51_014.0 + 10.0 * noise(i)),
    ("huge", |i| 3e38 * noise(i)),
    ("subnormal and small", |i| [1e-40, -3e-45, 1e-20, 1e-310, 0.7][i % 5] * noise(i)),
    ("some -inf", |i| if i % 7 == 3 { f64::NEG_INFINITY } else { 8.0 * noise(i) }),
    ("some +inf", |i| if i % 97 == 50 { f64::INFINITY } else { 8.0 * noise(i) }),
    ("some NaN", |i| if i % 97 == 50 { f64::NAN } else { 8.0 * noise(i) }),
];

/// Short rows and long ones, one after the other and interleaved.
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

/// Checks an operation on every instruction set: those with a fused multiply-add give the same bits.
fn check<T: Element>(operation: &Operation<T>, numbers: &[T], kind: &str) {
    let scalar = Isa::Scalar.with(|| operation.inputs_from(numbers));
    let mut fused: Option<Vec<u64>> = None;
    for isa in Isa::available() {
        isa.with(|| {
            let bits = operation.check(&scalar, [3, 2]).bits();
            if isa.is_fused() {
                let expected = fused.get_or_insert_with(|| bits.clone());
                assert!(
                    *expected == bits,
                    "{} of {kind} numbers: not the bits of other instruction sets",
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

/// Long rows of finite numbers.
#[test]
fn long_rows_are_right() {
    for columns in [5000, 128_256] {
        for (kind, number) in &KINDS[..8] {
            let numbers: Vec<f32> = (0..columns).map(|i| number(i) as f32).collect();
            let shape = Shape::rows_of(columns, 1);
            let operations = operations::all(shape, &Parameters::default());
            let has_rows = |operation: &&Operation<f32>| matches!(operation.family, Family::Axis | Family::Rows);
            operations.iter().filter(has_rows).for_each(|operation| check(operation, &numbers, kind));
        }
    }
}

/// Inputs at the edges, log-spaced, and of any bits.
#[test]
fn elementwise_operations_are_right_at_the_edges() {
    let x = inputs();
    let wide: Vec<f64> = x.iter().map(|x| f64::from(*x) * 1.000_000_1).collect();
    elementwise::all(x.len()).iter().for_each(|operation| check(operation, &x, "f32"));
    elementwise::all(wide.len()).iter().for_each(|operation| check(operation, &wide, "f64"));
}

/// A part of a slice gives a part of its results: an element's result depends on neither its position nor the length.
fn parts<T: Element>(part: Shape, numbers: &[T]) {
    let whole = Shape { outer: 5 * part.outer, ..part };
    let all = operations::all::<T>(whole, &Parameters::default());
    let of_part = operations::all::<T>(part, &Parameters::default());
    for (operation, of_part) in all.iter().zip(&of_part).filter(|(operation, _)| operation.family != Family::Reduction)
    {
        for isa in Isa::available() {
            isa.with(|| {
                let inputs = operation.inputs_from(numbers);
                let results = operation.run(&operation.forms[0], &inputs);
                let cut = |slices: &[Vec<T>], k: usize| -> Vec<Vec<T>> {
                    slices.iter().map(|slice| slice.chunks(slice.len() / 5).nth(k).expect("a part").to_vec()).collect()
                };
                // The classes of a loss begin again with each part only if they repeat.
                for k in if operation.family == Family::Rows { 0..1 } else { 0..5 } {
                    let actual = of_part.run(&of_part.forms[0], &cut(&inputs, k));
                    let expected = cut(&results.outputs, k);
                    let is_same = actual
                        .outputs
                        .iter()
                        .flatten()
                        .zip(expected.iter().flatten())
                        .all(|(a, b)| a.bits() == b.bits());
                    assert!(is_same, "{}: part {k} alone has other bits", operation.title());
                }
            });
        }
    }
}

fn every_part<T: Element>() {
    let numbers: Vec<T> = (0..5 * 2100).map(|i| T::rounded(12.0 * noise(i))).collect();
    for len in (1..70).chain([127, 128, 129, 200, 2100]) {
        parts(Shape::rows_of(len, 1), &numbers);
    }
    for [outer, axis, inner] in [[3, 5, 1], [17, 3, 1], [1, 7, 3], [1, 10, 40]] {
        parts(Shape { outer, axis, inner }, &numbers);
    }
}

#[test]
fn a_part_has_the_bits_of_the_whole_f32() {
    every_part::<f32>();
}

#[test]
fn a_part_has_the_bits_of_the_whole_f64() {
    every_part::<f64>();
}

/// An axis has the bits of the same rows one after the other.
fn axis<T: Element>([outer, axis, inner]: [usize; 3], number: fn(usize) -> f64) {
    let across = Shape { outer, axis, inner };
    let along = Shape::rows_of(axis, outer * inner);
    let numbers: Vec<T> = (0..across.len()).map(|i| T::rounded(number(i))).collect();
    let side_by_side =
        |x: &[T]| -> Vec<T> { (0..across.rows()).flat_map(|r| across.row_indices(r)).map(|i| x[i]).collect() };
    let pairs = operations::softmax::all::<T>(across).into_iter().zip(operations::softmax::all::<T>(along));
    for (across_operation, along_operation) in pairs {
        for isa in Isa::available() {
            isa.with(|| {
                let inputs = across_operation.inputs_from(&numbers);
                let rows: Vec<Vec<T>> = inputs.iter().map(|x| side_by_side(x)).collect();
                let actual = across_operation.run(&across_operation.forms[0], &inputs).outputs.remove(0);
                let expected = along_operation.run(&along_operation.forms[0], &rows).outputs.remove(0);
                let actual = if actual.len() == across.len() { side_by_side(&actual) } else { actual };
                let is_same = actual.iter().zip(&expected).all(|(a, b)| a.bits() == b.bits());
                assert!(is_same, "{}: not the bits of rows", across_operation.title());
            });
        }
    }
}

#[test]
fn an_axis_has_the_bits_of_its_rows() {
    for shape in [[1, 1, 2], [3, 4, 5], [2, 10, 16], [1, 16, 33], [2, 129, 17], [1, 1000, 3], [1, 2100, 20]] {
        for (_, number) in [KINDS[0], KINDS[9]] {
            axis::<f32>(shape, number);
            axis::<f64>(shape, number);
        }
    }
}
