//! Published workflows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DocumentDiagnostic;

/// A published version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowVersion {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its text, with what was loaded for it.
    pub digest: String,
    /// Whether it may be started.
    pub state: WorkflowState,
    /// When it was published, in RFC 3339.
    pub published_at: String,
    /// Who published it.
    pub published_by: String,
    /// Warnings about the document, told when it is published.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<DocumentDiagnostic>,
}

/// Whether a version may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkflowState {
    /// It may.
    Active,
    /// Only where its version is named; `latest` passes it over.
    Deprecated,
}

/// A version with its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowView {
    /// The version.
    #[serde(flatten)]
    pub version: WorkflowVersion,
    /// What the document calls itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What the document says about itself, in Markdown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub summary: Option<String>,
    /// The document, as it was published.
    pub document: String,
}

/// A schedule that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    /// The workflow that it starts.
    pub workflow: String,
    /// `every`, `cron` or `after`.
    pub trigger: String,
    /// The next nominal times, in RFC 3339.
    pub next: Vec<String>,
    /// The last nominal time that was started, queued or recorded as missed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<String>,
    /// The executions it started that go on.
    pub running: Vec<String>,
}

/// What a check of a document found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Whether it may be published.
    pub valid: bool,
    /// Errors and warnings, in the order of their places.
    pub diagnostics: Vec<DocumentDiagnostic>,
}
