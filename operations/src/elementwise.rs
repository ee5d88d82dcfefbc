//! The activations and their gradients, fast and exact. Which activations there are says `activations::ACTIVATIONS`.

use activations::{
    ACTIVATIONS, Activation, Celu, Elu, Exact, ExactActivation, HardTanh, Isa, LeakyRelu, Saved, Softplus, Swish, ulp,
};

use crate::bound::{REFERENCE_ULP, is_near_overflow, is_within};
use crate::operation::forms;
use crate::uninit::uninit;
use crate::{Bound, Element, Family, Operation};

/// The bound on a gradient from the saved input beyond [`Activation::gradient_tail`], in ulp of the gradient.
const TAIL_ULP: f64 = 8.0;

/// The bound on a gradient. From the output, the true value is the closed form at the stored output y, not at the unknown
/// x.
pub fn gradient_bound(act: &dyn Activation) -> Bound {
    match act.saved() {
        Saved::Output => Bound::Ulp([act.gradient_ulp(); 2]),
        Saved::Input => Bound::OfInputGradient(act.gradient_ulp()),
    }
}

/// The error of a gradient in the unit of its bound, [`Activation::gradient_ulp`].
pub fn gradient_error<T: Element>(act: &dyn Activation, saved: f64, dy: f64, dx: T) -> f64 {
    let exact = act.reference_gradient(saved, dy);
    let error = ulp::error(dx, exact);
    if act.saved() == Saved::Output || !error.is_finite() {
        return error;
    }
    // The reference is not accurate where an `f64` is subnormal.
    let of_dy = error * ulp::spacing::<T>(exact) / ulp::spacing::<T>(exact.abs().max(dy.abs() / 8.0));
    let of_itself = if saved.abs() > act.gradient_tail() { error * act.gradient_ulp() / TAIL_ULP } else { 0.0 };
    of_dy.max(of_itself)
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
        judge: Box::new(move |inputs, outputs, _| {
            let [least, most] = act.range();
            for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                let is_right = is_within(y, act.reference(x.into()), bound.ulp() + more_of_reference::<T>(act));
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
        judge: Box::new(move |inputs, outputs, _| judge_gradient(act, inputs, outputs[0])),
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

/// Judges dx, given what was saved and dy.
fn judge_gradient<T: Element>(act: &dyn Activation, inputs: &[&[T]], dx: &[T]) {
    for (i, &dx) in dx.iter().enumerate() {
        let (saved, dy) = (inputs[0][i], inputs[1][i]);
        let error = gradient_error(act, saved.into(), dy.into(), dx);
        let is_right = is_gradient_within(act, saved.into(), dy.into(), dx, error);
        assert!(
            is_right,
            "{} {} gradient, saved {saved:e}, dy {dy:e}: {dx:e}, {error} ulp",
            Isa::current(),
            act.name()
        );
    }
}

/// What results in `f64` are allowed beside [`REFERENCE_ULP`]. The activations whose gradient takes the input are products
/// and quotients of several rounded numbers in the reference too, and their gradients differences of such.
fn more_of_reference<T: Element>(act: &dyn Activation) -> f64 {
    if T::BYTES == 8 && act.saved() == Saved::Input { REFERENCE_ULP } else { 0.0 }
}

/// Whether a gradient with this error is within its bound, and the allowance that `f64` references and numbers near the
/// overflow have.
fn is_gradient_within<T: Element>(act: &dyn Activation, saved: f64, dy: f64, dx: T, error: f64) -> bool {
    let exact = act.reference_gradient(saved, dy);
    let allowance = if T::BYTES == 8 { REFERENCE_ULP + more_of_reference::<T>(act) } else { 0.0 };
    error <= act.gradient_ulp() + allowance || is_near_overflow::<T>(exact) && is_near_overflow::<T>(dx.into())
}
