//! Proves that every operation gives the same bits on every machine: the hash of its results must be the recorded one,
//! on each instruction set with a fused multiply-add.
//!
//! A change of an algorithm changes hashes. The failing assertion prints the new table.

use std::fmt::Write;

use activations::Isa;
use operations::{Element, Family, Hash, Operation, Parameters, Shape, binary, elementwise};

/// Name of the operation, hash in `f32`, hash in `f64` (`-` where it exists for `f32` only).
const GOLDEN: &str = "\
relu                                          5063e6955566372c caf4bbd4908ae04b
relu gradient                                 5bcf8016965f727b 1c527be0065f2155
exact relu                                    5063e6955566372c -
exact relu gradient                           5bcf8016965f727b -
leaky_relu                                    88231b6216873ec7 bb32d3a349e09e06
leaky_relu gradient                           646d33664ef0edf1 3617f20bc497b035
exact leaky_relu                              03c4f595f95f406a -
exact leaky_relu gradient                     7d09501f800590dd -
sigmoid                                       eec1801250da4d3f 24e1a0d6e8ab963c
sigmoid gradient                              66e9e641710b53e1 fe61b4f071b09eb7
exact sigmoid                                 964bcf7f75a52fed -
exact sigmoid gradient                        c67813179bac2788 -
tanh                                          63fcd2aa0a5f26b9 5df5936f63658f90
tanh gradient                                 ba685a200815e68a 367f71082b82b68c
exact tanh                                    9358388b0adc11ff -
exact tanh gradient                           2fa40a1f5907a75f -
exp                                           a297aca919b8706a 76bbf4095487bd91
exp gradient                                  fd57dd06b3f6afde 87725a9e915de374
exact exp                                     c3b89843cdf2fe94 -
exact exp gradient                            c490b3d94ba67c82 -
swish                                         a99d09dc5e274c38 bf8970de637f85c1
swish gradient                                f81da9e2ae70db67 1f774a663ec3f452
silu                                          a99d09dc5e274c38 bf8970de637f85c1
silu gradient                                 f81da9e2ae70db67 1f774a663ec3f452
quick_gelu                                    cb9222d5f4c72399 57fddb829ce7be85
quick_gelu gradient                           cd6db5589af2c153 884fd8963670dc3c
gelu                                          dd2e997477f582d8 e758c56dc7b58bbe
gelu gradient                                 344fde0b6ac2929e c0875ff98206a9cd
gelu_tanh                                     9d06f2e5aed1d7ea e0e9c452a215d982
gelu_tanh gradient                            7dc5a0458cd27c42 6654dc207f096e3c
mish                                          3131aab3cee20585 4ad2615022473acb
mish gradient                                 0f08bf04eca1a22f 98b6d65f92b0258c
softplus                                      67568a725f7e4dd7 442fb6c9929f8880
softplus gradient                             64a9c5bccc4553b5 e67f48f57a150a2a
log_sigmoid                                   32fdc2006e1ed658 d1ee296d8c5c7ba7
log_sigmoid gradient                          4889f96566bdc5d7 f9aea7a81b9cd1bd
erf                                           3611046850cc66c2 b7e23152254a2c78
erf gradient                                  716c598b546622b2 688417dc66040f06
elu                                           d55ec6bfd7e9237b d858762ea04c2635
elu gradient                                  794b4e9e133bde4b 6eee256d517ef3f6
celu                                          d55ec6bfd7e9237b d858762ea04c2635
celu gradient                                 794b4e9e133bde4b 6eee256d517ef3f6
selu                                          df14532960668d4d 38497802f979e4c9
selu gradient                                 ba440d1cdc366eb6 1a5d2469092f425f
softsign                                      cfbb73fed1e85d49 6f80e5c6f693ff84
softsign gradient                             95bc3c80b4ce8b10 df12e83c56322c2b
hard_sigmoid                                  4afbdc235f4ae0ca 097564ca64fe7940
hard_sigmoid gradient                         2f50cb935ef2caf3 0b56d5b9cb523a09
hard_swish                                    0b9c07c3052e05c0 111acee3ee4ccf8c
hard_swish gradient                           ee4baae4f61efea8 7957fc8488ac0264
hard_tanh                                     2dc709c68f7b67a7 4ad025b8cde61a27
hard_tanh gradient                            c29f4ce973ace04f 64b97f9c4478b2f4
relu6                                         b6154f6df6291d28 39586ec95226ced6
relu6 gradient                                2a71ad08fc1068c3 101850c14b5a9331
binary cross-entropy                          20c23f9143901e9c 01be18cb1aa94ac0
binary cross-entropy and gradient             dc8917d836f89075 6fbbe8f2b36c8368
binary cross-entropy with weights             a477a0d05b3bf8c0 698bac2d448cd592
binary cross-entropy and gradient with weights 1153c6a16980b227 df6f368526eac6c3
prelu                                         f733c7b53d6430ed c942b8615c454c4f
prelu gradient                                17a46366fdb0f870 c6f4a7499abc82de
softmax                                       e032a4a969404f14 af2dba9730132026
softmax, certain                              12436f3d8df66fb4 30a3d0aa2412a868
softmax gradient                              385ac11ff16b173b 49c1b373a377e03e
softmax gradient, certain                     8ef38269fe756e71 ffd1f0443b047f87
log-softmax                                   5436cf5b17dedb58 d251bb723efac372
log-softmax, certain                          7d49da5d47e31f57 a534748aabbaa5dd
log-softmax gradient                          fbd0bff836033c8a 9da38d9ca345ade6
log-softmax gradient, certain                 cb97cb3110a25676 aa8c545bd81e58ad
log-sum-exp                                   9fdd4cd94cc6bade f35e124a8e47d2ca
log-sum-exp, certain                          3e58917275f07589 a2eaf48dbdab80d9
exact softmax                                 8ef3d4733bda41b5 -
exact softmax, certain                        8552a2805471e4a0 -
cross-entropy                                 a632d54f6b9338a4 f12b192c6959a68c
cross-entropy, certain                        d2ef253dfe3a17f2 cbf93ec0f62541b6
cross-entropy and gradient                    061b033358311a84 1f9e3a72ef5fec45
cross-entropy and gradient, certain           57c0b52b3ec32834 f1be215851e6d904
cross-entropy gradient                        38e41812e1ca4239 1e2f8d99f1242dc8
cross-entropy gradient, certain               6865cfad68b6ff8f 142cbdd6c194cdcb
cross-entropy mean                            d4b9c631f1e4a0d2 f0e89c04e7e35390
cross-entropy mean, certain                   ef66894233e9365d e5cc12a9f7e25ca0
cross-entropy with options                    ea6a5cf9c9c78f14 e245cd41d08ade29
cross-entropy with options, certain           1aa363e648be1cd9 7807a0f1a67dcdeb
cross-entropy and gradient with options       8682a8888a32228b d8e5b9a899bbb6de
cross-entropy and gradient with options, certain 71c6ea45c072c6fb b5bb2dcf9c67b5df
cross-entropy gradient with options           8a2510723dfb10fa 02333c0778c9bcc6
cross-entropy gradient with options, certain  a3b4130dd80fa50b 8cc6586a4cd25c45
cross-entropy mean with options               640be0ce60c7c0ac 6922f956462b08c7
cross-entropy mean with options, certain      a06d4bfc938b06ee 729f7c9f323311b7
soft cross-entropy                            701af3d71f3d3111 b44936e8a6f0113a
soft cross-entropy, certain                   8426960401e60a95 49ee9c5bdd8cb53d
soft cross-entropy and gradient               8367fa15fc54472c f62e45b49a769a6c
soft cross-entropy and gradient, certain      d7c580d5cce81feb 69479d3760c02cff
soft cross-entropy with options               cc9202a91a8b688e b72a080776ee303b
soft cross-entropy with options, certain      c6dd4dc148950e73 3b82e8c320de4d6f
soft cross-entropy and gradient with options  08303206f291692b 18be27d26566ecae
soft cross-entropy and gradient with options, certain 259eed471f1a87cc 600658aa1476eaa5
clip_by_value                                 8fa3c212c2287b99 caecdfe730e3d854
clip_by_global_norm                           abacaecb0d6da361 f830b9587a936222
global_norm                                   3dc4a2f7fe1c2305 3dc4a2f7fe1c2305
scale                                         9f48eda32d121135 bcbf1f0c3162955d
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

