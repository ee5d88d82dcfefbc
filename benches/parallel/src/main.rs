//! Measures what threads and non-temporal stores gain, by size.
//!
//! `cargo run --release -p parallel` prints two tables and draws the first as `target/parallel.svg`: the time of a
//! serial method divided by that of its `par_` twin, and the time of stores to the caches divided by that of stores
//! past them.
//!
//! Each thread of the pool is pinned to a CPU: some operating systems wake two threads on the same CPU and separate
//! them only milliseconds later. `-- --unpinned` leaves the choice to the operating system.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use activations::*;
use comfy_table::{Table, presets};
use plotters::prelude::*;

/// The time of one measurement, unless a call takes longer.
const TURN: Duration = Duration::from_micros(500);
/// The number of pairs of measurements. The median of their ratios is printed.
const PAIRS: usize = 15;

fn inputs(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 16_001) as f32 / 1000.0 - 8.0).collect()
}

/// Seconds of a call, after one call that is not timed.
fn time(work: &mut dyn FnMut()) -> f64 {
    work();
    let (start, mut calls) = (Instant::now(), 0);
    loop {
        work();
        calls += 1;
        if start.elapsed() >= TURN {
            return start.elapsed().as_secs_f64() / f64::from(calls);
        }
    }
}

/// The median of the time of serial work divided by that of parallel work. Both use the same memory, since its place
/// affects the time.
fn ratio(mut work: impl FnMut(bool)) -> f64 {
    let mut pair = |_| time(&mut || work(false)) / time(&mut || work(true));
    let mut ratios: Vec<f64> = (0..PAIRS).map(&mut pair).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[PAIRS / 2]
}

/// The speed-up of the parallel twin at about this many elements, if the operation has such a size.
type SpeedUp = fn(usize) -> Option<f64>;

fn memcpy(len: usize) -> Option<f64> {
    let (x, mut y) = (inputs(len), inputs(len));
    Some(ratio(|parallel| {
        let (x, y) = (black_box(&x[..]), &mut y[..]);
        if parallel {
            let ((x, x_rest), (y, y_rest)) = (x.split_at(len / 2), y.split_at_mut(len / 2));
            rayon::join(|| y.copy_from_slice(x), || y_rest.copy_from_slice(x_rest));
        } else {
            y.copy_from_slice(x);
        }
    }))
}

fn elementwise(act: &dyn Activation, len: usize) -> Option<f64> {
    let (x, mut y) = (inputs(len), inputs(len));
    Some(ratio(|parallel| {
        let x = black_box(&x);
        if parallel { act.par_forward(x, &mut y) } else { act.forward(x, &mut y) }
    }))
}

/// A softmax along an axis of this many elements, which are `inner` apart.
fn softmax(axis: usize, inner: usize, len: usize) -> Option<f64> {
    let (outer, softmax) = (len / (axis * inner).max(1), Softmax::axis(axis, inner));
    let x = inputs(outer * axis * inner);
    let mut y = x.clone();
    (!x.is_empty()).then(|| {
        ratio(|parallel| {
            let x = black_box(&x);
            if parallel { softmax.par_forward(x, &mut y) } else { softmax.forward(x, &mut y) }
        })
    })
}

const OPERATIONS: [(&str, SpeedUp); 8] = [
    ("memcpy", memcpy),
    ("relu", |len| elementwise(&Relu, len)),
    ("sigmoid", |len| elementwise(&Sigmoid, len)),
    ("softmax of 10", |len| softmax(10, 1, len)),
    ("softmax of 1000", |len| softmax(1000, 1, len)),
    ("softmax of 128256", |len| softmax(128_256, 1, len)),
    ("softmax, one row", |len| softmax(len, 1, len)),
    ("softmax, axis 0 of 1000", |len| (len >= 1000).then(|| softmax(1000, len / 1000, len / 1000 * 1000))?),
];

