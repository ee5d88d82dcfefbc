//! Proves that a wrong argument panics with a message that has the numbers, at the caller's line, before anything is
//! written.
//!
//! First, every method of the list of operations is called with each of its slices in wrong lengths. Then, a table of
//! mistakes has a call and its exact message for each way in which an argument can be wrong.
#![cfg(panic = "unwind")]

use activations::*;
use operations::panics::catch;
use operations::{Element, Family, Form, Operation, Parameters, Shape, uninit};

/// Calls a form with one slice of a wrong length. `slice` is its index among the inputs, then the outputs.
fn with_wrong_length<T: Element>(operation: &Operation<T>, form: &Form<T>, slice: usize, wrong: usize) {
    let number = T::rounded(0.7);
    let buffers = |lengths: &[usize], first: usize| -> Vec<Vec<T>> {
        let length = |(k, len): (usize, &usize)| vec![number; if first + k == slice { wrong } else { *len }];
        lengths.iter().enumerate().map(length).collect()
    };
    let (inputs, mut outputs) = (buffers(&operation.inputs, 0), buffers(&operation.outputs, operation.inputs.len()));
    let caught = catch(|| {
        let views: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        (form.call)(&views, &mut outputs);
    });
    let what = format!("{} {}, slice {slice} of {wrong} elements", operation.title(), form.name);
    let caught = caught.unwrap_or_else(|| panic!("{what}: no panic"));
    // The losses' number of rows is that of the targets, which are not among the slices.
    let rows = operation.inputs[0] / operation.row_len;
    let slices = inputs.iter().chain(&outputs).map(Vec::len);
    let mut lengths = slices.chain([rows]).map(|len| len.to_string());
    assert!(lengths.any(|len| caught.message.contains(&len)), "{what}: {caught:?}");
    // The caller is the crate `operations`.
    assert!(caught.file.contains("operations/src"), "{what}: {caught:?}");
    assert!(outputs.iter().flatten().all(|x| x.bits() == number.bits()), "{what}: wrote before it panicked");
}

fn every_method_with_wrong_lengths<T: Element>(shape: Shape) {
    let operations = operations::all::<T>(shape, &Parameters::default());
    // Clipping takes slices of any length.
    for operation in operations.iter().filter(|operation| operation.family != Family::Reduction) {
        for form in &operation.forms {
            let lengths: Vec<usize> = operation.inputs.iter().chain(&operation.outputs).copied().collect();
            let slices = (0..lengths.len()).filter(|slice| Some(*slice) != form.overwrites);
            // The only slice of a method in place is wrong only if it does not hold whole rows.
            let is_single = lengths.len() == 2 && form.overwrites.is_some();
            for slice in slices.filter(|_| !(is_single && operation.family == Family::Elementwise)) {
                let right = lengths[slice];
                let wrong = [right - 1, right + 1, 0, 2 * right];
                // 0 elements and twice as many are whole rows.
                // So they are for a bias.
                let takes_multiples = is_single || form.name.contains("biased");
                for wrong in &wrong[..if takes_multiples { 2 } else { 4 }] {
                    with_wrong_length(operation, form, slice, *wrong);
                }
            }
        }
    }
}

#[test]
fn every_method_refuses_wrong_lengths() {
    for shape in [Shape::rows_of(5, 3), Shape::rows_of(40, 2), Shape { outer: 2, axis: 5, inner: 3 }] {
        every_method_with_wrong_lengths::<f32>(shape);
        every_method_with_wrong_lengths::<f64>(shape);
    }
}

/// The slices for a call.
#[derive(Clone, PartialEq)]
struct Memory<T> {
    a: [T; 32],
    b: [T; 32],
    c: [T; 32],
    d: [T; 32],
}

type Call<T> = Box<dyn Fn(&mut Memory<T>)>;

/// A call with a wrong argument, and its panic.
struct Mistake<T> {
    /// The line of the call.
    line: u32,
    message: String,
    call: Call<T>,
}

/// `mistake!(table: memory => call, message)` adds a mistake to the table. The call must be on the first line, whose
/// number is recorded.
macro_rules! mistake {
    ($table:ident: $m:pat => $call:expr, $($message:tt)+) => {
        $table.push(Mistake {
            line: line!(),
            message: format!($($message)+),
            call: Box::new(move |$m| {
                $call;
            }),
        })
    };
}

