//! `tutti apply`

use std::{
    fs,
    path::{Path, PathBuf},
};

use tutti_api::{Code, DocumentDiagnostic, Operation, Problem, WorkflowVersion};
use tutti_dsl::{Diagnostic, Span};

use super::{
    ask::{Ask, Client, Reply},
    bump::{bumped, member},
    table::one_line,
};
use crate::{
    command_line::{ApplyArguments, Bump},
    console::{self, Console, Style},
    exit::{Exit, Failure},
    resources::{Loader, directory_of},
    run::read_file,
    validate::shown_as_text,
};

/// How often a version is raised before giving up.
const MOST_BUMPS: usize = 1_000;
/// The most files that a directory may hold.
const MOST_FILES: usize = 10_000;

/// A document and where it came from.
struct Document {
    file: PathBuf,
    text: String,
}

/// Publishes workflows: each by itself, and all that can be.
pub(crate) fn apply(arguments: &ApplyArguments, console: &Console) -> Result<Exit, Failure> {
    let files = files(&arguments.files)?;
    let mut client = Client::new(&arguments.server, console)?;
    let mut worst = Exit::Completed;
    for file in files {
        let document = Document { text: read_file(&file)?, file };
        if !client.settings.is_namespace_given
            && let Some(namespace) = member(&document.text, "namespace")
        {
            client.settings.namespace = namespace;
        }
        match publish(&client, document, arguments.bump, console) {
            Ok(Exit::Completed) => {}
            Ok(exit) => worst = exit,
            Err(failure) if failure.exit == Exit::Invalid => {
                console.failure(&failure);
                worst = Exit::Invalid;
            }
            // Where the server cannot be asked, it cannot be asked for the others either.
            Err(failure) => return Err(failure),
        }
    }
    Ok(worst)
}

/// The files that are meant, those of a directory by their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(in_directory(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = directory.display();
    let fail = |error| Failure::of(&format!("cannot list {shown}"), &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)?.take(MOST_FILES) {
        let path = entry.map_err(fail)?.path();
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if ["yaml", "yml", "json"].contains(&extension) && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("there is no .yaml, .yml or .json file in {shown}")));
    }
    files.sort();
    Ok(files)
}

fn publish(
    client: &Client,
    mut document: Document,
    bump: Option<Bump>,
    console: &Console,
) -> Result<Exit, Failure> {
    let mut is_raised = false;
    for _time in 0..MOST_BUMPS {
        let ask =
            Ask::new(Operation::PublishWorkflow).body("application/yaml", document.text.clone());
        let reply = client.block_on(client.answer(&ask))?;
        if reply.status.is_success() {
            if is_raised {
                write_back(&document)?;
            }
            return told(client, &reply, &document, console);
        }
        let problem = serde_json::from_slice::<Problem>(&reply.body).ok();
        match (problem, bump) {
            (Some(problem), _) if !problem.diagnostics.is_empty() => {
                show(&problem.diagnostics, &document, console);
                let verdict = console.paint.paint(Style::Bad, "invalid");
                console.line(&format!("{verdict} {}", document.file.display()));
                return Ok(Exit::Invalid);
            }
            (Some(problem), Some(part)) if problem.code == Code::VersionTaken => {
                document.text = raise(&document, part)?;
                is_raised = true;
            }
            _ => return Err(about(client.refused(&reply), &document)),
        }
    }
    let message = format!("{MOST_BUMPS} versions in a row are published with other content");
    Err(about(Failure::usage(message), &document))
}

fn raise(document: &Document, part: Bump) -> Result<String, Failure> {
    bumped(&document.text, part).map(|(text, _version)| text).ok_or_else(|| {
        let failure = Failure::usage("its `document.version` cannot be raised");
        about(failure.hint("write another version into the file"), document)
    })
}

/// Says which file it is about.
fn about(failure: Failure, document: &Document) -> Failure {
    let message = format!("{}: {}", document.file.display(), failure.message);
    Failure { message, ..failure }
}

fn write_back(document: &Document) -> Result<(), Failure> {
    let file = document.file.display();
    fs::write(&document.file, &document.text).map_err(|error| {
        let attempt = format!("it is published, but its version cannot be written into {file}");
        Failure::of(&attempt, &error)
    })
}

fn told(
    client: &Client,
    reply: &Reply,
    document: &Document,
    console: &Console,
) -> Result<Exit, Failure> {
    let version: WorkflowVersion = client.read(reply)?;
    show(&version.warnings, document, console);
    let word = if reply.status.as_u16() == 201 { "published" } else { "unchanged" };
    let name = format!("{}/{} {}", version.namespace, version.name, version.version);
    console::print(&format!("{word} {}\n", one_line(&name)))
}

/// Shows what the server found, as `tutti validate` does.
fn show(found: &[DocumentDiagnostic], document: &Document, console: &Console) {
    if found.is_empty() {
        return;
    }
    let resources =
        Loader { directory: Some(directory_of(&document.file)), web: None }.load(&document.text);
    let own = tutti_dsl::parse_with(&document.text, &resources).diagnostics;
    let name = document.file.display().to_string();
    for told in found {
        match known(told, &own) {
            Some(diagnostic) => {
                let shown = shown_as_text(&[diagnostic], &name, &document.text, console.paint);
                console.say(&shown);
            }
            None => console.line(&plainly(told, &name)),
        }
    }
}

/// What the server found, in the words of this program's own check; it knows how far the place reaches.
fn known(told: &DocumentDiagnostic, own: &[Diagnostic]) -> Option<Diagnostic> {
    let code = tutti_dsl::Code::ALL.iter().find(|code| code.as_str() == told.code)?;
    let same = own
        .iter()
        .find(|it| it.code == *code && (it.span.line, it.span.column) == (told.line, told.column));
    let bytes = same.map_or(0..0, |same| same.span.bytes.clone());
    Some(Diagnostic {
        code: *code,
        message: one_line(&told.message),
        hint: told.hint.as_deref().map(one_line),
        span: Span { bytes, line: told.line, column: told.column },
        pointer: told.pointer.clone(),
    })
}

/// What is told of a rule that this program does not know.
fn plainly(told: &DocumentDiagnostic, name: &str) -> String {
    let DocumentDiagnostic { severity, code, message, line, column, .. } = told;
    let hint = told.hint.as_ref().map(|hint| format!("\nhint: {}", one_line(hint)));
    let what = one_line(&format!("{severity}[{code}]: {message}"));
    format!("{what}\n --> {name}:{line}:{column}{}", hint.unwrap_or_default())
}
