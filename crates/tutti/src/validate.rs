//! `tutti validate`

mod github;
mod json;
mod sarif;
mod text;

use std::path::{Path, PathBuf};

use tutti_dsl::Diagnostic;

pub(crate) use self::text::shown_as_text;
use crate::{
    codes::UNREADABLE_FILE,
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

/// A file that could not be read, and why.
#[derive(Debug)]
struct Unread {
    name: String,
    failure: Failure,
}

/// Checks documents and prints what is wrong with them.
pub(crate) fn validate(arguments: &ValidateArguments, console: &Console) -> Result<Exit, Failure> {
    let mut stdin = Stdin::default();
    let mut checked = Vec::new();
    let mut unread = Vec::new();
    for file in &arguments.files {
        let from_stdin = file.as_os_str() == "-";
        let text = if from_stdin { stdin.read("FILE") } else { read_file(file) };
        let name = if from_stdin { "<stdin>".to_owned() } else { file.display().to_string() };
        match text {
            Ok(text) => checked.push(check(name, text, directory_of(file))),
            Err(failure) => {
                let failure = about(file, failure);
                console.failure(&failure);
                unread.push(Unread { name, failure });
            }
        }
    }
    show(&checked, &unread, arguments.output, console)?;
    let all_valid = unread.is_empty() && checked.iter().all(|document| document.is_valid);
    Ok(if all_valid { Exit::Completed } else { Exit::Invalid })
}

/// Why a file could not be read, with its code.
fn about(file: &Path, failure: Failure) -> Failure {
    let failure = if file.is_dir() {
        Failure::usage(format!("{} is a directory", file.display()))
            .hint(format!("name the files: {}/*.yaml", file.display()))
    } else {
        failure
    };
    Failure { code: Some(UNREADABLE_FILE.text), ..failure }
}

/// What is on the web is not loaded: checking a document asks nobody.
fn check(name: String, text: String, directory: PathBuf) -> Checked {
    let resources = Loader { directory: Some(directory), web: None }.load(&text);
    let parsed = tutti_dsl::parse_with(&text, &resources);
    Checked { name, text, is_valid: !parsed.has_errors(), diagnostics: parsed.diagnostics }
}

fn show(
    checked: &[Checked],
    unread: &[Unread],
    format: DiagnosticFormat,
    console: &Console,
) -> Result<Exit, Failure> {
    match format {
        DiagnosticFormat::Text => {
            for document in checked {
                say(document, console);
            }
            Ok(Exit::Completed)
        }
        DiagnosticFormat::Json => console::print(&json::all(checked, unread)),
        DiagnosticFormat::Sarif => console::print(&sarif::all(checked, unread)),
        DiagnosticFormat::Github => console::print(&github::all(checked, unread)),
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
