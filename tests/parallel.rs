//! Proves that the parallel methods give the bits of the serial ones, on every instruction set, outside any pool and in
//! pools of 1, 2, 3 and 8 threads. Slices and rows are so long that they are cut into parts. Also, calls from inside
//! parallel work return, and a panic in or beside a call leaves the pool usable.
#![cfg(feature = "rayon")]

mod common;

use activations::*;
use common::{UNTOUCHED, on_every_isa, pool, random, same_bits};
use operations::{Element, Family, Operation, Options, Parameters, Shape};

/// Runs `check` on every instruction set, outside any pool and in pools of these numbers of threads. WebAssembly has no
/// threads, and so no pool.
fn on_every_isa_and_pool(numbers_of_threads: &[usize], check: impl Fn() + Sync) {
    on_every_isa(&check);
    for threads in numbers_of_threads.iter().filter(|_| !cfg!(target_family = "wasm")) {
        pool(*threads).install(|| on_every_isa(&check));
    }
}

/// The numbers of threads of the pools.
const POOLS: [usize; 4] = [1, 2, 3, 8];

/// The length of most slices: enough to be cut into parts for threads.
const LEN: usize = 300_007;

/// All parallel forms of an operation must give the bits of its first form, which is serial.
fn check_parallel_forms<T: Element>(operation: &Operation<T>, pools: &[usize]) {
    let inputs = operation.inputs_from(&random(LEN, 20.0, 1));
    let serial = |isa: Isa| (isa, isa.with(|| operation.run(&operation.forms[0], &inputs).bits()));
    let expected: Vec<(Isa, Vec<u64>)> = Isa::available().map(serial).collect();
    on_every_isa_and_pool(pools, || {
        let (_, expected) = expected.iter().find(|(isa, _)| *isa == Isa::current()).expect("an instruction set");
        for form in operation.forms.iter().filter(|form| form.is_parallel()) {
            let actual = operation.run_guarded(form, &inputs, [0, 0], T::rounded(UNTOUCHED.into())).bits();
            assert!(actual == *expected, "{} {}", operation.title(), form.name);
        }
    });
}

/// `[axis, inner]`: many rows, few, one, and interleaved rows.
const AXES: [[usize; 2]; 8] =
    [[7, 1], [1000, 1], [140_000, 1], [LEN, 1], [10, 30], [1000, 300], [7, 42_858], [150_000, 2]];

fn every_operation<T: Element>(pools: &[usize]) {
    for (i, [axis, inner]) in AXES.into_iter().enumerate() {
        let shape = Shape { outer: LEN / (axis * inner), axis, inner };
        for operation in operations::all::<T>(shape, &Parameters::default()) {
            // Operations without rows are checked once, not again for each shape.
            if i == 0 || !matches!(operation.family, Family::Elementwise | Family::Reduction) {
                check_parallel_forms(&operation, pools);
            }
        }
    }
}

#[test]
fn every_operation_has_the_serial_bits_f32() {
    every_operation::<f32>(&POOLS);
}

#[test]
fn every_operation_has_the_serial_bits_f64() {
    every_operation::<f64>(&[3]);
}

#[test]
fn the_target_may_be_in_any_part_of_a_long_row() {
    for target in [0, 123_456, LEN - 1] {
        let shape = Shape::rows_of(LEN, 1);
        for operation in operations::loss::all::<f32>(shape, &[target as u32], Some(0.5), Options::default()) {
            check_parallel_forms(&operation, &POOLS);
        }
    }
}

#[test]
fn long_rows_with_nan_and_infinities_have_the_serial_bits() {
    let clean = random(LEN, 20.0, 10);
    for (bad, place) in [(f32::NAN, 5), (f32::INFINITY, LEN - 1), (f32::NEG_INFINITY, 200_000)] {
        let mut x = clean.clone();
        x[place] = bad;
        on_every_isa_and_pool(&POOLS, || {
            let (mut y, mut par_y, mut sum, mut par_sum) = (vec![0.0; LEN], vec![0.0; LEN], [0.0], [0.0]);
            Softmax::rows(LEN).forward(&x, &mut y);
            Softmax::rows(LEN).par_forward(&x, &mut par_y);
            LogSumExp::rows(LEN).forward(&x, &mut sum);
            LogSumExp::rows(LEN).par_forward(&x, &mut par_sum);
            assert!(same_bits(&y, &par_y) && same_bits(&sum, &par_sum), "{} with {bad}", Isa::current());
        });
    }
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn calls_from_inside_parallel_work() {
    use rayon::prelude::*;
    let x = random(LEN, 20.0, 11);
    let mut y = vec![0.0; LEN];
    Softmax::rows(LEN).forward(&x, &mut y);
    let pools = [2, 3].map(pool);
    let check = || {
        let mut par_y = vec![0.0; LEN];
        Softmax::rows(LEN).par_forward(&x, &mut par_y);
        assert!(same_bits(&y, &par_y));
    };
    // Tasks on every thread of one pool. Every second task calls from another pool, and its thread waits for that pool.
    pools[0]
        .install(|| (0..8).into_par_iter().for_each(|i| if i % 2 == 0 { pools[1].install(check) } else { check() }));
}

#[test]
#[cfg(panic = "unwind")]
#[cfg(not(target_family = "wasm"))]
fn a_panic_leaves_the_pool_usable() {
    let (rows, classes) = (1000, 300);
    let logits = random(rows * classes, 9.0, 12);
    let mut targets = vec![0_u32; rows];
    targets[777] = 300;
    let (mut losses, mut dlogits) = (vec![UNTOUCHED; rows], vec![UNTOUCHED; rows * classes]);
    let loss = CrossEntropy::rows(classes);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        loss.par_forward_backward(&logits, &targets, 1.0, &mut losses, &mut dlogits);
    }));
    assert!(caught.is_err(), "class 300 of 300 was accepted");
    assert!(
        losses.iter().chain(&dlogits).all(|number| *number == UNTOUCHED),
        "written before the targets were checked"
    );
    targets[777] = 299;
    loss.par_forward_backward(&logits, &targets, 1.0, &mut losses, &mut dlogits);
    assert!(losses.iter().all(|loss| *loss != UNTOUCHED));
}

