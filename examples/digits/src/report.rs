//! The results of the experiments, as a table for the terminal and as a page.

use std::path::PathBuf;
use std::{env, fs, io};

use comfy_table::{Table, presets};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::experiments::SEEDS;

/// An experiment and its results.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// Pairs of a measured quantity and its value.
    pub findings: Vec<(String, String)>,
    /// The explanation and the plots.
    pub body: Markup,
}

/// A table with one line for each finding of each section.
pub fn table(sections: &[Section]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["", "measured", "result"]);
    for section in sections {
        for (i, (measured, result)) in section.findings.iter().enumerate() {
            table.add_row([if i == 0 { section.title } else { "" }, measured, result]);
        }
    }
    table
}

/// Writes the page to the target directory and returns its path.
pub fn write(sections: &[Section]) -> io::Result<PathBuf> {
    let path = target_directory()?.join("digits.html");
    fs::write(&path, page(sections).into_string())?;
    Ok(path)
}

/// Cargo's target directory if the program lies below one, otherwise the program's own directory.
fn target_directory() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // Cargo puts this file into every target directory.
    let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    let directory = target.or(program.parent()).expect("a program is in a directory");
    Ok(directory.to_path_buf())
}

fn page(sections: &[Section]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Activation functions on handwritten digits" }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                h1 { "Activation functions on handwritten digits" }
                p {
                    "Small networks learn to read 8 x 8 pixel digits. Every activation, softmax, loss, gradient and clip "
                    "is a call of the crate " code { "activations" } "; every number here was measured by the run that "
                    "wrote this page. The experiments are repeated with " (SEEDS.len()) " seeds; their medians are shown."
                }
                @for section in sections {
                    h2 { (section.title) }
                    (section.body)
                    table {
                        @for (measured, result) in &section.findings {
                            tr { td { (measured) } td { (result) } }
                        }
                    }
                }
                footer {
                    "Data: E. Alpaydin, C. Kaynak, "
                    a href="https://doi.org/10.24432/C50P49" { "Optical Recognition of Handwritten Digits" }
                    " (test set), UCI Machine Learning Repository, 1998, CC BY 4.0."
                }
            }
        }
    }
}
