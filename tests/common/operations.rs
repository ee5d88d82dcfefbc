//! Every operation in all its forms, and the judge of its results: the fuzz targets and the tests of memory need no list
//! of their own, and a new activation is in it.
#![allow(dead_code)]

#[path = "uninit.rs"]
mod uninit;

use std::rc::Rc;

use activations::*;
pub use uninit::uninit;

/// An element type, with its bits.
pub trait Element: Float + Into<f64> + std::fmt::LowerExp {
    /// The size in bytes.
    const BYTES: usize = size_of::<Self>();
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The largest number.
    const MAX: f64;
    /// The smallest positive number.
    const LEAST: f64 = Self::EPSILON * if Self::BYTES == 4 { f32::MIN_POSITIVE as f64 } else { f64::MIN_POSITIVE };
    /// The number with these bits, the first ones where there are too many.
    fn from_bits(bits: u64) -> Self;
    /// The bits, those of any NaN being the same.
    fn bits(self) -> u64;
    /// The nearest number.
    fn rounded(x: f64) -> Self;
    /// The exact tier of an activation, on this many elements, if there is one for this type.
    fn exact(act: &'static dyn Activation, len: usize) -> Vec<Operation<Self>>;
    /// The exact tier of softmax, if there is one for this type.
    fn exact_softmax(shape: Shape) -> Vec<Operation<Self>>;
}

macro_rules! element {
    ($float:ident, $bits:ident, $exact:expr, $exact_softmax:expr) => {
        impl Element for $float {
            const EPSILON: f64 = $float::EPSILON as f64;
            const MAX: f64 = $float::MAX as f64;
            fn from_bits(bits: u64) -> Self {
                $float::from_bits(bits as $bits)
            }
            fn bits(self) -> u64 {
                if self.is_nan() { u64::MAX } else { self.to_bits().into() }
            }
            fn rounded(x: f64) -> Self {
                x as $float
            }
            fn exact(act: &'static dyn Activation, len: usize) -> Vec<Operation<Self>> {
                $exact(act, len)
            }
            fn exact_softmax(shape: Shape) -> Vec<Operation<Self>> {
                $exact_softmax(shape)
            }
        }
    };
}

element!(f32, u32, exact, exact_softmax);
element!(f64, u64, |_, _| vec![], |_| vec![]);

/// Calls a method on inputs and outputs, and gives the norm that it returns, or 0.
pub type Call<T> = Box<dyn Fn(&[&[T]], &mut [&mut [T]]) -> f64>;

/// Makes the first input from any numbers: for a gradient, the output that was saved.
pub type First<T> = Box<dyn Fn(&[T]) -> Vec<T>>;

/// Asserts that these outputs, and this norm, are right for these inputs.
pub type Judge<T> = Box<dyn Fn(&[&[T]], &[&[T]], f64)>;

/// A method of an operation.
pub struct Form<T> {
    /// Its name.
    pub name: &'static str,
    /// The input that the first output overwrites: the call wants it there, not among the inputs.
    pub overwrites: Option<usize>,
    /// Calls it.
    pub call: Call<T>,
}

/// An operation with its parameters.
pub struct Operation<T> {
    /// Its name and parameters.
    pub name: String,
    /// The length of each input.
    pub inputs: Vec<usize>,
    /// The length of each output.
    pub outputs: Vec<usize>,
    /// Makes the first input.
    pub first: First<T>,
    /// All methods that compute it.
    pub forms: Vec<Form<T>>,
    /// Judges the outputs.
    pub judge: Judge<T>,
}

/// `forms![operation [values] => method twin [inputs] [outputs] (arguments), ..]`: methods and their parallel twins. Where a number
/// follows, the first output overwrites the input of this number. What else the arguments name stands in brackets.
macro_rules! forms {
    ($operation:ident $values:tt =>
     $($method:ident $twin:ident [$($x:pat),*] [$($y:pat),*] ($($argument:expr),*) $($input:literal)?),* $(,)?) => {{
        let mut forms = Vec::new();
        $(
            form!(forms $operation $values $method [$($x),*] [$($y),*] ($($argument),*) $($input)?);
            #[cfg(feature = "rayon")]
            form!(forms $operation $values $twin [$($x),*] [$($y),*] ($($argument),*) $($input)?);
        )*
        forms
    }};
}

macro_rules! form {
    ($forms:ident $operation:ident [$($value:ident)*] $method:ident
     [$($x:pat),*] [$($y:pat),*] ($($argument:expr),*) $($input:literal)?) => {{
        $(let $value = $value.clone();)*
        $forms.push(Form {
            name: stringify!($method),
            overwrites: [$($input)?].first().copied(),
            call: Box::new(move |inputs, outputs| {
                let ([$($x),*], [$($y),*]) = (inputs, outputs) else { panic!("other numbers of slices") };
                $operation.$method($($argument),*);
                0.0
            }),
        });
    }};
}

/// All operations with the activations, on this many elements.
pub fn elementwise<T: Element>(len: usize) -> Vec<Operation<T>> {
    /// Slopes that are tiny, ordinary, 1 and huge.
    static SLOPES: [LeakyRelu; 5] =
        [LeakyRelu::new(1e-30), LeakyRelu::new(0.3), LeakyRelu::new(1.0), LeakyRelu::new(7.5), LeakyRelu::new(1e38)];
    let slopes = SLOPES.iter().map(|act| act as &'static dyn Activation);
    ACTIVATIONS.iter().copied().chain(slopes).flat_map(|act| activation(act, len)).collect()
}

/// All operations with one activation, on this many elements.
pub fn activation<T: Element>(act: &'static dyn Activation, len: usize) -> Vec<Operation<T>> {
    [value(act, len), gradient(act, len)].into_iter().chain(T::exact(act, len)).collect()
}

/// Half an ulp, and what an `f64` reference adds to it.
const NEAREST: f64 = 0.500_001;

fn exact(act: &'static dyn Activation, len: usize) -> Vec<Operation<f32>> {
    let exact = act.exact();
    vec![
        Operation {
            name: format!("exact {}", act.name()),
            forms: forms![exact [] =>
                forward par_forward [x] [y] (x, y),
                forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
                forward_in_place par_forward_in_place [_] [y] (y) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                    assert!(is_near(y, act.reference(x.into()), NEAREST), "exact {}({x:e}) = {y:e}", act.name());
                }
            }),
            ..value(act, len)
        },
        Operation {
            name: format!("exact {} gradient", act.name()),
            forms: forms![exact [] =>
                backward par_backward [y, dy] [dx] (y, dy, dx),
                backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for (i, &dx) in outputs[0].iter().enumerate() {
                    let (y, dy) = (inputs[0][i], inputs[1][i]);
                    let exact = act.reference_gradient(y.into(), dy.into());
                    assert!(is_near(dx, exact, NEAREST), "exact {} gradient, y {y:e}, dy {dy:e}: {dx:e}", act.name());
                }
            }),
            ..gradient(act, len)
        },
    ]
}

