//! Times every operation of the list on every instruction set, beside memcpy of the first input and a plain loop over
//! `std`.
//!
//! `cargo bench -p criterion-benches -- FILTER`. Results of rows, and of slices up to [`JUDGED`], are judged before they
//! are timed. The test mode (`--test`) has no longer slices.

use std::hint::black_box;

use activations::Isa;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use operations::{Element, Family, Form, Operation, Parameters, Shape};

/// The largest number of elements that is judged. The references take up to a microsecond for each.
const JUDGED: usize = 65_536;

/// Numbers in [-8, 8] in an irregular order.
fn numbers<T: Element>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::rounded((i.wrapping_mul(2_654_435_761) % 16_001) as f64 / 1000.0 - 8.0)).collect()
}

/// The loop that a user would write without this crate: shape, input, output.
type PlainLoop = fn(Shape, &[f32], &mut [f32]);

/// The plain loop of an operation, if this bench has one.
fn plain_loop(name: &str) -> Option<PlainLoop> {
    Some(match name {
        "relu" => |_, x, y| elementwise(x, y, |x| x.max(0.0)),
        "leaky_relu" => |_, x, y| elementwise(x, y, |x| if x > 0.0 { x } else { 0.01 * x }),
        "sigmoid" => |_, x, y| elementwise(x, y, |x| 1.0 / (1.0 + (-x).exp())),
        "tanh" => |_, x, y| elementwise(x, y, f32::tanh),
        "exp" => |_, x, y| elementwise(x, y, f32::exp),
        "softmax" => softmax,
        _ => return None,
    })
}

fn elementwise(x: &[f32], y: &mut [f32], function: impl Fn(f32) -> f32) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = function(*x));
}

/// The plain loop of softmax, for contiguous rows.
fn softmax(shape: Shape, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(shape.axis).zip(y.chunks_mut(shape.axis)) {
        let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (x, y) in x.iter().zip(&mut *y) {
            *y = (x - max).exp();
            sum += *y;
        }
        y.iter_mut().for_each(|y| *y /= sum);
    }
}

/// Times a copy of `x`.
fn memcpy<T: Element>(group: &mut BenchmarkGroup<WallTime>, size: &str, x: &[T]) {
    let mut y = vec![T::default(); x.len()];
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function(BenchmarkId::new("memcpy", size), |b| {
        b.iter(|| black_box(&mut y[..]).copy_from_slice(black_box(x)));
    });
}

/// Judges the results of a form on every instruction set, then times it.
fn time_on_every_isa<T: Element>(
    group: &mut BenchmarkGroup<WallTime>,
    size: &str,
    operation: &Operation<T>,
    form: &Form<T>,
    inputs: &[Vec<T>],
) {
    let views: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    for isa in Isa::available() {
        isa.with(|| {
            let results = operation.run(form, inputs);
            if operation.family == Family::Axis || views[0].len() <= JUDGED {
                operation.assert_right(inputs, &results);
            }
            let mut outputs = results.outputs;
            let mut outputs: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            group.bench_function(BenchmarkId::new(format!("{} {isa}", form.name), size), |b| {
                b.iter(|| (form.call)(black_box(&views), &mut outputs));
            });
        });
    }
}

/// Times the first form of every operation that `is_chosen`, on a tensor of this shape, and its plain loop
/// `with_plain_loop`.
fn bench<T: Element>(c: &mut Criterion, shape: Shape, is_chosen: fn(&Operation<T>) -> bool, with_plain_loop: bool) {
    let all = operations::all::<T>(shape, &Parameters::default());
    for operation in all.iter().filter(|operation| is_chosen(operation)) {
        let mut group = c.benchmark_group(&operation.name);
        let size = match (operation.family, shape) {
            (Family::Elementwise | Family::Reduction, _) => format!("{}", shape.len()),
            (_, Shape { outer, axis, inner: 1 }) => format!("{outer}x{axis}"),
            (_, Shape { outer, axis, inner }) => format!("axis 1 of {outer}x{axis}x{inner}"),
        };
        let size = if T::BYTES == 8 { format!("{size} f64") } else { size };
        let inputs = operation.inputs_from(&numbers(shape.len()));
        memcpy(&mut group, &size, &inputs[0]);
        time_on_every_isa(&mut group, &size, operation, &operation.forms[0], &inputs);
        if let Some(plain) = plain_loop(&operation.name).filter(|_| with_plain_loop) {
            let x = numbers(shape.len());
            let mut y = x.clone();
            group.bench_function(BenchmarkId::new("std", &size), |b| b.iter(|| plain(shape, black_box(&x), &mut y)));
        }
    }
}

fn whole_slices(c: &mut Criterion) {
    // Two lengths for the first level of caches, then the second level, the last level, and memory.
    let is_test = std::env::args().any(|argument| argument == "--test");
    for len in [8, 1000, JUDGED, 1 << 20, 1 << 25].into_iter().filter(|len| !is_test || *len <= JUDGED) {
        bench::<f32>(c, Shape::rows_of(1, len), |operation| operation.family == Family::Elementwise, true);
    }
    bench::<f64>(c, Shape::rows_of(1, 65_536), |operation| operation.family == Family::Elementwise, false);
    bench::<f32>(c, Shape::rows_of(1, 65_536), |operation| operation.family == Family::Reduction, false);
}

fn rows(c: &mut Criterion) {
    for (rows, columns) in [(100_000, 10), (4096, 128), (512, 1000), (8, 32_000), (1, 128_256)] {
        let has_rows = |operation: &Operation<f32>| operation.family == Family::Axis;
        bench::<f32>(c, Shape::rows_of(columns, rows), has_rows, true);
    }
    let shape = Shape { outer: 1, axis: 1000, inner: 512 };
    bench::<f32>(c, shape, |operation| operation.family == Family::Axis, false);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = whole_slices, rows
}
criterion_main!(benches);
