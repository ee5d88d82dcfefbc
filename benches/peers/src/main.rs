//! This crate beside its Rust rivals, in one run: a table on the standard output and a chart.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- --chart PATH`

mod buffer;
mod chart;
mod comparison;
mod contenders;
mod measure;
mod operation;
mod report;

use std::path::PathBuf;
use std::{env, fs, process};

use comparison::Comparison;
use operation::Operation;

fn main() {
    for variable in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: no other thread runs yet.
        unsafe { env::set_var(variable, "1") };
    }
    let chart_path = match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [] => PathBuf::from("target/peers.svg"),
        [flag, path] if flag == "--chart" => path.into(),
        _ => {
            eprintln!("usage: activations-peers [--chart PATH]");
            process::exit(2);
        }
    };

    let mut comparisons = vec![];
    for operation in Operation::ALL {
        for shape in operation.shapes() {
            eprintln!("{} {}", operation.name(), operation.size(*shape));
            comparisons.push(Comparison::new(operation, *shape));
        }
    }
    print!("{}", report::table(&comparisons));

    if let Some(directory) = chart_path.parent() {
        fs::create_dir_all(directory).expect("a directory for the chart");
    }
    fs::write(&chart_path, chart::draw(&comparisons)).expect("the chart can be written");
    eprintln!("chart: {}", chart_path.display());
}