fn value<T: Element>(act: &'static dyn Activation, len: usize) -> Operation<T> {
    Operation {
        name: act.name().to_string(),
        inputs: vec![len],
        outputs: vec![len],
        first: Box::new(<[T]>::to_vec),
        forms: forms![act [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            let bound = act.max_ulp(8 * T::BYTES as u32, Isa::current().is_fused());
            let [least, most] = act.range();
            for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                assert!(is_near(y, act.reference(x.into()), bound), "{}({x:e}) = {y:e}", act.name());
                assert!(y.into().is_nan() || (least..=most).contains(&y.into()), "{}({x:e}) = {y:e}", act.name());
            }
        }),
    }
}

fn gradient<T: Element>(act: &'static dyn Activation, len: usize) -> Operation<T> {
    Operation {
        name: format!("{} gradient", act.name()),
        inputs: vec![len; 2],
        outputs: vec![len],
        first: Box::new(|x| x.iter().map(|&x| T::rounded(act.reference(x.into()))).collect()),
        forms: forms![act [] =>
            backward par_backward [y, dy] [dx] (y, dy, dx),
            backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for (i, &dx) in outputs[0].iter().enumerate() {
                let (y, dy) = (inputs[0][i], inputs[1][i]);
                let exact = act.reference_gradient(y.into(), dy.into());
                assert!(is_near(dx, exact, 4.0), "{} gradient, y {y:e}, dy {dy:e}: {dx:e}", act.name());
            }
        }),
    }
}

