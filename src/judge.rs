//! The judge of activations, which this crate's own tests use. With the feature `judge`, for tests.
//!
//! [`assert_right`] tests a whole activation. The other functions judge results of your choice.
//!
//! ```
//! activations::judge::assert_right(&activations::Softsign);
//! ```

use crate::activation::{Activation, Saved};
use crate::float::Float;
use crate::isa::Isa;
use crate::ulp;

/// The error allowed to the `f64` references, in ulp. Results in `f64` may differ from a reference by this much more.
pub const REFERENCE_ULP: f64 = 2.0;

/// The bound on a gradient from the saved input beyond [`Activation::gradient_tail`], in ulp of the gradient.
const TAIL_ULP: f64 = 8.0;

/// Whether this is `f64`, in which references are no wider than results.
fn is_f64<T: Float>() -> bool {
    size_of::<T>() == size_of::<f64>()
}

/// Whether a value is so close to the largest finite number, or beyond it, that rounding errors decide about an
/// overflow.
pub fn is_near_overflow<T: Float>(x: f64) -> bool {
    x.abs() > T::MAX_FINITE * (1.0 - 16.0 * T::EPSILON)
}

/// Whether a result is within `bound` ulp of the true value, as an `f64` reference gives it.
///
/// A result in `f64` gets [`REFERENCE_ULP`] on top. Where the true value is near the largest finite number, the result
/// may be any number near it, or infinite.
pub fn is_within<T: Float>(actual: T, exact: f64, bound: f64) -> bool {
    let bound = if is_f64::<T>() { bound + REFERENCE_ULP } else { bound };
    ulp::error(actual, exact) <= bound || is_near_overflow::<T>(exact) && is_near_overflow::<T>(actual.to_f64())
}

