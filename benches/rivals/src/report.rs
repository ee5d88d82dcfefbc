//! The results as a table.

use std::fs;

use crate::comparison::{Comparison, Score};
use crate::contenders::{RIVALS, ours};

const EXPLANATION: &str = "\
Columns of contenders: time divided by that of memcpy, as the median of rounds in which all took turns (largest error
in ulp over the inputs; for log_softmax in ulp of the larger of 1 and the true value). `~`: the ratio of the least times
differs by more than a tenth, so the machine was not quiet. `-`: the contender lacks the operation. **Bold**: a rival is
faster, even if the difference is within the noise. Geometric means are over the rows that a contender has.";

/// The table, with a header and an explanation of its columns.
pub fn table(comparisons: &[Comparison]) -> String {
    let isas: Vec<&str> = ours().collect();
    let all = |ratio: &dyn Fn(&Comparison) -> Option<f64>| geometric_mean(comparisons.iter().filter_map(ratio));

    let mut lines = vec![
        line(["operation", "size", "memcpy, ns/element"], title, ["best rival", &format!("{} over it", isas[0])]),
        line(["---"; 3], |_| "---".to_owned(), ["---"; 2]),
    ];
    for it in comparisons {
        let (size, memcpy) = (it.operation.size(it.shape), format!("{:.4}", it.memcpy));
        let best = it.best_rival();
        let over = it.over(isas[0], best).map_or_else(String::new, marked);
        let cell = |name: &str| it.scores.get(name).map_or("-".to_owned(), cell);
        lines.push(line([it.operation.name(), &size, &memcpy], cell, [&label(best), &over]));
    }
    let mean = |name: &str| digits(all(&|it| Some(it.scores.get(name)?.ratio)), 2);
    lines.push(line(["geometric mean", "", ""], mean, ["", ""]));
    for isa in &isas {
        let over = |other: &str| marked(all(&|it| it.over(isa, other)));
        let over_best = marked(all(&|it| it.over(isa, it.best_rival())));
        lines.push(line([&format!("{isa} over it"), "", ""], over, ["every row's best", &over_best]));
    }
    format!("{}\n\n{}\n\n{EXPLANATION}\n", header(), lines.join("\n"))
}

/// A line of the table: the first cells, a cell for each contender, the last cells.
fn line(start: [&str; 3], cell: impl Fn(&str) -> String, end: [&str; 2]) -> String {
    let cells =
        start.map(str::to_owned).into_iter().chain(ours().chain(RIVALS).map(cell)).chain(end.map(str::to_owned));
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// The machine, the compiler, the date and the command.
fn header() -> String {
    format!(
        "{}, {}, {}, one thread, f32 in [-10, 10], default build. \
         `cargo run --release -p rivals`",
        cpu(),
        env!("RUSTC_VERSION"),
        time::OffsetDateTime::now_utc().date(),
    )
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or(std::env::consts::ARCH, |(_, name)| name).to_owned()
}

/// The name of a contender in the table and the chart.
pub fn label(name: &str) -> String {
    match name {
        "candle-nn" => "candle".to_owned(),
        "wide" | "std" => format!("{name} loop"),
        name => name.to_owned(),
    }
}

/// The label, with the version if the contender is a package.
fn title(name: &str) -> String {
    let lock = include_str!("../../../Cargo.lock");
    let version = lock.split("[[package]]").find_map(|package| {
        let version = package.strip_prefix(&format!("\nname = \"{name}\"\nversion = \""))?;
        version.split_once('"')
    });
    version.map_or(label(name), |(version, _)| format!("{} {version}", label(name)))
}

fn cell(score: &Score) -> String {
    let noisy = (score.ratio / score.ratio_of_least - 1.0).abs() > 0.1;
    format!("{}{} ({})", if noisy { "~" } else { "" }, digits(score.ratio, 2), digits(score.ulp, 1))
}

/// A number with fewer decimals the larger it is.
pub fn digits(number: f64, decimals: usize) -> String {
    match number {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{small:.decimals$}"),
        medium if medium < 100.0 && decimals > 1 => format!("{medium:.1}"),
        large => format!("{large:.0}"),
    }
}

/// A ratio to a rival, bold if the rival is faster.
fn marked(ratio: f64) -> String {
    if ratio >= 1.005 { format!("**{ratio:.2}**") } else { format!("{ratio:.2}") }
}

fn geometric_mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = ratios.fold((0.0, 0.0), |(sum, count), ratio| (sum + ratio.ln(), count + 1.0));
    (sum / count).exp()
}
