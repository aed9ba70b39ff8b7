//! Problems: what went wrong, for programs and people (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Code;

/// What the types of the server's own problems begin with; the code follows.
pub const TYPE_PREFIX: &str = "tutti://problems/";

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem it is: `tutti://problems/E0303`.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What the kind stands for.
    pub title: Box<str>,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<Box<str>>,
    /// Its stable code.
    pub code: Code,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<Box<str>>,
    /// What is wrong with the document, where it is about one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub diagnostics: Vec<DocumentDiagnostic>,
}

/// Something that is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentDiagnostic {
    /// `error` or `warning`.
    pub severity: String,
    /// Its stable code, such as `E0117`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The place in the document, a JSON Pointer.
    pub pointer: String,
}

impl Problem {
    /// A problem with this code.
    pub fn new(code: Code, detail: impl Into<Box<str>>) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{}", code.as_str()).into(),
            status: code.status(),
            title: code.title().trim_end_matches('.').into(),
            detail: Some(detail.into()),
            code,
            hint: None,
            diagnostics: Vec::new(),
        }
    }

    /// The same, with what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
