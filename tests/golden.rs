//! Recorded hashes of every operation's results: every machine must compute the same bits.
//!
//! A change of an algorithm changes them. The failing assertion prints the new table.

mod common;
#[path = "../exhaustive/src/hash.rs"]
mod hash;

use activations::{
    ACTIVATIONS, CrossEntropy, Float, Isa, LogSoftmax, LogSumExp, Softmax, clip_by_global_norm, clip_by_value,
};
use common::random;
use hash::Hash;

/// Each operation's hashes in `f32` and `f64`.
const GOLDEN: &str = "\
relu                   a1714b570571e23d 817dd58ad5398a55
relu gradient          152ce2b21e09ff12 c5ea74d7327bc551
leaky_relu             2f0a0a002f9a7e61 f4d0210a9bbdb0bc
leaky_relu gradient    9626786dbbc1b411 aeb0b7c37a0d7b77
sigmoid                01e42aeb160f60ef f86e93e9ad2fabe2
sigmoid gradient       74fab6f288448fef cba5f0f53616c1ef
tanh                   8b11443eb0ca91d5 ef08bf9f8761be7e
tanh gradient          50244e227fc90f7c a087b6be6917d6f4
exp                    4983a55b6bf5b12b f0ab20e4cdeef35f
exp gradient           5864a5705a1fc654 da8b64ae506f3a94
softmax                6cdba3268cc627b4 6889cb8c8a206bce
softmax gradient       98f63f5fe2fec7ad b381ab0e026034fc
log_softmax            e64bde6f2f49be58 9868146211920f0e
log_softmax gradient   baca63755c440f00 24b7311983934bf8
log_sum_exp            e801bac242ba4f00 258f5a5f35feebb0
cross_entropy          d3aa3d6fe2e8cbfb 2cbe8d1fc3bc09b6
cross_entropy gradient 4ab45c60e90af1d8 d57c9dbedaa407e2
clip_by_value          895ebeea90391a0b 8797a80a45315454
clip_by_global_norm    89e1904b2f33efcd ad7f4c659f64bfe1
global norm            374aeb28616bc178 5aeb3db9f8da3328
";

/// The hashes of the exact tier, which every instruction set gives.
const EXACT: &str = "\
relu       a1714b570571e23d gradient 152ce2b21e09ff12
leaky_relu df87d8aabd4025fd gradient 18429f5e7474743e
sigmoid    685d9d27113705e5 gradient ed4b7b158c0ca719
tanh       12206fda05dc25df gradient ceb8b5de8d9fcd02
exp        6283b0af80803612 gradient e2daaab0f4ad6ad0
softmax    d57ceef89e869538
";

/// Tensors `[outer, axis, inner]`.
const SHAPES: [[usize; 3]; 12] = [
    [3, 1, 1],
    [5, 2, 1],
    [33, 10, 1],
    [4, 16, 1],
    [17, 31, 1],
    [3, 128, 1],
    [2, 1000, 1],
    [1, 5000, 1],
    [3, 4, 5],
    [2, 10, 16],
    [2, 129, 17],
    [1, 1000, 3],
];

/// An element type, whose numbers all widen to `f64` without a change.
trait Element: Float + Into<f64> {
    /// A number near x with digits to the last.
    fn near(x: f32) -> Self;
    /// A thinned sample of all bit patterns.
    fn sample() -> Vec<Self>;
}

/// Evenly spaced bit patterns.
fn patterns() -> impl Iterator<Item = u32> {
    (0..=u32::MAX).step_by(4099)
}

impl Element for f32 {
    fn near(x: f32) -> Self {
        x
    }
    fn sample() -> Vec<Self> {
        patterns().map(f32::from_bits).collect()
    }
}

impl Element for f64 {
    fn near(x: f32) -> Self {
        f64::from(x) * 1.000_000_1
    }
    fn sample() -> Vec<Self> {
        // Most f64 are far from 1, where little happens: as many again as there are f32.
        let near = patterns().map(|bits| Self::near(f32::from_bits(bits)));
        near.chain(patterns().map(|bits| f64::from_bits(u64::from(bits) << 32 | u64::from(bits)))).collect()
    }
}

/// The numbers of one shape.
struct Case<T> {
    axis: usize,
    inner: usize,
    x: Vec<T>,
    dy: Vec<T>,
}

impl<T: Element> Case<T> {
    fn new([outer, axis, inner]: [usize; 3]) -> Self {
        let numbers = |scale, seed| random(outer * axis * inner, scale, seed).into_iter().map(T::near).collect();
        let (mut x, dy): (Vec<T>, Vec<T>) = (numbers(16.0, 1), numbers(2.0, 2));
        x[outer * axis * inner / 2] = T::near(f32::NEG_INFINITY);
        Self { axis, inner, x, dy }
    }

    /// One class a row.
    fn targets(&self) -> Vec<u32> {
        (0..self.x.len() / self.axis).map(|row| (row * 7 % self.axis) as u32).collect()
    }
}

