//! The workflow document: parse with spans, validate, and hand the engine a model in which every name is resolved and
//! every expression compiled.
//!
//! This crate must never run anything, read a file or look at a clock. Start reading at [`Workflow`].

mod duration;
mod model;
mod schema;
mod uri_template;

pub use duration::{Duration, InvalidDuration};
pub use model::{
    Authentication, Backoff, Call, Case, Catch, DataFlow, Document, DurationSource, Each, EachBody,
    Effect, Endpoint, ErrorFilter, For, Fork, HttpCall, HttpOutput, Jitter, ListId, MaxFailed,
    OnError, Process, RetryPolicy, Return, Run, SchemeParameters, Settings, Shell, Subworkflow,
    Task, TaskId, TaskKind, TaskList, Then, Try, UriSource, Workflow,
};
pub use schema::{Schema, Violation};
pub use uri_template::{ExpansionError, UriTemplate};
