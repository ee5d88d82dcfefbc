//! Times `activations` and its Rust rivals in one run. Prints a table and writes a chart.
//!
//! `cargo run --release -p rivals -- --chart PATH`
#![expect(unsafe_code, reason = "a rival's outputs, an intrinsic and environment variables need it")]

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
        [] => PathBuf::from("target/rivals.svg"),
        [flag, path] if flag == "--chart" => path.into(),
        _ => {
            eprintln!("usage: rivals [--chart PATH]");
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
