//! `tutti validate`

mod github;
mod json;
mod sarif;
mod text;

use std::path::PathBuf;

use tutti_dsl::Diagnostic;

pub(crate) use self::text::shown_as_text;
use crate::{
    command_line::{DiagnosticFormat, ValidateArguments},
    console::{self, Console, Style},
    exit::{Exit, Failure},
    resources::{Loader, directory_of},
    run::{Stdin, read_file},
};

/// A document with all that is wrong with it.
#[derive(Debug)]
struct Checked {
    name: String,
    text: String,
    diagnostics: Vec<Diagnostic>,
    is_valid: bool,
}

/// Checks documents and prints what is wrong with them.
pub(crate) fn validate(arguments: &ValidateArguments, console: &Console) -> Result<Exit, Failure> {
    let mut stdin = Stdin::default();
    let mut checked = Vec::new();
    let mut unreadable = false;
    for file in &arguments.files {
        let from_stdin = file.as_os_str() == "-";
        let text = if from_stdin { stdin.read("FILE") } else { read_file(file) };
        match text {
            Ok(text) => {
                let name =
                    if from_stdin { "<stdin>".to_owned() } else { file.display().to_string() };
                checked.push(check(name, text, directory_of(file)));
            }
            Err(failure) => {
                unreadable = true;
                console.failure(&if file.is_dir() {
                    Failure::usage(format!("{} is a directory", file.display()))
                        .hint(format!("name the files: {}/*.yaml", file.display()))
                } else {
                    failure
                });
            }
        }
    }
    show(&checked, arguments.output, console)?;
    let all_valid = !unreadable && checked.iter().all(|document| document.is_valid);
    Ok(if all_valid { Exit::Completed } else { Exit::Invalid })
}

/// What is on the web is not loaded: checking a document asks nobody.
fn check(name: String, text: String, directory: PathBuf) -> Checked {
    let resources = Loader { directory: Some(directory), web: None }.load(&text);
    let parsed = tutti_dsl::parse_with(&text, &resources);
    Checked { name, text, is_valid: !parsed.has_errors(), diagnostics: parsed.diagnostics }
}

fn show(checked: &[Checked], format: DiagnosticFormat, console: &Console) -> Result<Exit, Failure> {
    match format {
        DiagnosticFormat::Text => {
            for document in checked {
                say(document, console);
            }
            Ok(Exit::Completed)
        }
        DiagnosticFormat::Json => console::print(&json::all(checked)),
        DiagnosticFormat::Sarif => console::print(&sarif::all(checked)),
        DiagnosticFormat::Github => console::print(&github::all(checked)),
    }
}

/// For people, on standard error: the diagnostics of a document and a verdict.
fn say(document: &Checked, console: &Console) {
    let paint = console.paint;
    let Checked { name, text, diagnostics, is_valid } = document;
    let (verdict, style) = if *is_valid { ("valid", Style::Good) } else { ("invalid", Style::Bad) };
    let shown = shown_as_text(diagnostics, name, text, paint);
    let verdict = paint.paint(style, verdict);
    console.say(&format!("{shown}{verdict} {name}{}\n", text::counts(diagnostics)));
}
