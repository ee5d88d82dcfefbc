//! The sweep over all `f32`.

use activations::{ACTIVATIONS, Activation, Isa, ulp};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::exact::Exact;
use crate::hash::Hash;
use crate::worst::{Number, Worst};

/// How many inputs are judged at once: their results stay in the cache.
const BLOCK: usize = 1 << 12;

/// How many blocks are judged before their tallies are added up, in order.
const BATCH: usize = 1 << 10;

/// The bound on the error of every derivative in ulp.
pub const MAX_GRADIENT_ULP: f64 = 4.0;

/// Where formulas change, special values, and where results saturate, underflow and overflow.
const EDGES: [f32; 16] = [
    0.0,
    f32::MIN_POSITIVE,
    1e-30,
    5.96e-8,
    2.44e-4,
    0.35,
    0.55,
    1.0,
    9.01,
    16.64,
    40.0,
    87.0,
    88.72,
    103.97,
    1e9,
    f32::INFINITY,
];

/// What became of one activation.
pub struct Report {
    pub act: &'static dyn Activation,
    /// The inputs where double-double arithmetic said which `f32` is nearest.
    pub close: u64,
    /// The inputs where nothing did, so that `f64` was believed.
    pub undecided: u64,
    /// One for each instruction set.
    pub levels: Vec<Level>,
}

/// What became of one activation on one instruction set.
pub struct Level {
    pub isa: Isa,
    pub tally: Tally,
}

/// What is counted.
#[derive(Clone, Default)]
pub struct Tally {
    /// Inputs that are not NaN.
    pub numbers: u64,
    /// The largest error, and the input.
    pub worst: Worst<f32>,
    /// The largest error of the derivative at a stored output, and the output.
    pub worst_gradient: Worst<f32>,
    /// Results that are not the `f32` nearest to the true value.
    pub misrounded: u64,
    pub out_of_range: u64,
    /// Results that are NaN where the input is not, or the reverse; derivatives likewise by the reference.
    pub wrong_nan: u64,
    /// Results, zeros included, whose sign is not the true value's.
    pub wrong_sign: u64,
    /// Results that are not the end of the range where the true value is, to `f64`.
    pub unsaturated: u64,
    /// Steps to the next input where the result falls.
    pub falls: u64,
    pub first_fall: Option<f32>,
    /// The hashes of the blocks' hashes: results and derivatives.
    pub hashes: [Hash; 2],
    /// The first input whose result or derivative has other bits than on the first fused instruction set.
    pub difference: Option<f32>,
}

