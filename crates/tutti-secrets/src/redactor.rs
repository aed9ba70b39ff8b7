//! Takes secrets out of text on its way out.

use std::{collections::BTreeSet, fmt, sync::Arc};

use aho_corasick::AhoCorasick;

use crate::forms;

/// What stands in the place of a secret.
pub const REDACTED: &str = "«secret»";
/// How many bytes all secrets of one redactor may have together.
const MOST: usize = 1024 * 1024;

/// Replaces secrets in text by [`REDACTED`]: each as it is, its longer lines, and all of these as base64 (also within a
/// longer encoded text), hexadecimal, URL-encoded and JSON-escaped text. Cheap to clone.
///
/// Secrets shorter than 4 bytes are **not** looked for: text would lose its meaning, and show by its gaps what they are.
///
/// ```
/// use tutti_secrets::Redactor;
///
/// let redactor = Redactor::new(["hunter2"]).expect("short secrets");
/// assert_eq!(redactor.redact("Authorization: Basic dXNlcjpodW50ZXIy"), "Authorization: Basic dXNlcjp«secret»");
/// ```
#[derive(Clone)]
pub struct Redactor {
    patterns: Option<Arc<Patterns>>,
}

struct Patterns {
    finder: AhoCorasick,
    /// Sorted, to find those that begin with something.
    forms: Vec<Vec<u8>>,
    longest: usize,
}

/// There are more than 1 MiB of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 1 MiB of secrets cannot be looked for")]
pub struct TooMuchToRedact;

impl Redactor {
    /// Looks for these secrets.
    ///
    /// # Errors
    /// If there are more than 1 MiB of them.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, TooMuchToRedact> {
        let secrets: BTreeSet<&str> = secrets.into_iter().collect();
        if secrets.iter().map(|secret| secret.len()).sum::<usize>() > MOST {
            return Err(TooMuchToRedact);
        }
        let forms: BTreeSet<Vec<u8>> = secrets.into_iter().flat_map(forms::of).collect();
        if forms.is_empty() {
            return Ok(Self { patterns: None });
        }
        let finder = AhoCorasick::new(&forms).map_err(|_too_large| TooMuchToRedact)?;
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
        let forms = forms.into_iter().collect();
        Ok(Self { patterns: Some(Arc::new(Patterns { finder, forms, longest })) })
    }

    /// Whether there is a secret in `bytes`.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.patterns.as_ref().is_some_and(|patterns| patterns.finder.is_match(bytes))
    }

    /// `text` without secrets.
    pub fn redact(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact_bytes(text.as_bytes())).into_owned()
    }

    /// `bytes` without secrets.
    pub fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut redacted = stream.push(bytes);
        redacted.extend(stream.finish());
        redacted
    }

    /// For text that comes in pieces.
    pub fn stream(&self) -> RedactedStream {
        RedactedStream {
            patterns: self.patterns.clone(),
            pending: Vec::new(),
            covered: 0,
            after_mark: false,
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms = self.patterns.as_ref().map_or(0, |patterns| patterns.forms.len());
        write!(f, "Redactor({forms} forms)")
    }
}

/// Replaces secrets in text that comes in pieces, also where a secret is divided among them.
///
/// However the text is divided, the results together are the same. What may be the beginning of a secret is held back
/// until the next piece tells: at most the length of the longest form.
pub struct RedactedStream {
    patterns: Option<Arc<Patterns>>,
    /// What came in and has not gone out.
    pending: Vec<u8>,
    /// How many bytes of `pending` belong to a secret whose mark has gone out.
    covered: usize,
    /// Whether a mark was the last that went out.
    after_mark: bool,
}

impl RedactedStream {
    /// Takes the next piece; gives what can go out.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(patterns) = self.patterns.clone() else { return piece.to_vec() };
        self.pending.extend(piece);
        self.release(&patterns, patterns.first_open(&self.pending))
    }

    /// Gives the rest: no more pieces come.
    pub fn finish(&mut self) -> Vec<u8> {
        let Some(patterns) = self.patterns.clone() else { return Vec::new() };
        self.release(&patterns, self.pending.len())
    }

    /// Gives out the first `limit` bytes, each run of secrets as one mark.
    fn release(&mut self, patterns: &Patterns, limit: usize) -> Vec<u8> {
        if limit == 0 {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(limit);
        let mut position = 0;
        let covered = std::mem::take(&mut self.covered);
        for (start, end) in patterns.found(&self.pending, covered) {
            if start >= limit {
                break;
            }
            self.pass(&mut out, position, start);
            if !self.after_mark {
                out.extend(REDACTED.as_bytes());
                self.after_mark = true;
            }
            position = end.min(limit);
            self.covered = end.saturating_sub(limit);
        }
        self.pass(&mut out, position, limit);
        self.pending.drain(..limit);
        out
    }

    fn pass(&mut self, out: &mut Vec<u8>, from: usize, to: usize) {
        if from < to {
            out.extend(&self.pending[from..to]);
            self.after_mark = false;
        }
    }
}

impl fmt::Debug for RedactedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedStream({} bytes held back)", self.pending.len())
    }
}

impl Patterns {
    /// Where secrets stand in `text`, overlapping ones joined; its first `covered` bytes are known to.
    fn found(&self, text: &[u8], covered: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = self
            .finder
            .find_overlapping_iter(text)
            .map(|found| (found.start(), found.end()))
            .chain((covered > 0).then_some((0, covered)))
            .collect();
        found.sort_unstable();
        found.dedup_by(|later, earlier| {
            let joins = later.0 <= earlier.1;
            if joins {
                earlier.1 = earlier.1.max(later.1);
            }
            joins
        });
        found
    }

    /// The first position from which `text` may go on to be a secret.
    fn first_open(&self, text: &[u8]) -> usize {
        let from = text.len().saturating_sub(self.longest - 1);
        (from..text.len())
            .find(|position| self.is_beginning(&text[*position..]))
            .unwrap_or(text.len())
    }

    fn is_beginning(&self, rest: &[u8]) -> bool {
        let after = self.forms.partition_point(|form| form.as_slice() <= rest);
        self.forms.get(after).is_some_and(|form| form.starts_with(rest))
    }
}

#[cfg(test)]
mod tests;
