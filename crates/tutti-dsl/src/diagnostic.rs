//! What is told to a person about a document.

mod nearest;
mod render;

use std::ops::Range;

pub(crate) use nearest::nearest;
pub use render::{Excerpt, excerpt, render};

use crate::codes::{Code, Severity};

/// One thing that is wrong with a document, or probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule; [`explain`](crate::explain) has its page.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// What can be done about it.
    pub hint: Option<String>,
    /// Where it stands in the text.
    pub span: Span,
    /// The RFC 6901 pointer to the part of the document; empty for the document itself.
    pub pointer: String,
}

impl Diagnostic {
    /// Whether it refuses the document.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes.
    pub bytes: Range<usize>,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// The column of the first byte in characters, from 1.
    pub column: usize,
}

/// A diagnostic before line and column are known.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) span: Range<usize>,
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(
        code: Code,
        span: Range<usize>,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { code, span, pointer: pointer.into(), message: message.into(), hint: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// Errors, and warnings, told of one document.
const MAX_TOLD: usize = 500;

/// Problems in the order of the text, each once, with line and column; at most 500 errors and 500 warnings.
pub(crate) fn finish(text: &str, mut problems: Vec<Problem>) -> Vec<Diagnostic> {
    problems.sort_by(|left, right| {
        (left.span.start, left.code, &left.message).cmp(&(
            right.span.start,
            right.code,
            &right.message,
        ))
    });
    problems.dedup_by(|later, earlier| {
        later.code == earlier.code && later.span == earlier.span && later.message == earlier.message
    });
    let (mut errors, mut warnings) = (0, 0);
    problems.retain(|problem| {
        let told = match problem.code.severity() {
            Severity::Error => &mut errors,
            Severity::Warning => &mut warnings,
        };
        *told += 1;
        *told <= MAX_TOLD
    });
    let lines: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    problems.into_iter().map(|problem| place(text, &lines, problem)).collect()
}

fn place(text: &str, lines: &[usize], problem: Problem) -> Diagnostic {
    let start = floor_boundary(text, problem.span.start);
    let end = floor_boundary(text, problem.span.end).max(start);
    let line = lines.partition_point(|line_start| *line_start <= start).max(1);
    let line_start = lines[line - 1];
    let column = text[line_start..start].chars().count() + 1;
    Diagnostic {
        code: problem.code,
        message: problem.message,
        hint: problem.hint,
        span: Span { bytes: start..end, line, column },
        pointer: problem.pointer,
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
