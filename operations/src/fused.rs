//! Additions before an activation, and gates. Their results are defined by other methods: the sum, the activation, the
//! product, each rounded.

use activations::{ACTIVATIONS, Activation, Exp, Float, Gated, GatedRows, Isa, Relu, Sigmoid, Silu};

use crate::operation::forms;
use crate::{Bound, Element, Family, Operation, Shape};

/// All of them: additions before every activation, and some gates.
pub fn all<T: Element>(shape: Shape) -> Vec<Operation<T>> {
    let len = shape.len();
    let before = |act: &'static dyn Activation| added(act, len).into_iter().chain(T::if_f32(|| exact_added(act, len)));
    let gates = gates(len).into_iter().chain(gated_rows(shape.axis, shape.rows()));
    ACTIVATIONS.iter().flat_map(|act| before(*act)).chain(gates).collect()
}

/// The additions before an activation or its exact tier: with an addend, with a bias, and with sums that are kept.
macro_rules! additions {
    ($activation:ident, $act:ident, $tier:literal, $len:ident) => {{
        let forward = move |x: &mut [_]| $activation.forward_in_place(x);
        vec![
            Operation {
                forms: forms![$activation [] =>
                    forward_added par_forward_added [x, addend] [y] (x, addend, y),
                    forward_added_in_place par_forward_added_in_place [_, addend] [y] (y, addend) 0,
                ],
                ..of_sum($act, $tier, "added", 1, $len, forward)
            },
            Operation {
                forms: forms![$activation [] =>
                    forward_biased par_forward_biased [x, bias] [y] (x, bias, y),
                    forward_biased_in_place par_forward_biased_in_place [_, bias] [y] (y, bias) 0,
                ],
                ..of_sum($act, $tier, "biased", 1, $len, forward)
            },
            Operation {
                forms: forms![$activation [] =>
                    forward_added_saving par_forward_added_saving [x, addend] [sum, y] (x, addend, sum, y),
                ],
                ..of_sum($act, $tier, "added, saving", 2, $len, forward)
            },
        ]
    }};
}

/// Additions before the activation.
pub fn added<T: Element>(act: &'static dyn Activation, len: usize) -> Vec<Operation<T>> {
    additions!(act, act, "", len)
}

/// The same of the exact tier, for activations that have one.
pub fn exact_added(act: &'static dyn Activation, len: usize) -> Vec<Operation<f32>> {
    act.exact().map_or(vec![], |exact| additions!(exact, act, "exact ", len))
}

/// An operation whose last output must be `forward` of the rounded sums of its inputs, and whose first output, if it has
/// two, those sums.
fn of_sum<T: Element>(
    act: &'static dyn Activation,
    tier: &str,
    what: &str,
    outputs: usize,
    len: usize,
    forward: impl Fn(&mut [T]) + Send + Sync + 'static,
) -> Operation<T> {
    let name = format!("{tier}{} {what}", act.name());
    let title = name.clone();
    Operation {
        item: act.name(),
        name,
        parameters: format!("of {len}"),
        family: Family::Elementwise,
        bound: Bound::Steps,
        row_len: 1,
        inputs: vec![len; 2],
        outputs: vec![len; outputs],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![],
        judge: Box::new(move |inputs, outputs, _| {
            // A bias may be shorter than x.
            let sums = inputs[0].iter().zip(inputs[1].iter().cycle());
            let mut expected: Vec<T> = sums.map(|(x, addend)| *x + *addend).collect();
            if outputs.len() == 2 {
                assert_same(&format!("{title}, the sum"), outputs[0], &expected);
            }
            forward(&mut expected);
            assert_same(&title, outputs[outputs.len() - 1], &expected);
        }),
    }
}

/// Panics unless the bits are the same.
fn assert_same<T: Element>(title: &str, actual: &[T], expected: &[T]) {
    assert_eq!(actual.len(), expected.len());
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert!(actual.bits() == expected.bits(), "{} {title}: {actual:e} at {i}, not {expected:e}", Isa::current());
    }
}

/// The activations of the gates in the list. Those that save the output have a gradient of another form.
static GATES: [&dyn Activation; 3] = [&Silu, &Sigmoid, &Relu];

/// The gates.
pub fn gates<T: Element>(len: usize) -> Vec<Operation<T>> {
    GATES.iter().flat_map(|act| gate(*act, len)).collect()
}

/// The gates of rows of `columns` gates and values, in both orders.
pub fn gated_rows<T: Element>(columns: usize, rows: usize) -> Vec<Operation<T>> {
    let orders = |act: &'static dyn Activation| [false, true].map(|is_value_first| (act, is_value_first));
    GATES
        .iter()
        .flat_map(|act| orders(*act))
        .flat_map(|(act, order)| rows_of_gates(act, order, columns, rows))
        .collect()
}