/// The same, but for elements that are far above the others.
fn nearly_certain<T: Element>(logits: &[T]) -> Vec<T> {
    let number = |(i, x): (usize, &T)| if i % 37 == 5 { T::rounded(30.0 + (i % 11) as f64) } else { *x };
    logits.iter().enumerate().map(number).collect()
}

/// The hash of each operation of one type, in the order of the list.
fn hashes<T: Element>() -> Vec<(String, Hash)> {
    let mut hashes: Vec<(String, Hash)> = Vec::new();
    let mut add = |name: &str, operation: &Operation<T>, numbers: &[T]| {
        let results = operation.run(&operation.forms[0], &operation.inputs_from(numbers));
        let index = hashes.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
            hashes.push((name.to_string(), Hash::default()));
            hashes.len() - 1
        });
        // The hash mixes words of 32 bits best: see `Hash`.
        let halves = results.bits().into_iter().flat_map(|bits| [bits & 0xffff_ffff, bits >> 32]);
        hashes[index].1 = hashes[index].1.with(halves);
    };
    let numbers = sample::<T>();
    let of_elements = elementwise::all(numbers.len()).into_iter();
    for operation in of_elements.chain(binary::all(Shape::rows_of(1, numbers.len()), 0.3)) {
        add(&operation.name, &operation, &numbers);
    }
    for [outer, axis, inner] in SHAPES {
        let shape = Shape { outer, axis, inner };
        let all = operations::all(shape, &Parameters::default());
        // The bits of a gate follow from those of its activation: its judge allows no others.
        let has_rows = |operation: &&Operation<T>| operation.family != Family::Elementwise && operation.item != "gated";
        for operation in all.iter().filter(has_rows) {
            add(&operation.name, operation, &logits(shape.len()));
            if operation.family == Family::Axis {
                add(&format!("{}, certain", operation.name), operation, &nearly_certain(&logits(shape.len())));
            }
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
        writeln!(table, "{name:45} {:016x} {double}", hash.0).expect("a string takes any text");
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
