//! The activations and their gradients, fast and exact. Which activations there are says `activations::ACTIVATIONS`.

use activations::judge::{self, is_within};
use activations::{
    ACTIVATIONS, Activation, Celu, Elu, Exact, ExactActivation, HardTanh, Isa, LeakyRelu, Saved, Softplus, Swish,
};

use crate::operation::forms;
use crate::uninit::uninit;
use crate::{Bound, Element, Family, Operation};

/// The bound on a gradient. From the output, the true value is the closed form at the stored output y, not at the unknown
/// x.
pub fn gradient_bound(act: &dyn Activation) -> Bound {
    match act.saved() {
        Saved::Output => Bound::Ulp([act.gradient_ulp(); 2]),
        Saved::Input => Bound::OfInputGradient(act.gradient_ulp()),
    }
}

/// The bound of the exact tier: 0.5 ulp, the nearest number, plus the error of the `f64` reference.
pub const EXACT: Bound = Bound::Ulp([0.500_001, 0.500_001]);

/// The operations of every activation, with its default parameters.
pub fn all<T: Element>(len: usize) -> Vec<Operation<T>> {
    ACTIVATIONS.iter().flat_map(|act| activation(*act, len)).collect()
}

/// The operations with parameters other than the default: slopes that are 0, tiny, ordinary, 1 and huge, factors of both
/// signs, limits from small to large.
pub fn other_parameters<T: Element>(len: usize) -> Vec<Operation<T>> {
    static ACTS: [&dyn Activation; 21] = [
        &LeakyRelu::new(0.0),
        &LeakyRelu::new(1e-30),
        &LeakyRelu::new(0.3),
        &LeakyRelu::new(1.0),
        &LeakyRelu::new(7.5),
        &LeakyRelu::new(1e38),
        &Swish::new(0.0),
        &Swish::new(-1.5),
        &Swish::new(0.001),
        &Swish::new(1000.0),
        &Elu::new(0.0),
        &Elu::new(0.3),
        &Elu::new(1e6),
        &Celu::new(1e-6),
        &Celu::new(0.3),
        &Celu::new(7.7),
        &HardTanh::new(-0.25, 40.0),
        &Softplus::new(1.0 / (1 << 20) as f64),
        &Softplus::new(0.3),
        &Softplus::new(20.0),
        &Softplus::new((1 << 20) as f64),
    ];
    ACTS.iter().flat_map(|act| activation(*act, len)).collect()
}

/// The operations of one activation: value and gradient, and in `f32` both of the exact tier.
pub fn activation<T: Element>(act: &'static dyn Activation, len: usize) -> Vec<Operation<T>> {
    let exact = T::if_f32(|| act.exact().map_or(Vec::new(), |tier| exact(act, tier, len)));
    [value(act, len), gradient(act, len)].into_iter().chain(exact).collect()
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
        judge: Box::new(move |inputs, outputs, _| judge::assert_values(act, inputs[0], outputs[0])),
    }
}

fn gradient<T: Element>(act: &'static dyn Activation, len: usize) -> Operation<T> {
    Operation {
        name: format!("{} gradient", act.name()),
        bound: gradient_bound(act),
        inputs: vec![len; 2],
        first_input: Box::new(move |x| {
            let mut saved = x.to_vec();
            if act.saved() == Saved::Output {
                act.forward_in_place(&mut saved);
            }
            saved
        }),
        forms: forms![act [] =>
            backward par_backward [saved, dy] [dx] (saved, dy, dx),
            backward_in_place par_backward_in_place [saved, _] [dx] (saved, dx) 1,
        ],
        judge: Box::new(move |inputs, outputs, _| judge::assert_gradients(act, inputs[0], inputs[1], outputs[0])),
        ..value(act, len)
    }
}

fn exact(act: &'static dyn Activation, exact: Exact<&'static dyn ExactActivation>, len: usize) -> Vec<Operation<f32>> {
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
            judge: Box::new(move |inputs, outputs, _| {
                for (i, &dx) in outputs[0].iter().enumerate() {
                    let (y, dy) = (inputs[0][i], inputs[1][i]);
                    let is_right = is_within(dx, act.reference_gradient(y.into(), dy.into()), EXACT.ulp());
                    assert!(is_right, "{} exact {} gradient, y {y:e}, dy {dy:e}: {dx:e}", Isa::current(), act.name());
                }
            }),
            ..gradient(act, len)
        },
    ]
}
