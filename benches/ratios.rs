//! Every operation on every instruction set in one table: time divided by that of memcpy of the same size.
//!
//! `cargo bench --bench ratios -- FILTER` prints the rows whose name contains FILTER. The operations are those of the list,
//! called through a pointer and slices of slices: for a few elements that is 1 or 2 ns more than a direct call.

use std::hint::black_box;
use std::time::{Duration, Instant};

use activations::{Isa, Softmax};
use operations::{Element, Family, Operation, Parameters, Shape};

/// The time of one measurement, unless a call takes longer. It is too short to be interrupted often.
const TURN: Duration = Duration::from_micros(300);
/// The number of pairs of measurements. The median of their ratios is printed.
const PAIRS: usize = 21;

/// The width of the column of names.
const NAME_WIDTH: usize = 44;

/// Inputs in [-8, 8] without a pattern.
fn inputs<T: Element>(len: usize) -> Vec<T> {
    apart((0..len).map(|i| T::rounded((i.wrapping_mul(2_654_435_761) % 16_001) as f64 / 1000.0 - 8.0)))
}

/// A slice with a page of free memory behind it, so that no load of a lane value waits for a store to the next slice.
fn apart<T>(x: impl ExactSizeIterator<Item = T>) -> Vec<T> {
    let mut slice = Vec::with_capacity(x.len() + 4096 / size_of::<T>());
    slice.extend(x);
    slice
}

/// A copy in a slice of its own.
fn copy<T: Copy>(x: &[T]) -> Vec<T> {
    apart(x.iter().copied())
}

/// The number of calls that take a [`TURN`].
fn calls_in_a_turn(work: &mut dyn FnMut()) -> u32 {
    let mut calls = 1;
    while time(work, calls) * f64::from(calls) < TURN.as_secs_f64() / 2.0 {
        calls *= 2;
    }
    (TURN.as_secs_f64() / time(work, calls)) as u32 + 1
}

/// Seconds of a call, after one call that is not timed.
fn time(work: &mut dyn FnMut(), calls: u32) -> f64 {
    work();
    let start = Instant::now();
    (0..calls).for_each(|_| work());
    start.elapsed().as_secs_f64() / f64::from(calls)
}

/// A Markdown table of the rows whose name contains `filter`.
struct Report {
    filter: String,
}

impl Report {
    /// Prints the header.
    fn new(filter: String) -> Self {
        let names: Vec<String> = Isa::available().map(|isa| isa.to_string()).collect();
        let report = Self { filter };
        report.line("operation", "memcpy, ns/element", &names);
        report.line(&"-".repeat(NAME_WIDTH), &"-".repeat(18), &names.iter().map(|_| "-".repeat(8)).collect::<Vec<_>>());
        report
    }

    /// Prints a line of the table.
    fn line(&self, name: &str, memcpy: &str, ratios: &[String]) {
        let ratios: String = ratios.iter().map(|ratio| format!(" {ratio:8} |")).collect();
        println!("| {name:NAME_WIDTH$} | {memcpy:18} |{ratios}");
    }

    /// Times `work` on every instruction set beside memcpy of a slice like `x`, and prints the row.
    fn row<T: Copy>(&self, name: &str, x: &[T], mut work: impl FnMut()) {
        let (from, mut to) = (copy(x), copy(x));
        let mut memcpy = || black_box(&mut to[..]).copy_from_slice(black_box(&from));
        let memcpy_calls = calls_in_a_turn(&mut memcpy);
        let mut least = f64::INFINITY;
        let mut cells = Vec::new();
        for isa in Isa::available() {
            isa.with(|| {
                let calls = calls_in_a_turn(&mut work);
                let pair = |_| {
                    let floor = time(&mut memcpy, memcpy_calls);
                    least = least.min(floor);
                    time(&mut work, calls) / floor
                };
                let mut ratios: Vec<f64> = (0..PAIRS).map(pair).collect();
                ratios.sort_by(f64::total_cmp);
                cells.push(format!("{:.2}", ratios[PAIRS / 2]));
            });
        }
        self.line(name, &format!("{:.4}", least * 1e9 / x.len() as f64), &cells);
    }
}

