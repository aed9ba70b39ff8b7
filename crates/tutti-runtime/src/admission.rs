//! Who may begin, and who waits: limits among the executions of a workflow, business keys that are waited for, and calls of
//! which only so many may be made in a time ([`Cooldowns`]).
//!
//! An execution that such a limit is about begins *held*: its first turn says so, durably, and nothing of it goes on. The
//! [`Admitter`] decides which of those that wait is admitted next. It is pure, and what it knows follows from what is stored:
//! whoever drives it tells it what became durable, and admits whom it names.
//!
//! Never here: a clock, a store, a decision about what an execution does.

mod admitter;
mod cooldowns;
mod lane;

use tutti_dsl::{OnConflict, Workflow, WorkflowSettings};
use tutti_engine::Hold;
use tutti_expr::{Environment, Expression, Value};
use tutti_journal::Timestamp;

pub use self::{
    admitter::{Admitter, Input, KeyTerms, Output, RoomTerms, Terms, Wait, WaitFor},
    cooldowns::{Ask, CooldownLane, Cooldowns, HeldCall, Made, PaceInput, PaceOutput, Pause},
    lane::{KeyLane, RoomLane},
};

/// The longest group of executions that are limited together, in bytes of JSON.
pub const LONGEST_GROUP: usize = 512;

/// What a start of a workflow under a key is admitted by; none where it may begin at once.
///
/// # Errors
/// If `concurrency.by` gives nothing on this input, a secret, or more than [`LONGEST_GROUP`] bytes.
pub fn hold_of(
    workflow: &Workflow,
    key: Option<&str>,
    input: Option<&Value>,
    now: Timestamp,
) -> Result<Option<Hold>, String> {
    let settings = &workflow.settings;
    let waits_for_key = key.is_some() && waits_for_key(settings);
    let by = settings.concurrency.as_ref().map(|concurrency| concurrency.by.as_ref());
    let group = match by {
        Some(Some(by)) => Some(group(by, input, now)?),
        Some(None) => None,
        None if waits_for_key => None,
        None => return Ok(None),
    };
    Ok(Some(Hold { group }))
}

/// Whether starts under a key wait for it.
pub fn waits_for_key(settings: &WorkflowSettings) -> bool {
    let on_conflict = settings.key.as_ref().map(|key| key.on_conflict);
    matches!(on_conflict, Some(OnConflict::Queue | OnConflict::Replace))
}

fn group(by: &Expression, input: Option<&Value>, now: Timestamp) -> Result<String, String> {
    let refuse = |why: &str| format!("`metadata.tutti.concurrency.by` {why}");
    let value = on_raw_input(by, input, now)
        .map_err(|error| refuse(&format!("cannot be made: {error}")))?;
    let group = value.to_json();
    if group != value.to_redacted_json() {
        return Err(refuse("gives a secret, but groups are shown"));
    }
    if group.len() > LONGEST_GROUP {
        return Err(refuse(&format!("gives more than {LONGEST_GROUP} bytes")));
    }
    Ok(group)
}

/// Evaluates an expression that starts are held to: on the raw input, with no variable, as there is no execution yet.
///
/// # Errors
/// If it fails.
pub fn on_raw_input(
    expression: &Expression,
    input: Option<&Value>,
    now: Timestamp,
) -> Result<Value, tutti_expr::Error> {
    let empty = Value::object::<&str>([]);
    expression.evaluate(input.unwrap_or(&empty), &OnlyTime(now))
}

/// What an expression sees before there is an execution: no variable.
struct OnlyTime(Timestamp);

impl Environment for OnlyTime {
    fn variable(&self, _name: &str) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        self.0.0
    }
}