/// The same mistake with a method and with its parallel twin.
macro_rules! twins {
    ($table:ident: $m:pat => $operation:expr, $method:ident $twin:ident ($($argument:expr),*), $($message:tt)+) => {
        mistake!($table: $m => $operation.$method($($argument),*), $($message)+);
        #[cfg(feature = "rayon")]
        mistake!($table: $m => $operation.$twin($($argument),*), $($message)+);
    };
}

/// All mistakes with the methods of an activation: a type like `Relu`, or a `&dyn Activation`.
macro_rules! activation {
    ($table:ident, $act:expr) => {
        for other in [0, 2, 4] {
            let act = $act;
            twins!($table: m => act, forward par_forward(&m.a[..3], &mut m.b[..other]),
                "lengths differ: x has 3 elements, y has {other}");
            twins!($table: m => act, forward_uninit par_forward_uninit(&m.a[..3], uninit(&mut m.b[..other])),
                "lengths differ: x has 3 elements, y has {other}");
            twins!($table: m => act, backward par_backward(&m.a[..3], &m.b[..other], &mut m.c[..3]),
                "lengths differ: saved has 3 elements, dy has {other}");
            twins!($table: m => act, backward par_backward(&m.a[..3], &m.b[..3], &mut m.c[..other]),
                "lengths differ: saved has 3 elements, dx has {other}");
            twins!($table: m => act, backward_in_place par_backward_in_place(&m.a[..3], &mut m.b[..other]),
                "lengths differ: saved has 3 elements, dy has {other}");
            twins!($table: m => act, forward_added par_forward_added(&m.a[..3], &m.b[..other], &mut m.c[..3]),
                "lengths differ: x has 3 elements, addend has {other}");
            twins!($table: m => act, forward_added par_forward_added(&m.a[..3], &m.b[..3], &mut m.c[..other]),
                "lengths differ: x has 3 elements, y has {other}");
            twins!($table: m => act, forward_added_in_place par_forward_added_in_place(&mut m.a[..3], &m.b[..other]),
                "lengths differ: x has 3 elements, addend has {other}");
            twins!($table: m => act, forward_biased par_forward_biased(&m.a[..3], &m.b[..1], &mut m.c[..other]),
                "lengths differ: x has 3 elements, y has {other}");
        }
        for bias in [0, 2, 4, 5, 6, 8] {
            let act = $act;
            twins!($table: m => act, forward_biased par_forward_biased(&m.a[..9], &m.b[..bias], &mut m.c[..9]),
                "x has 9 elements: not a multiple of the {bias} elements of bias");
            twins!($table: m => act, forward_biased_in_place par_forward_biased_in_place(&mut m.a[..9], &m.b[..bias]),
                "x has 9 elements: not a multiple of the {bias} elements of bias");
        }
    };
}

/// All mistakes with softmax or log-softmax.
macro_rules! softmax {
    ($table:ident, $operation:ident) => {
        shapes_along_an_axis!($table, $operation);
        for (op, ragged) in [
            ($operation::rows(5), ": not whole rows of 5"),
            ($operation::axis(5, 2), ": not a whole number of axis * inner = 5 * 2"),
        ] {
            one_of_wrong_length!($table, op, 10);
            uninit_output!($table, op, 10, 20, "lengths differ: x has 10 elements, y has 20");
            all_of_wrong_length!($table, op, 11, ragged);
            uninit_output!($table, op, 11, 11, "x has 11 elements{ragged}");
        }
        let op = $operation::along(&[2, 3, 4], 1);
        one_of_wrong_length!($table, op, 24);
        uninit_output!($table, op, 24, 20, "lengths differ: x has 24 elements, y has 20");
        for len in [0, 11, 12, 23, 25] {
            all_of_wrong_length!($table, op, len, ", its shape has 24");
            uninit_output!($table, op, len, len, "x has {len} elements, its shape has 24");
        }
        gaps!($table, $operation);
    };
}