/// Prints the speed-ups and returns them by operation, as (size, speed-up).
fn threads() -> Vec<Vec<(f64, f64)>> {
    let mut curves = vec![vec![]; OPERATIONS.len()];
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["elements"].into_iter().chain(OPERATIONS.map(|(name, _)| name)));
    for log in (0..=24).step_by(2).chain([13, 15, 17]).collect::<std::collections::BTreeSet<u32>>() {
        let len = 1_usize << log;
        let mut cells = vec![len.to_string()];
        for ((_, speed_up), curve) in OPERATIONS.iter().zip(&mut curves) {
            let speed_up = speed_up(len);
            cells.push(speed_up.map_or(String::new(), |ratio| format!("{ratio:.2}")));
            curve.extend(speed_up.map(|ratio| (len as f64, ratio)));
        }
        table.add_row(cells);
    }
    println!("Serial over parallel time, {} threads:\n\n{table}\n", rayon::current_num_threads());
    // memcpy is cut in two at any size, so its small sizes say nothing about the crate.
    let worst = curves[1..].iter().flatten().fold(f64::INFINITY, |worst, (_, ratio)| worst.min(*ratio));
    println!("The worst: {worst:.2}\n");
    curves
}

fn draw(curves: &[Vec<(f64, f64)>]) -> Result<(), Box<dyn Error>> {
    let most = rayon::current_num_threads() as f64 + 0.2;
    fs::create_dir_all("target")?;
    let root = SVGBackend::new("target/parallel.svg", (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((1.0..2_f64.powi(24)).log_scale().base(2.0), 0.0..most)?;
    chart.configure_mesh().x_desc("elements").y_desc("serial time / parallel time").draw()?;
    for (k, (curve, (name, _))) in curves.iter().zip(OPERATIONS).enumerate() {
        let style = Palette99::pick(k).stroke_width(2);
        let series = chart.draw_series(LineSeries::new(curve.iter().copied(), style))?;
        series.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(BLACK).draw()?;
    Ok(root.present()?)
}

/// Prints the gain of non-temporal stores.
fn streaming() {
    let default = streaming_threshold();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["output, MiB", "relu", "relu backward", "sigmoid backward", "relu, parallel"]);
    for mebibytes in [1, 4, 8, 16, 32, 64, 256, 512] {
        let x = inputs(mebibytes << 18);
        let (mut y, mut dx) = (x.clone(), x.clone());
        let gain = |work: &mut dyn FnMut()| {
            let mut times = [usize::MAX, 1].map(|threshold| (threshold, vec![]));
            for _ in 0..PAIRS {
                for (threshold, times) in &mut times {
                    set_streaming_threshold(*threshold);
                    times.push(time(work));
                }
            }
            let [cached, streamed] = times.map(|(_, times)| times);
            let mut ratios: Vec<f64> =
                cached.iter().zip(streamed).map(|(cached, streamed)| cached / streamed).collect();
            ratios.sort_by(f64::total_cmp);
            format!("{:.2}", ratios[PAIRS / 2])
        };
        let cells = [
            mebibytes.to_string(),
            gain(&mut || Relu.forward(black_box(&x), &mut y)),
            gain(&mut || Relu.backward(black_box(&x), &x, &mut dx)),
            gain(&mut || Sigmoid.backward(black_box(&x), &x, &mut dx)),
            gain(&mut || Relu.par_forward(black_box(&x), &mut y)),
        ];
        table.add_row(cells);
    }
    println!("Time to the caches over time past them; the threshold is {} MiB here:\n\n{table}", default >> 20);
    set_streaming_threshold(default);
}

fn main() -> Result<(), Box<dyn Error>> {
    if !std::env::args().any(|argument| argument == "--unpinned") {
        let cpus = core_affinity::get_core_ids().unwrap_or_default();
        let pin = move |thread: usize| {
            if let Some(cpu) = cpus.get(thread) {
                core_affinity::set_for_current(*cpu);
            }
        };
        rayon::ThreadPoolBuilder::new().start_handler(pin).build_global()?;
    }
    draw(&threads())?;
    streaming();
    Ok(())
}
