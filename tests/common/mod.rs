//! Helpers of several test files: inputs, comparison of bits, instruction sets and pools of threads.

// Each test file compiles this module for itself and uses some of it.
#![allow(dead_code)]

use activations::Isa;
use operations::Element;

/// The number in outputs before a call: see [`operations::UNTOUCHED`].
pub const UNTOUCHED: f32 = operations::UNTOUCHED as f32;

/// The next state of a linear congruential generator modulo 2^32, with the constants of "Numerical Recipes". The high
/// bits are the more random ones.
fn next_state(state: u32) -> u32 {
    state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

/// Pseudo-random numbers in [-scale, scale), each exact in `f32`.
pub fn random<T: Element>(len: usize, scale: f32, seed: u32) -> Vec<T> {
    let mut state = seed;
    let number = |_| {
        state = next_state(state);
        T::rounded((((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale).into())
    };
    (0..len).map(number).collect()
}

/// The same numbers in `f64`.
pub fn as_f64(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| x.into()).collect()
}

/// Whether two slices have equal lengths and bits. Any NaN equals any other.
pub fn same_bits<T: Element>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.bits() == b.bits())
}

/// Panics unless [`same_bits`] holds, and tells where it does not.
#[track_caller]
pub fn assert_same_bits<T: Element>(actual: &[T], expected: &[T], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for i in 0..actual.len() {
        let (actual, expected, isa) = (actual[i], expected[i], Isa::current());
        assert!(actual.bits() == expected.bits(), "{isa} {what}: {actual:e} at {i}, not {expected:e}");
    }
}

/// Runs `check` on every instruction set.
pub fn on_every_isa(check: impl Fn()) {
    Isa::available().for_each(|isa| isa.with(&check));
}

/// A pool of rayon threads. WebAssembly compiles this function, but has no threads to run it.
pub fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads")
}

/// Runs `check` on every instruction set, in a pool of three threads if the build has parallel methods and threads.
pub fn on_every_isa_in_a_pool(check: impl Fn() + Sync) {
    #[cfg(all(feature = "rayon", not(target_family = "wasm")))]
    pool(3).install(|| on_every_isa(&check));
    #[cfg(not(all(feature = "rayon", not(target_family = "wasm"))))]
    on_every_isa(check);
}

/// A kind of inputs: a name, and the number at each index.
pub type Kind = (&'static str, fn(usize) -> f64);

/// A number in [-1, 1] that depends on `i` irregularly.
pub fn noise(i: usize) -> f64 {
    (i.wrapping_mul(2_654_435_761) % 20_011) as f64 / 10_005.5 - 1.0
}

/// Kinds of inputs, most of them hard for some operation.
pub const KINDS: [Kind; 15] = [
    ("ordinary", |i| 8.0 * noise(i)),
    ("up to 100", |i| 100.0 * noise(i)),
    ("equal", |_| 0.37),
    ("two values", |i| if i.is_multiple_of(3) { 1.5 } else { -0.25 }),
    ("falling", |i| 20.0 - 0.07 * i as f64),
    ("one far above", |i| if i % 61 == 30 { 110.0 } else { noise(i) }),
    ("one far above, steps of 1", |i| if i % 61 == 30 { 0.0 } else { -(i as f64) }),
    ("one nearly certain", |i| if i % 40 == 1 { 17.0 } else { 0.5 * noise(i) }),
    ("sums of subnormal terms", |i| if i % 300 == 7 { 0.0 } else { -107.0 + 0.3 * noise(i) }),
    ("far from 0", |i| 51_014.0 + 10.0 * noise(i)),
    ("huge", |i| 3e38 * noise(i)),
    ("subnormal and small", |i| [1e-40, -3e-45, 1e-20, 1e-310, 0.7][i % 5] * noise(i)),
    ("some -inf", |i| if i % 7 == 3 { f64::NEG_INFINITY } else { 8.0 * noise(i) }),
    ("some +inf", |i| if i % 97 == 50 { f64::INFINITY } else { 8.0 * noise(i) }),
    ("some NaN", |i| if i % 97 == 50 { f64::NAN } else { 8.0 * noise(i) }),
];
