//! A copy of a checkout. Later changes of the one do not affect the other.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The tables of a manifest that do not matter to dependents. Without them the copy needs no file that they name.
const UNUSED: [&str; 7] = ["bench", "example", "test", "dev-dependencies", "lints", "profile", "workspace"];

/// A copy of the crate without its tests and benchmarks.
pub struct Checkout {
    /// The directory of the copy.
    pub directory: PathBuf,
    manifest: Table,
}

impl Checkout {
    /// Copies the files that a dependent needs.
    pub fn copy(from: &Path, to: &Path) -> Self {
        copy_directory(&from.join("src"), &to.join("src"));
        for name in ["README.md", "build.rs", "Cargo.lock"] {
            if from.join(name).exists() {
                fs::copy(from.join(name), to.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        let manifest = fs::read_to_string(from.join("Cargo.toml")).expect("the checkout has a manifest");
        let manifest = for_dependents(manifest.parse().expect("the manifest is TOML"));
        fs::write(to.join("Cargo.toml"), manifest.to_string()).expect("the manifest can be written");
        Self { directory: to.to_owned(), manifest }
    }

    /// The names of its features.
    pub fn features(&self) -> Vec<String> {
        self.manifest.get("features").and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect()
    }

    /// The default features.
    pub fn default_features(&self) -> Vec<String> {
        let default = self.manifest.get("features").and_then(|features| features.get("default"));
        let names = default.and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The lock file, to be copied beside the manifest of a program.
    pub fn lock(&self) -> PathBuf {
        self.directory.join("Cargo.lock")
    }
}

/// The manifest without tables whose files were not copied.
fn for_dependents(mut manifest: Table) -> Table {
    manifest.retain(|key, _| !UNUSED.contains(&key));
    for (_, target) in manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten() {
        target.as_table_mut().expect("a target is a table").remove("dev-dependencies");
    }
    manifest
}

/// Copies a directory with all that is below it.
fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the copy can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("the directory can be read");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_directory(&from, &to);
        } else {
            fs::copy(from, to).expect("a file can be copied");
        }
    }
}
