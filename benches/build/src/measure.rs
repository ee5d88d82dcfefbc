//! CPU seconds of processes and sizes of files.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{self, Command, ExitStatus};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The variable with the path of the file that lists the CPU seconds of every compile.
const LOG: &str = "ACTIVATIONS_BUILD_LOG";

/// The CPU seconds of a build.
pub struct Seconds {
    /// CPU seconds of cargo and all processes that it started.
    pub whole: f64,
    /// Lines of a crate and the CPU seconds of its compile.
    compiles: String,
}

impl Seconds {
    /// Runs cargo with this program in place of the compiler, to time every compile.
    pub fn of(mut cargo: Command, log: &Path) -> Self {
        File::create(log).expect("a file for the CPU seconds");
        let this_program = env::current_exe().expect("the path of this program");
        let (status, whole) = run(cargo.env("RUSTC_WRAPPER", this_program).env(LOG, log));
        assert!(status.success(), "the build failed");
        Self { whole, compiles: fs::read_to_string(log).expect("the CPU seconds were written") }
    }

    /// CPU seconds of this crate, which must have been compiled once.
    pub fn of_crate(&self, name: &str) -> f64 {
        let lines = self.compiles.lines().filter_map(|line| line.split_once(' '));
        let seconds: Vec<&str> = lines.filter(|(krate, _)| *krate == name).map(|(_, seconds)| seconds).collect();
        assert_eq!(seconds.len(), 1, "compiles of {name} in one build");
        seconds[0].parse().expect("a number of seconds")
    }
}

/// If cargo runs this program in place of the compiler, compiles, writes the CPU seconds to the log, and exits.
pub fn stand_in_for_the_compiler() {
    let Some(log) = env::var_os(LOG) else { return };
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let (status, seconds) = run(Command::new(&arguments[0]).args(&arguments[1..]));
    if let Some(k) = arguments.iter().position(|argument| argument == "--crate-name") {
        let line = format!("{} {seconds}\n", arguments[k + 1].display());
        let mut log = File::options().append(true).open(log).expect("the log can be opened");
        log.write_all(line.as_bytes()).expect("the log can be written");
    }
    process::exit(status.code().unwrap_or(1));
}

/// Runs a command; its status and its CPU seconds, those of all that it waited for included.
fn run(command: &mut Command) -> (ExitStatus, f64) {
    let before = seconds_of_children();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (status, seconds_of_children() - before)
}

/// CPU seconds of the child processes that have ended, in user and in system mode.
fn seconds_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts CPU seconds");
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// The bytes of a file.
pub fn bytes(path: &Path) -> u64 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).len()
}

/// The bytes of machine code in a program or library.
pub fn text_bytes(path: &Path) -> u64 {
    let output = Command::new("size").arg("-A").arg(path).output().expect("`size` of binutils can be run");
    let sections = String::from_utf8_lossy(&output.stdout);
    let sizes = sections.lines().filter(|line| line.starts_with(".text")).map(|line| line.split_whitespace().nth(1));
    let sum = sizes.map(|size| size.and_then(|size| size.parse::<u64>().ok()).expect("a size")).sum();
    assert!(sum > 0, "{}: no machine code", path.display());
    sum
}

/// The first line of a command's output.
pub fn first_line(command: &str, argument: &str) -> String {
    let output = Command::new(command).arg(argument).output().unwrap_or_else(|error| panic!("{command}: {error}"));
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

/// The median, which of an even number of values is the mean of the middle two, with the least and the greatest value.
pub fn median(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let median = (values[values.len() / 2] + values[(values.len() - 1) / 2]) / 2.0;
    match &values[..] {
        [_] => format!("{median:.1}"),
        [least, .., greatest] => format!("{median:.1} ({least:.1} to {greatest:.1})"),
        [] => unreachable!("there is at least one run"),
    }
}