/// The hash of numbers as the halves of their bits, all NaN being one.
fn hash<T: Element>(numbers: &[T]) -> Hash {
    let halves = |x: f64| {
        let bits = if x.is_nan() { f64::NAN } else { x }.to_bits();
        [bits & 0xffff_ffff, bits >> 32]
    };
    Hash::default().with(numbers.iter().flat_map(|&x| halves(x.into())))
}

/// Every operation's name and hash.
fn hashes<T: Element>() -> Vec<(String, Hash)> {
    let mut hashes = Vec::new();
    let x = T::sample();
    let (mut y, mut dx) = (x.clone(), x.clone());
    let dy: Vec<T> = x.iter().rev().copied().collect();
    for act in ACTIVATIONS {
        act.forward(&x, &mut y);
        act.backward(&y, &dy, &mut dx);
        hashes.push((act.name().to_string(), hash(&y)));
        hashes.push((format!("{} gradient", act.name()), hash(&dx)));
    }

    let cases: Vec<Case<T>> = SHAPES.into_iter().map(Case::new).collect();
    let mut of_cases = |name: &str, operation: fn(&Case<T>) -> Vec<T>| {
        let results: Vec<T> = cases.iter().flat_map(operation).collect();
        hashes.push((name.to_string(), hash(&results)));
    };
    macro_rules! softmax {
        ($operation:ident, $name:literal) => {
            of_cases($name, |case| {
                let mut y = case.x.clone();
                $operation::axis(case.axis, case.inner).forward_in_place(&mut y);
                y
            });
            of_cases(concat!($name, " gradient"), |case| {
                let (mut y, mut dx) = (case.x.clone(), case.dy.clone());
                $operation::axis(case.axis, case.inner).forward_in_place(&mut y);
                $operation::axis(case.axis, case.inner).backward_in_place(&y, &mut dx);
                dx
            });
        };
    }
    softmax!(Softmax, "softmax");
    softmax!(LogSoftmax, "log_softmax");
    of_cases("log_sum_exp", |case| {
        let mut y = vec![T::default(); case.x.len() / case.axis];
        LogSumExp::axis(case.axis, case.inner).forward(&case.x, &mut y);
        y
    });
    of_cases("cross_entropy", |case| {
        let targets = case.targets();
        let mut losses = vec![T::default(); targets.len()];
        CrossEntropy::rows(case.axis).forward(&case.x, &targets, &mut losses);
        losses
    });
    of_cases("cross_entropy gradient", |case| {
        let targets = case.targets();
        let (mut losses, mut dx) = (vec![T::default(); targets.len()], case.x.clone());
        CrossEntropy::rows(case.axis).forward_backward_in_place(&mut dx, &targets, 0.1, &mut losses);
        losses.into_iter().chain(dx).collect()
    });
    of_cases("clip_by_value", |case| {
        let mut x = case.x.clone();
        clip_by_value(&mut x, 3.3);
        x
    });
    of_cases("clip_by_global_norm", |case| {
        let mut x = case.dy.clone();
        let (a, b) = x.split_at_mut(case.dy.len() / 3);
        clip_by_global_norm(&mut [a, b], 0.7);
        x
    });
    let norm = |case: &Case<T>| clip_by_global_norm(&mut [&mut case.dy.clone()], f64::INFINITY);
    hashes.push(("global norm".to_string(), hash(&cases.iter().map(norm).collect::<Vec<f64>>())));
    hashes
}

#[test]
fn fused_instruction_sets_give_the_recorded_bits() {
    for isa in Isa::available().filter(|isa| isa.is_fused()) {
        let pairs = isa.with(|| hashes::<f32>().into_iter().zip(hashes::<f64>()));
        let actual: String =
            pairs.map(|((name, a), (_, b))| format!("{name:22} {:016x} {:016x}\n", a.0, b.0)).collect();
        assert!(actual == GOLDEN, "{isa} gives\n{actual}");
        println!("{isa}: the recorded bits");
    }
}

#[test]
fn every_instruction_set_gives_the_recorded_bits_of_the_exact_tier() {
    let x = f32::sample();
    let dy: Vec<f32> = x.iter().rev().copied().collect();
    let (mut y, mut dx) = (x.clone(), x.clone());
    for isa in Isa::available() {
        let mut actual = String::new();
        isa.with(|| {
            for act in ACTIVATIONS {
                act.exact().forward(&x, &mut y);
                act.exact().backward(&y, &dy, &mut dx);
                actual += &format!("{:10} {:016x} gradient {:016x}\n", act.name(), hash(&y).0, hash(&dx).0);
            }
            // The sum of a row is rounded in f64, where a fused multiply-add makes a difference.
            if isa.is_fused() {
                let exact = |Case { axis, inner, mut x, .. }| {
                    Softmax::axis(axis, inner).exact().forward_in_place(&mut x);
                    x
                };
                let y: Vec<f32> = SHAPES.into_iter().map(Case::new).flat_map(exact).collect();
                actual += &format!("softmax    {:016x}\n", hash(&y).0);
            }
        });
        let expected = if isa.is_fused() { EXACT } else { EXACT.rsplit_once("softmax").expect("a last line").0 };
        assert!(actual == expected, "{isa} gives\n{actual}");
        println!("{isa}: the recorded bits");
    }
}
