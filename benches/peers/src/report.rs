//! The table.

use std::fs;

use crate::comparison::{Comparison, Score};
use crate::contenders::{RIVALS, ours};

const EXPLANATION: &str = "\
Columns of contenders: time over that of memcpy, which is the median of rounds in which all took turns (worst error in
ulp over the inputs; for log_softmax in ulp of the larger of 1 and the true value). `~`: the ratio of the least times
differs by more than a tenth, so the machine was not quiet. `-`: there is no such operation. **Bold**: a rival is
faster, if only by what a run differs from the next. Geometric means are over the rows that a contender has.";

/// The table with what must be known to read it.
pub fn table(comparisons: &[Comparison]) -> String {
    let contenders: Vec<&str> = ours().chain(RIVALS).collect();
    let ours: Vec<&str> = ours().collect();

    let mut head = vec!["operation".to_owned(), "size".to_owned(), "memcpy, ns/element".to_owned()];
    head.extend(contenders.iter().map(|name| title(name)));
    head.extend(["best rival".to_owned(), format!("{} over it", ours[0])]);
    let mut lines = vec![line(&head), line(&vec!["---".to_owned(); head.len()])];

    for comparison in comparisons {
        let mut cells = vec![
            comparison.operation.name().to_owned(),
            comparison.operation.size(comparison.shape),
            format!("{:.4}", comparison.memcpy),
        ];
        cells.extend(contenders.iter().map(|name| comparison.scores.get(name).map_or("-".to_owned(), cell)));
        let best = comparison.best_rival();
        cells.push(label(best));
        cells.push(marked(comparison.over(ours[0], best).expect("both are here")));
        lines.push(line(&cells));
    }

    let ratio = |name: &str| geometric_mean(comparisons.iter().filter_map(|it| Some(it.scores.get(name)?.ratio)));
    let mut cells = vec!["geometric mean".to_owned(), String::new(), String::new()];
    cells.extend(contenders.iter().map(|name| digits(ratio(name), 2)));
    cells.extend([String::new(), String::new()]);
    lines.push(line(&cells));
    for isa in &ours {
        let over = |other: &str| geometric_mean(comparisons.iter().filter_map(|it| it.over(isa, other)));
        let mut cells = vec![format!("{isa} over it"), String::new(), String::new()];
        cells.extend(contenders.iter().map(|name| if name == isa { "1".to_owned() } else { marked(over(name)) }));
        cells.push("every row's best".to_owned());
        cells.push(marked(geometric_mean(comparisons.iter().filter_map(|it| it.over(isa, it.best_rival())))));
        lines.push(line(&cells));
    }

    format!("{}\n\n{}\n\n{EXPLANATION}\n", header(), lines.join("\n"))
}

/// What was measured, where and when.
fn header() -> String {
    format!(
        "{}, {}, {}, one thread, f32 in [-10, 10], default build. \
         `cargo run --release --manifest-path benches/peers/Cargo.toml`",
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

/// What a reader calls a contender.
pub fn label(name: &str) -> String {
    match name {
        "candle-nn" => "candle".to_owned(),
        "wide" | "std" => format!("{name} loop"),
        name => name.to_owned(),
    }
}

/// The label with the version if the contender is a package.
fn title(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
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

/// A number with decimals as long as it is small.
pub fn digits(number: f64, decimals: usize) -> String {
    match number {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{small:.decimals$}"),
        medium if medium < 100.0 && decimals > 1 => format!("{medium:.1}"),
        large => format!("{large:.0}"),
    }
}

/// A ratio to a rival, bold where the rival is faster.
fn marked(ratio: f64) -> String {
    if ratio >= 1.005 { format!("**{ratio:.2}**") } else { format!("{ratio:.2}") }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn geometric_mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = ratios.fold((0.0, 0.0), |(sum, count), ratio| (sum + ratio.ln(), count + 1.0));
    (sum / count).exp()
}
