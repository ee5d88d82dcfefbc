//! The results as tables.

use std::{env, fs};

use comfy_table::{Table, presets};

use crate::arguments::Arguments;
use crate::build::{Build, Size};
use crate::measure;
use crate::subject::Subject;

/// All tables, with a header.
pub fn all(arguments: &Arguments, plain: &Build, regex: &Build, subjects: &[Subject]) -> String {
    [
        header(arguments),
        "CPU seconds of clean release builds:".to_owned(),
        seconds(regex, subjects).to_string(),
        "Bytes of stripped release programs, with every operation to choose from and without rayon:".to_owned(),
        sizes(plain.size("plain"), subjects).to_string(),
        format!("What one more activation costs there, the mean of {}:", arguments.more),
        one_more(arguments.more, subjects).to_string(),
    ]
    .join("\n\n")
        + "\n"
}

/// The machine, the compiler, the number of runs and the command.
fn header(arguments: &Arguments) -> String {
    let (rustc, runs) = (measure::first_line("rustc", "--version"), arguments.runs);
    let runs = if runs == 1 { "one run".to_owned() } else { format!("medians of {runs} runs (least to greatest)") };
    format!("{}, {rustc}, {runs}. `cargo run --release -p build-cost`", cpu())
}

/// The model of the CPU.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or(env::consts::ARCH, |(_, name)| name).to_owned()
}

/// The table of CPU seconds, with a row for each set of features.
fn seconds(regex: &Build, subjects: &[Subject]) -> Table {
    let mut table =
        table(["crate", "features", "the crate alone", "with its dependencies", "bytes of the crate's machine code"]);
    for subject in subjects {
        for (features, build) in &subject.sets {
            table.add_row([
                subject.label.clone(),
                features.to_string(),
                measure::median(build.library()),
                measure::median(build.whole()),
                build.library_text().to_string(),
            ]);
        }
    }
    table.add_row([&regex.name, "default", "", &measure::median(regex.whole()), ""]);
    table
}

/// The table of sizes, with a row for each program.
fn sizes(plain: Size, subjects: &[Subject]) -> Table {
    let mut table = table(["crate", "program", "file", "over the plain loop", "machine code", "over the plain loop"]);
    let row = |label: &str, program: &str, size: Size| {
        let [file, text] = [(size.file, plain.file), (size.text, plain.text)];
        let over = |(size, plain)| format!("{:+}", difference(size, plain));
        [label.to_owned(), program.to_owned(), file.0.to_string(), over(file), text.0.to_string(), over(text)]
    };
    table.add_row(row("none", "plain loop", plain));
    for subject in subjects {
        for (program, size) in subject.of_operations().sizes() {
            table.add_row(row(&subject.label, program, size));
        }
    }
    table
}

/// The table of what one more activation adds to the compile and to the program that calls everything.
fn one_more(count: usize, subjects: &[Subject]) -> Table {
    let mut table = table(["crate", "CPU seconds of the crate alone", "bytes of the file", "bytes of machine code"]);
    for subject in subjects {
        let [before, after] = [subject.of_operations(), &subject.more];
        let [small, large] = [before, after].map(|build| build.size("everything"));
        // The difference within each run, in which the two builds ran one after the other.
        let pairs = before.library().into_iter().zip(after.library());
        let seconds = pairs.map(|(before, after)| (after - before) / count as f64).collect();
        let each = |difference: i64| format!("{:.0}", difference as f64 / count as f64);
        table.add_row([
            subject.label.clone(),
            measure::median(seconds),
            each(difference(large.file, small.file)),
            each(difference(large.text, small.text)),
        ]);
    }
    table
}

/// How much larger one number is than another.
fn difference(large: u64, small: u64) -> i64 {
    large as i64 - small as i64
}

/// A table in Markdown with this header.
fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}
