//! Every operation on every instruction set in one table: time divided by that of memcpy of the same size.
//!
//! `cargo bench --bench ratios -- FILTER` prints the rows whose name contains FILTER.

use std::hint::black_box;
use std::time::{Duration, Instant};

use activations::*;

/// The time of one measurement, unless a call takes longer. It is too short to be interrupted often.
const TURN: Duration = Duration::from_micros(300);
/// The number of pairs of measurements. The median of their ratios is printed.
const PAIRS: usize = 21;

/// The width of the column of names.
const NAME_WIDTH: usize = 44;

/// Inputs in [-8, 8] without a pattern.
fn inputs(len: usize) -> Vec<f32> {
    apart((0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 16_001) as f32 / 1000.0 - 8.0))
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
        if !name.contains(&self.filter) {
            return;
        }
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

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let report = Report::new(filter);

    for act in ACTIVATIONS {
        for len in [1, 8, 1000, 65_536, 1 << 22] {
            let (x, dy) = (inputs(len), inputs(len));
            let (mut y, mut dx) = (copy(&x), copy(&x));
            report.row(&format!("{} {len}", act.name()), &x, || act.forward(black_box(&x), &mut y));
            let exact = act.exact();
            report.row(&format!("{} exact {len}", act.name()), &x, || exact.forward(black_box(&x), &mut y));
            act.forward(&x, &mut y);
            report.row(&format!("{} backward {len}", act.name()), &x, || act.backward(black_box(&y), &dy, &mut dx));
        }
        let x = apart(inputs(65_536).into_iter().map(f64::from));
        let mut y = copy(&x);
        report.row(&format!("{} f64 65536", act.name()), &x, || act.forward(black_box(&x), &mut y));
    }

    macro_rules! softmax {
        ($name:literal, $operation:ident) => {
            for (rows, axis, inner) in [
                (100_000, 10, 1),
                (4096, 128, 1),
                (512, 1000, 1),
                (8, 32_000, 1),
                (1, 128_256, 1),
                (512, 1000, 512),
                (65_536, 10, 65_536),
                (65_536, 10, 8),
            ] {
                let size = if inner == 1 {
                    format!("{rows}x{axis}")
                } else {
                    format!("axis 1 of {}x{axis}x{inner}", rows / inner)
                };
                let (x, dy) = (inputs(rows * axis), inputs(rows * axis));
                let (mut y, mut dx) = (copy(&x), copy(&x));
                let operation = $operation::axis(axis, inner);
                report.row(&format!("{} {size}", $name), &x, || operation.forward(black_box(&x), &mut y));
                operation.forward(&x, &mut y);
                report.row(&format!("{} backward {size}", $name), &x, || {
                    operation.backward(black_box(&y), &dy, &mut dx);
                });
            }
        };
    }
    softmax!("softmax", Softmax);
    softmax!("log-softmax", LogSoftmax);

    for (rows, classes) in [(100_000, 10), (512, 1000), (8, 32_000)] {
        let (x, size) = (inputs(rows * classes), format!("{rows}x{classes}"));
        let (mut losses, mut dx) = (vec![0.0; rows], copy(&x));
        let targets: Vec<u32> = (0..rows).map(|r| (r * 7 % classes) as u32).collect();
        let loss = CrossEntropy::rows(classes);
        report.row(&format!("cross-entropy {size}"), &x, || loss.forward(black_box(&x), &targets, &mut losses));
        report.row(&format!("cross-entropy and gradient {size}"), &x, || {
            loss.forward_backward(black_box(&x), &targets, 1.0, &mut losses, &mut dx);
        });
        let sum = LogSumExp::rows(classes);
        report.row(&format!("log-sum-exp {size}"), &x, || sum.forward(black_box(&x), &mut losses));
    }

    let (x, mut gradients) = (inputs(65_536), inputs(65_536));
    report.row("clip by value 65536", &x, || clip_by_value(black_box(&mut gradients), 7.0));
    report.row("clip by global norm 65536", &x, || {
        black_box(clip_by_global_norm(&mut [&mut gradients], f64::INFINITY));
    });
}