#[test]
#[cfg(panic = "unwind")]
#[cfg(not(target_family = "wasm"))]
fn a_panic_beside_a_call_leaves_old_or_new_numbers() {
    let x = random(LEN, 9.0, 13);
    let pool = pool(3);
    for isa in Isa::available() {
        let check = |what: &str, forward: &(dyn Fn(&mut [f32]) + Sync), par_forward: &(dyn Fn(&mut [f32]) + Sync)| {
            let (mut expected, mut y) = (vec![UNTOUCHED; LEN], vec![UNTOUCHED; LEN]);
            forward(&mut expected);
            for is_first in [false, true] {
                y.fill(UNTOUCHED);
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    // The pool may run the call on another thread, and the instruction set is chosen for each thread.
                    let call = || isa.with(|| par_forward(&mut y));
                    // `panic!` would print its message.
                    let fail = || std::panic::resume_unwind(Box::new("beside"));
                    if is_first {
                        rayon::join(call, fail)
                    } else {
                        rayon::join(fail, call)
                    };
                }));
                assert!(caught.is_err(), "{isa} {what}: no panic");
                let mut pairs = y.iter().zip(&expected);
                let is_old_or_new = pairs.all(|(y, new)| *y == UNTOUCHED || y.to_bits() == new.to_bits());
                assert!(is_old_or_new, "{isa} {what}: neither old nor new");
                par_forward(&mut y);
                assert!(same_bits(&y, &expected), "{isa} {what}: other bits after the panic");
            }
        };
        pool.install(|| {
            isa.with(|| {
                let (sigmoid, softmax, long) = (Sigmoid, Softmax::rows(1000), Softmax::rows(LEN));
                let whole = LEN / 1000 * 1000;
                check("sigmoid", &|y| sigmoid.forward(&x, y), &|y| sigmoid.par_forward(&x, y));
                check("softmax", &|y| softmax.forward(&x[..whole], &mut y[..whole]), &|y| {
                    softmax.par_forward(&x[..whole], &mut y[..whole]);
                });
                // While a row is computed in parts, the output may hold terms of its sum. They must not be left there.
                check("one row", &|y| long.forward(&x, y), &|y| long.par_forward(&x, y));
            });
        });
    }
}

#[test]
fn the_norm_has_the_serial_bits() {
    // Many lengths, because another order of additions often rounds to the same norm.
    let gradients: Vec<f32> = random(LEN, 1.0, 9);
    on_every_isa_and_pool(&POOLS, || {
        let mut gradients = gradients.clone();
        for len in (70_000..LEN).step_by(5_003) {
            let norm = clip_by_global_norm(&mut [&mut gradients[..len]], f64::INFINITY);
            let par_norm = par_clip_by_global_norm(&mut [&mut gradients[..len]], f64::INFINITY);
            assert_eq!(norm.to_bits(), par_norm.to_bits(), "{} of {len}", Isa::current());
        }
    });
}

#[test]
fn clipping_has_the_serial_bits() {
    let gradients: [Vec<f32>; 3] = [random(LEN, 1.0, 6), random(1 << 18, 1e-3, 7), random(3, 1.0, 8)];
    on_every_isa_and_pool(&POOLS, || {
        let (mut serial, mut parallel) = (gradients.clone(), gradients.clone());
        let [a, b, c] = &mut serial;
        let norm = clip_by_global_norm(&mut [a, b, c], 0.25);
        let [a, b, c] = &mut parallel;
        let par_norm = par_clip_by_global_norm(&mut [a, b, c], 0.25);
        assert_eq!(norm.to_bits(), par_norm.to_bits(), "{}", Isa::current());
        for (serial, parallel) in serial.iter_mut().zip(&mut parallel) {
            assert!(same_bits(serial, parallel), "{}", Isa::current());
            clip_by_value(serial, 1e-4);
            par_clip_by_value(parallel, 1e-4);
            assert!(same_bits(serial, parallel), "{} by value", Isa::current());
        }
    });
}
