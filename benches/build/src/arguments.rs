//! The command line.

use std::path::PathBuf;
use std::process;

/// The parsed arguments.
pub struct Arguments {
    /// The checkouts of the crate, with their names in the tables.
    pub crates: Vec<(String, PathBuf)>,
    /// How many activations are added to measure the cost of one.
    pub more: usize,
    /// How often each package is built.
    pub runs: usize,
}

impl Arguments {
    /// Reads the command line.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self { crates: vec![], more: 2, runs: 1 };
        while let Some(option) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{option}: a value is missing"))?;
            match option.as_str() {
                "--crate" => parsed.crates.push((value.clone(), value.into())),
                "--more" => parsed.more = at_least_one(&option, &value)?,
                "--runs" => parsed.runs = at_least_one(&option, &value)?,
                _ => return Err(format!("{option}: there is no such option")),
            }
        }
        if parsed.crates.is_empty() {
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
            parsed.crates.push(("this checkout".to_owned(), root));
        }
        Ok(parsed)
    }
}

/// The value of an option as a number.
fn at_least_one(option: &str, value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{option}: `{value}` is not a number above 0"))
}

/// Ends the program with this error and the usage.
pub fn exit(error: &str) -> ! {
    eprintln!("{error}\nusage: build-cost [--crate PATH]... [--more N] [--runs N]");
    process::exit(2);
}