/// All mistakes with the lengths of rows that have gaps between them.
macro_rules! gaps {
    ($table:ident, $operation:ident) => {
        let op = $operation::rows(5).row_stride(7);
        one_of_wrong_length!($table, op, 12);
        one_of_wrong_length!($table, op, 14);
        // Two rows have 12 elements or 14, three rows 19 or 21.
        for len in [1, 4, 6, 8, 11, 13, 15, 18, 20, 22] {
            all_of_wrong_length!($table, op, len, ": not whole rows of 5 that begin 7 apart");
        }
        // The length plus a gap overflows a usize.
        for stride in [usize::MAX, usize::MAX - 4] {
            let op = $operation::rows(5).row_stride(stride);
            all_of_wrong_length!($table, op, 10, format!(": not whole rows of 5 that begin {stride} apart"));
        }
        for len in [0, 5, 12, 14] {
            uninit_output!(
                $table,
                op,
                len,
                len,
                "the gaps between rows of 5 elements that begin 7 apart would stay uninitialised"
            );
        }
    };
}

/// The first slice has a right length, another one has not.
macro_rules! one_of_wrong_length {
    ($table:ident, $op:ident, $len:literal) => {
        twins!($table: m => $op, forward par_forward(&m.a[..$len], &mut m.b[..20]),
            "lengths differ: x has {} elements, y has 20", $len);
        twins!($table: m => $op, backward par_backward(&m.a[..$len], &m.b[..20], &mut m.c[..$len]),
            "lengths differ: y has {} elements, dy has 20", $len);
        twins!($table: m => $op, backward par_backward(&m.a[..$len], &m.b[..$len], &mut m.c[..20]),
            "lengths differ: y has {} elements, dx has 20", $len);
        twins!($table: m => $op, backward_in_place par_backward_in_place(&m.a[..$len], &mut m.b[..20]),
            "lengths differ: y has {} elements, dy has 20", $len);
    };
}

/// All slices have the same wrong length.
macro_rules! all_of_wrong_length {
    ($table:ident, $op:ident, $len:expr, $message:expr) => {
        let (len, message) = ($len, $message);
        twins!($table: m => $op, forward par_forward(&m.a[..len], &mut m.b[..len]), "x has {len} elements{message}");
        twins!($table: m => $op, forward_in_place par_forward_in_place(&mut m.a[..len]),
            "x has {len} elements{message}");
        twins!($table: m => $op, backward par_backward(&m.a[..len], &m.b[..len], &mut m.c[..len]),
            "y has {len} elements{message}");
        twins!($table: m => $op, backward_in_place par_backward_in_place(&m.a[..len], &mut m.b[..len]),
            "y has {len} elements{message}");
    };
}

/// A mistake with an output that is not initialised.
macro_rules! uninit_output {
    ($table:ident, $op:expr, $x:expr, $y:expr, $($message:tt)+) => {
        let (x, y) = ($x, $y);
        twins!($table: m => $op, forward_uninit par_forward_uninit(&m.a[..x], uninit(&mut m.b[..y])), $($message)+);
    };
}

/// All mistakes with the shape of an operation along an axis.
macro_rules! shapes_along_an_axis {
    ($table:ident, $operation:ident) => {
        // The square root of the smallest number that is too large, on 32 bits and on 64.
        for (axis, inner) in [(usize::MAX, 2), (2, usize::MAX), (1 << (usize::BITS / 2), 1 << (usize::BITS / 2))] {
            mistake!($table: _ => $operation::axis(axis, inner), "axis * inner overflows: {axis} * {inner}");
            mistake!($table: _ => $operation::along(&[1, axis, inner], 0),
                "the shape [1, {axis}, {inner}] has more elements than a usize holds");
        }
        for (shape, dim) in [(&[][..], 0), (&[2, 3, 4], 3), (&[2, 3, 4], usize::MAX), (&[0], 1)] {
            mistake!($table: _ => $operation::along(shape, dim), "there is no dimension {dim} in the shape {shape:?}");
        }
        for (shape, dim) in [(&[usize::MAX, 2, 0][..], 2), (&[0, usize::MAX, 3], 0)] {
            mistake!($table: _ => $operation::along(shape, dim),
                "the shape {shape:?} has more elements than a usize holds");
        }
        for stride in [0, 1, 4] {
            mistake!($table: _ => $operation::rows(5).row_stride(stride),
                "rows of 5 elements overlap: they begin {stride} apart");
        }
        mistake!($table: _ => $operation::axis(5, 2).row_stride(10),
            "only rows may have a stride, not an axis whose elements are 2 apart");
        mistake!($table: _ => $operation::along(&[2, 3, 4], 1).row_stride(12),
            "only rows may have a stride, not an axis whose elements are 4 apart");
        mistake!($table: _ => $operation::along(&[2, 3, 4], 2).row_stride(9),
            "a tensor of a given shape has no row stride, but 9 was asked for");
    };
}

