//! The document that is run, and those it runs as children.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tutti_dsl::{Diagnostic, EachBody, Process, Severity, Subworkflow, TaskKind, Workflow};
use tutti_engine::Definitions as _;
use tutti_runtime::{Library, PublishError};
use tutti_store::DefinitionText;

use super::input::{Stdin, read_file};
use crate::{
    console::Console,
    exit::{Exit, Failure},
    resources::{Loader, Missing, Web, directory_of},
    validate,
};

/// How many files of a directory are looked at for children.
const MAX_FILES: usize = 1_000;
/// The largest file of a directory that is looked at, in bytes: the limit of documents.
const MAX_BYTES: u64 = 512 * 1024;

/// A document that is ready to be run.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) text: DefinitionText,
    pub(super) workflow: Arc<Workflow>,
    /// Everything published beside it.
    pub(super) children: Vec<DefinitionText>,
}

/// What checks and publishes documents.
#[derive(Clone, Copy)]
pub(super) struct Publisher<'a> {
    pub(super) library: &'a Library,
    /// Where resources come from, beside files.
    pub(super) web: Option<&'a Web>,
    pub(super) console: &'a Console,
}

impl<'a> Publisher<'a> {
    /// Publishes the document in `file`, those in `others`, and, if it runs any as children, the others of its directory.
    pub(super) fn publish(
        self,
        file: &Path,
        others: &[PathBuf],
        stdin: &mut Stdin,
    ) -> Result<Published, Failure> {
        let (text, workflow) = self.publish_one(file, stdin)?;
        let mut children = Vec::new();
        for other in others {
            children.push(self.publish_one(other, stdin)?.0);
        }
        if subworkflows(&workflow).next().is_some() && !is_stdin(file) {
            children.extend(publish_siblings(&workflow, self.library, &self.loader(file)));
        }
        warn_of_missing(&workflow, self.library, file, self.console);
        refuse_admission(&workflow, self.library, &name_of(file))?;
        // Going on starts nothing.
        if self.web.is_some() && workflow.schedule.is_some() {
            let hint = "`tutti run` starts it once; a server starts it whenever its schedule says";
            let message = format!("{} has a schedule, which is not kept here", name_of(file));
            self.console.warning(&message, Some(hint));
        }
        Ok(Published { text, workflow, children })
    }

    fn publish_one(
        self,
        file: &Path,
        stdin: &mut Stdin,
    ) -> Result<(DefinitionText, Arc<Workflow>), Failure> {
        let text = if is_stdin(file) { stdin.read("FILE")? } else { read_file(file)? };
        let resources = self.loader(file).load(&text);
        let told = self.web.map(Web::told).unwrap_or_default();
        told.copies.iter().for_each(|message| self.console.warning(message, None));
        let published = self.library.publish_with(&text, &resources);
        published.map_err(|error| self.refused(file, &text, error, told.missing))
    }

    fn refused(
        self,
        file: &Path,
        text: &str,
        error: PublishError,
        missing: Vec<Missing>,
    ) -> Failure {
        let PublishError::Invalid { diagnostics } = error else {
            return Failure::usage(error.to_string());
        };
        let name = name_of(file);
        let shown = validate::shown_as_text(&diagnostics, &name, text, self.console.paint);
        self.console.say(&shown);
        invalid(&name, &diagnostics, missing)
    }

