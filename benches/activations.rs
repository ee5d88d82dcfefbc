//! Every operation on every instruction set, beside memcpy of the same footprint and a plain loop over `std`.
//!
//! `cargo bench --bench activations -- FILTER`. Answers are checked before they are timed.

use std::hint::black_box;

use activations::*;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Inputs in [-8, 8].
fn inputs(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 16_001) as f32 / 1000.0 - 8.0).collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| x.into()).collect()
}

/// The loop that one would write without this crate.
fn plain(act: &dyn Activation) -> fn(f32) -> f32 {
    match act.name() {
        "relu" => |x| x.max(0.0),
        "leaky_relu" => |x| if x > 0.0 { x } else { 0.01 * x },
        "sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
        "tanh" => f32::tanh,
        "exp" => f32::exp,
        name => panic!("no plain loop for {name}"),
    }
}

/// Times `work` on each instruction set as `NAME ISA/SIZE`.
fn on_each(group: &mut BenchmarkGroup<WallTime>, name: &str, size: &str, mut work: impl FnMut()) {
    for isa in Isa::available() {
        isa.with(|| group.bench_function(BenchmarkId::new(format!("{name} {isa}"), size), |b| b.iter(&mut work)));
    }
}

fn memcpy<T: Copy + Default>(group: &mut BenchmarkGroup<WallTime>, size: &str, x: &[T]) {
    let mut y = vec![T::default(); x.len()];
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function(BenchmarkId::new("memcpy", size), |b| {
        b.iter(|| black_box(&mut y[..]).copy_from_slice(black_box(x)));
    });
}

fn elementwise(c: &mut Criterion) {
    for act in ACTIVATIONS {
        let mut group = c.benchmark_group(act.name());
        // In the first, second and last level of caches, and in memory.
        for len in [8, 1000, 65_536, 1 << 20, 1 << 25] {
            let (x, dy, size) = (inputs(len), inputs(len), len.to_string());
            let (mut y, mut dx) = (x.clone(), x.clone());
            memcpy(&mut group, &size, &x);
            let plain = plain(*act);
            group.bench_function(BenchmarkId::new("std", &size), |b| {
                b.iter(|| y.iter_mut().zip(black_box(&x)).for_each(|(y, x)| *y = plain(*x)));
            });
            for isa in Isa::available() {
                isa.with(|| act.forward(&x, &mut y));
                for (x, y) in x.iter().zip(&y) {
                    assert!(ulp::error(*y, act.reference((*x).into())) <= act.max_ulp(32, isa.is_fused()), "at {x}");
                }
            }
            on_each(&mut group, "forward", &size, || act.forward(black_box(&x), &mut y));
            on_each(&mut group, "backward", &size, || act.backward(black_box(&y), &dy, &mut dx));
            act.exact().forward(&x, &mut y);
            for (x, y) in x.iter().zip(&y) {
                assert_eq!(*y, act.reference((*x).into()) as f32, "at {x}");
            }
            on_each(&mut group, "exact", &size, || act.exact().forward(black_box(&x), &mut y));
            on_each(&mut group, "exact backward", &size, || act.exact().backward(black_box(&y), &dy, &mut dx));
        }
        let x = wide(&inputs(65_536));
        let mut y = x.clone();
        memcpy(&mut group, "65536 f64", &x);
        on_each(&mut group, "forward", "65536 f64", || act.forward(black_box(&x), &mut y));
    }
}

