//! The compiled document: an arena of tasks and task lists.

mod events;
mod starting;

use std::{collections::BTreeMap, sync::Arc};

use tutti_expr::{Expression, Template, Value};

use crate::{Duration, Schema, UriTemplate};

pub use self::events::{
    AttributeFilter, Consumption, Correlation, Emit, EventFilter, EventFilters, EventIterator,
    Listen, Read, Until,
};
pub use self::starting::{
    BusinessKey, Concurrency, Misfire, OnConflict, Overlap, Priority, Schedule, ScheduleSettings,
    StartingEvents, WorkflowName, WorkflowSettings,
};

/// One version of a workflow, checked and compiled. Immutable; shared between executions.
#[derive(Debug)]
pub struct Workflow {
    /// What the document says about itself.
    pub document: Document,
    /// `input`, `output` and (never for a workflow) `export`.
    pub flow: DataFlow,
    /// Covers the whole execution.
    pub timeout: Option<DurationSource>,
    /// `schedule`
    pub schedule: Option<Schedule>,
    /// `document.metadata.tutti`
    pub settings: WorkflowSettings,
    /// The secrets the document declares in `use.secrets`.
    pub secrets: Vec<Arc<str>>,
    /// The list under the document's `do`.
    pub root: ListId,
    /// The document as data: `$workflow.definition`.
    pub definition: Value,
    /// The document as written.
    pub text: Arc<str>,
    /// Every task, functions' tasks included, by [`TaskId`].
    pub tasks: Vec<Task>,
    /// Every task list, by [`ListId`].
    pub lists: Vec<TaskList>,
    /// `use.extensions`, in the order they are declared.
    pub extensions: Vec<Extension>,
    /// The task each JSON pointer names.
    pub by_reference: BTreeMap<Arc<str>, TaskId>,
}

impl Workflow {
    /// The task with this id.
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.0 as usize]
    }

    /// The list with this id.
    pub fn list(&self, id: ListId) -> &TaskList {
        &self.lists[id.0 as usize]
    }

    /// The task that a JSON pointer into the document names.
    pub fn find(&self, reference: &str) -> Option<TaskId> {
        self.by_reference.get(reference).copied()
    }
}

/// `document`: the names and notes of a definition.
#[derive(Debug, Clone)]
pub struct Document {
    /// The DSL version it is written in.
    pub dsl: Arc<str>,
    /// The namespace; a DNS label.
    pub namespace: Arc<str>,
    /// The name; a DNS label.
    pub name: Arc<str>,
    /// The semantic version.
    pub version: Arc<str>,
    /// A title for people.
    pub title: Option<Arc<str>>,
    /// A summary in Markdown.
    pub summary: Option<Arc<str>>,
    /// Labels.
    pub tags: Value,
    /// Free metadata, `tutti` included.
    pub metadata: Value,
}

/// A task in [`Workflow::tasks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u32);

/// A list in [`Workflow::lists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u32);

/// Tasks that run one after another (or, under `fork`, beside each other).
#[derive(Debug, Clone)]
pub struct TaskList {
    /// In declaration order.
    pub tasks: Vec<TaskId>,
}

/// One task of the document.
#[derive(Debug)]
pub struct Task {
    /// The key it stands under.
    pub name: Arc<str>,
    /// Its RFC 6901 pointer, such as `/do/2/deploy`.
    pub reference: Arc<str>,
    /// The task as data: `$task.definition`.
    pub definition: Value,
    /// `if`
    pub condition: Option<Expression>,
    /// `input`, `output`, `export`.
    pub flow: DataFlow,
    /// `timeout`
    pub timeout: Option<DurationSource>,
    /// `then`
    pub then: Then,
    /// `metadata.tutti`
    pub settings: Settings,
    /// The places in [`Workflow::extensions`] of those that extend tasks of its kind, in the order they are declared.
    pub extensions: Vec<usize>,
    /// What this version cannot execute about the task: it validates and then faults with a `configuration` error saying
    /// this.
    pub unsupported: Option<Arc<str>>,
    /// What the task does.
    pub kind: TaskKind,
}

