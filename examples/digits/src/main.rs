//! Measures what activation functions do, on small networks that learn to read handwritten digits.
//!
//! `cargo run --release -p digits` prints a table of the results and writes a report with plots,
//! `target/digits.html`.

mod data;
mod experiments;
mod network;
mod plot;
mod report;
mod training;

use std::error::Error;

use experiments::{convergence, dead_relus, exploding, functions, likelihood, reading, unbalanced, vanishing};

fn main() -> Result<(), Box<dyn Error>> {
    let data = data::load()?;
    let sections = [
        functions::section(),
        reading::section(&data),
        convergence::section(&data),
        vanishing::section(&data),
        dead_relus::section(&data),
        likelihood::section(&data),
        unbalanced::section(&data),
        exploding::section(&data),
    ];
    println!("{}", report::table(&sections));
    println!("The report with plots: {}", report::write(&sections)?.display());
    Ok(())
}
