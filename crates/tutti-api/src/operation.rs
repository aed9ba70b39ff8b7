//! What can be asked of the server: every operation with its path, what it takes and what it gives.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::{
    AuditEntry, ControlRequest, CreatedToken, ExecutionView, Health, JournalEntry, NewPrincipal,
    NewToken, Page, PrincipalView, ReceivedEvents, ResolveRequest, RetryRequest, ScheduleView,
    SecretText, SecretView, ServerInfo, SetupRequest, TaskView, TokenView, Validation, WaitingView,
    WorkflowVersion, WorkflowView,
};

/// The methods of HTTP that operations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or does.
    Post,
    /// Writes under a name that the caller chose.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// The JSON Schema of a body.
pub type Body = fn(&mut SchemaGenerator) -> Schema;

/// What an operation takes as its body.
#[derive(Debug, Clone, Copy)]
pub enum Input {
    /// Nothing.
    Nothing,
    /// A workflow, in YAML or JSON.
    Document,
    /// `CloudEvents` in the HTTP binding: structured, binary or a batch.
    Events,
    /// JSON, which may be left out.
    Optional(Body),
    /// JSON.
    Json(Body),
}

/// What an operation gives.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Body),
    /// Server-sent events.
    Stream,
    /// Text in the format of Prometheus.
    Metrics,
    /// The OpenAPI document.
    OpenApi,
}

/// A table of operations: method, path, what it does, the status of success, query, body, answer.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $method:ident $path:literal, $summary:literal, $status:literal,
        [$($query:literal: $about:literal),*], $input:expr, $output:expr;)*) => {
        /// Something that can be asked of the server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// Its method.
            pub fn method(self) -> Method {
                match self { $(Self::$name => Method::$method),* }
            }

            /// Its path; what stands in braces is given by the caller.
            pub fn path(self) -> &'static str {
                match self { $(Self::$name => $path),* }
            }

            /// What it does, in one line.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary),* }
            }

            /// The status it ends well with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The parameters of its query.
            pub fn query(self) -> &'static [Query] {
                match self { $(Self::$name => &[$(Query { name: $query, about: $about }),*]),* }
            }

            /// What it takes.
            pub fn input(self) -> Input {
                match self { $(Self::$name => $input),* }
            }

            /// What it gives.
            pub fn output(self) -> Output {
                match self { $(Self::$name => $output),* }
            }
        }
    };
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

