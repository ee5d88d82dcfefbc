//! Millions of `f64` points, compared with double-double arithmetic.

use activations::{Activation, Isa};
use operations::TrueValue;
use rayon::prelude::*;

use crate::worst::{Number, Worst};

/// Points in each interval.
const POINTS: u32 = 1 << 20;

/// Points in a block.
const BLOCK: u32 = 1 << 12;

/// The largest error of one activation on one instruction set.
pub struct Level {
    pub act: &'static dyn Activation,
    pub isa: Isa,
    pub worst: Worst<f64>,
}

/// How the points of an interval are spread.
#[derive(Clone, Copy)]
enum Interval {
    /// Evenly between two numbers.
    Linear(f64, f64),
    /// Between two magnitudes with equally many in each binade, of both signs.
    Binades(f64, f64),
}

const INTERVALS: [Interval; 11] = [
    Interval::Binades(5e-324, f64::MAX),
    Interval::Binades(1e-20, 1.0),
    Interval::Binades(1e-3, 800.0),
    Interval::Linear(-1.0, 1.0),
    Interval::Linear(-8.0, 8.0),
    Interval::Linear(-40.0, 40.0),
    // Here tanh becomes 1, and in the next interval the sigmoid.
    Interval::Linear(18.0, 20.0),
    Interval::Linear(36.0, 38.0),
    // Here exp and the sigmoid become subnormal, then 0.
    Interval::Linear(-746.0, -707.0),
    Interval::Linear(-720.0, 720.0),
    // Here exp overflows.
    Interval::Linear(707.0, 710.0),
];

impl Interval {
    /// The point with this number. Multiples of the golden ratio are evenly spread, with no pattern in their last
    /// digits.
    fn point(self, i: u32) -> f64 {
        let fraction = u64::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match self {
            Self::Linear(from, to) => from + fraction as f64 * 2_f64.powi(-64) * (to - from),
            Self::Binades(least, most) => {
                let (least, most) = (least.to_bits(), most.to_bits());
                let offset = (u128::from(fraction) * u128::from(most - least)) >> 64;
                let magnitude = f64::from_bits(least + offset as u64);
                if i.is_multiple_of(2) { magnitude } else { -magnitude }
            }
        }
    }
}

/// Compares every activation that has a formula in [`TrueValue`], at one `step`-th of the points.
pub fn run(acts: &[&'static dyn Activation], step: u32) -> Vec<Level> {
    let len = (POINTS / step).max(BLOCK);
    let blocks: Vec<(Interval, u32)> = INTERVALS
        .iter()
        .flat_map(|&interval| (0..len).step_by(BLOCK as usize).map(move |first| (interval, first)))
        .collect();
    let of_blocks: Vec<Vec<Level>> = blocks
        .par_iter()
        .map(|(interval, first)| {
            let x: Vec<f64> = (*first..first + BLOCK).map(|i| interval.point(i)).collect();
            acts.iter().flat_map(|act| of_block(*act, &x)).collect()
        })
        .collect();
    let add = |mut all: Vec<Level>, next: Vec<Level>| {
        all.iter_mut().zip(next).for_each(|(level, next)| level.worst.see(next.worst.error, next.worst.at));
        all
    };
    of_blocks.into_iter().reduce(add).expect("points")
}

/// The largest error on each instruction set.
fn of_block(act: &'static dyn Activation, x: &[f64]) -> Vec<Level> {
    let exact: Vec<TrueValue> = x.iter().map(|&x| TrueValue::of(act, x)).collect();
    let of_isa = |isa: Isa| {
        let (mut y, mut worst) = (x.to_vec(), Worst::default());
        isa.with(|| act.forward_in_place(&mut y));
        (0..x.len()).for_each(|i| worst.see(exact[i].error(y[i]), x[i]));
        Level { act, isa, worst }
    };
    Isa::available().map(of_isa).collect()
}

/// A message for every bound that was exceeded.
pub fn broken(levels: &[Level]) -> impl Iterator<Item = String> {
    levels.iter().filter(|level| level.worst.error > level.act.max_ulp(64, level.isa.is_fused())).map(|level| {
        let Level { act, isa, worst: Worst { error, at } } = level;
        format!("{isa} {} at {}: {error} ulp of f64", act.name(), Number(*at))
    })
}
