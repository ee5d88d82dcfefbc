//! Proves that every operation gives the same bits on every machine: the hash of its results must be the recorded one,
//! on each instruction set with a fused multiply-add.
//!
//! A change of an algorithm changes hashes. The failing assertion prints the new table.

use std::fmt::Write;

use activations::Isa;
use operations::{Element, Family, Hash, Operation, Parameters, Shape, elementwise};

/// Name of the operation, hash in `f32`, hash in `f64` (`-` where it exists for `f32` only).
const GOLDEN: &str = "\
relu                      5063e6955566372c caf4bbd4908ae04b
relu gradient             5bcf8016965f727b 1c527be0065f2155
exact relu                5063e6955566372c -
exact relu gradient       5bcf8016965f727b -
leaky_relu                88231b6216873ec7 bb32d3a349e09e06
leaky_relu gradient       646d33664ef0edf1 3617f20bc497b035
exact leaky_relu          03c4f595f95f406a -
exact leaky_relu gradient 7d09501f800590dd -
sigmoid                   eec1801250da4d3f 24e1a0d6e8ab963c
sigmoid gradient          66e9e641710b53e1 fe61b4f071b09eb7
exact sigmoid             964bcf7f75a52fed -
exact sigmoid gradient    c67813179bac2788 -
tanh                      63fcd2aa0a5f26b9 5df5936f63658f90
tanh gradient             ba685a200815e68a 367f71082b82b68c
exact tanh                9358388b0adc11ff -
exact tanh gradient       2fa40a1f5907a75f -
exp                       a297aca919b8706a 76bbf4095487bd91
exp gradient              fd57dd06b3f6afde 87725a9e915de374
exact exp                 c3b89843cdf2fe94 -
exact exp gradient        c490b3d94ba67c82 -
softmax                   e032a4a969404f14 af2dba9730132026
softmax gradient          385ac11ff16b173b 49c1b373a377e03e
log-softmax               e41c24af30caf932 c64bad5234c2abb6
log-softmax gradient      e58c6b7f08785e46 9928c31b72af6b41
log-sum-exp               9fdd4cd94cc6bade 9ced90ee9a108189
exact softmax             8ef3d4733bda41b5 -
cross-entropy             a054eb4f8c6d6878 ec243f275f11b643
cross-entropy gradient    3f5bb860e6820a13 1d979dcac864fbe0
clip_by_value             8fa3c212c2287b99 caecdfe730e3d854
clip_by_global_norm       abacaecb0d6da361 f830b9587a936222
";

/// `[outer, axis, inner]`: short and long rows, contiguous (`inner` = 1) and interleaved.
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

/// Numbers of evenly spaced bit patterns. For `f64`, most of whose numbers are far from 1, also numbers in the range of
/// `f32`.
fn sample<T: Element>() -> Vec<T> {
    let patterns = || (0..=u32::MAX).step_by(4099);
    let whole_format =
        patterns().map(|bits| if T::BYTES == 4 { u64::from(bits) } else { u64::from(bits) << 32 | u64::from(bits) });
    let range_of_f32 = patterns().map(|bits| f64::from(f32::from_bits(bits)) * 1.000_000_1).filter(|_| T::BYTES == 8);
    whole_format.map(T::from_bits).chain(range_of_f32.map(T::rounded)).collect()
}

/// Numbers in [-16, 16] in an irregular order, and one -inf.
fn logits<T: Element>(len: usize) -> Vec<T> {
    let number = |i: usize| ((i * i + 31 * i + 7) % 32_003) as f64 / 1_000.099 - 16.0;
    (0..len).map(|i| T::rounded(if i == len / 2 { f64::NEG_INFINITY } else { number(i) })).collect()
}

/// The hash of each operation in one type, in the order of the list. An operation along an axis has one hash for all
/// shapes.
fn hashes<T: Element>() -> Vec<(String, Hash)> {
    let mut hashes: Vec<(String, Hash)> = Vec::new();
    let mut add = |operation: &Operation<T>, numbers: &[T]| {
        let results = operation.run(&operation.forms[0], &operation.inputs_from(numbers));
        let index = hashes.iter().position(|(name, _)| *name == operation.name).unwrap_or_else(|| {
            hashes.push((operation.name.clone(), Hash::default()));
            hashes.len() - 1
        });
        // The hash mixes words of 32 bits best: see `Hash`.
        let halves = results.bits().into_iter().flat_map(|bits| [bits & 0xffff_ffff, bits >> 32]);
        hashes[index].1 = hashes[index].1.with(halves);
    };
    let numbers = sample::<T>();
    for operation in elementwise::all(numbers.len()) {
        add(&operation, &numbers);
    }
    for [outer, axis, inner] in SHAPES {
        let shape = Shape { outer, axis, inner };
        let all = operations::all(shape, &Parameters::default());
        for operation in all.iter().filter(|operation| operation.family != Family::Elementwise) {
            add(operation, &logits(shape.len()));
        }
    }
    hashes
}

/// The table of the current instruction set, in the format of [`GOLDEN`].
fn table() -> String {
    let (single, double) = (hashes::<f32>(), hashes::<f64>());
    let mut table = String::new();
    for (name, hash) in single {
        let double = double
            .iter()
            .find(|(other, _)| *other == name)
            .map_or("-".to_string(), |(_, hash)| format!("{:016x}", hash.0));
        writeln!(table, "{name:25} {:016x} {double}", hash.0).expect("a string takes any text");
    }
    table
}

#[test]
fn every_instruction_set_gives_the_recorded_bits() {
    // Exact activations have the same bits with and without a fused multiply-add. An exact softmax may differ: its sum
    // is rounded in f64.
    let is_same_without_fma = |line: &&str| line.starts_with("exact ") && !line.starts_with("exact softmax");
    for isa in Isa::available() {
        let actual = isa.with(table);
        if isa.is_fused() {
            assert!(actual == GOLDEN, "{isa} gives\n{actual}");
        } else {
            let [actual, golden] =
                [&*actual, GOLDEN].map(|table| table.lines().filter(is_same_without_fma).collect::<Vec<_>>());
            assert!(!golden.is_empty() && actual == golden, "{isa} gives\n{}", actual.join("\n"));
        }
        println!("{isa}: the recorded bits");
    }
}