/// All mistakes with the operations that exist in both types.
fn table<T: Element>() -> Vec<Mistake<T>> {
    let mut table = Vec::new();
    activation!(table, Relu);
    activation!(table, LeakyRelu::new(0.5));
    activation!(table, Sigmoid);
    activation!(table, Tanh);
    activation!(table, Exp);
    for act in ACTIVATIONS {
        activation!(table, *act);
        generic(&mut table, *act);
    }
    generic(&mut table, &Tanh);
    generic(&mut table, &const { LeakyRelu::new(0.5) });
    for other in [0, 2, 4] {
        let op = Gated(Tanh);
        twins!(table: m => op, forward par_forward(&m.a[..3], &m.b[..other], &mut m.c[..3]),
            "lengths differ: gate has 3 elements, value has {other}");
        twins!(table: m => op, forward par_forward(&m.a[..3], &m.b[..3], &mut m.c[..other]),
            "lengths differ: gate has 3 elements, y has {other}");
        twins!(table: m => op, backward par_backward(&m.a[..3], &m.a[..3], &m.a[..other], &mut m.b[..3], &mut m.c[..3]),
            "lengths differ: gate has 3 elements, dy has {other}");
        twins!(table: m => op, backward par_backward(&m.a[..3], &m.a[..3], &m.a[..3], &mut m.b[..other], &mut m.c[..3]),
            "lengths differ: gate has 3 elements, dgate has {other}");
        twins!(table: m => op, backward par_backward(&m.a[..3], &m.a[..3], &m.a[..3], &mut m.b[..3], &mut m.c[..other]),
            "lengths differ: gate has 3 elements, dvalue has {other}");
    }
    for wrong in [5, 7] {
        let op = PRelu::axis(3, 2);
        twins!(table: m => op, forward par_forward(&m.a[..wrong], &m.b[..3], &mut m.c[..wrong]),
            "x has {wrong} elements: not a whole number of axis * inner = 3 * 2");
        twins!(table: m => op, forward par_forward(&m.a[..6], &m.b[..3], &mut m.c[..wrong]),
            "lengths differ: x has 6 elements, y has {wrong}");
        twins!(table: m => op, forward par_forward(&m.a[..6], &m.b[..wrong], &mut m.c[..6]),
            "slopes has {wrong} elements for 3 channels");
        twins!(table: m => op, forward_in_place par_forward_in_place(&mut m.a[..wrong], &m.b[..3]),
            "x has {wrong} elements: not a whole number of axis * inner = 3 * 2");
        twins!(table: m => op, backward par_backward(&m.a[..6], &m.b[..3], &m.b[..wrong], &mut m.c[..6], &mut m.d[..3]),
            "lengths differ: x has 6 elements, dy has {wrong}");
        twins!(table: m => op, backward par_backward(&m.a[..6], &m.b[..3], &m.b[..6], &mut m.c[..wrong], &mut m.d[..3]),
            "lengths differ: x has 6 elements, dx has {wrong}");
        twins!(table: m => op, backward par_backward(&m.a[..6], &m.b[..3], &m.b[..6], &mut m.c[..6], &mut m.d[..wrong]),
            "lengths differ: slopes has 3 elements, dslopes has {wrong}");
        twins!(table: m => op, backward_in_place par_backward_in_place(&m.a[..6], &m.b[..3], &mut m.c[..wrong], &mut m.d[..3]),
            "lengths differ: x has 6 elements, dy has {wrong}");
        twins!(table: m => op, backward_in_place par_backward_in_place(&m.a[..6], &m.b[..wrong], &mut m.c[..6], &mut m.d[..3]),
            "slopes has {wrong} elements for 3 channels");
    }
    for op in [Gated(Tanh).rows(3), Gated(Tanh).rows(3).values_first()] {
        for len in [3, 11, 13] {
            twins!(table: m => op, forward par_forward(&m.a[..len], &mut m.b[..6]),
                "x has {len} elements: not whole rows of 3 gates and 3 values");
            twins!(table: m => op, backward par_backward(&m.a[..len], &m.b[..6], &mut m.c[..len]),
                "x has {len} elements: not whole rows of 3 gates and 3 values");
        }
        for half in [0, 3, 5, 7, 12] {
            twins!(table: m => op, forward par_forward(&m.a[..12], &mut m.b[..half]),
                "y has {half} elements, not half of the 12 of x");
            twins!(table: m => op, backward par_backward(&m.a[..12], &m.b[..half], &mut m.c[..12]),
                "dy has {half} elements, not half of the 12 of x");
        }
        twins!(table: m => op, backward par_backward(&m.a[..12], &m.b[..6], &mut m.c[..18]),
            "lengths differ: x has 12 elements, dx has 18");
    }
    twins!(table: m => Gated(Relu).rows(0), forward par_forward(&m.a[..2], &mut m.b[..1]),
        "x has 2 elements: not whole rows of 0 gates and 0 values");
    twins!(table: m => Gated(Relu).rows(usize::MAX), forward par_forward(&m.a[..2], &mut m.b[..1]),
        "x has 2 elements: not whole rows of {} gates and {} values", usize::MAX, usize::MAX);
    for (slope, text) in [
        (-0.01, "-1e-2"),
        (-123.456, "-1.23456e2"),
        (-9.999_999_6, "-1e1"),
        (-f64::MAX, "-1.79769e308"),
        (5e-324, "4.94066e-324"),
        (1e-60, "1e-60"),
        (1e39, "1e39"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "NaN"),
        (-f64::NAN, "NaN"),
    ] {
        mistake!(table: _ => LeakyRelu::new(slope),
            "negative slope must be 0, or positive and finite also as f32, not {text}");
    }

    softmax!(table, Softmax);
    softmax!(table, LogSoftmax);
    shapes_along_an_axis!(table, LogSumExp);
    let op = LogSumExp::rows(5);
    twins!(table: m => op, forward par_forward(&m.a[..11], &mut m.b[..2]), "x has 11 elements: not whole rows of 5");
    twins!(table: m => op, forward par_forward(&m.a[..10], &mut m.b[..1]), "y has 1 elements for 2 rows");
    twins!(table: m => op, forward par_forward(&m.a[..10], &mut m.b[..3]), "y has 3 elements for 2 rows");
    let op = LogSumExp::axis(5, 2);
    twins!(table: m => op, forward par_forward(&m.a[..15], &mut m.b[..2]),
        "x has 15 elements: not a whole number of axis * inner = 5 * 2");
    twins!(table: m => op, forward par_forward(&m.a[..20], &mut m.b[..2]), "y has 2 elements for 4 rows");
    let op = LogSumExp::rows(5).row_stride(7);
    twins!(table: m => op, forward par_forward(&m.a[..13], &mut m.b[..2]),
        "x has 13 elements: not whole rows of 5 that begin 7 apart");
    for len in [12, 14] {
        twins!(table: m => op, forward par_forward(&m.a[..len], &mut m.b[..1]), "y has 1 elements for 2 rows");
    }
    let op = LogSumExp::along(&[2, 3, 4], 0);
    twins!(table: m => op, forward par_forward(&m.a[..12], &mut m.b[..6]), "x has 12 elements, its shape has 24");
    twins!(table: m => op, forward par_forward(&m.a[..24], &mut m.b[..8]), "y has 8 elements for 12 rows");

    for stride in [0, 1, 2] {
        mistake!(table: _ => CrossEntropy::rows(3).row_stride(stride),
            "rows of 3 elements overlap: they begin {stride} apart");
    }
    let (loss, gaps) = (CrossEntropy::rows(3), CrossEntropy::rows(3).row_stride(5));
    // (loss, targets, length of the losses, length of the logits, message)
    for (loss, targets, losses, logits, message) in [
        (loss, &[0, 0][..], 2, 7, "logits has 7 elements: not whole rows of 3"),
        (loss, &[0], 2, 6, "targets has 1 elements for 2 rows"),
        (loss, &[0, 0, 0], 2, 6, "targets has 3 elements for 2 rows"),
        (loss, &[0, 0], 1, 6, "losses has 1 elements for 2 rows"),
        (loss, &[0, 0], 3, 6, "losses has 3 elements for 2 rows"),
        (loss, &[3, 0], 2, 6, "the target of row 0 is class 3, but there are 3 classes"),
        (loss, &[2, u32::MAX], 2, 6, "the target of row 1 is class 4294967295, but there are 3 classes"),
        (gaps, &[0, 0], 2, 6, "logits has 6 elements: not whole rows of 3 that begin 5 apart"),
        (gaps, &[0, 0], 2, 9, "logits has 9 elements: not whole rows of 3 that begin 5 apart"),
        (gaps, &[0, 0], 2, 11, "logits has 11 elements: not whole rows of 3 that begin 5 apart"),
        (gaps, &[0], 2, 8, "targets has 1 elements for 2 rows"),
        (gaps, &[0, 0, 0], 2, 10, "targets has 3 elements for 2 rows"),
        (gaps, &[0, 0], 3, 8, "losses has 3 elements for 2 rows"),
        (gaps, &[0, 4], 2, 10, "the target of row 1 is class 4, but there are 3 classes"),
    ] {
        twins!(table: m => loss, forward par_forward(&m.a[..logits], targets, &mut m.b[..losses]), "{message}");
        twins!(table: Memory { a, b, c, .. } => loss,
            forward_backward par_forward_backward(&a[..logits], targets, 1.0, &mut b[..losses], &mut c[..logits]),
            "{message}");
        twins!(table: Memory { a, b, .. } => loss,
            forward_backward_in_place par_forward_backward_in_place(&mut a[..logits], targets, 1.0, &mut b[..losses]),
            "{message}");
    }
    twins!(table: Memory { a, b, c, .. } => loss,
        forward_backward par_forward_backward(&a[..6], &[0, 0], 1.0, &mut b[..2], &mut c[..3]),
        "lengths differ: logits has 6 elements, dlogits has 3");

    twins!(table: Memory { a, c, .. } => loss,
        backward par_backward(&a[..6], &[0, 0], 1.0, &mut c[..3]),
        "lengths differ: logits has 6 elements, dlogits has 3");
    twins!(table: Memory { a, c, .. } => loss,
        backward par_backward(&a[..6], &[0, 3], 1.0, &mut c[..6]),
        "the target of row 1 is class 3, but there are 3 classes");
    twins!(table: Memory { a, b, c, .. } => loss,
        forward_backward par_forward_backward(&a[..6], &[0, 0], Scale::Rows(&[T::default(); 3]), &mut b[..2], &mut c[..6]),
        "scale has 3 elements for 2 rows");
    twins!(table: Memory { a, c, .. } => loss,
        backward par_backward(&a[..6], &[0, 0], Scale::Rows(&[T::default(); 1]), &mut c[..6]),
        "scale has 1 elements for 2 rows");
    for class in [-1_i64, 3, i64::MAX, i64::MIN] {
        twins!(table: m => loss, forward par_forward(&m.a[..6], &[0, class], &mut m.b[..2]),
            "the target of row 1 is class {class}, but there are 3 classes");
        twins!(table: m => loss.ignoring(7), forward par_forward(&m.a[..6], &[7, class], &mut m.b[..2]),
            "the target of row 1 is class {class}, but there are 3 classes");
        twins!(table: m => loss, mean par_mean(&m.a[..6], &[0, class]),
            "the target of row 1 is class {class}, but there are 3 classes");
    }
    twins!(table: m => loss, mean par_mean(&m.a[..6], &[0]), "targets has 1 elements for 2 rows");
    twins!(table: m => loss, mean par_mean(&m.a[..7], &[0, 0]), "logits has 7 elements: not whole rows of 3");
    twins!(table: Memory { a, b, .. } => loss, forward_soft par_forward_soft(&a[..6], &a[..5], &mut b[..2]),
        "lengths differ: logits has 6 elements, probabilities has 5");
    twins!(table: Memory { a, b, .. } => loss, forward_soft par_forward_soft(&a[..6], &a[..6], &mut b[..3]),
        "losses has 3 elements for 2 rows");
    twins!(table: Memory { a, b, c, .. } => loss,
        forward_backward_soft par_forward_backward_soft(&a[..6], &a[..6], 1.0, &mut b[..2], &mut c[..9]),
        "lengths differ: logits has 6 elements, dlogits has 9");
    mistake!(table: _ => CrossEntropy::axis(3, usize::MAX), "axis * inner overflows: 3 * {}", usize::MAX);
    mistake!(table: _ => CrossEntropy::axis(3, 2).row_stride(6),
        "only rows may have a stride, not an axis whose elements are 2 apart");
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        mistake!(table: _ => loss.label_smoothing(share), "label smoothing must be between 0 and 1, not {share}");
    }
    for factor in [-0.1, f64::NAN, f64::INFINITY] {
        mistake!(table: _ => loss.z_loss(factor), "the factor of the z-loss must be finite and at least 0, not {factor}");
        mistake!(table: _ => BinaryCrossEntropy::new().positive_weight(factor),
            "the factor of the positive weight must be finite and at least 0, not {factor}");
    }
    for len in [0, 2, 4] {
        mistake!(table: m => loss.class_weights(&m.a[..len]), "there are {len} weights for 3 classes");
    }
    let binary = BinaryCrossEntropy::new();
    twins!(table: Memory { a, b, c, .. } => binary, forward par_forward(&a[..6], &b[..5], &mut c[..6]),
        "lengths differ: logits has 6 elements, targets has 5");
    twins!(table: Memory { a, b, c, .. } => binary, forward par_forward(&a[..6], &b[..6], &mut c[..7]),
        "lengths differ: logits has 6 elements, losses has 7");
    twins!(table: Memory { a, b, c, .. } => binary,
        forward_backward par_forward_backward(&a[..6], &a[..6], 1.0, &mut b[..6], &mut c[..5]),
        "lengths differ: logits has 6 elements, dlogits has 5");
    twins!(table: Memory { a, b, c, .. } => binary,
        forward_backward par_forward_backward(&a[..6], &a[..6], 1.0, &mut b[..5], &mut c[..6]),
        "lengths differ: logits has 6 elements, losses has 5");
    for weights in [0, 4] {
        twins!(table: Memory { a, b, c, .. } => BinaryCrossEntropy::new().positive_weights(&a[..weights]),
            forward par_forward(&a[..6], &b[..6], &mut c[..6]),
            "logits has 6 elements: not whole rows of {weights}, for which there are weights");
    }

    for limit in [-1.0, -f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
        mistake!(table: m => clip_by_value(&mut m.a, limit), "a limit must be at least 0, not {limit}");
        mistake!(table: m => _ = clip_by_global_norm(&mut [&mut m.a, &mut m.b], limit), "a limit must be at least 0, not {limit}");
        mistake!(table: _ => _ = clip_by_global_norm::<T>(&mut [], limit), "a limit must be at least 0, not {limit}");
        #[cfg(feature = "rayon")]
        {
            mistake!(table: m => par_clip_by_value(&mut m.a, limit), "a limit must be at least 0, not {limit}");
            mistake!(table: m => _ = par_clip_by_global_norm(&mut [&mut m.a, &mut m.b], limit),
                "a limit must be at least 0, not {limit}");
        }
    }

    for name in ["scalar", "portable", "avx2", "avx512"] {
        let isa: Isa = name.parse().expect("an instruction set");
        if !isa.is_available() {
            mistake!(table: _ => isa.with(|| ()), "instruction set {name} is not available on this CPU");
        }
    }
    table
}

