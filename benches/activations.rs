//! Every activation, its gradient and softmax on every instruction set, beside memcpy and a plain loop (of the sigmoid).
//!
//! `cargo bench --bench activations -- FILTER`

use std::hint::black_box;

use activations::{ACTIVATIONS, Isa, LogSoftmax, Softmax};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn inputs(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 20_001) as f32 / 1000.0 - 10.0).collect()
}

fn elementwise(c: &mut Criterion) {
    for act in ACTIVATIONS {
        let mut group = c.benchmark_group(act.name());
        for len in [1000, 65_536, 1 << 22] {
            let (x, mut y) = (inputs(len), vec![0.0_f32; len]);
            group.throughput(Throughput::Elements(len as u64));
            group.bench_function(BenchmarkId::new("memcpy", len), |b| {
                b.iter(|| black_box(&mut y).copy_from_slice(black_box(&x)))
            });
            group.bench_function(BenchmarkId::new("std sigmoid loop", len), |b| {
                b.iter(|| y.iter_mut().zip(black_box(&x)).for_each(|(y, &x)| *y = 1.0 / (1.0 + (-x).exp())));
            });
            let (dy, mut dx) = (x.clone(), x.clone());
            for isa in Isa::available() {
                isa.with(|| {
                    act.forward(&x, &mut y);
                    assert!((f64::from(y[1]) - act.reference(x[1].into())).abs() <= 1e-5 * f64::from(y[1]).abs());
                    group.bench_function(BenchmarkId::new(format!("forward {isa}"), len), |b| {
                        b.iter(|| act.forward(black_box(&x), &mut y))
                    });
                    group.bench_function(BenchmarkId::new(format!("backward {isa}"), len), |b| {
                        b.iter(|| act.backward(black_box(&y), &dy, &mut dx))
                    });
                });
            }
        }
    }
}

fn softmax(c: &mut Criterion) {
    let mut group = c.benchmark_group("softmax");
    for (rows, columns) in [(100_000, 10), (4096, 128), (512, 1000), (8, 32_000), (1, 128_256)] {
        let (x, mut y) = (inputs(rows * columns), vec![0.0_f32; rows * columns]);
        group.throughput(Throughput::Elements(x.len() as u64));
        let shape = format!("{rows}x{columns}");
        group.bench_function(BenchmarkId::new("memcpy", &shape), |b| {
            b.iter(|| black_box(&mut y).copy_from_slice(black_box(&x)))
        });
        for isa in Isa::available() {
            isa.with(|| {
                let (softmax, log) = (Softmax::rows(columns), LogSoftmax::rows(columns));
                group.bench_function(BenchmarkId::new(format!("log-softmax {isa}"), &shape), |b| {
                    b.iter(|| log.forward(black_box(&x), &mut y))
                });
                group.bench_function(BenchmarkId::new(format!("softmax {isa}"), &shape), |b| {
                    b.iter(|| softmax.forward(black_box(&x), &mut y))
                });
            });
        }
    }
}

criterion_group!(benches, elementwise, softmax);
criterion_main!(benches);