operations! {
    /// Says that the process lives.
    Live = Get "/livez", "Say that the process lives", 200, [], Input::Nothing, Output::Json(schema::<Health>);
    /// Says whether requests are taken.
    Ready = Get "/readyz", "Say whether requests are taken", 200, [], Input::Nothing, Output::Json(schema::<Health>);
    /// Gives the figures of the server.
    Metrics = Get "/metrics", "Give the figures of the server, for Prometheus", 200, [], Input::Nothing, Output::Metrics;
    /// Gives this contract.
    OpenApi = Get "/openapi.json", "Give this contract", 200, [], Input::Nothing, Output::OpenApi;
    /// Says what the server is.
    Server = Get "/api/v1/server", "Say what the server is", 200, [], Input::Nothing, Output::Json(schema::<ServerInfo>);
    /// Creates the first administrator.
    Setup = Post "/api/v1/setup", "Create the first administrator with the setup token that the server printed", 201, [],
        Input::Json(schema::<SetupRequest>), Output::Json(schema::<CreatedToken>);

    /// Publishes a version of a workflow.
    PublishWorkflow = Post "/api/v1/namespaces/{namespace}/workflows", "Publish a version of a workflow", 201, [],
        Input::Document, Output::Json(schema::<WorkflowVersion>);
    /// Lists workflows.
    ListWorkflows = Get "/api/v1/namespaces/{namespace}/workflows", "List the published versions of workflows", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<WorkflowVersion>>);
    /// Checks a document.
    ValidateWorkflow = Post "/api/v1/namespaces/{namespace}/workflows:validate", "Check a document without publishing it",
        200, [], Input::Document, Output::Json(schema::<Validation>);
    /// Gives the highest version of a workflow.
    GetWorkflow = Get "/api/v1/namespaces/{namespace}/workflows/{name}", "Give the latest version of a workflow", 200, [],
        Input::Nothing, Output::Json(schema::<WorkflowView>);
    /// Gives a version of a workflow.
    GetWorkflowVersion = Get "/api/v1/namespaces/{namespace}/workflows/{name}/{version}", "Give a version of a workflow", 200,
        [], Input::Nothing, Output::Json(schema::<WorkflowView>);
    /// Deprecates a version of a workflow.
    DeprecateWorkflow = Post "/api/v1/namespaces/{namespace}/workflows/{name}/{version}/deprecate",
        "Let `latest` pass a version over", 200, [], Input::Optional(schema::<ControlRequest>),
        Output::Json(schema::<WorkflowVersion>);
    /// Deletes a version of a workflow.
    DeleteWorkflow = Delete "/api/v1/namespaces/{namespace}/workflows/{name}/{version}",
        "Delete a version that no open execution has", 204, ["reason": "why; it is audited"], Input::Nothing,
        Output::Nothing;

    /// Starts an execution.
    StartExecution = Post "/api/v1/namespaces/{namespace}/workflows/{name}/executions",
        "Start an execution; the body is its input", 201,
        ["version": "the version of the workflow; the latest unless told", "key": "the business key",
         "wait": "wait so long for the end, such as 30s, and answer with the output"],
        Input::Optional(schema::<Value>), Output::Json(schema::<ExecutionView>);
    /// Lists executions.
    ListExecutions = Get "/api/v1/namespaces/{namespace}/executions", "List executions, newest first", 200,
        ["status": "only those that stand so", "workflow": "only those of this workflow",
         "key": "only those under this business key", "since": "only those started at or after this moment (RFC 3339)",
         "cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<ExecutionView>>);
    /// Gives an execution.
    GetExecution = Get "/api/v1/executions/{id}", "Give an execution, with its output or error where it has ended", 200, [],
        Input::Nothing, Output::Json(schema::<ExecutionView>);
    /// Lists the task executions of an execution.
    ListTasks = Get "/api/v1/executions/{id}/tasks", "List task executions, in the order in which they started", 200,
        ["values": "`true` adds inputs, calls and outputs", "cursor": "where the page before ended",
         "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<TaskView>>);
    /// Gives the journal of an execution.
    GetJournal = Get "/api/v1/executions/{id}/journal", "Give the facts of an execution, in order", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<JournalEntry>>);
    /// Says what an execution waits for.
    GetWaiting = Get "/api/v1/executions/{id}/waiting", "Say what an execution waits for", 200, [], Input::Nothing,
        Output::Json(schema::<WaitingView>);
    /// Streams the journal of an execution as it grows.
    StreamExecution = Get "/api/v1/executions/{id}/stream",
        "Stream the facts of an execution as they become durable; `Last-Event-ID` goes on after a sequence", 200, [],
        Input::Nothing, Output::Stream;
    /// Suspends an execution.
    SuspendExecution = Post "/api/v1/executions/{id}/suspend", "Pause an execution", 200, [],
        Input::Optional(schema::<ControlRequest>), Output::Json(schema::<ExecutionView>);
    /// Resumes an execution.
    ResumeExecution = Post "/api/v1/executions/{id}/resume", "Let a paused execution go on", 200, [],
        Input::Optional(schema::<ControlRequest>), Output::Json(schema::<ExecutionView>);
    /// Cancels an execution.
    CancelExecution = Post "/api/v1/executions/{id}/cancel", "Give an execution up", 200, [],
        Input::Optional(schema::<ControlRequest>), Output::Json(schema::<ExecutionView>);
    /// Takes an execution back to the start of a task.
    RetryExecution = Post "/api/v1/executions/{id}/retry", "Take an execution back to the start of a task", 200, [],
        Input::Optional(schema::<RetryRequest>), Output::Json(schema::<ExecutionView>);
    /// Settles an incident.
    ResolveIncident = Post "/api/v1/executions/{id}/resolve", "Settle what only a person can", 200, [],
        Input::Json(schema::<ResolveRequest>), Output::Json(schema::<ExecutionView>);

    /// Lists schedules.
    ListSchedules = Get "/api/v1/namespaces/{namespace}/schedules", "List schedules with their next times", 200, [],
        Input::Nothing, Output::Json(schema::<Page<ScheduleView>>);

    /// Receives events.
    PublishEvents = Post "/api/v1/namespaces/{namespace}/events", "Receive events", 202, [], Input::Events,
        Output::Json(schema::<ReceivedEvents>);

    /// Lists secrets.
    ListSecrets = Get "/api/v1/namespaces/{namespace}/secrets", "List the names of secrets", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<SecretView>>);
    /// Writes a secret.
    WriteSecret = Put "/api/v1/namespaces/{namespace}/secrets/{name}", "Write a secret, which nobody can read again", 204, [],
        Input::Json(schema::<SecretText>), Output::Nothing;
    /// Deletes a secret.
    DeleteSecret = Delete "/api/v1/namespaces/{namespace}/secrets/{name}", "Delete a secret", 204, [], Input::Nothing,
        Output::Nothing;

    /// Creates a principal.
    CreatePrincipal = Post "/api/v1/principals", "Create somebody who may ask", 201, [],
        Input::Json(schema::<NewPrincipal>), Output::Json(schema::<PrincipalView>);
    /// Lists principals.
    ListPrincipals = Get "/api/v1/principals", "List who may ask", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<PrincipalView>>);
    /// Deletes a principal.
    DeletePrincipal = Delete "/api/v1/principals/{id}", "Delete somebody who may ask; all of its tokens are refused from then on",
        204, [], Input::Nothing, Output::Nothing;
    /// Issues a token.
    CreateToken = Post "/api/v1/tokens", "Issue a token; its text is shown this once", 201, [],
        Input::Json(schema::<NewToken>), Output::Json(schema::<CreatedToken>);
    /// Lists tokens.
    ListTokens = Get "/api/v1/tokens", "List tokens, without their texts", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<TokenView>>);
    /// Revokes a token.
    RevokeToken = Delete "/api/v1/tokens/{id}", "Revoke a token", 204, [], Input::Nothing, Output::Nothing;

    /// Gives the audit trail.
    ListAudit = Get "/api/v1/audit", "Give the audit trail, in order", 200,
        ["cursor": "where the page before ended", "limit": "how many at most, 100 unless told, 1,000 at most"],
        Input::Nothing, Output::Json(schema::<Page<AuditEntry>>);
}