/// All mistakes with the methods of an activation in a function that is generic over it.
fn generic<T: Element, A: Activation + ?Sized>(table: &mut Vec<Mistake<T>>, act: &'static A) {
    activation!(table, act);
}

/// The mistakes with the exact tier, which exists for `f32` only.
fn exact_table() -> Vec<Mistake<f32>> {
    let mut table = Vec::new();
    activation!(table, Sigmoid.exact());
    activation!(table, ACTIVATIONS[0].exact().expect("an exact tier"));
    let op = Softmax::rows(5).exact();
    twins!(table: m => op, forward par_forward(&m.a[..10], &mut m.b[..20]),
        "lengths differ: x has 10 elements, y has 20");
    twins!(table: m => op, forward par_forward(&m.a[..11], &mut m.b[..11]), "x has 11 elements: not whole rows of 5");
    twins!(table: m => op, forward_in_place par_forward_in_place(&mut m.a[..11]),
        "x has 11 elements: not whole rows of 5");
    uninit_output!(table, op, 10, 20, "lengths differ: x has 10 elements, y has 20");
    uninit_output!(table, op, 11, 11, "x has 11 elements: not whole rows of 5");
    let op = Softmax::along(&[2, 3, 4], 2).exact();
    uninit_output!(table, op, 12, 12, "x has 12 elements, its shape has 24");
    let op = Softmax::rows(5).row_stride(7).exact();
    twins!(table: m => op, forward_in_place par_forward_in_place(&mut m.a[..11]),
        "x has 11 elements: not whole rows of 5 that begin 7 apart");
    uninit_output!(
        table,
        op,
        12,
        12,
        "the gaps between rows of 5 elements that begin 7 apart would stay uninitialised"
    );
    table
}

