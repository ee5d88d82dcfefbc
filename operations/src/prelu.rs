//! The leaky relu with slopes by channel, and its gradients.

use activations::judge::is_within;
use activations::{Isa, PRelu};

use crate::operation::forms;
use crate::{Bound, DoubleDouble, Element, Family, Operation, Shape};

/// The bound on a value and on dx: one product, rounded twice where it is a subnormal `f64`.
pub const PRODUCT: Bound = Bound::Ulp([0.75, 0.75]);
/// The bound on the gradient of a slope in `f32` and in `f64`, in epsilons of the sum of its terms' magnitudes.
pub const SLOPE_EPSILONS: [f64; 2] = [1.0, 16.0];

/// Value and gradients, the axis being that of the channels.
pub fn all<T: Element>(shape: Shape) -> Vec<Operation<T>> {
    let (len, channels) = (shape.len(), shape.axis);
    let act = PRelu::axis(channels, shape.inner);
    let channel = move |i: usize| i / shape.inner % channels;
    let operation = |name: &str, inputs: Vec<usize>, outputs: Vec<usize>| Operation {
        item: "PRelu",
        name: name.to_string(),
        parameters: format!("of {shape:?}"),
        family: Family::Reduction,
        bound: PRODUCT,
        row_len: 1,
        inputs,
        outputs,
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![],
        judge: Box::new(|_: &[&[T]], _: &[&[T]], _| {}),
    };
    vec![
        Operation {
            forms: forms![act [] =>
                forward par_forward [x, slopes] [y] (x, slopes, y),
                forward_in_place par_forward_in_place [_, slopes] [y] (y, slopes) 0,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                for (i, (&x, &y)) in inputs[0].iter().zip(outputs[0]).enumerate() {
                    judge_product("prelu", x.into(), inputs[1][channel(i)].into(), x.into(), y);
                }
            }),
            ..operation("prelu", vec![len, channels], vec![len])
        },
        Operation {
            forms: forms![act [] =>
                backward par_backward [x, slopes, dy] [dx, dslopes] (x, slopes, dy, dx, dslopes),
                backward_in_place par_backward_in_place [x, slopes, _] [dx, dslopes] (x, slopes, dx, dslopes) 2,
            ],
            judge: Box::new(move |inputs, outputs, _| {
                let [x, slopes, dy] = inputs else { panic!("three inputs") };
                for (i, &dx) in outputs[0].iter().enumerate() {
                    judge_product("prelu, dx,", x[i].into(), slopes[channel(i)].into(), dy[i].into(), dx);
                }
                for (c, &dslope) in outputs[1].iter().enumerate() {
                    let of_channel = (0..len).filter(|i| channel(*i) == c);
                    judge_slope(of_channel.map(|i| [x[i].into(), dy[i].into()]), dslope);
                }
            }),
            ..operation("prelu gradient", vec![len, channels, len], vec![len, channels])
        },
    ]
}

/// Judges a result, which is `factor` where x > 0, else `slope * factor`.
fn judge_product<T: Element>(what: &str, x: f64, slope: f64, factor: f64, result: T) {
    let exact = if x > 0.0 { factor } else { slope * factor };
    // The product of two `f64` is the true one, rounded to nearest; that of two `f32` is exact.
    let is_right = is_within(result, exact, PRODUCT.ulp());
    assert!(
        is_right,
        "{} {what} x {x:e}, slope {slope:e}, times {factor:e}: {result:e}, not {exact:e}",
        Isa::current()
    );
}

/// Judges the gradient of a slope, given x and dy of its channel.
fn judge_slope<T: Element>(terms: impl Iterator<Item = [f64; 2]>, dslope: T) {
    let actual: f64 = dslope.into();
    let (mut sum, mut magnitudes, mut count) = (DoubleDouble::from(0.0), 0.0_f64, 1.0);
    for [x, dy] in terms.filter(|[x, _]| x.is_nan() || *x <= 0.0) {
        if !(x * dy).is_finite() {
            assert!(!actual.is_finite(), "dslope {dslope:e}, with x {x:e} and dy {dy:e}");
            return;
        }
        magnitudes += (x * dy).abs();
        count += 1.0;
        sum = sum + DoubleDouble::from(x) * DoubleDouble::from(dy);
    }
    if magnitudes > T::MAX {
        // Which sums overflow depends on their order.
        return;
    }
    let epsilons = SLOPE_EPSILONS[usize::from(T::BYTES == 8)];
    let error = (DoubleDouble::from(actual) + -sum).hi.abs();
    // Each product may be a rounded subnormal number.
    let allowed = epsilons * T::EPSILON * magnitudes + count * T::MIN_SUBNORMAL;
    let is_right = error <= allowed;
    assert!(is_right, "{} dslope {dslope:e}, not {:e}, of {magnitudes:e}", Isa::current(), sum.hi);
}
