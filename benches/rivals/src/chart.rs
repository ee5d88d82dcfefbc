//! The chart: bars of time over that of memcpy, with a panel for each of four operations.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::comparison::Comparison;
use crate::contenders::{RIVALS, ours};
use crate::operation::{Operation, Shape};
use crate::report::{digits, label};

const PANELS: [(Operation, Shape); 4] = [
    (Operation::Sigmoid, Shape::slice(65_536)),
    (Operation::Tanh, Shape::slice(65_536)),
    (Operation::Softmax, Shape { rows: 512, columns: 1000 }),
    (Operation::LogSoftmax, Shape { rows: 512, columns: 1000 }),
];

const SIZE: (u32, u32) = (1200, 800);
const OURS: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const RIVAL: RGBColor = RGBColor(0xa8, 0xae, 0xb7);
const INK: RGBColor = RGBColor(0x33, 0x38, 0x40);
/// Pixels left of the bars, for the names of the contenders.
const MARGIN: u32 = 150;

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The chart as SVG.
pub fn draw(comparisons: &[Comparison]) -> String {
    let mut svg = String::new();
    fill(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), comparisons)
        .expect("a string takes any drawing");
    svg
}

fn fill(root: &DrawingArea<SVGBackend, Shift>, comparisons: &[Comparison]) -> Drawn {
    root.fill(&WHITE)?;
    let caption = "time over memcpy of the same memory, log scale: shorter is faster (worst error in brackets)";
    let (head, body) = root.split_vertically(44);
    head.draw(&Text::new(caption, (SIZE.0 as i32 / 2, 24), text(20, HPos::Center)))?;
    let shown: Vec<&Comparison> =
        PANELS.iter().filter_map(|panel| comparisons.iter().find(|it| (it.operation, it.shape) == *panel)).collect();
    let slowest = shown.iter().flat_map(|it| it.scores.values()).map(|score| score.ratio).fold(1.0, f64::max);
    // Five times the longest bar: its number stands to the right of it.
    let range = 1.0..slowest * 5.0;
    for (area, comparison) in body.split_evenly((2, 2)).iter().zip(shown) {
        panel(root, area, comparison, range.clone())?;
    }
    Ok(())
}

fn panel(
    root: &DrawingArea<SVGBackend, Shift>,
    area: &DrawingArea<SVGBackend, Shift>,
    comparison: &Comparison,
    range: std::ops::Range<f64>,
) -> Drawn {
    let names: Vec<&str> = ours().chain(RIVALS).collect();
    let title = format!("{}, {}", comparison.operation.name(), comparison.operation.size(comparison.shape));
    let mut chart = ChartBuilder::on(area)
        .caption(title, text(22, HPos::Left))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(MARGIN)
        // The first name is at the top.
        .build_cartesian_2d(range.log_scale(), names.len() as f64..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(6)
        .x_label_formatter(&|x| format!("{x}"))
        .label_style(text(15, HPos::Center))
        .axis_style(INK.mix(0.4))
        .bold_line_style(INK.mix(0.1))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (k, name) in names.iter().enumerate() {
        let (top, middle, bottom) = (k as f64 + 0.14, k as f64 + 0.5, k as f64 + 0.86);
        let (x, y) = chart.backend_coord(&(1.0, middle));
        let (owner, colour) = if RIVALS.contains(name) { ("", RIVAL) } else { ("activations ", OURS) };
        root.draw(&Text::new(format!("{owner}{}", label(name)), (x - 8, y), text(17, HPos::Right)))?;
        let score = comparison.scores.get(name);
        let ratio = score.map_or(1.0, |score| score.ratio.max(1.0));
        chart.draw_series([Rectangle::new([(1.0, top), (ratio, bottom)], colour.filled())])?;
        let number = score
            .map_or("none".to_owned(), |score| format!("{} ({} ulp)", digits(score.ratio, 1), digits(score.ulp, 1)));
        let (x, y) = chart.backend_coord(&(ratio, middle));
        root.draw(&Text::new(number, (x + 6, y), text(16, HPos::Left)))?;
    }
    Ok(())
}

fn text(size: u32, horizontally: HPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(&INK).pos(Pos::new(horizontally, VPos::Center))
}
