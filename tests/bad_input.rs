//! A table of mistakes, one row for each public method and each thing that can be wrong with its arguments.
//!
//! A row's call must panic with the row's message, at the row's own line, and leave all memory as it was.
#![cfg(panic = "unwind")]

#[path = "common/panics.rs"]
mod panics;

use activations::*;
use panics::catch;

/// What the calls are given.
#[derive(Clone, PartialEq)]
struct Memory<T> {
    a: [T; 32],
    b: [T; 32],
    c: [T; 32],
}

type Call<T> = Box<dyn Fn(&mut Memory<T>)>;

/// One mistake.
struct Row<T> {
    line: u32,
    message: String,
    call: Call<T>,
}

/// `bad!(rows: m => call, message)`: the call stands on the first line.
macro_rules! bad {
    ($rows:ident: $m:pat => $call:expr, $($message:tt)+) => {
        $rows.push(Row {
            line: line!(),
            message: format!($($message)+),
            call: Box::new(move |$m| {
                $call;
            }),
        })
    };
}

/// The same mistake with a method and its parallel twin.
macro_rules! twins {
    ($rows:ident: $m:pat => $operation:expr, $method:ident $twin:ident ($($argument:expr),*), $($message:tt)+) => {
        bad!($rows: $m => $operation.$method($($argument),*), $($message)+);
        #[cfg(feature = "rayon")]
        bad!($rows: $m => $operation.$twin($($argument),*), $($message)+);
    };
}

/// All mistakes with the methods of an activation, whether a type of its own or chosen at run time.
macro_rules! activation {
    ($rows:ident, $act:expr) => {
        for other in [0, 2, 4] {
            let act = $act;
            twins!($rows: m => act, forward par_forward(&m.a[..3], &mut m.b[..other]),
                "lengths differ: x has 3 elements, y has {other}");
            twins!($rows: m => act, backward par_backward(&m.a[..3], &m.b[..other], &mut m.c[..3]),
                "lengths differ: y has 3 elements, dy has {other}");
            twins!($rows: m => act, backward par_backward(&m.a[..3], &m.b[..3], &mut m.c[..other]),
                "lengths differ: y has 3 elements, dx has {other}");
            twins!($rows: m => act, backward_in_place par_backward_in_place(&m.a[..3], &mut m.b[..other]),
                "lengths differ: y has 3 elements, dy has {other}");
        }
    };
}

/// All mistakes with softmax or with its logarithm.
macro_rules! softmax {
    ($rows:ident, $operation:ident) => {
        axis!($rows, $operation);
        for (op, ragged) in [
            ($operation::rows(5), "not whole rows of 5"),
            ($operation::axis(5, 2), "not a whole number of axis * inner = 5 * 2"),
        ] {
            twins!($rows: m => op, forward par_forward(&m.a[..10], &mut m.b[..20]),
                "lengths differ: x has 10 elements, y has 20");
            twins!($rows: m => op, forward par_forward(&m.a[..11], &mut m.b[..11]), "x has 11 elements: {ragged}");
            twins!($rows: m => op, forward_in_place par_forward_in_place(&mut m.a[..11]), "x has 11 elements: {ragged}");
            twins!($rows: m => op, backward par_backward(&m.a[..10], &m.b[..20], &mut m.c[..10]),
                "lengths differ: y has 10 elements, dy has 20");
            twins!($rows: m => op, backward par_backward(&m.a[..10], &m.b[..10], &mut m.c[..20]),
                "lengths differ: y has 10 elements, dx has 20");
            twins!($rows: m => op, backward par_backward(&m.a[..11], &m.b[..11], &mut m.c[..11]),
                "y has 11 elements: {ragged}");
            twins!($rows: m => op, backward_in_place par_backward_in_place(&m.a[..10], &mut m.b[..20]),
                "lengths differ: y has 10 elements, dy has 20");
            twins!($rows: m => op, backward_in_place par_backward_in_place(&m.a[..11], &mut m.b[..11]),
                "y has 11 elements: {ragged}");
        }
    };
}

/// All mistakes with the shape of an operation along an axis.
macro_rules! axis {
    ($rows:ident, $operation:ident) => {
        bad!($rows: _ => $operation::rows(0), "axis has 0 elements, 1 apart: neither may be 0");
        bad!($rows: _ => $operation::axis(0, 7), "axis has 0 elements, 7 apart: neither may be 0");
        bad!($rows: _ => $operation::axis(7, 0), "axis has 7 elements, 0 apart: neither may be 0");
        // The square root of the smallest number that is too large, on 32 bits and on 64.
        for (axis, inner) in [(usize::MAX, 2), (2, usize::MAX), (1 << (usize::BITS / 2), 1 << (usize::BITS / 2))] {
            bad!($rows: _ => $operation::axis(axis, inner), "axis * inner overflows: {axis} * {inner}");
        }
    };
}