/// The error of a gradient in the unit of its bound, [`Activation::gradient_ulp`].
pub fn gradient_error<T: Float>(act: &dyn Activation, saved: f64, dy: f64, dx: T) -> f64 {
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

/// What results in `f64` are allowed beside [`REFERENCE_ULP`]. The activations whose gradient takes the input are products
/// and quotients of several rounded numbers in the reference too, and their gradients differences of such.
fn more_of_reference<T: Float>(act: &dyn Activation) -> f64 {
    if is_f64::<T>() && act.saved() == Saved::Input { REFERENCE_ULP } else { 0.0 }
}

/// Panics unless each y is within its bound and in the range, on the current instruction set.
pub fn assert_values<T: Float>(act: &dyn Activation, x: &[T], y: &[T]) {
    assert_eq!(x.len(), y.len());
    let (isa, name, [least, most]) = (Isa::current(), act.name(), act.range());
    let bound = act.max_ulp(8 * size_of::<T>() as u32, isa.is_fused());
    for (&x, &y) in x.iter().zip(y) {
        let exact = act.reference(x.to_f64());
        let is_right = is_within(y, exact, bound + more_of_reference::<T>(act));
        assert!(is_right, "{isa} {name}({x:?}) = {y:?}, not {exact:e}: {} ulp, bound {bound}", ulp::error(y, exact));
        let value = y.to_f64();
        let is_in_range = value.is_nan() || (least..=most).contains(&value);
        assert!(is_in_range, "{isa} {name}({x:?}) = {y:?}, outside [{least:e}, {most:e}]");
    }
}

/// Panics unless each dx is within its bound, given what was saved and dy.
pub fn assert_gradients<T: Float>(act: &dyn Activation, saved: &[T], dy: &[T], dx: &[T]) {
    assert!(saved.len() == dx.len() && dy.len() == dx.len());
    for ((&saved, &dy), &dx) in saved.iter().zip(dy).zip(dx) {
        let error = gradient_error(act, saved.to_f64(), dy.to_f64(), dx);
        let exact = act.reference_gradient(saved.to_f64(), dy.to_f64());
        let allowance = if is_f64::<T>() { REFERENCE_ULP + more_of_reference::<T>(act) } else { 0.0 };
        let is_right = error <= act.gradient_ulp() + allowance
            || is_near_overflow::<T>(exact) && is_near_overflow::<T>(dx.to_f64());
        assert!(
            is_right,
            "{} {} gradient, saved {saved:?}, dy {dy:?}: {dx:?}, not {exact:e}: {error} ulp",
            Isa::current(),
            act.name()
        );
    }
}

/// Inputs for functions of one number: special values, the ends of exponentials, log-spaced and evenly spaced numbers, and
/// pseudo-random bit patterns, each with both signs.
pub fn inputs() -> Vec<f32> {
    let mut x = vec![0.0, -0.0, f32::MIN_POSITIVE, f32::from_bits(1), 1e-40, f32::MAX, f32::INFINITY, f32::NAN];
    x.extend([
        // Beyond 9.01 tanh rounds to 1. At 16.6, 1 - sigmoid is about 2^-24. Beyond 87.3 e^-x is subnormal, beyond 88.7
        // e^x overflows, beyond 103.9 e^-x rounds to 0.
        1.0, 9.0, 9.01, 9.09, 9.1, 12.0, 16.6, 87.0, 87.3, 87.4, 88.0, 88.7, 88.8, 100.0, 103.9, 104.0, 110.0, 1e9,
    ]);
    // From 2^-149, the smallest subnormal number, to 2^127. Then evenly up to 110, where e^x is infinite and e^-x is 0.
    x.extend((0..20_000).map(|i| 2_f32.powf(i as f32 / 20_000.0 * 276.0 - 149.0)));
    x.extend((0..20_000).map(|i| i as f32 * 0.0055));
    let mut state = 1_u32;
    for _ in 0..100_000 {
        // A linear congruential generator with the constants of "Numerical Recipes".
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x.push(f32::from_bits(state));
    }
    let negative: Vec<f32> = x.iter().map(|x| -x).collect();
    x.extend(negative);
    x
}

/// Panics unless an activation keeps what this crate promises of one: values and gradients within their bounds for
/// [`inputs`], in every element type, on every instruction set of this machine. All methods have the same bits, whatever
/// the length and the position, and so have all instruction sets with a fused multiply-add. The gradient is the derivative.
pub fn assert_right(act: &dyn Activation) {
    assert_derivative(act);
    let x = inputs();
    assert_right_for::<f32>(act, &x);
    #[cfg(feature = "f64")]
    {
        // Digits that an `f32` does not have, and numbers beyond its range.
        let wide = |x: &f32| f64::from(*x) * (1.0 + 1e-9 / 3.0);
        let double: Vec<f64> = x.iter().map(wide).chain((0..4000).map(|i| 10_f64.powi(i % 600 - 307))).collect();
        assert_right_for::<f64>(act, &double);
    }
}

/// [`assert_right`] for one element type.
fn assert_right_for<T: Float>(act: &dyn Activation, x: &[T]) {
    let mut of_fused: Option<[Vec<T>; 2]> = None;
    for isa in Isa::available() {
        isa.with(|| {
            let results = results(act, x);
            if isa.is_fused() {
                let expected = of_fused.get_or_insert_with(|| results.clone());
                assert_same_bits(act, "on another instruction set, forward", &results[0], &expected[0]);
                assert_same_bits(act, "on another instruction set, backward", &results[1], &expected[1]);
            }
        });
    }
}

/// The values and gradients of x, judged, and compared with those of other methods and lengths.
fn results<T: Float>(act: &dyn Activation, x: &[T]) -> [Vec<T>; 2] {
    let zeros = || vec![T::default(); x.len()];
    let mut y = zeros();
    act.forward(x, &mut y);
    assert_values(act, x, &y);
    let mut again = x.to_vec();
    act.forward_in_place(&mut again);
    assert_same_bits(act, "forward_in_place", &again, &y);
    #[cfg(feature = "rayon")]
    {
        act.par_forward(x, &mut again);
        assert_same_bits(act, "par_forward", &again, &y);
    }

    // Ordinary and tiny gradients, and the numbers of x in another order.
    let sizes = [1.0, -0.75, 3e-5, 1e5].map(T::from_f64);
    let dy: Vec<T> = (0..x.len()).map(|i| if i % 5 == 4 { x[x.len() - 1 - i] } else { sizes[i % 5] }).collect();
    let saved: &[T] = act.saved().of(x, &y);
    let mut dx = zeros();
    act.backward(saved, &dy, &mut dx);
    assert_gradients(act, saved, &dy, &dx);
    let mut again = dy.clone();
    act.backward_in_place(saved, &mut again);
    assert_same_bits(act, "backward_in_place", &again, &dx);

    for len in 0..40 {
        let part = 7 * len..8 * len;
        let mut of_part = vec![T::default(); len];
        act.forward(&x[part.clone()], &mut of_part);
        assert_same_bits(act, "forward of a part", &of_part, &y[part.clone()]);
        act.backward(&saved[part.clone()], &dy[part.clone()], &mut of_part);
        assert_same_bits(act, "backward of a part", &of_part, &dx[part]);
    }
    [y, dx]
}

/// Panics unless the reference of the gradient is the slope of the reference.
fn assert_derivative(act: &dyn Activation) {
    for x in [-3.2, -1.1, -0.3, 0.2, 0.9, 2.5_f64] {
        let h = 1e-5;
        let slope = (act.reference(x + h) - act.reference(x - h)) / (2.0 * h);
        let gradient = act.reference_gradient(act.saved().of(x, act.reference(x)), 1.0);
        let is_close = (gradient - slope).abs() <= 1e-8 * slope.abs().max(1.0);
        assert!(
            is_close,
            "the gradient of {} at {x} is {gradient}, but the slope of the reference {slope}",
            act.name()
        );
    }
}

/// Panics unless two slices have the same bits. Any NaN equals any other.
fn assert_same_bits<T: Float>(act: &dyn Activation, what: &str, actual: &[T], expected: &[T]) {
    assert_eq!(actual.len(), expected.len());
    for (i, (a, b)) in actual.iter().zip(expected).enumerate() {
        let [a, b] = [a, b].map(|x| x.to_f64());
        let is_same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        assert!(is_same, "{} {} {what} has other bits at {i}: {a:e}, not {b:e}", Isa::current(), act.name());
    }
}
