//! What is wrong with a source.

use std::ops::Range;

use crate::limits::Limit;

/// A source that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong.
    pub message: String,
    /// What could be done about it.
    pub hint: Option<String>,
    /// The byte range of the offending part in the source.
    pub range: Range<usize>,
    /// The limit that the source exceeds, if that is what is wrong.
    pub limit: Option<Limit>,
}

impl CompileError {
    pub(crate) fn new(message: String, hint: Option<String>, range: Range<usize>) -> Self {
        Self { message, hint, range, limit: None }
    }

    pub(crate) fn limit(limit: Limit, range: Range<usize>) -> Self {
        Self {
            message: format!("the expression exceeds its limit of {limit}"),
            hint: Some("split it over several tasks, or pass the data in as input".to_owned()),
            range,
            limit: Some(limit),
        }
    }
}
