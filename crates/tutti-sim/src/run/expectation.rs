//! What must have come of a scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_engine::Outcome;
use tutti_expr::Value;
use tutti_journal::Entry;
use tutti_runtime::Settlement;

use super::Running;
use crate::world::BEGINNING;

const ERRORS: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

impl Running<'_> {
    /// The execution ended as expected, and whoever watched was told the same.
    pub(super) fn check_end(&self) -> Vec<String> {
        let expect = &self.scenario.expect;
        let mut problems = Vec::new();
        let Some(shadow) = self.world.shadows().get(self.execution) else {
            return vec!["it was never stored".to_owned()];
        };
        let status = format!("{:?}", shadow.execution.status()).to_lowercase();
        let wanted = expect.get("status").and_then(Value::as_str).unwrap_or("completed");
        if status != wanted {
            problems.push(format!("it is {status}, not {wanted}"));
        }
        let outcome = shadow.execution.outcome();
        match (outcome, expect.get("output"), expect.get("error")) {
            (Some(Outcome::Completed(output)), Some(wanted), _) => {
                problems.extend(differs("output", wanted, output));
            }
            (Some(Outcome::Faulted(error)), _, Some(wanted)) => {
                problems.extend(differs("error", wanted, &error.to_value()));
            }
            (Some(Outcome::Faulted(error)), ..) if wanted != "faulted" => {
                problems.push(format!("it faulted: {error:?}"));
            }
            _ => {}
        }
        match (outcome, self.world.settlement(self.execution)) {
            (Some(outcome), Some(Settlement::Ended(told))) if outcome == told => {}
            (None, Some(Settlement::Suspended { .. })) => {}
            (None, Some(Settlement::Listening { .. })) if wanted == "waiting" => {}
            (_, told) => problems.push(format!("the watcher was told {told:?}")),
        }
        problems
    }

    /// Nobody could tell what became of lost calls: each has its unknown outcome on record.
    pub(super) fn check_unknown(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for shadow in self.world.shadows().iter() {
            let mut open = BTreeSet::new();
            for entry in shadow.turns.iter().flat_map(|turn| &turn.entries) {
                match entry {
                    Entry::CallDispatched { task } => _ = open.insert(*task),
                    Entry::CallCompleted { task, .. }
                    | Entry::CallFailed { task, .. }
                    | Entry::CallRescheduled { task }
                    | Entry::CallOutcomeUnknown { task, .. } => _ = open.remove(task),
                    _ => {}
                }
            }
            if shadow.execution.outcome().is_some() && !open.is_empty() {
                problems.push(format!("it ended with calls whose end is not on record: {open:?}"));
            }
        }
        problems
    }

    pub(super) fn check_journal(&self) -> Vec<String> {
        let lines = self.lines();
        let mut left = lines.iter();
        let mut problems = Vec::new();
        let texts = |key: &str| {
            let found = self.scenario.expect.get(key).and_then(Value::as_array).unwrap_or(&[]);
            found.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        for wanted in texts("journal") {
            if !left.any(|line| line.contains(&wanted)) {
                problems.push(format!("the journal does not go on with `{wanted}`"));
                break;
            }
        }
        for unwanted in texts("never") {
            if lines.iter().any(|line| line.contains(&unwanted)) {
                problems.push(format!("the journal has `{unwanted}`"));
            }
        }
        problems
    }

    /// The calls that left: task, attempt, effect, arguments, and which keys are equal.
    pub(super) fn check_calls(&self) -> Vec<String> {
        let Some(wanted) = self.scenario.expect.get("calls").and_then(Value::as_array) else {
            return Vec::new();
        };
        let made = self.world.effects().made();
        let mut problems = Vec::new();
        if made.len() != wanted.len() {
            problems.push(format!("{} calls left, not {}", made.len(), wanted.len()));
        }
        let mut keys: BTreeMap<String, Arc<str>> = BTreeMap::new();
        for (wanted, made) in wanted.iter().zip(made) {
            let call = &made.call;
            let found = Value::object([
                ("task", Value::from(call.reference.as_str())),
                ("at", Value::from(made.at.0 - BEGINNING.0)),
                ("attempt", Value::from(i64::from(call.attempt))),
                ("effect", Value::from(call.effect.to_string())),
                ("arguments", call.arguments.clone()),
                ("key", wanted.get("key").cloned().unwrap_or(Value::NULL)),
            ]);
            problems.extend(differs("call", wanted, &found));
            let Some(label) = wanted.get("key").and_then(Value::as_str) else { continue };
            let known = keys.entry(label.to_owned()).or_insert_with(|| call.key.clone()).clone();
            if known != call.key {
                problems.push(format!("a call of key {label} has another key"));
            }
        }
        let mut distinct: Vec<_> = keys.values().collect();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != keys.len() {
            problems.push("two labels have one key".to_owned());
        }
        problems
    }
}

/// What is not as wanted: objects may have more members, everything else must be equal; `«any»` fits everything, and an
/// error's type may be written without its namespace.
pub fn differs(what: &str, wanted: &Value, found: &Value) -> Option<String> {
    if wanted.as_str() == Some("«any»") {
        return None;
    }
    if let (Some(wanted), Some(found)) = (wanted.as_object(), found.as_object()) {
        return wanted.iter().find_map(|(key, wanted)| {
            let place = format!("{what}.{key}");
            match found.get(key) {
                None if wanted.as_str() == Some("«none»") => None,
                None => Some(format!("{place} is missing")),
                Some(found) => differs(&place, wanted, found),
            }
        });
    }
    if let (Some(wanted), Some(found)) = (wanted.as_array(), found.as_array())
        && wanted.len() == found.len()
    {
        let pairs = wanted.iter().zip(found).enumerate();
        return pairs
            .map(|(index, (wanted, found))| differs(&format!("{what}.{index}"), wanted, found))
            .find_map(|difference| difference);
    }
    if let (Some(wanted), Some(found)) = (wanted.as_str(), found.as_str())
        && what.rsplit('.').next() == Some("type")
        && full_type(wanted) == found
    {
        return None;
    }
    if let (Some(wanted), Some(found)) = (wanted.as_str(), found.as_str())
        && let Some(part) = wanted.strip_prefix("…")
    {
        return (!found.contains(part)).then(|| format!("{what} is {found:?}, without {part:?}"));
    }
    (wanted != found).then(|| format!("{what} is {found:?}, not {wanted:?}"))
}

pub(super) fn full_type(kind: &str) -> String {
    if kind.contains(':') { kind.to_owned() } else { format!("{ERRORS}{kind}") }
}
