//! The workflow document: parse with spans, validate, and hand the engine a model in which every name is resolved and
//! every expression compiled.
//!
//! [`parse`] is the way in: text → [`Parsed`], a [`Workflow`] if nothing is wrong and all [`Diagnostic`]s of one pass.
//! [`parse_with`] is the same with the [`Resources`] that the document names and somebody else has loaded.
//! [`render`] shows a diagnostic with its excerpt, [`explain`] is the page behind its [`Code`].
//!
//! This crate must never run anything, read a file or look at a clock. Start reading at [`Workflow`].

pub mod assist;
mod built_in;
mod codes;
mod compile;
mod cron;
mod diagnostic;
mod duration;
mod kinds;
mod location;
mod model;
mod parse;
mod resources;
mod schema;
mod shape;
mod tree;
mod uri_template;
mod version;

pub use codes::{Code, Severity, explain};
pub use cron::{Cron, InvalidCron};
pub use diagnostic::{Diagnostic, Excerpt, Span, excerpt, render};
pub use duration::{Duration, InvalidDuration};
pub use model::{
    AttributeFilter, Authentication, Backoff, BusinessKey, Call, Case, Catch, Concurrency,
    Consumption, Cooldown, Correlation, DataFlow, Document, DurationSource, Each, EachBody, Effect,
    Emit, Endpoint, ErrorFilter, EventFilter, EventFilters, EventIterator, Extension, For, Fork,
    HttpCall, HttpOutput, Jitter, ListId, Listen, MaxFailed, Misfire, OnConflict, OnError, Overlap,
    Priority, Process, Read, RetryPolicy, Return, Run, Schedule, ScheduleSettings,
    SchemeParameters, Script, ScriptText, Settings, Shell, StartingEvents, Subworkflow, Task,
    TaskId, TaskKind, TaskList, Then, Try, Until, UriSource, Workflow, WorkflowName,
    WorkflowSettings,
};
pub use parse::{Parsed, parse, parse_value, parse_with};
pub use resources::{LoadError, MAX_RESOURCE, MAX_RESOURCES, MAX_RESOURCES_SIZE, Need, Resources};
pub use schema::{InvalidSchema, Schema, Violation};
pub use shape::json_schema::json_schema;
pub use uri_template::{ExpansionError, InvalidUriTemplate, UriTemplate};
