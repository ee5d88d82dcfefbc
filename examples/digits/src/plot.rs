//! Line plots as inline SVG.

use activations::Activation;
use maud::{Markup, PreEscaped, html};
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

/// Twice the size on the page: the SVG backend rounds coordinates to whole pixels.
const SIZE: (u32, u32) = (1040, 680);
/// Lines with more points than this have no marks at their points.
const MARKED: usize = 25;
const INK: RGBColor = RGBColor(0x44, 0x4b, 0x55);

/// The colour of a line.
pub type Colour = RGBColor;

// Okabe and Ito's colours, which colour-blind readers can tell apart.
/// The colour of the faulty variant.
pub const VERMILION: Colour = RGBColor(0xd5, 0x5e, 0x00);
/// The colour of the remedy.
pub const SKY: Colour = RGBColor(0x38, 0x9f, 0xdb);
/// The colour of a second remedy.
pub const PURPLE: Colour = RGBColor(0x6a, 0x4c, 0x93);
/// The colour of the baseline.
pub const GREY: Colour = RGBColor(0x99, 0x9f, 0xa8);

/// The colour of an activation, the same in every plot.
fn colour(activation: &dyn Activation) -> Colour {
    match activation.name() {
        "sigmoid" => RGBColor(0xe6, 0x9f, 0x00),
        "tanh" => RGBColor(0x00, 0x72, 0xb2),
        "relu" => RGBColor(0x00, 0x9e, 0x73),
        _ => RGBColor(0xcc, 0x79, 0xa7),
    }
}

/// A named line.
pub struct Line {
    name: String,
    colour: Colour,
    dashed: bool,
    points: Vec<(f64, f64)>,
}

impl Line {
    /// A line through these points.
    pub fn new(name: impl Into<String>, colour: Colour, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), colour, dashed: false, points: points.into_iter().collect() }
    }

    /// The line of an activation. The leaky relu's is dashed, because it often covers the relu's.
    pub fn of(activation: &dyn Activation, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let line = Self::new(activation.name(), colour(activation), points);
        if activation.name() == "leaky_relu" { line.dashed() } else { line }
    }

    /// This line with dashes, so that a line below it can be seen.
    pub fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
}

/// The scale of an axis, with its label.
#[derive(Clone, Copy)]
pub enum Axis {
    /// Linear.
    Linear(&'static str),
    /// Logarithmic.
    Log(&'static str),
}

impl Axis {
    fn label(self) -> &'static str {
        let (Self::Linear(label) | Self::Log(label)) = self;
        label
    }

    fn can_show(self, value: f64) -> bool {
        value.is_finite() && (matches!(self, Self::Linear(_)) || value > 0.0)
    }

    /// The range of the values, with a margin.
    fn range(self, values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        match self {
            Self::Linear(_) => low.min(0.0)..high + 0.04 * (high - low.min(0.0)),
            Self::Log(_) => low / 1.3..high * 1.3,
        }
    }

    fn tick(self, value: f64) -> String {
        match self {
            Self::Log(_) if !(0.01..1000.0).contains(&value) => format!("{value:.0e}"),
            // Six decimals hide the rounding error of multiples of 0.1.
            _ => format!("{}", (value * 1e6).round() / 1e6),
        }
    }
}

/// A plot with its caption and legend. Points that an axis cannot show, such as NaN, are left out.
pub fn plot(caption: &str, x: Axis, y: Axis, mut lines: Vec<Line>) -> Markup {
    for line in &mut lines {
        line.points.retain(|point| x.can_show(point.0) && y.can_show(point.1));
    }
    let x_range = x.range(lines.iter().flat_map(|line| &line.points).map(|point| point.0));
    let y_range = y.range(lines.iter().flat_map(|line| &line.points).map(|point| point.1));
    let mut svg = String::new();
    let drawn = match (x, y) {
        (Axis::Linear(_), Axis::Linear(_)) => draw(&mut svg, (x, x_range), (y, y_range), &lines),
        (Axis::Linear(_), Axis::Log(_)) => draw(&mut svg, (x, x_range), (y, y_range.log_scale()), &lines),
        (Axis::Log(_), Axis::Linear(_)) => draw(&mut svg, (x, x_range.log_scale()), (y, y_range), &lines),
        (Axis::Log(_), Axis::Log(_)) => draw(&mut svg, (x, x_range.log_scale()), (y, y_range.log_scale()), &lines),
    };
    drawn.expect("a string takes any drawing");
    html! {
        figure {
            (PreEscaped(svg))
            p.legend {
                @for line in &lines {
                    @let RGBColor(r, g, b) = line.colour;
                    span { i style=(format!("background:rgb({r},{g},{b})")) {} (line.name) }
                }
            }
            figcaption { (caption) }
        }
    }
}

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a, X, Y>(svg: &'a mut String, (x, x_range): (Axis, X), (y, y_range): (Axis, Y), lines: &[Line]) -> Drawn<'a>
where
    X: AsRangedCoord<Value = f64, CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>>,
{
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .margin_right(32)
        .x_label_area_size(84)
        .y_label_area_size(130)
        .build_cartesian_2d(x_range, y_range)?;
    chart
        .configure_mesh()
        .x_desc(x.label())
        .y_desc(y.label())
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&|&v| x.tick(v))
        .y_label_formatter(&|&v| y.tick(v))
        .label_style(("sans-serif", 30, &INK))
        .axis_desc_style(("sans-serif", 32, &INK))
        .axis_style(INK.mix(0.5))
        .bold_line_style(INK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for line in lines {
        let points = || line.points.iter().copied();
        let style = line.colour.stroke_width(4);
        if line.dashed {
            chart.draw_series(DashedLineSeries::new(points(), 16, 8, style))?;
        } else {
            chart.draw_series(LineSeries::new(points(), style))?;
        }
        if line.points.len() <= MARKED {
            chart.draw_series(points().map(|point| Circle::new(point, 6, line.colour.filled())))?;
        }
    }
    root.present()
}
