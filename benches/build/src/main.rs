//! Measures CPU seconds of builds of `activations` and bytes of programs that use it.
//!
//! `cargo run --release -p build-cost -- [--crate PATH]... [--more N] [--runs N]`
//!
//! Every `--crate` names a checkout of the crate, by default this one. `--more` is the number of activations that are
//! added to measure the cost of one, and `--runs` how often everything is built. Needs `size` of binutils.

mod arguments;
mod build;
mod checkout;
mod features;
mod measure;
mod more;
mod package;
mod report;
mod subject;

use std::path::Path;
use std::{env, fs};

use arguments::Arguments;
use build::Build;
use package::Package;
use subject::Subject;

/// The version of regex, whose build is measured for comparison.
const REGEX: &str = "1.13.2";

fn main() {
    measure::stand_in_for_the_compiler();
    let arguments = Arguments::parse(env::args().skip(1)).unwrap_or_else(|error| arguments::exit(&error));
    let place = tempfile::tempdir().expect("a temporary directory");
    let place = place.path();

    let plain = [("nothing", "fn main() {}\n"), ("plain", include_str!("../programs/plain.rs"))];
    let plain = Package::new(&place.join("plain"), "", &plain);
    let mut plain = Build::new("without the crate", plain, None, &["plain"]);
    let regex = [("nothing", "use regex as _;\n\nfn main() {}\n")];
    let regex = Package::new(&place.join("regex"), &format!("regex = \"={REGEX}\""), &regex);
    let mut regex = Build::new(&format!("regex {REGEX}"), regex, None, &[]);
    let crates = arguments.crates.iter().enumerate();
    let mut subjects: Vec<Subject> = crates
        .map(|(k, (label, path))| Subject::new(label, path, &place.join(format!("crate{k}")), arguments.more))
        .collect();

    let of_subjects = subjects.iter_mut().flat_map(Subject::builds);
    let mut builds: Vec<&mut Build> = [&mut plain, &mut regex].into_iter().chain(of_subjects).collect();
    run_in_turns(&mut builds, arguments.runs, &place.join("target"));
    print!("{}", report::all(&arguments, &plain, &regex, &subjects));
}

/// Runs all builds in turn, this many times, so that a disturbance of the machine affects all of them.
fn run_in_turns(builds: &mut [&mut Build], runs: usize, target: &Path) {
    for run in 1..=runs {
        for build in &mut *builds {
            eprintln!("run {run} of {runs}: {}", build.name);
            build.run(target);
            fs::remove_dir_all(target).expect("the target directory can be removed");
        }
    }
}
