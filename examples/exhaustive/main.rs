//! The accuracy proof: every `f32` there is, through every activation on every instruction set.
//!
//! ```sh
//! cargo run --release --example exhaustive                  # all 2^32 inputs: minutes
//! cargo run --release --example exhaustive -- --step 4099   # a thinned sweep: seconds
//! ```
//!
//! The judge is `Activation::reference` in `f64`, which is good to about 1e-8 of an `f32` ulp, and double-double
//! arithmetic where that is too coarse to say which `f32` is nearest. `f64` itself has too many inputs, and is
//! judged at millions of points by double-double arithmetic alone; so are rows of every kind, whose softmax has no
//! end of inputs. Exits with 1 if any promise is broken.

mod double_double;
mod exact;
mod hash;
mod inputs;
mod points;
mod rows;
mod sweep;
mod table;
mod tally;
mod worst;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

/// Judges every activation at every f32, and at millions of f64, on every instruction set of this machine.
#[derive(Parser)]
struct Arguments {
    /// Every how many inputs one is judged; around the edges all are.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65536))]
    step: u32,
}

fn main() -> ExitCode {
    let Arguments { step } = Arguments::parse();
    exact::verify();

    let start = Instant::now();
    let sweep = sweep::run(step);
    println!("{}\n{} s.\n", table::of_sweep(&sweep), start.elapsed().as_secs());

    let start = Instant::now();
    let points = points::run(step);
    println!("{}\n{} s.\n", table::of_points(&points), start.elapsed().as_secs());

    let start = Instant::now();
    let rows = rows::run(step);
    println!("{}\n{} s.\n", table::of_rows(&rows), start.elapsed().as_secs());

    let broken: Vec<String> = sweep
        .iter()
        .flat_map(sweep::Report::broken)
        .chain(points::broken(&points))
        .chain(rows::broken(&rows))
        .collect();
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