/// Within `bound` ulp, and what an `f64` reference adds to it; anything goes in the last digits before infinity.
fn is_near<T: Element>(actual: T, exact: f64, bound: f64) -> bool {
    let bound = if T::BYTES == 8 { bound + 2.0 } else { bound };
    let is_last = exact.is_finite() && exact.abs() > T::MAX * (1.0 - 8.0 * T::EPSILON);
    ulp::error(actual, exact) <= bound || is_last && actual.into().abs() >= T::MAX * (1.0 - 16.0 * T::EPSILON)
}

/// Where the rows of a tensor `[outer, axis, inner]` are.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub outer: usize,
    pub axis: usize,
    pub inner: usize,
}

impl Shape {
    pub fn len(self) -> usize {
        self.rows() * self.axis
    }
    pub fn rows(self) -> usize {
        self.outer * self.inner
    }
    /// The places of the elements of a row.
    fn row(self, r: usize) -> impl Iterator<Item = usize> {
        let first = r / self.inner * self.inner * self.axis + r % self.inner;
        (0..self.axis).map(move |i| first + i * self.inner)
    }
    /// A row as `f64`.
    fn wide<T: Element>(self, x: &[T], r: usize) -> Vec<f64> {
        self.row(r).map(|i| x[i].into()).collect()
    }
    /// `function` of each row.
    fn by_row<T: Element>(self, x: &[T], function: fn(&[f64]) -> Vec<f64>) -> Vec<T> {
        let mut y = x.to_vec();
        for r in 0..self.rows() {
            for (i, result) in self.row(r).zip(function(&self.wide(x, r))) {
                y[i] = T::rounded(result);
            }
        }
        y
    }
}

/// What the reference's sum of a row in `f64` may be wrong by, and a difference of its elements, relative to the result.
fn slack(farthest: f64) -> f64 {
    f64::EPSILON * (2.0 + farthest)
}