/// `use.extensions`: tasks around tasks.
#[derive(Debug)]
pub struct Extension {
    /// The key it stands under.
    pub name: Arc<str>,
    /// Its RFC 6901 pointer, such as `/use/extensions/0/logging`.
    pub reference: Arc<str>,
    /// `when`: whether it applies to the task at hand; absent: it does.
    pub when: Option<Expression>,
    /// `before`: the tasks before; nothing where there are none.
    pub before: Option<ListId>,
    /// `after`: the tasks after; nothing where there are none.
    pub after: Option<ListId>,
}

/// `input`, `output` and `export` of a task or workflow.
#[derive(Debug, Default)]
pub struct DataFlow {
    /// `input.schema`
    pub input_schema: Option<Schema>,
    /// `input.from`
    pub input_from: Option<Template>,
    /// `output.as`
    pub output_as: Option<Template>,
    /// `output.schema`
    pub output_schema: Option<Schema>,
    /// `export.as`
    pub export_as: Option<Template>,
    /// `export.schema`
    pub export_schema: Option<Schema>,
}

/// A flow directive with its target resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Then {
    /// The next task of the list.
    #[default]
    Continue,
    /// Completes the current scope.
    Exit,
    /// Completes the workflow.
    End,
    /// The task at this position of the same list.
    Jump(usize),
}

/// `metadata.tutti` of a task.
#[derive(Debug, Default)]
pub struct Settings {
    /// What the call does to the world, where the author says so.
    pub effect: Option<Effect>,
    /// A key of the author's for the call.
    pub idempotency_key: Option<Template>,
    /// A text for lists, at most 120 characters.
    pub label: Option<Template>,
    /// The tasks that take this one back; their raw input is its output.
    pub undo: Option<ListId>,
    /// JSON pointers into the output that are treated as secrets.
    pub sensitive: Vec<Arc<str>>,
    /// Whether a script is granted the network.
    pub network: bool,
    /// How often the call may be made.
    pub cooldown: Option<Cooldown>,
}

/// `cooldown`: at most so many calls in so long a time, by all executions of the workflow together.
#[derive(Debug)]
pub struct Cooldown {
    /// `by`, on the task's transformed input: calls for which it yields the same count together; absent: all of the task.
    pub by: Option<Expression>,
    /// `limit`, from 1 to 1,000.
    pub limit: u32,
    /// `per`
    pub per: Duration,
}

/// What a call does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing.
    Read,
    /// Making it again under the same key changes nothing more.
    Idempotent,
    /// It must not be made twice.
    Once,
}

/// What a task does.
#[derive(Debug)]
pub enum TaskKind {
    /// `call`
    Call(Call),
    /// `do`
    Do(ListId),
    /// `emit`
    Emit(Emit),
    /// `for`
    For(For),
    /// `fork`
    Fork(Fork),
    /// `call: each`
    Each(Each),
    /// `listen`
    Listen(Box<Listen>),
    /// `raise`: evaluates to the error object (a named error is already resolved).
    Raise(Template),
    /// `run`
    Run(Run),
    /// `set`
    Set(Template),
    /// `switch`
    Switch(Vec<Case>),
    /// `try`
    Try(Try),
    /// `wait`
    Wait(DurationSource),
}

/// `call`
#[derive(Debug)]
pub enum Call {
    /// `call: http`
    Http(Box<HttpCall>),
    /// A function of `use.functions`: its task, and `with` as that task's raw input (absent: the caller's input).
    Function {
        /// The function's task.
        task: TaskId,
        /// `with`
        arguments: Option<Template>,
    },
    /// A call this version checks but does not execute; see [`Task::unsupported`].
    Unsupported,
}

/// `call: http`
#[derive(Debug)]
pub struct HttpCall {
    /// `method`
    pub method: Template,
    /// `endpoint`
    pub endpoint: Endpoint,
    /// `headers`
    pub headers: Option<Template>,
    /// `query`
    pub query: Option<Template>,
    /// `body`
    pub body: Option<Template>,
    /// `output`
    pub output: HttpOutput,
    /// `redirect`, default `false`.
    pub redirect: Option<Template>,
}

