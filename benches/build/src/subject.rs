//! A checkout of the crate and all its builds.

use std::path::Path;

use crate::build::Build;
use crate::checkout::Checkout;
use crate::features::Features;
use crate::more;
use crate::package::Package;

/// The library that is measured.
const LIBRARY: &str = "activations";

/// The programs that depend on the crate, by name.
const PROGRAMS: [(&str, &str); 4] = [
    ("nothing", "use activations as _;\n\nfn main() {}\n"),
    ("relu", include_str!("../programs/relu.rs")),
    ("softmax", include_str!("../programs/softmax.rs")),
    ("everything", include_str!("../programs/everything.rs")),
];

/// A checkout and its builds.
pub struct Subject {
    /// The name in the tables.
    pub label: String,
    /// One build for each set of features.
    pub sets: Vec<(Features, Build)>,
    /// The set of features with every operation and no threads.
    pub operations: Features,
    /// The build with that set and more activations.
    pub more: Build,
}

impl Subject {
    /// Copies a checkout to a new directory, with its builds beside it.
    pub fn new(label: &str, from: &Path, directory: &Path, more: usize) -> Self {
        let checkout = Checkout::copy(from, &directory.join("crate"));
        let exist = checkout.features();
        let operations = Features::only(Features::ALL_OPERATIONS, &exist);
        let sets = Features::sets(&exist, &checkout.default_features()).into_iter().enumerate().map(|(k, features)| {
            let programs: &[&str] = if features == operations { &["relu", "softmax", "everything"] } else { &[] };
            let name = format!("{label}, {features}");
            let build = build(&name, &checkout, &features, &directory.join(format!("set{k}")), programs);
            (features, build)
        });
        let sets = sets.collect();
        let larger = Checkout::copy(from, &directory.join("larger"));
        more::add(&larger.directory, more);
        let name = format!("{label}, {operations}, {more} more activations");
        let more = build(&name, &larger, &operations, &directory.join("more"), &["everything"]);
        Self { label: label.to_owned(), sets, operations, more }
    }

    /// All builds.
    pub fn builds(&mut self) -> impl Iterator<Item = &mut Build> {
        self.sets.iter_mut().map(|(_, build)| build).chain([&mut self.more])
    }

    /// The build with every operation and no threads.
    pub fn of_operations(&self) -> &Build {
        &self
            .sets
            .iter()
            .find(|(features, _)| *features == self.operations)
            .expect("the features are one of the sets")
            .1
    }
}

/// A build of the programs with a copy of the crate.
fn build(
    name: &str,
    checkout: &Checkout,
    features: &Features,
    directory: &Path,
    programs: &'static [&'static str],
) -> Build {
    let path = toml::Value::from(checkout.directory.display().to_string());
    let dependency = format!("{LIBRARY} = {{ path = {path}, {} }}", features.keys());
    let package = Package::new(directory, &dependency, &PROGRAMS).locked_by(&checkout.lock());
    Build::new(name, package, Some(LIBRARY), programs)
}