/// The rows of the operations of one shape that `is_chosen`, each by its first method.
fn rows<T: Element>(report: &Report, shape: Shape, is_chosen: impl Fn(&Operation<T>) -> bool) {
    // An infinite limit: a clipping by norm only measures.
    let parameters = Parameters { limit: f64::INFINITY, ..Parameters::default() };
    for operation in operations::all::<T>(shape, &parameters).iter().filter(|operation| is_chosen(operation)) {
        let name = format!("{} {}", operation.name, size(operation, shape));
        if !name.contains(&report.filter) {
            continue;
        }
        let inputs: Vec<Vec<T>> = operation.inputs_from(&inputs(shape.len())).iter().map(|input| copy(input)).collect();
        let views: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<Vec<T>> =
            operation.outputs.iter().map(|len| apart((0..*len).map(|_| T::default()))).collect();
        let form = &operation.forms[0];
        if let Some(input) = form.overwrites {
            outputs[0].copy_from_slice(&inputs[input]);
        }
        let mut outputs: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        report.row(&name, &inputs[0], || {
            black_box((form.call)(black_box(&views), &mut outputs));
        });
    }
}

/// The size of an operation's tensor as the table has it.
fn size<T: Element>(operation: &Operation<T>, shape: Shape) -> String {
    let Shape { outer, axis, inner } = shape;
    let size = match (operation.family, inner) {
        (Family::Elementwise | Family::Reduction, _) => shape.len().to_string(),
        (_, 1) => format!("{outer}x{axis}"),
        _ => format!("axis 1 of {outer}x{axis}x{inner}"),
    };
    if T::BYTES == 8 { format!("f64 {size}") } else { size }
}

/// A row for lists of 2 to 16 elements, and one for as many rows of their mean length, 9.
fn ragged(report: &Report) {
    const ROWS: usize = 100_000;
    let mut offsets = vec![0_i32];
    for r in 0..ROWS {
        offsets.push(offsets[r] + 2 + (r * 7919 % 15) as i32);
    }
    let x: Vec<f32> = inputs(offsets[ROWS] as usize);
    let mut y = copy(&x);
    for (name, is_ragged) in [("softmax 100000x9", false), ("softmax of 100000 lists of 2 to 16", true)] {
        if name.contains(&report.filter) {
            report.row(name, &x[..9 * ROWS], || {
                if is_ragged {
                    Softmax::ragged(black_box(&offsets)).forward(black_box(&x), &mut y);
                } else {
                    Softmax::rows(9).forward(black_box(&x[..9 * ROWS]), &mut y[..9 * ROWS]);
                }
            });
        }
    }
}

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let report = Report::new(filter);
    let is_elementwise = |operation: &Operation<f32>| operation.family == Family::Elementwise;
    for len in [1, 8, 1000, 65_536, 1 << 22] {
        rows(&report, Shape::rows_of(1, len), is_elementwise);
    }
    rows::<f64>(&report, Shape::rows_of(1, 65_536), |operation| operation.family == Family::Elementwise);
    rows::<f32>(&report, Shape::rows_of(1, 65_536), |operation| operation.family == Family::Reduction);
    for (rows_of, columns) in [(100_000, 10), (4096, 128), (512, 1000), (8, 32_000), (1, 128_256)] {
        rows::<f32>(&report, Shape::rows_of(columns, rows_of), |operation| operation.family == Family::Axis);
    }
    ragged(&report);
    for (outer, axis, inner) in [(1, 1000, 512), (1, 10, 65_536), (8192, 10, 8)] {
        rows::<f32>(&report, Shape { outer, axis, inner }, |operation| operation.family == Family::Axis);
    }
}