/// What an HTTP call's output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpOutput {
    /// The body as base64.
    Raw,
    /// The body, deserialized.
    #[default]
    Content,
    /// Request, status, headers and content.
    Response,
}

/// Where a call goes and as whom.
#[derive(Debug)]
pub struct Endpoint {
    /// `uri`
    pub uri: UriSource,
    /// `authentication`, references resolved.
    pub authentication: Option<Authentication>,
}

/// How a URI is written.
#[derive(Debug)]
pub enum UriSource {
    /// A literal or an RFC 6570 level 1 template over the task's input.
    Template(UriTemplate),
    /// A runtime expression that yields the URI.
    Expression(Expression),
}

/// An authentication policy, `use` resolved.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// `basic`, `bearer`, `digest`, `oauth2`, `oidc`, `certificate`.
    pub scheme: Arc<str>,
    /// Its parameters.
    pub parameters: SchemeParameters,
}

/// Where the parameters of an authentication scheme come from.
#[derive(Debug, Clone)]
pub enum SchemeParameters {
    /// They stand in the document.
    Inline(Template),
    /// `use: NAME`: they are the members of this secret (a bearer token may be the secret itself).
    Secret(Arc<str>),
}

/// `for`
#[derive(Debug)]
pub struct For {
    /// `for.in`
    pub collection: Template,
    /// `for.each`, default `item`.
    pub item: Arc<str>,
    /// `for.at`, default `index`.
    pub at: Arc<str>,
    /// `while`
    pub condition: Option<Expression>,
    /// `do`
    pub body: ListId,
}

/// `fork`
#[derive(Debug, Clone, Copy)]
pub struct Fork {
    /// Whether the first successful branch wins.
    pub compete: bool,
    /// The branches.
    pub branches: ListId,
}

/// `call: each`, the dynamic fan-out.
#[derive(Debug)]
pub struct Each {
    /// `in`
    pub collection: Template,
    /// `as`, default `item`.
    pub item: Arc<str>,
    /// `at`, default `index`.
    pub at: Arc<str>,
    /// `limit`: how many items at once.
    pub limit: Option<Template>,
    /// What is done for every item.
    pub body: EachBody,
    /// `with`: evaluated per item; the raw input of `function` and `workflow` (absent: the item).
    pub arguments: Option<Template>,
    /// `onError`
    pub on_error: OnError,
    /// `maxFailed`: more failures than this fault the task; only with [`OnError::Collect`].
    pub max_failed: Option<MaxFailed>,
}

/// What `each` does for every item.
#[derive(Debug)]
pub enum EachBody {
    /// `do`: a task list whose raw input is the item.
    Do(ListId),
    /// `function`: a function's task.
    Function(TaskId),
    /// `workflow`: a child execution.
    Workflow(Subworkflow),
}

/// What `each` does when an item fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Cancels the others and raises the error.
    #[default]
    Stop,
    /// Goes on and reports every item's status.
    Collect,
}

/// How many items of an `each` may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFailed {
    /// This many.
    Count(u64),
    /// This part of all items, in percent.
    Percent(f64),
}

/// `run`
#[derive(Debug)]
pub struct Run {
    /// `await`, default `true`.
    pub awaits: bool,
    /// `return`, default `stdout`.
    pub output: Return,
    /// What is run.
    pub process: Process,
}

/// What of a process becomes the task's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Return {
    /// Its standard output.
    #[default]
    Stdout,
    /// Its standard error.
    Stderr,
    /// Its exit code.
    Code,
    /// All three.
    All,
    /// Nothing: `null`.
    None,
}

/// What `run` runs.
#[derive(Debug)]
pub enum Process {
    /// `shell`
    Shell(Box<Shell>),
    /// `script`
    Script(Box<Script>),
    /// `workflow`
    Workflow(Subworkflow),
    /// A process this version checks but does not execute (`container`); see [`Task::unsupported`].
    Unsupported,
}

