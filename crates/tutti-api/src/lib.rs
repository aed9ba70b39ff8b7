//! The wire contract of the server: operations, what they take and give, problems and their codes. No IO.
//!
//! What is here is what a client may rely on. The server answers with these types, the command line reads them, and the
//! OpenAPI document is made from them without a server: [`openapi::document`].
//!
//! Start reading at [`Operation`], then [`Problem`]. Nothing here may know how an answer is found.

mod access;
mod code;
mod events;
mod executions;
pub mod openapi;
mod operation;
mod page;
mod problem;
mod server;
mod workflows;

pub use access::{
    AuditEntry, CreatedToken, GrantView, NewPrincipal, NewToken, PrincipalView, SecretText,
    SecretView, SetupRequest, TokenView,
};
pub use code::Code;
pub use events::{EventReceipt, ReceivedEvents};
pub use executions::{
    Awaits, ControlRequest, ExecutionStatus, ExecutionView, IncidentView, JournalEntry, Resolution,
    ResolveRequest, RetryRequest, TaskStatus, TaskView, WaitingView,
};
pub use operation::{Body, Input, Method, Operation, Output, Query};
pub use page::Page;
pub use problem::{DocumentDiagnostic, Problem, TYPE_PREFIX};
pub use server::{Health, ServerInfo};
pub use workflows::{ScheduleView, Validation, WorkflowState, WorkflowVersion, WorkflowView};

/// The media type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The header that names the execution an answer is about.
pub const EXECUTION_HEADER: &str = "tutti-execution";
/// The header under which a request is carried out once.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
