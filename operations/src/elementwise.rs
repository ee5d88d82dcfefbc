//! The activations and their gradients, fast and exact. Which activations there are says `activations::ACTIVATIONS`.

use activations::{ACTIVATIONS, Activation, Isa, LeakyRelu};

use crate::bound::is_within;
use crate::operation::forms;
use crate::uninit::uninit;
use crate::{Bound, Element, Family, Operation};

/// The bound on a gradient. The true value is the closed form at the stored output y, not at the unknown x.
pub const GRADIENT: Bound = Bound::Ulp([4.0, 4.0]);

/// The bound of the exact tier: 0.5 ulp, the nearest number, plus the error of the `f64` reference.
pub const EXACT: Bound = Bound::Ulp([0.500_001, 0.500_001]);

/// The operations of every activation, with its default parameters.
pub fn all<T: Element>(len: usize) -> Vec<Operation<T>> {
    ACTIVATIONS.iter().flat_map(|act| activation(*act, len)).collect()
}

/// The operations with parameters other than the default: slopes that are 0, tiny, ordinary, 1 and huge.
pub fn other_parameters<T: Element>(len: usize) -> Vec<Operation<T>> {
    static SLOPES: [LeakyRelu; 6] = [
        LeakyRelu::new(0.0),
        LeakyRelu::new(1e-30),
        LeakyRelu::new(0.3),
        LeakyRelu::new(1.0),
        LeakyRelu::new(7.5),
        LeakyRelu::new(1e38),
    ];
    SLOPES.iter().flat_map(|act| activation(act, len)).collect()
}

/// The operations of one activation: value and gradient, and in `f32` both of the exact tier.
pub fn activation<T: Element>(act: &'static dyn Activation, len: usize) -> Vec<Operation<T>> {
    [value(act, len), gradient(act, len)].into_iter().chain(T::if_f32(|| exact(act, len))).collect()
}

fn value<T: Element>(act: &'static dyn Activation, len: usize) -> Operation<T> {
    let bound = match [true, false].map(|is_fused| act.max_ulp(8 * T::BYTES as u32, is_fused)) {
        [0.0, 0.0] => Bound::Exact,
        bounds => Bound::Ulp(bounds),
    };
    Operation {
        item: act.name(),
        name: act.name().to_string(),
        parameters: format!("of {len}"),
        family: Family::Elementwise,
        bound,
        row_len: 1,
        inputs: vec![len],
        outputs: vec![len],
        first_input: Box::new(<[T]>::to_vec),
        forms: forms![act [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            let [least, most] = act.range();
            for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                let is_right = is_within(y, act.reference(x.into()), bound.ulp());
                assert!(is_right, "{} {}({x:e}) = {y:e}, bound {bound}", Isa::current(), act.name());
                assert!(
                    y.into().is_nan() || (least..=most).contains(&y.into()),
                    "{}({x:e}) = {y:e}, outside [{least:e}, {most:e}]",
                    act.name()
                );
            }
        }),
    }
}

fn gradient<T: Element>(act: &'static dyn Activation, len: usize) -> Operation<T> {
    Operation {
        name: format!("{} gradient", act.name()),
        bound: GRADIENT,
        inputs: vec![len; 2],
        first_input: Box::new(move |x| {
            let mut y = x.to_vec();
            act.forward_in_place(&mut y);
            y
        }),
        forms: forms![act [] =>
            backward par_backward [y, dy] [dx] (y, dy, dx),
            backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
        ],
        judge: Box::new(move |inputs, outputs, _| judge_gradient(act, GRADIENT, inputs, outputs[0])),
        ..value(act, len)
    }
}

fn exact(act: &'static dyn Activation, len: usize) -> Vec<Operation<f32>> {
    let exact = act.exact();
    vec![
        Operation {
            name: format!("exact {}", act.name()),
            bound: EXACT,
            forms: forms![exact [] =>
                forward par_forward [x] [y] (x, y),
                forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
                forward_in_place par_forward_in_place [_] [y] (y) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                    let is_right = is_within(y, act.reference(x.into()), EXACT.ulp());
                    assert!(is_right, "{} exact {}({x:e}) = {y:e}", Isa::current(), act.name());
                }
            }),
            ..value(act, len)
        },
        Operation {
            name: format!("exact {} gradient", act.name()),
            bound: EXACT,
            first_input: Box::new(move |x| {
                let mut y = x.to_vec();
                exact.forward_in_place(&mut y);
                y
            }),
            forms: forms![exact [] =>
                backward par_backward [y, dy] [dx] (y, dy, dx),
                backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
            ],
            judge: Box::new(move |inputs, outputs, _| judge_gradient(act, EXACT, inputs, outputs[0])),
            ..gradient(act, len)
        },
    ]
}

/// Judges dx, given y and dy.
fn judge_gradient<T: Element>(act: &dyn Activation, bound: Bound, inputs: &[&[T]], dx: &[T]) {
    for (i, &dx) in dx.iter().enumerate() {
        let (y, dy) = (inputs[0][i], inputs[1][i]);
        let is_right = is_within(dx, act.reference_gradient(y.into(), dy.into()), bound.ulp());
        assert!(is_right, "{} {} gradient, y {y:e}, dy {dy:e}: {dx:e}, bound {bound}", Isa::current(), act.name());
    }
}
