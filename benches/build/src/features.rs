//! Sets of the crate's features.

use std::fmt;

/// The features that a program asks for.
#[derive(Clone, PartialEq)]
pub struct Features {
    /// Whether the default features are among them.
    pub default: bool,
    /// The others, in alphabetical order.
    pub names: Vec<String>,
}

impl Features {
    /// Without the default features, with those of `names` that exist.
    pub fn only(names: &[&str], exist: &[String]) -> Self {
        let mut names: Vec<String> = exist.iter().filter(|name| names.contains(&name.as_str())).cloned().collect();
        names.sort();
        Self { default: false, names }
    }

    /// The sets that are measured.
    pub fn sets(exist: &[String], defaults: &[String]) -> Vec<Self> {
        let all_but_rayon: Vec<&str> = defaults.iter().map(String::as_str).filter(|name| *name != "rayon").collect();
        let mut sets = vec![Self { default: true, names: vec![] }];
        for names in [&[][..], &["f64"], &["exact"], &all_but_rayon, Self::ALL_OPERATIONS] {
            let set = Self::only(names, exist);
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }

    /// The features that add operations. With all of them a build has every operation, but no threads.
    pub const ALL_OPERATIONS: &[&str] = &["exact", "f64"];

    /// The keys of the dependency in a manifest.
    pub fn keys(&self) -> String {
        format!("default-features = {}, features = {:?}", self.default, self.names)
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.default, &self.names[..]) {
            (true, _) => write!(f, "default"),
            (false, []) => write!(f, "no default features"),
            (false, names) => write!(f, "no default features but {}", names.join(", ")),
        }
    }
}
