//! The functions, their derivatives, and their times.

use std::hint::black_box;
use std::time::Instant;

use activations::Activation;
use maud::html;

use super::{contenders, short};
use crate::plot::{Axis, Line, plot};
use crate::report::Section;

/// Plots values and derivatives around zero, and measures the time of an element.
pub fn section() -> Section {
    let x: Vec<f64> = (-160..=160).map(|i| f64::from(i) / 40.0).collect();
    let (mut values, mut derivatives, mut findings) = (vec![], vec![], vec![]);
    for activation in contenders() {
        let (mut y, mut dy) = (x.clone(), vec![1.0; x.len()]);
        activation.forward_in_place(&mut y);
        activation.backward_in_place(&y, &mut dy);
        let steepest = dy.iter().copied().fold(0.0, f64::max);
        let name = activation.name();
        findings.push((
            format!("{name}: largest derivative; forward time of an f32"),
            format!("{}; {} ns", short(steepest), short(nanoseconds(activation))),
        ));
        values.push(Line::of(activation, x.iter().copied().zip(y)));
        derivatives.push(Line::of(activation, x.iter().copied().zip(dy)));
    }
    let body = html! {
        p {
            "The sigmoid and tanh saturate: far from zero their derivative vanishes, and the sigmoid's is never above "
            "1/4. The derivative of a relu is 1 or 0, that of a leaky relu 1 or its slope, here 0.01. The relus need "
            "no exponential."
        }
        div.figures {
            (plot("The functions.", Axis::Linear("x"), Axis::Linear("f(x)"), values))
            (plot("Their derivatives: backward with dy = 1.", Axis::Linear("x"), Axis::Linear("f'(x)"), derivatives))
        }
    };
    Section { title: "The functions", findings, body }
}

/// The least time of an element, in slices that fit the first-level cache.
fn nanoseconds(activation: &dyn Activation) -> f64 {
    let x: Vec<f32> = (0..2048).map(|i| i as f32 / 256.0 - 4.0).collect();
    let mut y = vec![0.0; x.len()];
    let times = (0..1000).map(|_| {
        let start = Instant::now();
        activation.forward(black_box(&x), black_box(&mut y));
        start.elapsed().as_nanos() as f64 / x.len() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}
