//! What may be written at a place.
//!
//! The word being written is completed to something a reader understands, `_` as a value or `_:` as a key, and the way
//! to it is looked up in what is read then: so the place has a shape even where nothing stands yet.

use std::ops::Range;

use super::{
    hover::{DIRECTIVES, about_task, described},
    names::{self, Reference},
    place, read, variables,
    way::{self, Way},
};
use crate::{
    built_in,
    shape::{self, Shape, calls, document::ROOT},
    tree::Node,
};

/// Something that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is shown, and what is written if nothing else is said.
    pub label: String,
    /// What it is.
    pub kind: CandidateKind,
    /// What it means; empty if nothing is to be said.
    pub doc: String,
    /// What is written in place of [`replace`](Self::replace).
    pub insert: String,
    /// The word that is being written: bytes of the text, within one line.
    pub replace: Range<usize>,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// A key of the language.
    Key,
    /// One of a few values.
    Value,
    /// A function.
    Function,
    /// A task.
    Task,
    /// A part declared under `use`.
    Part,
    /// A variable of an expression.
    Variable,
}

/// What may be written at a byte.
pub(super) fn candidates(text: &str, offset: usize) -> Vec<Candidate> {
    let Some(cursor) = Cursor::at(text, offset) else { return Vec::new() };
    let mended = cursor.mended();
    let Some(root) = read(&mended) else { return Vec::new() };
    if !may_become_workflow(&root, &cursor) {
        return Vec::new();
    }
    let way = Way::to(&root, offset);
    if let Some(before) = place::expression_before(&mended, &way, offset) {
        return in_expression(&cursor, &way, &root, before);
    }
    // Behind a colon a space comes first.
    if text[..cursor.word.start].ends_with(':') {
        return Vec::new();
    }
    match way.above().next() {
        Some(parent) if way.on_key => keys(&cursor, parent),
        _ => values(&cursor, &way, &root),
    }
}

/// Whether a document is a workflow, or nothing in it says that it is something else.
fn may_become_workflow(root: &Node, cursor: &Cursor<'_>) -> bool {
    let Some(members) = root.as_map() else { return root.as_list().is_none() };
    let says = |key: &str| root.get(key).is_some();
    let is_written = |span: &Range<usize>| span.contains(&cursor.word.start);
    let mut others = members.iter().filter(|(key, _)| !is_written(&key.span));
    says("document") || says("do") || others.all(|(key, _)| ROOT.key(&key.text).is_some())
}

/// Where something is being written.
struct Cursor<'t> {
    text: &'t str,
    offset: usize,
    /// The word before the cursor.
    word: Range<usize>,
    /// The bytes from the cursor to the end of the word that it stands in.
    rest: Range<usize>,
}

impl<'t> Cursor<'t> {
    fn at(text: &'t str, offset: usize) -> Option<Self> {
        let before = text.get(..offset)?;
        let after = &text[offset..];
        let start = before.trim_end_matches(is_word).len();
        let end = offset + after.len() - after.trim_start_matches(is_word).len();
        Some(Self { text, offset, word: start..offset, rest: offset..end })
    }

    /// Whether nothing but indentation and dashes stands before the word in its line, and nothing after it.
    fn alone(&self) -> bool {
        let before = &self.text[..self.word.start];
        let line = &before[before.rfind(['\n', '\r']).map_or(0, |end| end + 1)..];
        let dashes = line.trim_start_matches(' ');
        dashes.split(' ').all(|part| part.is_empty() || part == "-") && self.ends_line()
    }

    fn ends_line(&self) -> bool {
        let after = &self.text[self.rest.end..];
        let line = after.split(['\n', '\r']).next().unwrap_or("").trim_start();
        line.is_empty() || line.starts_with('#')
    }

    /// The text with the word completed; what follows it stays where it is.
    fn mended(&self) -> String {
        let (before, after) = self.text.split_at(self.rest.end);
        let mark = if self.alone() { "_:" } else { "_" };
        format!("{before}{mark}{after}")
    }

    /// Whether a colon follows already.
    fn has_colon(&self) -> bool {
        self.text[self.rest.end..].trim_start_matches([' ', '"', '\'']).starts_with(':')
    }