/// `run.shell`
#[derive(Debug)]
pub struct Shell {
    /// `command`
    pub command: Template,
    /// `stdin`
    pub stdin: Option<Template>,
    /// `arguments`
    pub arguments: Option<Template>,
    /// `environment`
    pub environment: Option<Template>,
}

/// `run.script`
#[derive(Debug)]
pub struct Script {
    /// `language`
    pub language: Arc<str>,
    /// `code` or `source`
    pub text: ScriptText,
    /// `stdin`
    pub stdin: Option<Template>,
    /// `arguments`: a list for the script's list of arguments, or a map of its variables.
    pub arguments: Option<Template>,
    /// `environment`
    pub environment: Option<Template>,
}

/// Where a script's text is.
#[derive(Debug)]
pub enum ScriptText {
    /// `code`
    Code(Template),
    /// `source.endpoint`
    Source(Endpoint),
}

/// `run.workflow`
#[derive(Debug)]
pub struct Subworkflow {
    /// `namespace`
    pub namespace: Arc<str>,
    /// `name`
    pub name: Arc<str>,
    /// `version`; `latest` is the highest release.
    pub version: Arc<str>,
    /// `input`; absent: the task's transformed input.
    pub input: Option<Template>,
}

/// One case of a `switch`.
#[derive(Debug)]
pub struct Case {
    /// The key it stands under.
    pub name: Arc<str>,
    /// `when`; absent: the default case.
    pub when: Option<Expression>,
    /// `then`
    pub then: Then,
}

/// `try`
#[derive(Debug)]
pub struct Try {
    /// The list under `try`.
    pub body: ListId,
    /// `catch`
    pub catch: Catch,
}

impl Try {
    /// Whether each attempt has a time limit of its own.
    pub fn limits_attempts(&self) -> bool {
        self.catch.retry.as_ref().is_some_and(|retry| retry.limit_attempt.is_some())
    }
}

/// `catch`
#[derive(Debug)]
pub struct Catch {
    /// `errors.with`
    pub filter: Option<ErrorFilter>,
    /// `as`, default `error`.
    pub variable: Arc<str>,
    /// `when`
    pub when: Option<Expression>,
    /// `exceptWhen`
    pub except_when: Option<Expression>,
    /// `retry`, references resolved.
    pub retry: Option<RetryPolicy>,
    /// `do`
    pub handler: Option<ListId>,
    /// `then`
    pub then: Option<Then>,
}

/// `catch.errors.with`: what is given must be equal.
#[derive(Debug, Clone, Default)]
pub struct ErrorFilter {
    /// `type`
    pub kind: Option<Arc<str>>,
    /// `status`
    pub status: Option<i64>,
    /// `instance`
    pub instance: Option<Arc<str>>,
    /// `title`
    pub title: Option<Arc<str>>,
    /// `detail`
    pub detail: Option<Arc<str>>,
}

/// `retry`
#[derive(Debug)]
pub struct RetryPolicy {
    /// `when`
    pub when: Option<Expression>,
    /// `exceptWhen`
    pub except_when: Option<Expression>,
    /// `delay`
    pub delay: Option<DurationSource>,
    /// `backoff`
    pub backoff: Option<Backoff>,
    /// `jitter`
    pub jitter: Option<Jitter>,
    /// `limit.attempt.count`: the number of retries.
    pub limit_count: Option<u64>,
    /// `limit.attempt.duration`: a timeout on each attempt.
    pub limit_attempt: Option<DurationSource>,
    /// `limit.duration`: covers the whole `try`, delays included.
    pub limit_total: Option<DurationSource>,
}

/// `retry.backoff`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// The delay.
    Constant,
    /// The delay times the retry's number.
    Linear,
    /// The delay doubled at every retry.
    Exponential,
}

/// `retry.jitter`
#[derive(Debug)]
pub struct Jitter {
    /// `from`
    pub from: DurationSource,
    /// `to`
    pub to: DurationSource,
}

/// A duration as written.
#[derive(Debug)]
pub enum DurationSource {
    /// Known at publish.
    Fixed(Duration),
    /// An expression that yields an ISO 8601 text (or a duration object).
    Expression(Expression),
}
