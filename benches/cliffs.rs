//! Does any input make any operation slow? Times each operation of the list on subnormal, huge, infinite and NaN
//! inputs, and divides by the time on ordinary ones.
//!
//! `cargo bench --bench cliffs` prints one line for each operation and instruction set, and at the end the largest
//! ratio.

use std::hint::black_box;
use std::time::Instant;

use activations::Isa;
use operations::{Bound, Family, Operation, Parameters, Shape};

/// The number of elements of each tensor.
const LEN: usize = 4096;
/// The length of the long rows. Some inputs below have one special element in each row.
const COLUMNS: usize = 128;

/// Long rows, short rows, and interleaved rows.
const SHAPES: [Shape; 3] =
    [Shape::rows_of(COLUMNS, LEN / COLUMNS), Shape::rows_of(16, LEN / 16), Shape { outer: 1, axis: 64, inner: 64 }];

/// A kind of inputs: a name, and the number at each index.
type Kind = (&'static str, fn(usize) -> f32);

/// A number in [-1, 1] that depends on `i` irregularly.
fn noise(i: usize) -> f32 {
    (i.wrapping_mul(2_654_435_761) % 20_001) as f32 / 10_000.0 - 1.0
}

/// `scale` in every second block of 64 elements, 1 in the others: a kernel's fast and slow loops alternate.
fn in_blocks(i: usize, scale: f32) -> f32 {
    if i / 64 % 2 == 1 { scale } else { 1.0 }
}

/// Kinds of inputs and logits. The first kind is ordinary.
const INPUTS: [Kind; 11] = [
    ("ordinary", |i| 8.0 * noise(i)),
    ("-85 to -45", |i| 20.0 * noise(i) - 65.0),
    ("-100 to -90", |i| 5.0 * noise(i) - 95.0),
    ("subnormal", |i| 1e-40 * noise(i)),
    ("90 to 104 below the largest", |i| if i % COLUMNS == 3 { 0.0 } else { 7.0 * noise(i) - 97.0 }),
    ("huge", |i| 3e38 * noise(i)),
    ("NaN", |_| f32::NAN),
    ("+inf", |_| f32::INFINITY),
    ("-inf after 100", |i| if i % COLUMNS < 100 { 8.0 * noise(i) } else { f32::NEG_INFINITY }),
    ("one subnormal in 64", |i| if i % 64 == 5 { 1e-40 } else { 8.0 * noise(i) }),
    ("every second block of 64 subnormal", |i| 8.0 * in_blocks(i, 1e-40) * noise(i)),
];

/// A kind of inputs of a gradient: a name, and y and dy at each index.
type GradientKind = (&'static str, fn(usize) -> [f32; 2]);

/// Kinds of inputs of a gradient. The first kind is ordinary.
const GRADIENTS: [GradientKind; 9] = [
    ("ordinary", |i| [noise(i).abs(), noise(i + 7)]),
    ("subnormal dy", |i| [noise(i).abs(), 1e-40 * noise(i + 7)]),
    ("subnormal y", |i| [1e-40 * noise(i).abs(), noise(i + 7)]),
    ("subnormal products", |i| [1e-20 * noise(i).abs(), 1e-20 * noise(i + 7)]),
    ("NaN dy", |i| [noise(i).abs(), f32::NAN]),
    ("huge dy", |i| [noise(i).abs(), 3e38 * noise(i + 7)]),
    ("every second block of 64 with subnormal dy", |i| [noise(i).abs(), in_blocks(i, 1e-40) * noise(i + 7)]),
    ("every second block of 64 with subnormal y", |i| [in_blocks(i, 1e-40) * noise(i).abs(), noise(i + 7)]),
    ("every second block of 64 with subnormal products", |i| {
        let scale = in_blocks(i, 1e-20);
        [scale * noise(i).abs(), scale * noise(i + 7)]
    }),
];

/// Kinds of inputs of a gradient that takes the saved input: x and dy.
const FAR_FROM_0: [GradientKind; 5] = [
    ("ordinary", |i| [4.0 * noise(i), noise(i + 7)]),
    ("x in [-8, 8]", |i| [8.0 * noise(i), noise(i + 7)]),
    ("x in [-30, 30]", |i| [30.0 * noise(i), noise(i + 7)]),
    ("x in [-100, 100]", |i| [100.0 * noise(i), noise(i + 7)]),
    ("x in [-100, 100], subnormal dy", |i| [100.0 * noise(i), 1e-40 * noise(i + 7)]),
];

/// The inputs of an operation for a kind: the first slice, and all others.
fn inputs_of_kind(operation: &Operation<f32>, kind: impl Fn(usize) -> [f32; 2]) -> Vec<Vec<f32>> {
    let slice = |k: usize| (0..operation.inputs[k]).map(|i| kind(i)[k.min(1)]).collect();
    (0..operation.inputs.len()).map(slice).collect()
}

/// The least of 30 times, each of 20 calls. Interruptions only add to a time.
fn time(mut work: impl FnMut()) -> f64 {
    let time_of_20 = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..20).for_each(|_| work());
        start.elapsed().as_secs_f64()
    };
    (0..30).map(|_| time_of_20(&mut work)).fold(f64::INFINITY, f64::min)
}

/// Times an operation on each kind of inputs and prints the ratios to the first kind. Returns the largest ratio.
fn ratios(operation: &Operation<f32>, kinds: &[(&str, Vec<Vec<f32>>)]) -> f64 {
    let form = &operation.forms[0];
    let mut times = kinds.iter().map(|(kind, inputs)| {
        let views: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<Vec<f32>> = operation.outputs.iter().map(|len| vec![0.0; *len]).collect();
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let time = time(|| {
            if let Some(input) = form.overwrites {
                outputs[0].copy_from_slice(views[input]);
            }
            (form.call)(black_box(&views), &mut outputs);
        });
        (*kind, time)
    });
    let (_, ordinary) = times.next().expect("ordinary input");
    let ratios: Vec<(&str, f64)> = times.map(|(kind, time)| (kind, time / ordinary)).collect();
    let cells: Vec<String> = ratios.iter().map(|(kind, ratio)| format!("{kind} {ratio:.2}")).collect();
    println!("{:8} {:25} {}: {}", Isa::current().to_string(), operation.name, operation.parameters, cells.join(", "));
    ratios.iter().fold(0.0, |max, (_, ratio)| max.max(*ratio))
}

fn main() {
    let parameters = Parameters { limit: 1e-36, scale: Some(1e-3), ..Parameters::default() };
    let mut worst = 0.0_f64;
    for isa in Isa::available() {
        isa.with(|| {
            for (i, shape) in SHAPES.into_iter().enumerate() {
                for operation in operations::all(shape, &parameters) {
                    // Operations without rows are timed once, not again for each shape.
                    if i > 0 && operation.family != Family::Axis {
                        continue;
                    }
                    let of = |(name, kind): &GradientKind| (*name, inputs_of_kind(&operation, kind));
                    let kinds = match operation.inputs.len() {
                        1 => {
                            INPUTS.iter().map(|(name, x)| (*name, inputs_of_kind(&operation, |i| [x(i); 2]))).collect()
                        }
                        _ => GRADIENTS.iter().map(of).collect::<Vec<_>>(),
                    };
                    worst = worst.max(ratios(&operation, &kinds));
                    if matches!(operation.bound, Bound::OfInputGradient(_)) {
                        let kinds: Vec<_> = FAR_FROM_0.iter().map(of).collect();
                        worst = worst.max(ratios(&operation, &kinds));
                    }
                }
            }
        });
    }
    println!("largest ratio: {worst:.2}");
}