/// All operations along an axis.
pub fn rows<T: Element>(shape: Shape) -> Vec<Operation<T>> {
    let softmax = Softmax::axis(shape.axis, shape.inner);
    let log_softmax = LogSoftmax::axis(shape.axis, shape.inner);
    let log_sum_exp = LogSumExp::axis(shape.axis, shape.inner);
    let mut operations = vec![
        Operation {
            name: format!("softmax {shape:?}"),
            inputs: vec![shape.len()],
            outputs: vec![shape.len()],
            first: Box::new(<[T]>::to_vec),
            forms: forms![softmax [] =>
                forward par_forward [x] [y] (x, y),
                forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
                forward_in_place par_forward_in_place [_] [y] (y) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| judge_softmax(shape, 6.0, inputs, outputs)),
        },
        Operation {
            name: format!("softmax gradient {shape:?}"),
            inputs: vec![shape.len(); 2],
            outputs: vec![shape.len()],
            first: Box::new(move |x| shape.by_row(x, reference::softmax)),
            forms: forms![softmax [] =>
                backward par_backward [y, dy] [dx] (y, dy, dx),
                backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for r in 0..shape.rows() {
                    let (y, dy) = (shape.wide(inputs[0], r), shape.wide(inputs[1], r));
                    let exact = reference::softmax_gradient(&y, &dy);
                    judge_gradient::<T>(&dy, |_| 0.0, &exact, &shape.wide(outputs[0], r));
                }
            }),
        },
        Operation {
            name: format!("log-softmax {shape:?}"),
            inputs: vec![shape.len()],
            outputs: vec![shape.len()],
            first: Box::new(<[T]>::to_vec),
            forms: forms![log_softmax [] =>
                forward par_forward [x] [y] (x, y),
                forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
                forward_in_place par_forward_in_place [_] [y] (y) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for r in 0..shape.rows() {
                    let row = shape.wide(inputs[0], r);
                    for (i, exact) in shape.row(r).zip(reference::log_softmax(&row)) {
                        let y = outputs[0][i];
                        assert!(is_close(y, exact), "log-softmax({row:?})[{i}] = {y:e}, not {exact:e}");
                        assert!(y.into() <= 0.0 || y.into().is_nan(), "log-softmax({row:?})[{i}] = {y:e}");
                    }
                }
            }),
        },
        Operation {
            name: format!("log-softmax gradient {shape:?}"),
            inputs: vec![shape.len(); 2],
            outputs: vec![shape.len()],
            first: Box::new(move |x| shape.by_row(x, reference::log_softmax)),
            forms: forms![log_softmax [] =>
                backward par_backward [y, dy] [dx] (y, dy, dx),
                backward_in_place par_backward_in_place [y, _] [dx] (y, dx) 1,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for r in 0..shape.rows() {
                    let (y, dy) = (shape.wide(inputs[0], r), shape.wide(inputs[1], r));
                    let exact = reference::log_softmax_gradient(&y, &dy);
                    judge_gradient::<T>(&dy, |i| y[i].exp(), &exact, &shape.wide(outputs[0], r));
                }
            }),
        },
        Operation {
            name: format!("log-sum-exp {shape:?}"),
            inputs: vec![shape.len()],
            outputs: vec![shape.rows()],
            first: Box::new(<[T]>::to_vec),
            forms: forms![log_sum_exp [] => forward par_forward [x] [y] (x, y)],
            judge: Box::new(move |inputs, outputs, _| {
                for (r, &y) in outputs[0].iter().enumerate() {
                    let row = shape.wide(inputs[0], r);
                    let exact = reference::log_sum_exp(&row);
                    assert!(is_close(y, exact), "log-sum-exp({row:?}) = {y:e}, not {exact:e}");
                }
            }),
        },
    ];
    operations.extend(T::exact_softmax(shape));
    operations
}

fn exact_softmax(shape: Shape) -> Vec<Operation<f32>> {
    let exact = Softmax::axis(shape.axis, shape.inner).exact();
    vec![Operation {
        name: format!("exact softmax {shape:?}"),
        inputs: vec![shape.len()],
        outputs: vec![shape.len()],
        first: Box::new(<[f32]>::to_vec),
        forms: forms![exact [] =>
            forward par_forward [x] [y] (x, y),
            forward_uninit par_forward_uninit [x] [y] (x, uninit(y)),
            forward_in_place par_forward_in_place [_] [y] (y) 0,
        ],
        judge: Box::new(move |inputs, outputs, _| judge_softmax(shape, 0.51, inputs, outputs)),
    }]
}

/// Each probability within so many ulp, and within what the reference may be wrong by.
fn judge_softmax<T: Element>(shape: Shape, bound: f64, inputs: &[&[T]], outputs: &[&[T]]) {
    for r in 0..shape.rows() {
        let row = shape.wide(inputs[0], r);
        for ((i, exact), x) in shape.row(r).zip(reference::softmax(&row)).zip(&row) {
            let (y, slack) = (outputs[0][i], slack(-log_probability(x, &row)) / T::EPSILON);
            assert!(
                is_near(y, exact, bound + slack),
                "softmax({row:?})[{i}] = {y:e}, not {exact:e} within {bound} ulp"
            );
            assert!((0.0..=1.0).contains(&y.into()) || y.into().is_nan(), "softmax({row:?})[{i}] = {y:e}");
        }
    }
}

