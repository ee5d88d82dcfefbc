//! Draws the pictures of `docs/activations.md` with the crate's own functions: `cargo run --release -p curves`.

use std::error::Error;
use std::f64::consts::FRAC_PI_2;
use std::ops::Range;

use activations::{
    Activation, CrossEntropy, Elu, Gelu, HardSwish, LeakyRelu, LogSoftmax, Relu, Sigmoid, Silu, Softmax, Softplus,
    Tanh, clip_by_global_norm, clip_by_value,
};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// Twice the size on the page: the SVG backend rounds coordinates to whole pixels.
const SIZE: (u32, u32) = (1280, 680);
const INK: RGBColor = RGBColor(0x44, 0x4b, 0x55);
// Okabe and Ito's colours, which colour-blind readers can tell apart.
const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const GREY: RGBColor = RGBColor(0x99, 0x9f, 0xa8);

/// Logits in a row. Each row is `[x, 0, 0]`, with `x` on the horizontal axis of the plot.
const CLASSES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    elementwise("sigmoid", &Sigmoid, 6.0, -0.1..1.1)?;
    elementwise("tanh", &Tanh, 6.0, -1.2..1.2)?;
    elementwise("relu", &Relu, 3.0, -0.5..3.0)?;
    // With the customary slope of 0.01 the line would look horizontal.
    elementwise("leaky_relu", &LeakyRelu::new(0.1), 3.0, -0.5..3.0)?;
    elementwise("gelu", &Gelu, 4.0, -0.5..3.0)?;
    elementwise("silu", &Silu, 6.0, -0.5..3.0)?;
    elementwise("elu", &Elu::new(1.0), 4.0, -1.5..3.0)?;
    elementwise("softplus", &Softplus::new(1.0), 4.0, -0.5..3.0)?;
    elementwise("hard_swish", &HardSwish, 4.5, -0.5..3.0)?;
    softmax()?;
    log_softmax()?;
    losses()?;
    clips()
}

/// Draws an activation and its derivative, which is the gradient for `dy = 1`.
fn elementwise(name: &str, activation: &dyn Activation, limit: f64, y_range: Range<f64>) -> Result<(), Box<dyn Error>> {
    let x = grid(-limit..limit);
    let (mut y, mut dx) = (x.clone(), vec![1.0; x.len()]);
    activation.forward_in_place(&mut y);
    activation.backward_in_place(activation.saved().of(&x, &y), &mut dx);
    let lines = [Line::new("f(x)", BLUE, &x, y), Line::new("f '(x)", VERMILION, &x, dx).dashed()];
    draw(name, ["x", ""], [-limit..limit, y_range], SeriesLabelPosition::UpperLeft, &lines)
}

/// Draws the probabilities of a row, and the derivative of the first probability by its own logit.
fn softmax() -> Result<(), Box<dyn Error>> {
    let x = grid(-8.0..8.0);
    let (mut y, mut dx) = (rows(&x), onehot(x.len()));
    Softmax::rows(CLASSES).forward_in_place(&mut y);
    Softmax::rows(CLASSES).backward_in_place(&y, &mut dx);
    let lines = [
        Line::new("p(x)", BLUE, &x, column(0, &y)),
        Line::new("p(0), each of two", GREY, &x, column(1, &y)),
        Line::new("dp(x)/dx", VERMILION, &x, column(0, &dx)).dashed(),
    ];
    draw("softmax", ["x in the row [x, 0, 0]", ""], [-8.0..8.0, -0.1..1.1], SeriesLabelPosition::UpperLeft, &lines)
}

/// Draws the logarithm of the first probability, and its derivative by its own logit.
fn log_softmax() -> Result<(), Box<dyn Error>> {
    let x = grid(-8.0..8.0);
    let (mut y, mut dx) = (rows(&x), onehot(x.len()));
    LogSoftmax::rows(CLASSES).forward_in_place(&mut y);
    LogSoftmax::rows(CLASSES).backward_in_place(&y, &mut dx);
    let lines = [
        Line::new("ln p(x)", BLUE, &x, column(0, &y)),
        Line::new("d ln p(x)/dx", VERMILION, &x, column(0, &dx)).dashed(),
    ];
    let ranges = [-8.0..8.0, -9.0..2.0];
    draw("log_softmax", ["x in the row [x, 0, 0]", ""], ranges, SeriesLabelPosition::LowerRight, &lines)
}