/// Makes a mistake. Returns what is wrong with its panic, if anything.
fn fault<T: Element>(Mistake { line, message, call }: &Mistake<T>, numbers: [T; 32]) -> Option<String> {
    let before = Memory { a: numbers, b: numbers, c: numbers, d: numbers };
    let mut memory = before.clone();
    let Some(caught) = catch(|| call(&mut memory)) else {
        return Some(format!("line {line}: no panic, but expected was: {message}"));
    };
    if caught.message != *message || (&*caught.file, caught.line) != (file!(), *line) {
        return Some(format!("line {line}: {caught:?}, but expected was: {message}"));
    }
    (memory != before).then(|| format!("line {line} wrote before it panicked: {message}"))
}

/// The faults of all mistakes, in memory that holds these numbers.
fn faults<T: Element>(table: &[Mistake<T>], numbers: [T; 32]) -> Vec<String> {
    println!("{} mistakes with {}", table.len(), std::any::type_name::<T>());
    table.iter().filter_map(|mistake| fault(mistake, numbers)).collect()
}

#[test]
fn mistakes_panic_with_the_numbers_at_the_callers_line() {
    let faults =
        [faults(&table(), [0.7_f32; 32]), faults(&table(), [0.7_f64; 32]), faults(&exact_table(), [0.7; 32])].concat();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn unknown_names_do_not_panic() {
    assert!(by_name("swoosh").is_none() && by_name("").is_none() && by_name("re lu").is_none());
    for name in ["", "AVX2", "avx", "avx512 "] {
        assert_eq!(name.parse::<Isa>(), Err(UnknownIsa), "`{name}`");
    }
    assert_eq!(UnknownIsa.to_string(), "unknown instruction set: expected scalar, portable, avx2 or avx512");
}

/// The next test runs this one in other processes, with `ACTIVATIONS_ISA` set.
#[test]
fn relu_runs() {
    Relu.forward(&[1.0_f32], &mut [0.0]);
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "an emulated process may be unable to start another")]
fn wrong_names_in_the_environment_variable_are_refused() {
    let run = |name: &str| {
        let this = std::env::current_exe().expect("a path");
        let mut child = std::process::Command::new(this);
        child.args(["--exact", "relu_runs", "--nocapture"]).env("ACTIVATIONS_ISA", name).output().expect("a process")
    };
    for name in ["", "quick", "AVX2", "scalar,portable"] {
        let output = run(name);
        // Only the start of the list: an emulated process may start one that is not emulated and has more of them.
        let message = format!("ACTIVATIONS_ISA is `{name}`, but available here are: scalar, portable");
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(&message), "{output:?}");
    }
    for name in ["scalar", "portable"] {
        assert!(run(name).status.success(), "{name}");
    }
}
