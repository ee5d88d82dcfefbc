//! Proves that the list of operations is complete: every public function and method that computes is in it, and each
//! operation has a row in the README's table that states its bound.
//!
//! The crate's sources are read as text. What `src/lib.rs` exports is public. Methods are found in `twins!` blocks, as
//! `=> fn forward | par_forward`, in an `impl` block or in a macro `methods!` of the same file.

use std::collections::{BTreeMap, BTreeSet};

use activations::{ACTIVATIONS, by_name};
use operations::{Element, Operation, Parameters, Shape};

/// Public names that compute nothing over slices.
const NO_OPERATIONS: [&str; 19] = [
    "ACTIVATIONS",
    "Activation",
    "ActivationExt",
    "ExactActivation",
    "Class",
    "Exact",
    "Float",
    "Offset",
    "Ragged",
    "GatedRows",
    "Isa",
    "UnknownIsa",
    "Weight",
    "by_name",
    "set_streaming_threshold",
    "streaming_threshold",
    "Readme",
    "Saved",
    "Scale",
];

/// The text of a file of the repository.
fn read(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The list, on a small tensor.
fn all<T: Element>() -> Vec<Operation<T>> {
    operations::all(Shape { outer: 2, axis: 3, inner: 1 }, &Parameters::default())
}

/// The name of an item without case and underscores: `LeakyRelu` and `leaky_relu` are the same item.
fn normalized(item: &str) -> String {
    item.replace('_', "").to_lowercase()
}

/// The names that `pub use` statements of the crate's root export.
fn exported() -> BTreeSet<String> {
    let root = read("src/lib.rs");
    let statements = root.split("\npub use ").skip(1).map(|rest| rest.split(';').next().expect("a statement"));
    let names = statements.flat_map(|statement| {
        statement.rsplit("::").next().expect("a path").trim_matches(['{', '}', ' ', '\n']).split(',')
    });
    names.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
}

/// The names of the methods in a text: both names of each `=> fn forward | par_forward`.
fn methods(text: &str) -> BTreeSet<String> {
    let pairs = text.split("=> fn ").skip(1).filter_map(|rest| rest.split_once(" | "));
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    pairs.flat_map(|(serial, rest)| [word(serial), word(rest)]).collect()
}

/// The text of each top-level item that begins with `start`, from behind `start` to the closing brace.
fn items<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let begin = text.match_indices(start).filter(|(at, _)| *at == 0 || text.as_bytes()[at - 1] == b'\n');
    begin.map(move |(at, _)| {
        let item = &text[at + start.len()..];
        &item[..item.find("\n}").unwrap_or(item.len())]
    })
}

/// The methods of each type of a file that has any.
fn methods_by_type(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = read(file);
    let shared: BTreeSet<String> = items(&text, "macro_rules! methods").flat_map(methods).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items(&text, "impl ") {
        let (name, body) = item.split_once(" {").expect("a body");
        let mut of_type = methods(body);
        if body.contains("methods!(") {
            of_type.extend(shared.clone());
        }
        found.entry(name.trim().to_string()).or_default().extend(of_type);
    }
    found.retain(|_, methods| !methods.is_empty());
    found
}

/// The names of the forms of an item in the list, either of its exact tier or of all else.
fn listed<T: Element>(operations: &[Operation<T>], item: &str, is_exact: bool) -> BTreeSet<String> {
    let of_item = operations.iter().filter(|operation| {
        normalized(operation.item) == normalized(item) && operation.name.starts_with("exact ") == is_exact
    });
    of_item.flat_map(|operation| operation.forms.iter().map(|form| form.name.to_string())).collect()
}

#[test]
fn every_public_name_is_in_the_list() {
    let listed: BTreeSet<String> = all::<f32>().iter().map(|operation| normalized(operation.item)).collect();
    let public = exported();
    assert!(public.len() > 20, "the root exports {public:?}");
    // `Scale` is a parameter, `scale` an operation.
    for name in public.iter().filter(|name| !NO_OPERATIONS.contains(&&***name)) {
        let item = name.strip_prefix("par_").unwrap_or(name);
        assert!(listed.contains(&normalized(item)), "{name} is public, but not in the list of operations");
    }
    for item in listed {
        assert!(public.iter().any(|name| normalized(name) == item), "{item} is in the list, but not public");
    }
}

#[test]
fn every_method_is_in_the_list() {
    let (single, double) = (all::<f32>(), all::<f64>());
    let mut expected: Vec<(String, bool, BTreeSet<String>)> = Vec::new();
    let of_activations: BTreeSet<String> =
        items(&read("src/activation/methods.rs"), "macro_rules! methods").flat_map(methods).collect();
    for act in ACTIVATIONS {
        expected.push((act.name().to_string(), false, of_activations.clone()));
        if act.exact().is_some() {
            expected.push((act.name().to_string(), true, of_activations.clone()));
        }
    }
    expected.push(("gated".to_string(), false, methods(&read("src/gated.rs"))));
    for file in ["src/prelu.rs", "src/softmax.rs", "src/softmax/exact.rs", "src/loss.rs"] {
        for (name, methods) in methods_by_type(file) {
            let exact = name.strip_prefix("Exact<").map(|rest| rest.trim_end_matches('>').to_string());
            expected.push((exact.clone().unwrap_or(name), exact.is_some(), methods));
        }
    }
    for name in exported().into_iter().filter(|name| name.starts_with("par_")) {
        let serial = name.strip_prefix("par_").expect("the prefix").to_string();
        expected.push((serial.clone(), false, [serial, name].into()));
    }
    assert!(expected.len() >= 16, "{expected:?}");
    for (item, is_exact, methods) in expected {
        assert!(!methods.is_empty(), "no methods of {item} were found in the sources");
        assert_eq!(listed(&single, &item, is_exact), methods, "the methods of {item} in f32, exact tier: {is_exact}");
        if !is_exact {
            assert_eq!(listed(&double, &item, is_exact), methods, "the methods of {item} in f64");
        }
    }
}

#[test]
fn every_item_has_a_row_with_its_bound_in_the_readme() {
    let readme = read("README.md");
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut seen = BTreeSet::new();
    // The table has the bound of an item's first operation.
    for operation in all::<f32>().iter().filter(|operation| seen.insert(operation.item)) {
        let row = rows.iter().find(|row| normalized(row[1].trim_matches('`')) == normalized(operation.item));
        let row = row.unwrap_or_else(|| panic!("{} has no row in the README's table", operation.item));
        let bound = operation.bound.to_string();
        assert!(row.contains(&&*bound), "the README's row of {} should state its bound: {bound}", operation.item);
    }
}

#[test]
fn every_activation_is_found_by_its_name() {
    for act in ACTIVATIONS {
        let found = by_name(act.name()).unwrap_or_else(|| panic!("{} is not found by its name", act.name()));
        assert_eq!(found.name(), act.name());
    }
    let names: BTreeSet<&str> = ACTIVATIONS.iter().map(|act| act.name()).collect();
    assert_eq!(names.len(), ACTIVATIONS.len(), "two activations have one name");
}

#[test]
fn names_of_operations_are_unique() {
    let operations = all::<f32>();
    let names: BTreeSet<&str> = operations.iter().map(|operation| &*operation.name).collect();
    assert_eq!(names.len(), operations.len(), "two operations have one name");
}
