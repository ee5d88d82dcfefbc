//! The sweep over all `f32`.

use activations::{Activation, Isa};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::inputs::Block;
use crate::tally::{Oracle, Results, Tally, Tier};
use crate::worst::{Number, Worst};

/// Blocks that run in parallel before their tallies are added, in order.
const BATCH: usize = 1 << 10;

/// The largest error in `f32` ulp of an error that is computed in `f64`.
const ERROR_OF_ERROR: f64 = 1e-7;

/// Each tier of an activation on each instruction set.
fn runs(act: &dyn Activation) -> impl Iterator<Item = (Tier, Isa)> {
    let tiers = if act.exact().is_some() { &Tier::ALL[..] } else { &Tier::ALL[..1] };
    tiers.iter().copied().flat_map(|tier| Isa::available().map(move |isa| (tier, isa)))
}

/// The results of one activation.
pub struct Report {
    pub act: &'static dyn Activation,
    /// The inputs whose true value is close to a tie of two `f32`.
    pub close: u64,
    /// One entry for each tier and instruction set.
    pub levels: Vec<Level>,
}

/// The results of one tier of an activation on one instruction set.
pub struct Level {
    pub tier: Tier,
    pub isa: Isa,
    pub tally: Tally,
}

/// Checks every `step`-th input. With a step above 1, also all inputs near the edges.
pub fn run(acts: &[&'static dyn Activation], step: u32) -> Vec<Report> {
    let blocks = Block::all(step);
    let style = ProgressStyle::with_template("{bar:40} {percent}% of all f32, {eta} left").expect("a template");
    let progress = ProgressBar::new(blocks.len() as u64).with_style(style);

    let mut reports: Vec<Report> = acts.iter().map(|act| Report::new(*act)).collect();
    for batch in blocks.chunks(BATCH) {
        let of_blocks: Vec<Vec<Report>> = batch
            .par_iter()
            .map(|block| {
                let x = block.inputs();
                let reports = acts.iter().map(|act| Report::of_block(*act, &x, block.len)).collect();
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

impl Report {
    fn new(act: &'static dyn Activation) -> Self {
        let levels = runs(act).map(|(tier, isa)| Level { tier, isa, tally: Tally::default() }).collect();
        Self { act, close: 0, levels }
    }

    /// Checks the results of the first `len` inputs, and the steps between all inputs.
    fn of_block(act: &'static dyn Activation, x: &[f32], len: usize) -> Self {
        let oracle = Oracle::of(act, &x[..len]);
        let mut judged: Vec<(Results, Level)> = Vec::new();
        for (tier, isa) in runs(act) {
            let results = Results::of(act, tier, isa, x);
            // Results with the bits of earlier ones have the same tally.
            let same = judged.iter().find(|(other, _)| results.difference(other).is_none());
            let mut tally = same.map_or_else(|| Tally::of(act, x, &oracle, &results), |(_, level)| level.tally.clone());
            let first = judged.iter().find(|(_, level)| level.tier == tier && tier.is_portable(level.isa));
            tally.difference = first.and_then(|(first, _)| first.difference(&results)).map(|i| x[i]);
            judged.push((results, Level { tier, isa, tally }));
        }
        let levels = judged.into_iter().map(|(_, level)| level).collect();
        Self { act, close: oracle.close, levels }
    }

    /// Adds the next block.
    fn add(&mut self, next: Self) {
        self.close += next.close;
        for (level, next) in self.levels.iter_mut().zip(next.levels) {
            level.tally.add(next.tally);
        }
    }

    /// The bounds on the error of every result and of every derivative in ulp.
    pub fn bounds(&self, tier: Tier, isa: Isa) -> [f64; 2] {
        match tier {
            Tier::Fast => [self.act.max_ulp(32, isa.is_fused()), self.act.gradient_ulp()],
            Tier::Exact => [0.5, 0.5],
        }
    }

    /// A message for every bound that was exceeded and for every other wrong result.
    pub fn broken(&self) -> Vec<String> {
        let name = self.act.name();
        let mut broken = Vec::new();
        for Level { tier, isa, tally } in &self.levels {
            let name = format!("{tier:?} {name}");
            let [bound, gradient_bound] = self.bounds(*tier, *isa);
            let bounds = [("", tally.worst, bound), (" derivative", tally.worst_gradient, gradient_bound)];
            for (what, Worst { error, at }, bound) in bounds {
                if error > bound + ERROR_OF_ERROR {
                    broken.push(format!("{isa} {name}{what} at {}: {error} ulp", Number(at)));
                }
            }
            let counts = [
                ("out of range", tally.out_of_range),
                ("NaN where they should not be, or the reverse", tally.wrong_nan),
                ("of the wrong sign", tally.wrong_sign),
                ("not saturated", tally.unsaturated),
                ("misrounded", if *tier == Tier::Exact { tally.misrounded } else { 0 }),
            ];
            broken.extend(counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{isa} {name}: {n} {what}")));
            if let Some(x) = tally.difference.filter(|_| tier.is_portable(*isa)) {
                broken.push(format!("{isa} {name}: other bits at {}", Number(x)));
            }
        }
        broken
    }
}
