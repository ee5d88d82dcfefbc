//! Checks the accuracy of every activation for every `f32` on every instruction set of this machine.
//!
//! ```sh
//! cargo run --release -p exhaustive                  # all 2^32 inputs: minutes
//! cargo run --release -p exhaustive -- --step 4099   # a thinned sweep: seconds
//! cargo run --release -p exhaustive -- gelu silu     # these activations alone, and no rows
//! ```
//!
//! The oracle for `f32` is `Activation::reference` in `f64`, whose error is about 1e-8 of an `f32` ulp. Where that is
//! too much to tell which `f32` is nearest, double-double arithmetic decides. `f64` and rows of logits have too many
//! inputs to try them all: millions of `f64` and rows of several kinds and lengths are compared with double-double
//! arithmetic. The exit status is 1 if a result exceeds its bound or is wrong in another way.

mod half;
mod inputs;
mod losses;
mod points;
mod rows;
mod sweep;
mod table;
mod tally;
mod verify;
mod worst;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use activations::{ACTIVATIONS, Activation};

const USAGE: &str = "\
usage: exhaustive [--step N] [NAME..]

Checks every N-th f32, and every f32 near the values where formulas change. N is 1 by default and at most 1000000.
With names, checks these activations alone.";

/// The largest step. A block of 4096 inputs must span less than 2^32, which is all that a 32-bit `usize` holds.
const MAX_STEP: u32 = 1_000_000;

/// What the arguments ask for.
struct Request {
    step: u32,
    /// The activations to check, in the order of the list.
    acts: Vec<&'static dyn Activation>,
    /// Whether rows and losses are checked too.
    rows: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(Request { step, acts, rows: with_rows }) = request(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    verify::run();

    let start = Instant::now();
    let sweep = sweep::run(&acts, step);
    println!("{}\n{} s.\n", table::of_sweep(&sweep), start.elapsed().as_secs());

    let start = Instant::now();
    let points = points::run(&acts, step);
    println!("{}\n{} s.\n", table::of_points(&points), start.elapsed().as_secs());

    let mut broken: Vec<String> = sweep.iter().flat_map(sweep::Report::broken).chain(points::broken(&points)).collect();
    if with_rows {
        let start = Instant::now();
        let rows = rows::run(step);
        println!("{}\n{} s.\n", table::of_rows(&rows), start.elapsed().as_secs());

        println!("{}\n", table::of_half(&half::run()));

        let start = Instant::now();
        let losses = losses::run(if step == 1 { usize::MAX } else { 1000 });
        println!("{}\n{} s.\n", table::of_losses(&losses), start.elapsed().as_secs());
        broken.extend(rows::broken(&rows).chain(losses::broken(&losses)));
    }
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the arguments ask for, or `None` if they are not understood.
fn request(arguments: &[String]) -> Option<Request> {
    let (step, names) = match arguments {
        [option, step, names @ ..] if option == "--step" => (step.parse().ok()?, names),
        names => (1, names),
    };
    let is_known = |name: &String| ACTIVATIONS.iter().any(|act| act.name() == name);
    let is_asked = |act: &&dyn Activation| names.is_empty() || names.iter().any(|name| name == act.name());
    let acts = ACTIVATIONS.iter().copied().filter(is_asked).collect();
    let is_understood = (1..=MAX_STEP).contains(&step) && names.iter().all(is_known);
    is_understood.then_some(Request { step, acts, rows: names.is_empty() })
}