/// The rounded product, and its counterpart for rows.
fn product<T: Float>(a: &[T], b: &[T]) -> Vec<T> {
    // The gradient of the exponential is dy y.
    let mut product = b.to_vec();
    Exp.backward_in_place(a, &mut product);
    product
}

/// act(gate) value.
fn value_of_gate<T: Element>(act: &dyn Activation, gate: &[T], value: &[T]) -> Vec<T> {
    let mut y = gate.to_vec();
    act.forward_in_place(&mut y);
    product(&y, value)
}

/// The gradients of the above.
fn gradients_of_gate<T: Element>(act: &dyn Activation, gate: &[T], value: &[T], dy: &[T]) -> [Vec<T>; 2] {
    let mut y = gate.to_vec();
    act.forward_in_place(&mut y);
    let mut dgate = product(dy, value);
    act.backward_in_place(act.saved().of(gate, &y), &mut dgate);
    [dgate, product(&y, dy)]
}

/// A gate whose operands are slices, and its gradient.
fn gate<T: Element>(act: &'static dyn Activation, len: usize) -> Vec<Operation<T>> {
    let (gated, name) = (Gated(act), act.name());
    let operation = |what: &str, inputs: usize, outputs: usize| Operation {
        item: "gated",
        name: format!("gated {name}{what}"),
        parameters: format!("of {len}"),
        family: Family::Elementwise,
        bound: Bound::Steps,
        row_len: 1,
        inputs: vec![len; inputs],
        outputs: vec![len; outputs],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![],
        judge: Box::new(|_: &[&[T]], _: &[&[T]], _| {}),
    };
    vec![
        Operation {
            forms: forms![gated [] => forward par_forward [gate, value] [y] (gate, value, y)],
            judge: Box::new(move |inputs, outputs, _| {
                assert_same(&format!("gated {name}"), outputs[0], &value_of_gate(act, inputs[0], inputs[1]));
            }),
            ..operation("", 2, 1)
        },
        Operation {
            forms: forms![gated [] =>
                backward par_backward [gate, value, dy] [dgate, dvalue] (gate, value, dy, dgate, dvalue)
            ],
            judge: Box::new(move |inputs, outputs, _| {
                let [dgate, dvalue] = gradients_of_gate(act, inputs[0], inputs[1], inputs[2]);
                assert_same(&format!("gated {name}, dgate"), outputs[0], &dgate);
                assert_same(&format!("gated {name}, dvalue"), outputs[1], &dvalue);
            }),
            ..operation(" gradient", 3, 2)
        },
    ]
}

/// A gate of rows with both halves, and its gradient.
fn rows_of_gates<T: Element>(
    act: &'static dyn Activation,
    is_value_first: bool,
    columns: usize,
    rows: usize,
) -> Vec<Operation<T>> {
    let gated: GatedRows<&'static dyn Activation> = Gated(act).rows(columns);
    let gated = if is_value_first { gated.values_first() } else { gated };
    let name = act.name();
    let len = columns * rows;
    let operation = |what: &str, inputs: Vec<usize>, output: usize| Operation {
        item: "gated",
        name: format!("gated {name} of rows{}{what}", if is_value_first { ", values first" } else { "" }),
        parameters: format!("of [{rows}, {columns}]"),
        family: Family::Axis,
        bound: Bound::Steps,
        row_len: 2 * columns,
        inputs,
        outputs: vec![output],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![],
        judge: Box::new(|_: &[&[T]], _: &[&[T]], _| {}),
    };
    // The gates and the values of all rows.
    let halves = move |x: &[T]| {
        let half = |k: usize| -> Vec<T> {
            x.chunks(2 * columns).flat_map(|row| row[k * columns..(k + 1) * columns].iter().copied()).collect()
        };
        let first = usize::from(is_value_first);
        (half(first), half(1 - first))
    };
    vec![
        Operation {
            forms: forms![gated [] => forward par_forward [x] [y] (x, y)],
            judge: Box::new(move |inputs, outputs, _| {
                if columns > 0 {
                    let (gate, value) = halves(inputs[0]);
                    assert_same(&format!("gated {name} of rows"), outputs[0], &value_of_gate(act, &gate, &value));
                }
            }),
            ..operation("", vec![2 * len], len)
        },
        Operation {
            forms: forms![gated [] => backward par_backward [x, dy] [dx] (x, dy, dx)],
            judge: Box::new(move |inputs, outputs, _| {
                if columns > 0 {
                    let ((gate, value), (dgate, dvalue)) = (halves(inputs[0]), halves(outputs[0]));
                    let expected = gradients_of_gate(act, &gate, &value, inputs[1]);
                    assert_same(&format!("gated {name} of rows, dgate"), &dgate, &expected[0]);
                    assert_same(&format!("gated {name} of rows, dvalue"), &dvalue, &expected[1]);
                }
            }),
            ..operation(" gradient", vec![2 * len, len], 2 * len)
        },
    ]
}