    fn candidate(&self, label: &str, kind: CandidateKind, doc: impl Into<String>) -> Candidate {
        Candidate {
            label: label.to_owned(),
            kind,
            doc: doc.into(),
            insert: label.to_owned(),
            replace: self.word.clone(),
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// The keys that are not there yet.
fn keys(cursor: &Cursor<'_>, parent: &way::Step<'_>) -> Vec<Candidate> {
    let absent = way::keys(parent).into_iter().filter(|key| parent.node.get(key.name).is_none());
    let mut absent: Vec<&shape::Key> = absent.collect();
    absent.sort_by_key(|key| (matches!(key.shape, Shape::NotYet), !key.required));
    let units = matches!(parent.declared, Shape::Duration);
    let units = UNITS.iter().filter(|unit| units && parent.node.get(unit).is_none());
    let units = units.map(|unit| key(cursor, unit, String::new()));
    let named =
        absent.into_iter().map(|known| key(cursor, known.name, described(known.doc, &known.shape)));
    named.chain(units).collect()
}

const UNITS: &[&str] = &["days", "hours", "minutes", "seconds", "milliseconds"];

fn key(cursor: &Cursor<'_>, name: &str, doc: String) -> Candidate {
    let mut candidate = cursor.candidate(name, CandidateKind::Key, doc);
    if !cursor.has_colon() {
        candidate.insert.push_str(": ");
    }
    candidate
}

/// What may stand under a key.
fn values(cursor: &Cursor<'_>, way: &Way<'_>, root: &Node) -> Vec<Candidate> {
    if let Some(reference) = names::reference(way) {
        return referred(cursor, way, root, reference);
    }
    choices(&way.last().declared)
        .into_iter()
        .map(|choice| cursor.candidate(choice, CandidateKind::Value, ""))
        .collect()
}

fn choices(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Choice(choices) => choices.to_vec(),
        Shape::Bool => vec!["true", "false"],
        Shape::VersionOrLatest => vec!["latest"],
        Shape::Either(shapes) => shapes.iter().flat_map(choices).collect(),
        _ => Vec::new(),
    }
}

fn referred(cursor: &Cursor<'_>, way: &Way<'_>, root: &Node, to: Reference) -> Vec<Candidate> {
    let part = |section, kind| {
        let names = names::used(root, section).into_iter();
        names.map(move |(name, _)| {
            cursor.candidate(name, kind, format!("Given in `use.{section}`."))
        })
    };
    match to {
        Reference::Task => {
            let tasks = names::siblings(way).into_iter().map(|(key, task)| {
                cursor.candidate(&key.text, CandidateKind::Task, about_task(&key.text, task))
            });
            let directives = DIRECTIVES
                .iter()
                .map(|(name, doc)| cursor.candidate(name, CandidateKind::Value, *doc));
            tasks.chain(directives).collect()
        }
        Reference::Function => {
            let own = part("functions", CandidateKind::Function);
            let language = calls::LANGUAGE
                .iter()
                .map(|(name, call)| cursor.candidate(name, CandidateKind::Function, call.doc));
            let built_in = built_in::NAMES
                .iter()
                .filter(|name| calls::arguments(name).is_none())
                .map(|name| {
                    cursor.candidate(
                        name,
                        CandidateKind::Function,
                        "Not supported by this version.",
                    )
                });
            own.chain(language).chain(built_in).collect()
        }
        Reference::Used("functions") => part("functions", CandidateKind::Function).collect(),
        Reference::Used(section) => part(section, CandidateKind::Part).collect(),
    }
}

/// Variables, and the names of secrets after `$secrets.`.
fn in_expression(cursor: &Cursor<'_>, way: &Way<'_>, root: &Node, before: &str) -> Vec<Candidate> {
    let before = before.trim_end_matches(is_word);
    if before.ends_with("$secrets.") {
        let names = names::used(root, "secrets").into_iter();
        return names
            .map(|(name, _)| cursor.candidate(name, CandidateKind::Part, "Given in `use.secrets`."))
            .collect();
    }
    // After a dot the members of a value follow, which nobody knows.
    if before.ends_with('.') {
        return Vec::new();
    }
    let dollar = before.ends_with('$');
    let start = cursor.word.start - usize::from(dollar);
    variables::in_scope(way)
        .into_iter()
        .map(|variable| {
            let label = format!("${}", variable.name);
            let mut candidate = cursor.candidate(&label, CandidateKind::Variable, variable.doc);
            candidate.replace = start..cursor.offset;
            candidate
        })
        .collect()
}
