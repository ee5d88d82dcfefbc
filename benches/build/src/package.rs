//! Packages of small programs that depend on the crate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variables that change a build, which are removed.
const SETTINGS: [&str; 4] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];

/// A package in a directory of its own.
pub struct Package {
    directory: PathBuf,
}

impl Package {
    /// Writes a package with one dependency, which is a line of the manifest, and with programs of these names and
    /// sources.
    pub fn new(directory: &Path, dependency: &str, programs: &[(&str, &str)]) -> Self {
        let manifest = format!(
            "[package]\nname = \"programs\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n\n\
             [profile.release]\nstrip = true\n\n[workspace]\n"
        );
        let sources = directory.join("src/bin");
        fs::create_dir_all(&sources).expect("a directory for the programs");
        fs::write(directory.join("Cargo.toml"), manifest).expect("the manifest can be written");
        for (name, source) in programs {
            fs::write(sources.join(name).with_extension("rs"), source).expect("a program can be written");
        }
        Self { directory: directory.to_owned() }
    }

    /// Takes the versions of the dependencies from another package's lock file, if there is one.
    pub fn locked_by(self, lock: &Path) -> Self {
        if lock.exists() {
            fs::copy(lock, self.directory.join("Cargo.lock")).expect("the lock file can be copied");
        }
        self
    }

    /// Downloads the dependencies before any build is timed.
    pub fn fetch(&self) {
        let status = self.cargo("fetch").status().expect("cargo can be run");
        assert!(status.success(), "the dependencies cannot be downloaded");
    }

    /// The command that builds some of the programs.
    pub fn build(&self, programs: &[&str], target: &Path) -> Command {
        let mut command = self.cargo("build");
        command.args(["--release", "--offline", "--target-dir"]).arg(target);
        programs.iter().for_each(|program| {
            command.args(["--bin", program]);
        });
        command
    }

    fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new("cargo");
        command.args([subcommand, "--quiet"]).current_dir(&self.directory).env("CARGO_INCREMENTAL", "0");
        SETTINGS.iter().for_each(|variable| {
            command.env_remove(variable);
        });
        command
    }
}
