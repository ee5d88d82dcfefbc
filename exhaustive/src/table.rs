//! The results as Markdown.

use std::fmt::Display;

use crate::half::Count;
use crate::points;
use crate::sweep::{Level, Report};
use crate::tally::Tier;
use crate::worst::{Number, Worst};
use crate::{losses, rows};

/// One row for each activation, tier and instruction set, then a table of close inputs and hashes.
pub fn of_sweep(reports: &[Report]) -> String {
    let mut text = row(&[
        "activation",
        "tier",
        "instruction set",
        "worst ulp",
        "bound",
        "at",
        "not correctly rounded",
        "out of range",
        "wrong NaN",
        "wrong sign",
        "not saturated",
        "falling steps",
        "the first from",
        "worst derivative ulp",
        "at",
    ]);
    text += &rule(15);
    for report in reports {
        for Level { tier, isa, tally } in &report.levels {
            text += &row(&[
                report.act.name(),
                &format!("{tier:?}"),
                &isa.to_string(),
                &format!("{:.4}", tally.worst.error),
                &report.bounds(*tier, *isa)[0].to_string(),
                &place(tally.worst),
                &format!("{} ({:.3} %)", tally.misrounded, 100.0 * tally.misrounded as f64 / tally.numbers as f64),
                &tally.out_of_range.to_string(),
                &tally.wrong_nan.to_string(),
                &tally.wrong_sign.to_string(),
                &tally.unsaturated.to_string(),
                &tally.falls.to_string(),
                &tally.first_fall.map_or(String::new(), |x| Number(x).to_string()),
                &format!("{:.4}", tally.worst_gradient.error),
                &place(tally.worst_gradient),
            ]);
        }
    }
    text += "\n";
    text += &row(&["activation", "tier", "inputs", "close to a tie", "hash", "hash of the derivative"]);
    text += &rule(6);
    for Report { act, close, levels } in reports {
        for tier in Tier::ALL.into_iter().filter(|tier| levels.iter().any(|level| level.tier == *tier)) {
            // The hash that every machine prints, if an instruction set has it: without a fused multiply-add the fast
            // tier has other bits.
            let mut of_tier = levels.iter().filter(|level| level.tier == tier);
            let first = of_tier.clone().next().expect("an instruction set");
            let Level { tally, .. } = of_tier.find(|level| tier.is_portable(level.isa)).unwrap_or(first);
            let [hash, gradient] = tally.hashes.map(|hash| format!("{:#018x}", hash.0));
            let counts = [tally.numbers, *close].map(|n| n.to_string());
            let tier = format!("{tier:?}");
            text += &row(&[act.name(), &tier, &counts[0], &counts[1], &hash, &gradient]);
        }
    }
    text
}

/// One row for each activation and instruction set.
pub fn of_points(levels: &[points::Level]) -> String {
    let mut text = row(&["activation", "instruction set", "worst ulp of f64", "bound", "at"]);
    text += &rule(5);
    for points::Level { act, isa, worst } in levels {
        let bound = act.max_ulp(64, isa.is_fused()).to_string();
        text += &row(&[act.name(), &isa.to_string(), &format!("{:.4}", worst.error), &bound, &place(*worst)]);
    }
    text
}

/// One row for each length and instruction set.
pub fn of_rows(levels: &[rows::Level]) -> String {
    let header =
        ["columns", "instruction set", "softmax ulp", "bound", "log-softmax eps", "log-sum-exp eps", "sum eps"];
    let mut text = row(&header);
    text += &rule(header.len());
    for level in levels {
        let worst =
            |(error, kind): (f64, &str)| if kind.is_empty() { "0".into() } else { format!("{error:.3}, {kind}") };
        text += &row(&[
            &level.len.to_string(),
            &level.isa.to_string(),
            &worst(level.softmax),
            &level.bound().to_string(),
            &worst(level.log_softmax),
            &worst(level.log_sum_exp),
            &worst(level.sum),
        ]);
    }
    text
}

/// One row for each element type, kind of gap and instruction set.
pub fn of_losses(errors: &[losses::Errors]) -> String {
    let columns = losses::columns();
    let header: Vec<String> = columns.iter().map(|(what, bound)| format!("{what} ({bound})")).collect();
    let mut text = row(&[
        &["largest class", "type", "instruction set"][..],
        &header.iter().map(String::as_str).collect::<Vec<_>>(),
    ]
    .concat());
    text += &rule(3 + columns.len());
    for losses::Errors { isa, element, is_near, worst } in errors {
        let (kind, isa) = (if *is_near { "nearly certain" } else { "uncertain" }, isa.to_string());
        let worst: Vec<String> = worst.iter().map(|error| format!("{error:.2}")).collect();
        text += &row(&[&[kind, element, &isa][..], &worst.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    }
    text
}

/// The place of the largest error. Empty if all errors are 0.
fn place<T>(Worst { error, at }: Worst<T>) -> String
where
    Number<T>: Display,
{
    if error > 0.0 { Number(at).to_string() } else { String::new() }
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn rule(columns: usize) -> String {
    "|---".repeat(columns) + "|\n"
}

/// The results in 16-bit types that are not the nearest.
pub fn of_half(counts: &[Count]) -> String {
    let mut text = row(&["activation", "instruction set", "not the nearest f16", "not the nearest bf16"]);
    text += &rule(4);
    for Count { act, isa, misrounded: [f16, bf16] } in counts {
        text += &row(&[act.name(), &isa.to_string(), &f16.to_string(), &bf16.to_string()]);
    }
    text
}
