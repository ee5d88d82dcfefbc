//! Adds activations to a copy of the crate: sigmoids with other names and constants.

use std::fs;
use std::path::Path;

/// Adds this many activations to a copy of the crate.
pub fn add(directory: &Path, count: usize) {
    let source = directory.join("src");
    let sigmoid = read(&source.join("activation/sigmoid.rs"));
    for k in 1..=count {
        write(&source.join(format!("activation/generated{k}.rs")), &generated(&sigmoid, k));
        edit(&source.join("activation.rs"), |text| listed(text, k));
        edit(&source.join("lib.rs"), |text| {
            let (list, with_one_more) = ("pub use activation::{", format!("pub use activation::{{Generated{k}, "));
            text.contains(list).then(|| text.replacen(list, &with_one_more, 1))
        });
    }
}

/// The sigmoid with another name and other numbers, so that neither compiler nor linker merges the two.
fn generated(sigmoid: &str, k: usize) -> String {
    let renamed =
        sigmoid.replace("\"sigmoid\"", &format!("\"generated{k}\"")).replace("Sigmoid", &format!("Generated{k}"));
    let (start, formula) = renamed.split_once("impl Formula").expect("the sigmoid has a formula");
    format!("{start}impl Formula{}", with_other_numbers(formula, k))
}

/// Adds a little to every number with a decimal point, except 0.
fn with_other_numbers(code: &str, k: usize) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
    let mut changed = 0;
    let words = code.split_inclusive(|c| !is_part(c)).map(|word| {
        let (number, rest) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
        let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.') && number.contains('.');
        match number.parse::<f64>() {
            Ok(value) if is_plain && value != 0.0 => {
                changed += 1;
                format!("{:?}{rest}", value + k as f64 / 64.0)
            }
            _ => word.to_owned(),
        }
    });
    let code = words.collect();
    assert!(changed > 0, "the sigmoid has no number to change");
    code
}

/// The list of the activations with one more at its end.
fn listed(text: &str, k: usize) -> Option<String> {
    let list = text.rfind("\nactivations! {")?;
    let end = list + text[list..].find("\n}")?;
    Some(format!("{}\n    generated{k}::Generated{k} exact,{}", &text[..end], &text[end..]))
}

/// Changes a file. Panics if `change` does not find the place to change.
fn edit(path: &Path, change: impl Fn(&str) -> Option<String>) {
    let changed = change(&read(path)).unwrap_or_else(|| panic!("{}: no list of activations", path.display()));
    write(path, &changed);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