/// x less the largest of its row, if that is a number.
fn log_probability(x: &f64, row: &[f64]) -> f64 {
    let difference = x - row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if difference.is_finite() { difference } else { 0.0 }
}

/// Within 4 eps of the larger of 1 and the true value, or the same infinity or NaN.
fn is_close<T: Element>(actual: T, exact: f64) -> bool {
    let error = (actual.into() - exact).abs();
    actual.bits() == T::rounded(exact).bits()
        || error <= (4.0 * T::EPSILON + slack(1.0)) * exact.abs().max(1.0)
        || exact.abs() > T::MAX * (1.0 - 8.0 * T::EPSILON) && actual.into().abs() >= T::MAX * (1.0 - 16.0 * T::EPSILON)
}

/// Within 16 eps of the largest that comes in, and of a share of the sum of all, where that does not overflow.
fn judge_gradient<T: Element>(dy: &[f64], share: impl Fn(usize) -> f64, exact: &[f64], dx: &[f64]) {
    let sum: f64 = dy.iter().map(|dy| dy.abs()).sum();
    if sum.is_nan() || sum > T::MAX / 4.0 {
        return;
    }
    let largest = dy.iter().fold(0.0, |largest, dy| dy.abs().max(largest));
    for (i, (dx, exact)) in dx.iter().zip(exact).enumerate() {
        let bound = 16.0 * T::EPSILON * (largest + share(i) * sum) + 4.0 * T::LEAST;
        let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
        assert!(is_right, "gradient of {dy:?}: {dx:e} at {i}, not {exact:e}");
    }
}

/// The loss alone, and with its gradient, for one class a row.
pub fn cross_entropy<T: Element>(classes: usize, targets: Rc<[u32]>, scale: f64) -> [Operation<T>; 2] {
    let shape = Shape { outer: targets.len(), axis: classes, inner: 1 };
    let loss = CrossEntropy::rows(classes);
    let name = format!("cross-entropy of {} rows of {classes}", targets.len());
    let (ids, its_ids) = (targets.clone(), targets.clone());
    [
        Operation {
            name: name.clone(),
            inputs: vec![shape.len()],
            outputs: vec![shape.rows()],
            first: Box::new(<[T]>::to_vec),
            forms: forms![loss [targets] => forward par_forward [x] [losses] (x, &targets, losses)],
            judge: Box::new(move |inputs, outputs, _| judge_losses(shape, inputs[0], &ids, outputs[0])),
        },
        Operation {
            name: format!("{name}, gradient times {scale:e}"),
            inputs: vec![shape.len()],
            outputs: vec![shape.len(), shape.rows()],
            first: Box::new(<[T]>::to_vec),
            forms: forms![loss [targets] =>
                forward_backward par_forward_backward [x] [dx, losses] (x, &targets, scale, losses, dx),
                forward_backward_in_place par_forward_backward_in_place [_] [dx, losses] (dx, &targets, scale, losses) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                judge_losses(shape, inputs[0], &its_ids, outputs[1]);
                let scale = T::rounded(scale).into();
                if scale.is_nan() || scale.abs() > T::MAX / 4.0 {
                    return;
                }
                let bound = (8.0 * T::EPSILON + slack(0.0)) * scale.abs() + 2.0 * T::LEAST;
                for r in 0..shape.rows() {
                    let row = shape.wide(inputs[0], r);
                    let exact = reference::cross_entropy_gradient(&row, its_ids[r] as usize);
                    for (dx, exact) in shape.wide(outputs[0], r).into_iter().zip(exact) {
                        let exact = scale * exact;
                        let is_right = (dx - exact).abs() <= bound || dx.is_nan() && exact.is_nan();
                        assert!(is_right, "gradient of the loss of {row:?}: {dx:e}, not {exact:e}");
                    }
                }
            }),
        },
    ]
}