fn softmax(c: &mut Criterion) {
    macro_rules! bench {
        ($operation:ident, $reference:path) => {{
            let mut group = c.benchmark_group(stringify!($operation));
            // Rows, columns, and how far apart the elements of a row are.
            for (rows, axis, inner) in
                [(100_000, 10, 1), (4096, 128, 1), (512, 1000, 1), (8, 32_000, 1), (1, 128_256, 1), (512, 1000, 512)]
            {
                let (x, dy) = (inputs(rows * axis), inputs(rows * axis));
                let (mut y, mut dx) = (x.clone(), x.clone());
                let operation = $operation::axis(axis, inner);
                let size = if inner == 1 { format!("{rows}x{axis}") } else { format!("axis 0 of {axis}x{inner}") };
                operation.forward(&x, &mut y);
                let first: Vec<f64> = x.iter().step_by(inner).take(axis).map(|&x| x.into()).collect();
                for (y, exact) in y.iter().step_by(inner).zip($reference(&first)) {
                    assert!((f64::from(*y) - exact).abs() <= 1e-5 * exact.abs(), "{size}: {y} and {exact}");
                }
                memcpy(&mut group, &size, &x);
                on_each(&mut group, "forward", &size, || operation.forward(black_box(&x), &mut y));
                on_each(&mut group, "backward", &size, || operation.backward(black_box(&y), &dy, &mut dx));
                if inner == 1 {
                    group.bench_function(BenchmarkId::new("std", &size), |b| b.iter(|| std_softmax(axis, &x, &mut y)));
                }
            }
        }};
    }
    bench!(Softmax, reference::softmax);
    bench!(LogSoftmax, reference::log_softmax);
}

/// Softmax of rows as one would write it without this crate.
fn std_softmax(columns: usize, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
        let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - max).exp());
        let sum: f32 = y.iter().sum();
        y.iter_mut().for_each(|y| *y /= sum);
    }
}

fn reductions(c: &mut Criterion) {
    let (rows, classes) = (512, 1000);
    let mut group = c.benchmark_group("CrossEntropy");
    let (x, size) = (inputs(rows * classes), format!("{rows}x{classes}"));
    let (mut losses, mut dx) = (vec![0.0; rows], x.clone());
    let targets: Vec<u32> = (0..rows).map(|r| (r * 7 % classes) as u32).collect();
    let loss = CrossEntropy::rows(classes);
    loss.forward_backward(&x, &targets, 1.0, &mut losses, &mut dx);
    let exact = reference::cross_entropy(&wide(&x[..classes]), targets[0] as usize);
    assert!((f64::from(losses[0]) - exact).abs() <= 1e-5 * exact, "{} and {exact}", losses[0]);
    memcpy(&mut group, &size, &x);
    on_each(&mut group, "forward", &size, || loss.forward(black_box(&x), &targets, &mut losses));
    on_each(&mut group, "forward_backward", &size, || {
        loss.forward_backward(black_box(&x), &targets, 1.0, &mut losses, &mut dx);
    });
    drop(group);

    let mut group = c.benchmark_group("LogSumExp");
    let operation = LogSumExp::rows(classes);
    operation.forward(&x, &mut losses);
    let exact = reference::log_sum_exp(&wide(&x[..classes]));
    assert!((f64::from(losses[0]) - exact).abs() <= 1e-5 * exact, "{} and {exact}", losses[0]);
    memcpy(&mut group, &size, &x);
    on_each(&mut group, "forward", &size, || operation.forward(black_box(&x), &mut losses));
    drop(group);

    let mut group = c.benchmark_group("clip");
    let mut x = inputs(65_536);
    let (norm, exact) = (clip_by_global_norm(&mut [&mut x], f64::INFINITY), reference::global_norm(&wide(&x)));
    assert!((norm - exact).abs() <= 1e-12 * exact, "{norm} and {exact}");
    memcpy(&mut group, "65536", &x);
    group.bench_function(BenchmarkId::new("std global norm", "65536"), |b| {
        b.iter(|| black_box(&x).iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt());
    });
    on_each(&mut group, "by value", "65536", || clip_by_value(black_box(&mut x), 7.0));
    on_each(&mut group, "global norm", "65536", || {
        black_box(clip_by_global_norm(&mut [&mut x], f64::INFINITY));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = elementwise, softmax, reductions
}
criterion_main!(benches);
