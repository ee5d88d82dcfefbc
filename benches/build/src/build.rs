//! Builds of a package in an empty target directory, and their costs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::{self, Seconds};
use crate::package::Package;

/// The program without code of its own, which every package has.
const EMPTY_PROGRAM: &str = "nothing";

/// A package and the costs of its builds.
pub struct Build {
    /// The name in the tables.
    pub name: String,
    package: Package,
    library: Option<&'static str>,
    programs: &'static [&'static str],
    costs: Vec<Cost>,
}

/// The costs of one build.
#[derive(Default)]
struct Cost {
    /// CPU seconds of the whole build.
    whole: f64,
    /// CPU seconds of the compile of the library.
    library: f64,
    /// Bytes of machine code in the library.
    library_text: u64,
    /// The sizes of the programs.
    sizes: Vec<Size>,
}

/// The size of a stripped program.
#[derive(Clone, Copy)]
pub struct Size {
    /// Bytes of the file.
    pub file: u64,
    /// Bytes of machine code in it.
    pub text: u64,
}

impl Build {
    /// Measures CPU seconds of the empty program and of this library in it, and the sizes of these programs.
    pub fn new(name: &str, package: Package, library: Option<&'static str>, programs: &'static [&'static str]) -> Self {
        package.fetch();
        Self { name: name.to_owned(), package, library, programs, costs: vec![] }
    }

    /// Builds everything in this target directory, which must not exist.
    pub fn run(&mut self, target: &Path) {
        fs::create_dir(target).expect("a new target directory");
        let mut cost = Cost::default();
        let seconds = Seconds::of(self.package.build(&[EMPTY_PROGRAM], target), &target.join("seconds"));
        cost.whole = seconds.whole;
        if let Some(library) = self.library {
            cost.library = seconds.of_crate(library);
            cost.library_text = measure::text_bytes(&library_file(target, library));
        }
        if !self.programs.is_empty() {
            let status = self.package.build(self.programs, target).status().expect("cargo can be run");
            assert!(status.success(), "the programs cannot be built");
            cost.sizes = self.programs.iter().map(|program| Size::of(&target.join("release").join(program))).collect();
        }
        self.costs.push(cost);
    }

    /// CPU seconds of everything, dependencies included, in each run.
    pub fn whole(&self) -> Vec<f64> {
        self.costs.iter().map(|cost| cost.whole).collect()
    }

    /// CPU seconds of the library's own compile in each run.
    pub fn library(&self) -> Vec<f64> {
        self.costs.iter().map(|cost| cost.library).collect()
    }

    /// Bytes of machine code in the library.
    pub fn library_text(&self) -> u64 {
        self.costs[0].library_text
    }

    /// The programs with their sizes.
    pub fn sizes(&self) -> impl Iterator<Item = (&'static str, Size)> {
        self.programs.iter().copied().zip(self.costs[0].sizes.iter().copied())
    }

    /// The size of one of the programs.
    pub fn size(&self, program: &str) -> Size {
        self.sizes().find(|(name, _)| *name == program).expect("the program was built").1
    }
}

impl Size {
    fn of(program: &Path) -> Self {
        Self { file: measure::bytes(program), text: measure::text_bytes(program) }
    }
}

/// The one library of this name in a target directory.
fn library_file(target: &Path, name: &str) -> PathBuf {
    let is_it = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
    };
    let entries = fs::read_dir(target.join("release/deps")).expect("the target directory can be read");
    let mut files = entries.map(|entry| entry.expect("an entry").path()).filter(is_it);
    let file = files.next().unwrap_or_else(|| panic!("there is no library {name}"));
    assert!(files.next().is_none(), "there is more than one library {name}");
    file
}
