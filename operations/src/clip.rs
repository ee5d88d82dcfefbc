//! Gradient clipping: by value, judged to be exact, and by global norm, judged in `f64`.

use activations::judge::is_within;
use activations::{
    clip_by_global_norm, clip_by_value, global_norm, par_clip_by_global_norm, par_clip_by_value, par_global_norm,
    par_scale, reference, scale,
};

use crate::{Bound, Element, Family, Form, Operation};

/// The bound on a clipped element.
pub const CLIPPED_BY_NORM: Bound = Bound::Ulp([1.0, 1.0]);
/// The bound on a product.
pub const SCALE: Bound = Bound::Ulp([1.0, 1.0]);
/// The bound on a norm, relative to it.
pub const NORM_RELATIVE_ERROR: f64 = 1e-12;

/// Clipping by value, and by global norm with the elements split into two slices.
pub fn all<T: Element>(len: usize, limit: f64) -> Vec<Operation<T>> {
    let halves = move |x: &mut [T], clip: fn(&mut [&mut [T]], f64) -> f64| {
        let (first, second) = x.split_at_mut(len / 2);
        clip(&mut [first, second], limit)
    };
    let by_value = Operation {
        item: "clip_by_value",
        name: "clip_by_value".to_string(),
        parameters: format!("{limit:e} of {len}"),
        family: Family::Reduction,
        bound: Bound::Exact,
        row_len: 1,
        inputs: vec![len],
        outputs: vec![len],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![
            in_place("clip_by_value", move |x| {
                clip_by_value(x, limit);
                0.0
            }),
            in_place("par_clip_by_value", move |x| {
                par_clip_by_value(x, limit);
                0.0
            }),
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                let exact = reference::clip_by_value(x.into(), T::rounded(limit).into());
                let is_right = y.into() == exact || y.into().is_nan() && exact.is_nan();
                assert!(is_right, "{x:e} was clipped to {y:e}, limit {limit:e}");
            }
        }),
    };
    let by_norm = Operation {
        item: "clip_by_global_norm",
        name: "clip_by_global_norm".to_string(),
        parameters: format!("{limit:e} of {len}"),
        family: Family::Reduction,
        bound: CLIPPED_BY_NORM,
        row_len: 1,
        inputs: vec![len],
        outputs: vec![len],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![
            in_place("clip_by_global_norm", move |x| halves(x, clip_by_global_norm)),
            in_place("par_clip_by_global_norm", move |x| halves(x, par_clip_by_global_norm)),
        ],
        judge: Box::new(move |inputs, outputs, norm| judge_norm(inputs[0], outputs[0], norm, limit)),
    };
    let norm = Operation {
        item: "global_norm",
        name: "global_norm".to_string(),
        parameters: format!("of {len}"),
        family: Family::Reduction,
        bound: Bound::Relative(NORM_RELATIVE_ERROR),
        row_len: 1,
        inputs: vec![len],
        outputs: vec![],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![norm_of("global_norm", global_norm), norm_of("par_global_norm", par_global_norm)],
        judge: Box::new(move |inputs, _, norm| judge_norm(inputs[0], inputs[0], norm, f64::INFINITY)),
    };
    let scaled = Operation {
        item: "scale",
        name: "scale".to_string(),
        parameters: format!("by {limit:e} of {len}"),
        family: Family::Reduction,
        bound: SCALE,
        row_len: 1,
        inputs: vec![len],
        outputs: vec![len],
        first_input: Box::new(<[T]>::to_vec),
        forms: vec![
            in_place("scale", move |x| (scale(x, limit), 0.0).1),
            in_place("par_scale", move |x| (par_scale(x, limit), 0.0).1),
        ],
        judge: Box::new(move |inputs, outputs, _| {
            for (&x, &y) in inputs[0].iter().zip(outputs[0]) {
                assert!(is_within(y, x.into() * limit, SCALE.ulp()), "{x:e} times {limit:e}: {y:e}");
            }
        }),
    };
    vec![by_value, by_norm, norm, scaled]
}

/// The norm of the elements, cut in two slices as those of the clipping.
fn norm_of<T: Element>(name: &'static str, norm: fn(&[&[T]]) -> f64) -> Form<T> {
    let halves = move |x: &[T]| norm(&[&x[..x.len() / 2], &x[x.len() / 2..]]);
    Form { name, overwrites: None, call: Box::new(move |inputs, _| halves(inputs[0])) }
}

/// The form of a function that overwrites its only slice and returns the norm, or 0.
fn in_place<T>(name: &'static str, function: impl Fn(&mut [T]) -> f64 + Send + Sync + 'static) -> Form<T> {
    Form { name, overwrites: Some(0), call: Box::new(move |_, outputs| function(outputs[0])) }
}

/// Judges the norm, then the elements: scaled by limit / norm if the norm is larger than the limit and finite, else
/// unchanged.
fn judge_norm<T: Element>(x: &[T], y: &[T], norm: f64, limit: f64) {
    let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
    if !wide.iter().all(|x| x.is_finite()) {
        assert!(!norm.is_finite(), "the norm of {x:?} is {norm:e}");
    } else {
        let exact = reference::global_norm(&wide);
        let bound =
            if exact.is_finite() { NORM_RELATIVE_ERROR * exact } else { 0.0 } + x.len() as f64 * f64::MIN_SUBNORMAL;
        assert!((norm - exact).abs() <= bound || norm == exact, "the norm of {x:?} is {norm:e}, not {exact:e}");
    }
    let has_overflown = norm == f64::INFINITY && wide.iter().all(|x| x.is_finite());
    let scaled: Vec<f64> = wide.iter().map(|x| x * 2_f64.powi(-600)).collect();
    let scaled_norm = reference::global_norm(&scaled);
    for (&x, &y) in x.iter().zip(y) {
        if has_overflown && limit < f64::INFINITY {
            let share = x.into() * 2_f64.powi(-600) / scaled_norm;
            let is_exact = (share * limit).abs() > 1e-290 || x.into() == 0.0;
            assert!(!is_exact || is_within(y, share * limit, CLIPPED_BY_NORM.ulp()), "{x:e} to {y:e}, limit {limit:e}");
        } else if norm > limit && norm.is_finite() {
            // In f64 the product and the quotient must not be near the smallest numbers, where they lose digits.
            let (wide, factor, share) = (x.into(), limit / norm, x.into() / norm);
            let exact = if factor > 1e-290 { wide * factor } else { share * limit };
            let is_accurate = factor > 1e-290 || share.abs() > 1e-290 || wide == 0.0;
            assert!(
                !is_accurate || is_within(y, exact, CLIPPED_BY_NORM.ulp()),
                "{x:e} was scaled to {y:e}, norm {norm:e}, limit {limit:e}"
            );
        } else {
            assert!(x.bits() == y.bits(), "{x:e} was changed to {y:e}, norm {norm:e}, limit {limit:e}");
        }
    }
}