/// Draws the gradients of two losses with respect to the target's logit.
fn losses() -> Result<(), Box<dyn Error>> {
    let x = grid(-8.0..8.0);
    let (mut likelihood, mut losses) = (rows(&x), vec![0.0; x.len()]);
    CrossEntropy::rows(CLASSES).forward_backward_in_place(&mut likelihood, &vec![0; x.len()], 1.0, &mut losses);

    let mut y = rows(&x);
    Softmax::rows(CLASSES).forward_in_place(&mut y);
    // The derivative of the squared distance from the one-hot target.
    let mut squared: Vec<f64> = y.iter().zip(onehot(x.len())).map(|(y, target)| 2.0 * (y - target)).collect();
    Softmax::rows(CLASSES).backward_in_place(&y, &mut squared);

    let lines = [
        Line::new("cross-entropy", BLUE, &x, column(0, &likelihood)),
        Line::new("squared error", VERMILION, &x, column(0, &squared)),
    ];
    let (labels, ranges) = (["logit x of the target in the row [x, 0, 0]", "d loss/dx"], [-8.0..8.0, -1.1..0.1]);
    draw("losses", labels, ranges, SeriesLabelPosition::LowerRight, &lines)
}

/// Draws a gradient of two elements before and after each clip, and the limits of both clips as dashed lines.
fn clips() -> Result<(), Box<dyn Error>> {
    let gradient = [2.4, 0.6];
    let (mut by_value, mut by_norm) = (gradient, gradient);
    clip_by_value(&mut by_value, 1.0);
    _ = clip_by_global_norm(&mut [&mut by_norm], 1.0);
    let arrow = |name, colour, [x, y]: [f64; 2]| Line::new(name, colour, &[0.0, x], vec![0.0, y]);
    let (x, y) =
        grid(0.0..FRAC_PI_2).into_iter().map(|angle| (angle.cos(), angle.sin())).unzip::<_, _, Vec<_>, Vec<_>>();
    let lines = [
        arrow("gradient", INK, gradient),
        arrow("clip_by_value, limit 1", VERMILION, by_value),
        arrow("clip_by_global_norm, norm 1", BLUE, by_norm),
        Line::new("", VERMILION, &[1.0, 1.0, 0.0], vec![0.0, 1.0, 1.0]).dashed(),
        Line::new("", BLUE, &x, y).dashed(),
    ];
    draw("clip", ["first element", "second element"], [0.0..2.6, 0.0..1.3], SeriesLabelPosition::UpperRight, &lines)
}

/// Evenly spaced points of a range, close enough for curves to look smooth.
fn grid(range: Range<f64>) -> Vec<f64> {
    let step = (range.end - range.start) / 480.0;
    (0..=480).map(|i| range.start + f64::from(i) * step).collect()
}

/// A row `[x, 0, 0]` for each x.
fn rows(x: &[f64]) -> Vec<f64> {
    x.iter().flat_map(|&x| [x, 0.0, 0.0]).collect()
}

/// `[1, 0, 0]` repeated for this many rows.
fn onehot(rows: usize) -> Vec<f64> {
    [1.0, 0.0, 0.0].repeat(rows)
}

/// The element at this index of every row.
fn column(index: usize, rows: &[f64]) -> Vec<f64> {
    rows.chunks(CLASSES).map(|row| row[index]).collect()
}

/// A line of a plot. The legend lists those whose name is not empty.
struct Line {
    name: &'static str,
    colour: RGBColor,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

impl Line {
    fn new(name: &'static str, colour: RGBColor, x: &[f64], y: Vec<f64>) -> Self {
        Self { name, colour, dashed: false, points: x.iter().copied().zip(y).collect() }
    }

    fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
}

/// Writes `docs/name.svg`.
fn draw(
    name: &str,
    [x_label, y_label]: [&str; 2],
    [x_range, y_range]: [Range<f64>; 2],
    legend: SeriesLabelPosition,
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let path = format!("{}/../../docs/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    let root = SVGBackend::new(&path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(20)
        .x_label_area_size(84)
        .y_label_area_size(if y_label.is_empty() { 70 } else { 110 })
        .build_cartesian_2d(x_range, y_range)?;
    // Two decimals hide the rounding error of multiples of 0.1. Adding 0 turns -0 into 0.
    let tick = |value: &f64| ((value * 100.0).round() / 100.0 + 0.0).to_string();
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .x_labels(9)
        .y_labels(7)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(("sans-serif", 28, &INK))
        .axis_desc_style(("sans-serif", 30, &INK))
        .axis_style(INK.mix(0.5))
        .bold_line_style(INK.mix(0.15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for line in lines {
        let (points, style) = (line.points.iter().copied(), line.colour.stroke_width(5));
        let series = if line.dashed {
            chart.draw_series(DashedLineSeries::new(points, 16, 8, style))?
        } else {
            chart.draw_series(LineSeries::new(points, style))?
        };
        if !line.name.is_empty() {
            let dash = if line.dashed { 16 } else { 40 };
            let sample = move |(x, y)| DashedPathElement::new([(x, y), (x + 40, y)], dash, 8, style);
            series.label(line.name).legend(sample);
        }
    }
    chart
        .configure_series_labels()
        .position(legend)
        .margin(24)
        .legend_area_size(50)
        .label_font(("sans-serif", 30, &INK))
        .background_style(WHITE.mix(0.85))
        .draw()?;
    root.present()?;
    Ok(())
}