    fn loader(self, file: &Path) -> Loader<'a> {
        Loader { directory: Some(directory_of(file)), web: self.web }
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// What a document is called where something is said about it.
fn name_of(file: &Path) -> String {
    if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// What is said of a document that cannot be published, after what is wrong with it.
fn invalid(name: &str, diagnostics: &[Diagnostic], missing: Vec<Missing>) -> Failure {
    let more = missing.len().saturating_sub(1);
    // What follows from something that is missing may be no mistake of the document.
    if let Some(Missing { what, hint }) = missing.into_iter().next() {
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        return Failure::usage(format!("{name} needs what is not to be had: {what}{more}"))
            .hint(hint);
    }
    let errors = diagnostics.iter().filter(|d| d.severity() == Severity::Error).count();
    if errors == 0 {
        let message = format!("{name} needs what was not loaded");
        return Failure::usage(message).hint("leave it out: what it started with is stored");
    }
    Failure::usage(format!("{name} is not a valid workflow: {}", count(errors)))
        .hint("`tutti explain CODE` tells more about an error")
}

fn count(errors: usize) -> String {
    if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") }
}

/// Publishes every document of the directory that is a valid workflow; what is anything else is left alone. Resources are
/// loaded for those alone that are children.
fn publish_siblings(
    workflow: &Arc<Workflow>,
    library: &Library,
    loader: &Loader<'_>,
) -> Vec<DefinitionText> {
    let mut published = Vec::new();
    let mut parents = vec![workflow.clone()];
    let mut needy = Vec::new();
    for path in documents_in(loader.directory.as_deref().unwrap_or(Path::new("."))) {
        let small = fs::metadata(&path).is_ok_and(|about| about.len() <= MAX_BYTES);
        let text = if small { fs::read_to_string(&path).ok() } else { None };
        let Some(text) = text else { continue };
        if !tutti_dsl::parse(&text).needs.is_empty() {
            needy.push(text);
        } else if let Ok((text, workflow)) = library.publish(&text) {
            published.push(text);
            parents.push(workflow);
        }
    }
    while let Some(next) = needy.iter().position(|text| is_child(text, &parents)) {
        let text = needy.remove(next);
        if let Ok((text, workflow)) = library.publish_with(&text, &loader.load(&text)) {
            published.push(text);
            parents.push(workflow);
        }
    }
    published
}

/// Whether one of these workflows runs the one of this text.
fn is_child(text: &str, parents: &[Arc<Workflow>]) -> bool {
    let Ok(document) = tutti_dsl::parse_value(text) else { return false };
    let named = |key: &str| document.get("document").and_then(|about| about.get(key)?.as_str());
    let (namespace, name) = (named("namespace"), named("name"));
    parents
        .iter()
        .flat_map(|parent| subworkflows(parent))
        .any(|child| Some(&*child.namespace) == namespace && Some(&*child.name) == name)
}

/// The YAML and JSON files of a directory, by name.
pub(super) fn documents_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_document = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("yaml" | "yml" | "json")) && path.is_file()
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_document).collect();
    paths.sort();
    paths.truncate(MAX_FILES);
    paths
}

/// The children a workflow may run.
fn subworkflows(workflow: &Workflow) -> impl Iterator<Item = &Subworkflow> {
    workflow.tasks.iter().filter_map(|task| match &task.kind {
        TaskKind::Run(run) => match &run.process {
            Process::Workflow(child) => Some(child),
            _ => None,
        },
        TaskKind::Each(each) => match &each.body {
            EachBody::Workflow(child) => Some(child),
            _ => None,
        },
        _ => None,
    })
}

/// Refuses what only a server honours, of the workflow and of all that it may run: a setting is never silently ignored.
fn refuse_admission(
    workflow: &Arc<Workflow>,
    library: &Library,
    name: &str,
) -> Result<(), Failure> {
    let mut reached = BTreeSet::new();
    let mut next = vec![(name.to_owned(), workflow.clone())];
    while let Some((name, workflow)) = next.pop() {
        let keys = workflow.settings.uses_admission();
        if let Some((first, others)) = keys.split_first() {
            let keys =
                others.iter().fold(format!("`{first}`"), |all, key| format!("{all}, `{key}`"));
            let message =
                format!("{name} uses what only a server honours: {keys} of `metadata.tutti`");
            return Err(Failure::usage(message).hint(
                "`tutti validate` checks the document; leave the settings out of a copy that you run here",
            ));
        }
        for child in subworkflows(&workflow) {
            let found = library.find(&child.namespace, &child.name, &child.version);
            let Some((name, digest)) = found.filter(|(_, digest)| reached.insert(*digest)) else {
                continue;
            };
            next.extend(library.get(digest).map(|child| (format!("the workflow {name}"), child)));
        }
    }
    Ok(())
}

fn warn_of_missing(workflow: &Workflow, library: &Library, file: &Path, console: &Console) {
    for child in subworkflows(workflow) {
        let Subworkflow { namespace, name, version, .. } = child;
        if library.find(namespace, name, version).is_none() {
            let message =
                format!("the workflow {namespace}/{name}:{version}, which it runs, was not found");
            let hint = format!(
                "name its document behind {0}, or put it into the directory of {0}, and see with `tutti validate` that it is valid",
                file.display()
            );
            console.warning(&message, Some(&hint));
        }
    }
}

/// What a kept state says about children is read back, so that they are found on resume.
pub(super) fn publish_kept(directory: &Path, library: &Library) -> Result<(), Failure> {
    for path in documents_in(directory) {
        let text = read_file(&path).map_err(|failure| failure.exit(Exit::Unfinished))?;
        // A text that this version no longer takes is missed where it is asked for, and said there.
        library.take_up(&text).ok();
    }
    Ok(())
}
