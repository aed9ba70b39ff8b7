//! Help while a document is being written: what a place means, what may stand there, where a name was given.
//!
//! Every answer is about a byte of the text, and every text has one: a document that cannot be read as a whole is read
//! as far as it goes ([`sketch`]). Nothing here decides whether a document is right, that is [`parse`](crate::parse)'s.
//! Start reading at [`Reading`], then [`way`].

mod complete;
mod define;
mod hover;
mod names;
mod place;
mod sketch;
mod symbols;
mod variables;
mod way;

use std::ops::Range;

use crate::tree::{self, Node};

pub use complete::{Candidate, CandidateKind};
pub use hover::Hover;
pub use symbols::{Symbol, SymbolKind};

/// A document as far as it can be read.
///
/// ```
/// let text = "do:\n  - greet: { set: { a: 1 }, then: greet }\n";
/// let reading = tutti_dsl::assist::Reading::new(text);
/// let target = text.rfind("greet").expect("it is there");
/// assert_eq!(reading.definition(target), Some(8..13));
/// ```
#[derive(Debug)]
pub struct Reading<'t> {
    text: &'t str,
    root: Option<Node>,
}

impl<'t> Reading<'t> {
    /// Reads any text; of one above 512 KiB nothing is known.
    pub fn new(text: &'t str) -> Self {
        Self { text, root: read(text) }
    }

    /// Whether this is a workflow at all: it has a `document` or a `do`, as no other common kind of YAML file has.
    ///
    /// Editors hand over every YAML file; of one that is no workflow nothing is said.
    pub fn is_workflow(&self) -> bool {
        match &self.root {
            Some(root) => root.get("document").is_some() || root.get("do").is_some(),
            None => self.text.lines().any(|line| line.starts_with("document:")),
        }
    }

    /// What is known of the word at a byte of the text.
    pub fn hover(&self, offset: usize) -> Option<Hover> {
        hover::hover(self.text, self.workflow()?, offset)
    }

    /// Where the name at a byte of the text was given: its bytes.
    pub fn definition(&self, offset: usize) -> Option<Range<usize>> {
        define::definition(self.text, self.workflow()?, offset)
    }

    /// What may be written at a byte of the text, most fitting first.
    pub fn candidates(&self, offset: usize) -> Vec<Candidate> {
        complete::candidates(self.text, offset)
    }

    /// The tasks and reusable parts as a tree.
    pub fn symbols(&self) -> Vec<Symbol> {
        self.workflow().map(symbols::symbols).unwrap_or_default()
    }

    fn workflow(&self) -> Option<&Node> {
        self.root.as_ref().filter(|_| self.is_workflow())
    }
}

fn read(text: &str) -> Option<Node> {
    match tree::load(text) {
        (Some(root), _) => Some(root),
        (None, _) => sketch::sketch(text),
    }
}
