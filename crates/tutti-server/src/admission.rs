//! What every start is held to, whoever asks for it: its business key.
//!
//! What looks whether a key is free and then takes it is one at a time for each key, so of two that come at once one finds the
//! other's execution.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;
use tutti_api::{Code, Problem};
use tutti_dsl::{BusinessKey, OnConflict, Workflow};
use tutti_expr::{Kind, Value};
use tutti_ids::{DefinitionRef, Digest, ExecutionId};
use tutti_journal::Timestamp;
use tutti_runtime::{
    Beside, NewExecution,
    admission::{hold_of, on_raw_input, waits_for_key},
    schedule::{InvalidSchedule, specs},
};
use tutti_store::{ExecutionQuery, Listed};

use crate::{
    admissions::{key_lane, room_lane},
    answer::{invalid, of_runtime, of_store},
    desk::Desk,
};

/// The longest business key, in bytes.
const LONGEST_KEY: usize = 512;
/// What of the settings of starts this version keeps.
const KEPT: [&str; 6] = ["key", "onConflict", "keyFor", "concurrency", "priority", "cooldown"];
/// How many executions may wait for room together; further starts are refused.
const MAX_WAITING: usize = 10_000;

/// A start that somebody or something asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    /// The id that the execution will have.
    pub(crate) execution: ExecutionId,
    pub(crate) definition: (DefinitionRef, Digest, Arc<Workflow>),
    pub(crate) input: Option<Value>,
    /// The business key that was asked for, where the workflow computes none.
    pub(crate) key: Option<String>,
    /// What becomes durable with it.
    pub(crate) beside: Beside,
}

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// There is a new execution.
    New(ExecutionId),
    /// The execution that has the key stands for it.
    Existing(ExecutionId),
}

impl Admitted {
    pub(crate) fn execution(self) -> ExecutionId {
        let (Self::New(execution) | Self::Existing(execution)) = self;
        execution
    }
}

/// Why there is no execution.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another execution has the key.
    Taken(ExecutionId, Problem),
    /// Anything else.
    Because(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Because(problem)
    }
}

/// Starts an execution, if nothing holds it back.
pub(crate) async fn admit(desk: &Desk, wish: Wish) -> Result<Admitted, Refused> {
    let Wish { execution, definition, input, key, beside } = wish;
    let (workflow, now) = (&definition.2, desk.clock.now());
    let settings = workflow.settings.key.as_ref();
    let key = business_key(settings, key, input.as_ref(), now)?;
    let limited = hold_of(workflow, key.as_deref(), input.as_ref(), now).map_err(invalid)?;
    if let (Some(hold), Some(_)) = (&limited, &workflow.settings.concurrency) {
        let lane = room_lane(&definition.0, hold);
        if desk.admissions.waiting(&lane) >= MAX_WAITING {
            let detail = format!("{MAX_WAITING} executions of {} wait for room", definition.0);
            return Err(Problem::new(Code::TooMany, detail).into());
        }
    }
    let mut held = None;
    if let Some(key) = &key {
        held = Some(hold(desk, &definition.0, key).await);
        if !waits_for_key(&workflow.settings)
            && let Some(taken) = holder(desk, &definition.0, key, settings).await?
        {
            return conflict(&taken, settings, key);
        }
    }
    let new = NewExecution { execution, definition, input, key, hold: limited, beside };
    let started = desk.handle.start_with(new).await;
    started.map_err(|error| of_runtime(&error))?;
    // Until here nobody else could look whether the key is free.
    drop(held);
    Ok(Admitted::New(execution))
}

fn conflict(
    taken: &Listed,
    settings: Option<&BusinessKey>,
    key: &str,
) -> Result<Admitted, Refused> {
    match settings.map(|settings| settings.on_conflict).unwrap_or_default() {
        OnConflict::Existing => Ok(Admitted::Existing(taken.execution)),
        // The other two wait for it.
        OnConflict::Reject | OnConflict::Queue | OnConflict::Replace => {
            let detail = format!("{} has the business key `{key}`", taken.execution);
            let problem = Problem::new(Code::KeyTaken, detail)
                .hint("wait for its end, or use `onConflict`: `existing` gives that execution, `queue` waits");
            Err(Refused::Taken(taken.execution, problem))
        }
    }
}

