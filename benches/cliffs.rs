//! Whether any input makes any operation slow: times on hard inputs, over the time on ordinary ones.
//!
//! `cargo bench --bench cliffs` prints one line for each operation and instruction set, and the largest ratio.

use std::hint::black_box;
use std::time::Instant;

use activations::*;

const LEN: usize = 4096;
const COLUMNS: usize = 128;

/// What an input is made of: a name, and the value at each place.
type Kind = (&'static str, fn(usize) -> f32);

/// Between -1 and 1, without a pattern.
fn noise(i: usize) -> f32 {
    (i.wrapping_mul(2_654_435_761) % 20_001) as f32 / 10_000.0 - 1.0
}

/// A scale for every second block of 64, and 1 for the others: quick and careful loops take turns.
fn in_blocks(i: usize, scale: f32) -> f32 {
    if i / 64 % 2 == 1 { scale } else { 1.0 }
}

/// Inputs and logits; the first are ordinary.
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

/// A name, and the stored output and the incoming gradient at each place.
type GradientKind = (&'static str, fn(usize) -> [f32; 2]);

/// Stored outputs and incoming gradients; the first are ordinary.
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

/// The least time of many.
fn time(mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..20).for_each(|_| work());
        start.elapsed().as_secs_f64()
    };
    (0..30).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

/// Times `work` on each kind of input and prints the ratios to the first; returns the largest.
fn ratios<T>(name: &str, kinds: &[(&str, T)], mut work: impl FnMut(&T)) -> f64 {
    let mut times = kinds.iter().map(|(kind, input)| (*kind, time(|| work(input))));
    let (_, ordinary) = times.next().expect("ordinary input");
    let ratios: Vec<(&str, f64)> = times.map(|(kind, time)| (kind, time / ordinary)).collect();
    let cells: Vec<String> = ratios.iter().map(|(kind, ratio)| format!("{kind} {ratio:.2}")).collect();
    println!("{:8} {name:22} {}", Isa::current().to_string(), cells.join(", "));
    ratios.iter().fold(0.0, |max, (_, ratio)| max.max(*ratio))
}

fn main() {
    let inputs: Vec<(&str, Vec<f32>)> = INPUTS.iter().map(|(kind, x)| (*kind, (0..LEN).map(x).collect())).collect();
    let gradients: Vec<(&str, [Vec<f32>; 2])> =
        GRADIENTS.iter().map(|(kind, f)| (*kind, [0, 1].map(|k| (0..LEN).map(|i| f(i)[k]).collect()))).collect();
    let targets: Vec<u32> = (0..LEN / COLUMNS).map(|r| (r % COLUMNS) as u32).collect();
    let (mut y, mut losses) = (vec![0.0_f32; LEN], vec![0.0_f32; LEN / COLUMNS]);
    let mut worst = 0.0_f64;
    for isa in Isa::available() {
        isa.with(|| {
            for act in ACTIVATIONS {
                worst = worst.max(ratios(act.name(), &inputs, |x| act.forward(black_box(x), &mut y)));
                let (exact, name) = (act.exact(), format!("{} exact", act.name()));
                worst = worst.max(ratios(&name, &inputs, |x| exact.forward(black_box(x), &mut y)));
                let name = format!("{} backward", act.name());
                worst = worst.max(ratios(&name, &gradients, |[s, dy]| act.backward(black_box(s), dy, &mut y)));
            }
            macro_rules! softmax {
                ($name:literal, $softmax:expr) => {
                    worst = worst.max(ratios($name, &inputs, |x| $softmax.forward(black_box(x), &mut y)));
                    worst = worst.max(ratios(concat!($name, " backward"), &gradients, |[s, dy]| {
                        $softmax.backward(black_box(s), dy, &mut y);
                    }));
                };
            }
            softmax!("softmax", Softmax::rows(COLUMNS));
            softmax!("softmax of 16", Softmax::rows(16));
            softmax!("softmax across", Softmax::axis(64, 64));
            worst = worst.max(ratios("softmax exact", &inputs, |x| {
                Softmax::rows(COLUMNS).exact().forward(black_box(x), &mut y);
            }));
            softmax!("log-softmax", LogSoftmax::rows(COLUMNS));
            worst = worst.max(ratios("log-sum-exp", &inputs, |x| {
                LogSumExp::rows(COLUMNS).forward(black_box(x), &mut losses);
            }));
            worst = worst.max(ratios("cross-entropy", &inputs, |x| {
                CrossEntropy::rows(COLUMNS).forward_backward(black_box(x), &targets, 1e-3, &mut losses, &mut y);
            }));
            worst = worst.max(ratios("clip by value", &inputs, |x| {
                y.copy_from_slice(x);
                clip_by_value(black_box(&mut y), 1e-39);
            }));
            worst = worst.max(ratios("clip by global norm", &inputs, |x| {
                y.copy_from_slice(x);
                clip_by_global_norm(&mut [black_box(&mut y)], 1e-36);
            }));
        });
    }
    println!("largest ratio: {worst:.2}");
}