fn table<T: Float>() -> Vec<Row<T>> {
    let mut rows = Vec::new();
    activation!(rows, Relu);
    activation!(rows, LeakyRelu::new(0.5));
    activation!(rows, Sigmoid);
    activation!(rows, Tanh);
    activation!(rows, Exp);
    for act in ACTIVATIONS {
        activation!(rows, *act);
    }
    for slope in [0.0, -0.0, -0.01, 1e-60, 1e39, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        bad!(rows: _ => LeakyRelu::new(slope), "negative slope must be positive and finite, also as f32");
    }

    softmax!(rows, Softmax);
    softmax!(rows, LogSoftmax);
    axis!(rows, LogSumExp);
    let op = LogSumExp::rows(5);
    twins!(rows: m => op, forward par_forward(&m.a[..11], &mut m.b[..2]), "x has 11 elements: not whole rows of 5");
    twins!(rows: m => op, forward par_forward(&m.a[..10], &mut m.b[..1]), "y has 1 elements for 2 rows");
    twins!(rows: m => op, forward par_forward(&m.a[..10], &mut m.b[..3]), "y has 3 elements for 2 rows");
    let op = LogSumExp::axis(5, 2);
    twins!(rows: m => op, forward par_forward(&m.a[..15], &mut m.b[..2]),
        "x has 15 elements: not a whole number of axis * inner = 5 * 2");
    twins!(rows: m => op, forward par_forward(&m.a[..20], &mut m.b[..2]), "y has 2 elements for 4 rows");

    bad!(rows: _ => CrossEntropy::rows(0), "axis has 0 elements, 1 apart: neither may be 0");
    let loss = CrossEntropy::rows(3);
    // The forms of the loss differ in what they write: [targets], length of the losses, length of the logits.
    for (targets, losses, logits, message) in [
        (&[0, 0][..], 2, 7, "logits has 7 elements: not whole rows of 3"),
        (&[0], 2, 6, "targets has 1 elements for 2 rows"),
        (&[0, 0, 0], 2, 6, "targets has 3 elements for 2 rows"),
        (&[0, 0], 1, 6, "losses has 1 elements for 2 rows"),
        (&[0, 0], 3, 6, "losses has 3 elements for 2 rows"),
        (&[3, 0], 2, 6, "the target of row 0 is class 3, but there are 3 classes"),
        (&[2, u32::MAX], 2, 6, "the target of row 1 is class 4294967295, but there are 3 classes"),
    ] {
        twins!(rows: m => loss, forward par_forward(&m.a[..logits], targets, &mut m.b[..losses]), "{message}");
        twins!(rows: Memory { a, b, c } => loss,
            forward_backward par_forward_backward(&a[..logits], targets, 1.0, &mut b[..losses], &mut c[..logits]),
            "{message}");
        twins!(rows: Memory { a, b, .. } => loss,
            forward_backward_in_place par_forward_backward_in_place(&mut a[..logits], targets, 1.0, &mut b[..losses]),
            "{message}");
    }
    twins!(rows: Memory { a, b, c } => loss,
        forward_backward par_forward_backward(&a[..6], &[0, 0], 1.0, &mut b[..2], &mut c[..3]),
        "lengths differ: logits has 6 elements, dlogits has 3");

    for limit in [-1.0, -f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
        bad!(rows: m => clip_by_value(&mut m.a, limit), "a limit must be at least 0, not {limit}");
        bad!(rows: m => clip_by_global_norm(&mut [&mut m.a, &mut m.b], limit), "a limit must be at least 0, not {limit}");
        bad!(rows: _ => clip_by_global_norm::<T>(&mut [], limit), "a limit must be at least 0, not {limit}");
        #[cfg(feature = "rayon")]
        {
            bad!(rows: m => par_clip_by_value(&mut m.a, limit), "a limit must be at least 0, not {limit}");
            bad!(rows: m => par_clip_by_global_norm(&mut [&mut m.a, &mut m.b], limit),
                "a limit must be at least 0, not {limit}");
        }
    }

    for name in ["scalar", "portable", "avx2", "avx512"] {
        let isa: Isa = name.parse().expect("an instruction set");
        if !isa.is_available() {
            bad!(rows: _ => isa.with(|| ()), "instruction set {name} is not available on this CPU");
        }
    }
    rows
}

fn check<T: Float>(numbers: [T; 32]) {
    let table = table::<T>();
    for Row { line, message, call } in &table {
        let before = Memory { a: numbers, b: numbers, c: numbers };
        let mut memory = before.clone();
        let caught = catch(|| call(&mut memory)).unwrap_or_else(|| panic!("line {line}: no panic, but: {message}"));
        assert_eq!(caught.message, *message, "line {line}");
        assert_eq!((&*caught.file, caught.line), (file!(), *line), "{message}");
        assert!(memory == before, "line {line} wrote before it panicked: {message}");
    }
    println!("{} mistakes with {}", table.len(), std::any::type_name::<T>());
}

#[test]
fn mistakes_panic_with_the_numbers_at_the_callers_line() {
    check([0.7_f32; 32]);
    check([0.7_f64; 32]);
}

#[test]
fn unknown_names_are_no_panics() {
    assert!(by_name("swish").is_none() && by_name("").is_none() && by_name("Relu").is_none());
    for name in ["", "AVX2", "avx", "avx512 "] {
        assert_eq!(name.parse::<Isa>(), Err(UnknownIsa), "`{name}`");
    }
    assert_eq!(UnknownIsa.to_string(), "unknown instruction set: expected scalar, portable, avx2 or avx512");
}

/// Run again by the next test, as a process of its own.
#[test]
fn relu_runs() {
    Relu.forward(&[1.0_f32], &mut [0.0]);
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "an emulated process may not start another")]
fn unknown_instruction_sets_of_the_process_are_refused() {
    let run = |name: &str| {
        let this = std::env::current_exe().expect("a path");
        let mut child = std::process::Command::new(this);
        child.args(["--exact", "relu_runs", "--nocapture"]).env("ACTIVATIONS_ISA", name).output().expect("a process")
    };
    for name in ["", "quick", "AVX2", "scalar,portable"] {
        let output = run(name);
        // An emulated process may start one that is not, and that has more.
        let message = format!("ACTIVATIONS_ISA is `{name}`, but available here are: scalar, portable");
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(&message), "{output:?}");
    }
    for name in ["scalar", "portable"] {
        assert!(run(name).status.success(), "{name}");
    }
}