fn judge_losses<T: Element>(shape: Shape, logits: &[T], targets: &[u32], losses: &[T]) {
    for (r, &loss) in losses.iter().enumerate() {
        let row = shape.wide(logits, r);
        let exact = reference::cross_entropy(&row, targets[r] as usize);
        assert!(is_close(loss, exact), "loss of {row:?}, {}: {loss:e}, not {exact:e}", targets[r]);
        assert!(loss.into() >= 0.0 || loss.into().is_nan(), "loss of {row:?}, {}: {loss:e}", targets[r]);
    }
}

/// Clipping by value, and by norm with the elements cut in two slices.
pub fn clipping<T: Element>(len: usize, limit: f64) -> [Operation<T>; 2] {
    let halves = move |x: &mut [T], clip: fn(&mut [&mut [T]], f64) -> f64| {
        let (first, second) = x.split_at_mut(len / 2);
        clip(&mut [first, second], limit)
    };
    let with = |name: &str, forms: Vec<Form<T>>, judge: Judge<T>| Operation {
        name: format!("{name} {limit:e}"),
        inputs: vec![len],
        outputs: vec![len],
        first: Box::new(<[T]>::to_vec),
        forms,
        judge,
    };
    [
        with(
            "clip_by_value",
            vec![
                in_place("clip_by_value", move |x| (clip_by_value(x, limit), 0.0).1),
                #[cfg(feature = "rayon")]
                in_place("par_clip_by_value", move |x| (par_clip_by_value(x, limit), 0.0).1),
            ],
            Box::new(move |inputs, outputs, _| {
                for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                    let exact = reference::clip_by_value(x.into(), T::rounded(limit).into());
                    let is_right = y.into() == exact || y.into().is_nan() && exact.is_nan();
                    assert!(is_right, "{x:e} to {y:e}, limit {limit:e}");
                }
            }),
        ),
        with(
            "clip_by_global_norm",
            vec![
                in_place("clip_by_global_norm", move |x| halves(x, clip_by_global_norm)),
                #[cfg(feature = "rayon")]
                in_place("par_clip_by_global_norm", move |x| halves(x, par_clip_by_global_norm)),
            ],
            Box::new(move |inputs, outputs, norm| judge_norm(inputs[0], outputs[0], norm, limit)),
        ),
    ]
}

/// A function that overwrites its one argument.
fn in_place<T>(name: &'static str, function: impl Fn(&mut [T]) -> f64 + 'static) -> Form<T> {
    Form { name, overwrites: Some(0), call: Box::new(move |_, outputs| function(outputs[0])) }
}

fn judge_norm<T: Element>(x: &[T], y: &[T], norm: f64, limit: f64) {
    let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
    if !wide.iter().all(|x| x.is_finite()) {
        assert!(!norm.is_finite(), "the norm of {x:?} is {norm:e}");
    } else {
        let exact = reference::global_norm(&wide);
        let bound = 1e-12 * exact + x.len() as f64 * f64::LEAST;
        assert!((norm - exact).abs() <= bound || norm == exact, "the norm of {x:?} is {norm:e}, not {exact:e}");
    }
    for (&x, &y) in x.iter().zip(y) {
        if norm > limit && norm.is_finite() {
            // The quotient that is not near the smallest numbers goes first.
            let (wide, factor, share) = (x.into(), limit / norm, x.into() / norm);
            let exact = if factor > 1e-290 { wide * factor } else { share * limit };
            let is_exact = factor > 1e-290 || share.abs() > 1e-290 || wide == 0.0;
            assert!(!is_exact || is_near(y, exact, 1.0), "{x:e} to {y:e}, norm {norm:e}, limit {limit:e}");
        } else {
            assert!(x.bits() == y.bits(), "{x:e} to {y:e}, norm {norm:e}, limit {limit:e}");
        }
    }
}