/// Sweeps every `step`-th input, and all inputs near the edges if that is not all.
pub fn run(step: u32) -> Vec<Report> {
    let mut blocks = Block::cut(0, 1 << 32, step);
    if step > 1 {
        let edges = EDGES.iter().flat_map(|&edge| [-edge, edge]).map(|edge| u64::from(place(edge)));
        blocks.extend(edges.flat_map(|place| Block::cut(place - 2048, place + 2048, 1)));
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% of all f32, {eta} left").expect("a template");
    let progress = ProgressBar::new(blocks.len() as u64).with_style(style);

    let mut reports: Vec<Report> = ACTIVATIONS.iter().map(|act| Report::new(*act)).collect();
    for batch in blocks.chunks(BATCH) {
        let of_blocks: Vec<Vec<Report>> = batch
            .par_iter()
            .map(|block| {
                let x = block.inputs();
                let reports = ACTIVATIONS.iter().map(|act| Report::of_block(*act, &x, block.len)).collect();
                progress.inc(1);
                reports
            })
            .collect();
        for of_block in of_blocks {
            reports.iter_mut().zip(of_block).for_each(|(report, next)| report.add(next));
        }
    }
    progress.finish_and_clear();
    reports
}

/// `len` inputs in numeric order, every `step`-th.
struct Block {
    first: u64,
    len: usize,
    step: u32,
}

impl Block {
    /// Cuts the inputs at these places into blocks.
    fn cut(first: u64, end: u64, step: u32) -> Vec<Self> {
        let len = |first: u64| (end - first).div_ceil(step.into()).min(BLOCK as u64) as usize;
        (first..end).step_by(BLOCK * step as usize).map(|first| Self { first, len: len(first), step }).collect()
    }

    /// The inputs and the next block's first, unless these are the last.
    fn inputs(&self) -> Vec<f32> {
        let places = (self.first..1 << 32).step_by(self.step as usize).take(self.len + 1);
        places.map(|place| nth(place as u32)).collect()
    }
}

/// The `f32` at a place of the numeric order: -NaN, -inf .. -0, 0 .. inf, NaN.
fn nth(place: u32) -> f32 {
    f32::from_bits(if place >> 31 == 0 { !place } else { place ^ 1 << 31 })
}

/// The place of an `f32` in the numeric order.
fn place(x: f32) -> u32 {
    if x.is_sign_negative() { !x.to_bits() } else { x.to_bits() ^ 1 << 31 }
}

/// What one instruction set makes of a block.
struct Results {
    y: Vec<f32>,
    dx: Vec<f32>,
}

impl Results {
    fn of(act: &dyn Activation, isa: Isa, x: &[f32]) -> Self {
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        isa.with(|| {
            act.forward(x, &mut y);
            act.backward(&y, &vec![1.0; x.len()], &mut dx);
        });
        // All NaN are one.
        for result in y.iter_mut().chain(&mut dx) {
            *result = if result.is_nan() { f32::NAN } else { *result };
        }
        Self { y, dx }
    }

    /// The index of the first difference.
    fn difference(&self, other: &Self) -> Option<usize> {
        let differ = |a: &[f32], b: &[f32], i: usize| a[i].to_bits() != b[i].to_bits();
        (0..self.y.len()).find(|&i| differ(&self.y, &other.y, i) || differ(&self.dx, &other.dx, i))
    }
}

/// The true values of a block.
struct Oracle {
    /// To `f64`.
    values: Vec<f64>,
    /// The `f32` nearest to each.
    nearest: Vec<f32>,
    close: u64,
    undecided: u64,
}

impl Oracle {
    fn of(act: &dyn Activation, x: &[f32]) -> Self {
        let values: Vec<f64> = x.iter().map(|&x| act.reference(x.into())).collect();
        let mut nearest: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        let (mut close, mut undecided) = (0, 0);
        for i in 0..x.len() {
            if is_close_to_a_tie(values[i], nearest[i]) {
                match Exact::of(act, x[i].into()) {
                    Some(exact) => nearest[i] = exact.nearest_f32(),
                    None => undecided += 1,
                }
                close += 1;
            }
        }
        Self { values, nearest, close, undecided }
    }
}

/// Whether a value is so close to the middle of two `f32` that its own error may hide the side.
///
/// Close is 2^-24 of an `f32` ulp: 32 ulp of `f64`, where the references are good to 4.
fn is_close_to_a_tie(value: f64, nearest: f32) -> bool {
    // The tie above the largest number is half an ulp away from it.
    let distance = value - f64::from(nearest.clamp(f32::MIN, f32::MAX));
    (distance.abs() / ulp::spacing::<f32>(value) - 0.5).abs() < 2_f64.powi(-24)
}

impl Report {
    fn new(act: &'static dyn Activation) -> Self {
        let levels = Isa::available().map(|isa| Level { isa, tally: Tally::default() }).collect();
        Self { act, close: 0, undecided: 0, levels }
    }

    /// Judges the first `len` inputs, and all steps.
    fn of_block(act: &'static dyn Activation, x: &[f32], len: usize) -> Self {
        let oracle = Oracle::of(act, &x[..len]);
        let mut judged: Vec<(Results, Level)> = Vec::new();
        for isa in Isa::available() {
            let results = Results::of(act, isa, x);
            // The same results are judged once.
            let same = judged.iter().find(|(other, _)| results.difference(other).is_none());
            let mut tally = same.map_or_else(|| Tally::of(act, x, &oracle, &results), |(_, level)| level.tally.clone());
            let first_fused = judged.iter().find(|(_, level)| level.isa.is_fused());
            tally.difference = first_fused.and_then(|(first, _)| first.difference(&results)).map(|i| x[i]);
            judged.push((results, Level { isa, tally }));
        }
        let levels = judged.into_iter().map(|(_, level)| level).collect();
        Self { act, close: oracle.close, undecided: oracle.undecided, levels }
    }

    /// Adds the next block.
    fn add(&mut self, next: Self) {
        self.close += next.close;
        self.undecided += next.undecided;
        for (level, next) in self.levels.iter_mut().zip(next.levels) {
            level.tally.add(next.tally);
        }
    }

    /// The promises that were broken.
    pub fn broken(&self) -> Vec<String> {
        let name = self.act.name();
        let mut broken = Vec::new();
        for Level { isa, tally } in &self.levels {
            let bounds = [
                ("", tally.worst, self.act.max_ulp(32, isa.is_fused())),
                (" derivative", tally.worst_gradient, MAX_GRADIENT_ULP),
            ];
            for (what, Worst { error, at }, bound) in bounds {
                if error > bound {
                    broken.push(format!("{isa} {name}{what} at {}: {error} ulp", Number(at)));
                }
            }
            let counts = [
                ("out of range", tally.out_of_range),
                ("NaN where they should not be, or the reverse", tally.wrong_nan),
                ("of the wrong sign", tally.wrong_sign),
                ("not saturated", tally.unsaturated),
            ];
            broken.extend(counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{isa} {name}: {n} {what}")));
            if let Some(x) = tally.difference.filter(|_| isa.is_fused()) {
                broken.push(format!("{isa} {name}: other bits at {}", Number(x)));
            }
        }
        broken
    }
}

impl Tally {
    fn of(act: &dyn Activation, x: &[f32], oracle: &Oracle, results: &Results) -> Self {
        let mut tally = Self::default();
        let [least, most] = act.range();
        for (i, &exact) in oracle.values.iter().enumerate() {
            let (x, y, dx) = (x[i], results.y[i], results.dx[i]);
            let exact_dx = act.reference_gradient(y.into(), 1.0);
            tally.wrong_nan += u64::from(x.is_nan() != y.is_nan()) + u64::from(dx.is_nan() != exact_dx.is_nan());
            if x.is_nan() {
                continue;
            }
            tally.numbers += 1;
            tally.worst.see(ulp::error(y, exact), x);
            tally.worst_gradient.see(ulp::error(dx, exact_dx), y);
            tally.misrounded += u64::from(y != oracle.nearest[i]);
            tally.out_of_range += u64::from(!(least..=most).contains(&y.into()));
            tally.wrong_sign += u64::from(y.is_sign_negative() != exact.is_sign_negative());
            tally.unsaturated += u64::from((exact == least || exact == most) && f64::from(y) != exact);
        }
        let falls = |i: &usize| results.y[*i] > results.y[i + 1];
        tally.falls = (0..x.len() - 1).filter(falls).count() as u64;
        tally.first_fall = (0..x.len() - 1).find(falls).map(|i| x[i]);
        let judged =
            |results: &[f32]| Hash::default().with(results[..oracle.values.len()].iter().map(|r| r.to_bits().into()));
        tally.hashes = [judged(&results.y), judged(&results.dx)];
        tally
    }

    /// Adds the next block.
    fn add(&mut self, next: Self) {
        self.numbers += next.numbers;
        self.worst.see(next.worst.error, next.worst.at);
        self.worst_gradient.see(next.worst_gradient.error, next.worst_gradient.at);
        self.misrounded += next.misrounded;
        self.out_of_range += next.out_of_range;
        self.wrong_nan += next.wrong_nan;
        self.wrong_sign += next.wrong_sign;
        self.unsaturated += next.unsaturated;
        self.falls += next.falls;
        self.first_fall = self.first_fall.or(next.first_fall);
        for (hash, next) in self.hashes.iter_mut().zip(next.hashes) {
            *hash = hash.with([next.0]);
        }
        self.difference = self.difference.or(next.difference);
    }
}