/// Holds the key of a workflow, so that nobody else looks whether it is free.
pub(crate) async fn hold(
    desk: &Desk,
    definition: &DefinitionRef,
    key: &str,
) -> OwnedMutexGuard<()> {
    let DefinitionRef { namespace, name, .. } = definition;
    desk.keyed.hold(&format!("key {namespace}/{name} {key}")).await
}

/// The execution that has a key of a workflow, if one does.
pub(crate) async fn holder(
    desk: &Desk,
    definition: &DefinitionRef,
    key: &str,
    settings: Option<&BusinessKey>,
) -> Result<Option<Listed>, Problem> {
    let query = ExecutionQuery {
        namespace: definition.namespace.clone(),
        workflow: Some(definition.name.clone()),
        status: None,
        key: Some(Arc::from(key)),
        since: None,
        before: None,
        limit: 1,
    };
    let found = desk.store.executions(query).await.map_err(|error| of_store(&error))?;
    let now = desk.clock.now();
    let held_for = settings.and_then(|settings| settings.held_for);
    let holds = |listed: &Listed| {
        let ended_at = listed.projection.updated_at.0;
        !listed.projection.status.is_terminal()
            || held_for.is_some_and(|held_for| now.0 < held_for.after(ended_at))
    };
    if let Some(newest) = found.into_iter().find(holds) {
        return Ok(Some(newest));
    }
    // Where starts wait for the key, the newest may have ended before one that has it.
    for execution in desk.admissions.under(&key_lane(definition, key)).await {
        let standing = desk.store.standing(execution).await.map_err(|error| of_store(&error))?;
        let open = standing.filter(|listed| !listed.projection.status.is_terminal());
        if open.is_some() {
            return Ok(open);
        }
    }
    Ok(None)
}

/// The key that a start is made under: what the workflow makes of the raw input, else what was asked for.
fn business_key(
    settings: Option<&BusinessKey>,
    asked: Option<String>,
    input: Option<&Value>,
    now: Timestamp,
) -> Result<Option<String>, Problem> {
    let key = match (settings, asked) {
        (None, asked) => asked,
        (Some(_), Some(_)) => {
            return Err(invalid("the workflow makes the business key of its input itself"));
        }
        (Some(settings), None) => Some(computed(settings, input, now)?),
    };
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
        return Err(invalid(format!("a business key has 1 to {LONGEST_KEY} bytes")));
    }
    Ok(key)
}

fn computed(
    settings: &BusinessKey,
    input: Option<&Value>,
    now: Timestamp,
) -> Result<String, Problem> {
    let value = on_raw_input(&settings.value, input, now);
    let value =
        value.map_err(|error| invalid(format!("`metadata.tutti.key` cannot be made: {error}")))?;
    match value.kind() {
        Kind::String(text) => Ok(text.to_string()),
        Kind::Integer(_) => Ok(value.to_json()),
        _ => Err(invalid(format!(
            "`metadata.tutti.key` gives {}, but a business key is a text or a whole number",
            value.type_name()
        ))),
    }
}

/// Why a workflow cannot be published here: what it asks for and this version does not keep is never ignored.
pub(crate) fn unkept(workflow: &Workflow) -> Option<Problem> {
    let refuse = |detail: String| Some(Problem::new(Code::InvalidWorkflow, detail));
    let settings = &workflow.settings;
    let others = settings.uses_admission().iter().filter(|key| !KEPT.contains(key));
    let others: Vec<String> = others.map(|key| format!("`metadata.tutti.{key}`")).collect();
    if !others.is_empty() {
        return refuse(format!("this version does not keep {}", others.join(", ")));
    }
    if workflow.schedule.as_ref().is_some_and(|schedule| schedule.on.is_some()) {
        return refuse("this version does not start workflows by `schedule.on` yet".to_owned());
    }
    match specs(workflow) {
        Ok(_) => None,
        Err(InvalidSchedule::Zone(unknown)) => refuse(unknown.to_string()),
        Err(other) => refuse(other.to_string()),
    }
}
