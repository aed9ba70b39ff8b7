//! The outside as a scenario scripts it.

use std::{collections::BTreeMap, sync::Arc};

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, ProbeOutcome};
use tutti_expr::Value;
use tutti_ids::ExecutionId;
use tutti_journal::{Effect, Error, ErrorType, Timestamp};

use super::expectation::{differs, full_type};
use crate::{Outside, Reply, scenario::CallScript};

/// Answers calls as a scenario says.
#[derive(Debug)]
pub(crate) struct Script {
    calls: Vec<CallScript>,
    is_blind: bool,
    made: BTreeMap<usize, usize>,
    probed: BTreeMap<usize, usize>,
    /// What became of each attempt, for connectors that know.
    truth: BTreeMap<(ExecutionId, Arc<str>, u32), CallOutcome>,
}

impl Script {
    pub(crate) fn new(calls: Vec<CallScript>, is_blind: bool) -> Self {
        Self {
            calls,
            is_blind,
            made: BTreeMap::new(),
            probed: BTreeMap::new(),
            truth: BTreeMap::new(),
        }
    }

    fn find(&self, function: &str, call: &Call) -> Option<usize> {
        let uri = call.arguments.get("uri").and_then(Value::as_str).unwrap_or_default();
        self.calls.iter().position(|script| {
            script.on == function
                || script.on == call.reference.as_str()
                || (script.on.contains("://") && uri.starts_with(&script.on))
        })
    }
}

impl Outside for Script {
    fn call(&mut self, function: &str, call: &Call, _now: Timestamp) -> Reply {
        let Some(at) = self.find(function, call) else {
            let detail = format!("nobody scripted {function} {:?}", call.arguments);
            return Reply::In(0, CallOutcome::Failed(Error::new(ErrorType::Runtime, detail)));
        };
        let script = &self.calls[at];
        if let Some(wanted) = &script.arguments
            && let Some(difference) = differs("arguments", wanted, &call.arguments)
        {
            return Reply::In(0, CallOutcome::Failed(Error::new(ErrorType::Runtime, difference)));
        }
        // A call that is made again after a crash meets the same answer.
        let id = (call.execution, call.key.clone(), call.attempt);
        let known = self.truth.get(&id).cloned();
        let count = self.made.entry(at).or_default();
        let answer = &script.answers[(*count).min(script.answers.len() - 1)];
        if known.is_none() || call.effect == Effect::Once {
            *count += 1;
        }
        let delay = answer.get("after").and_then(Value::as_i64).unwrap_or(0);
        if answer.get("never").is_some() {
            return Reply::Never;
        }
        let outcome = known.unwrap_or_else(|| outcome(answer));
        self.truth.insert(id, outcome.clone());
        Reply::In(u64::try_from(delay).unwrap_or(0), outcome)
    }

    fn probe(&mut self, function: &str, call: &Call, _now: Timestamp) -> ProbeOutcome {
        let scripted = self.find(function, call).and_then(|at| {
            let probes = &self.calls[at].probes;
            let count = self.probed.entry(at).or_default();
            let probe = probes.get((*count).min(probes.len().saturating_sub(1)))?;
            *count += 1;
            Some(probe.clone())
        });
        if let Some(probe) = scripted {
            return match outcome(&probe) {
                CallOutcome::Completed(output) => ProbeOutcome::Completed(output),
                CallOutcome::Failed(error) => ProbeOutcome::Failed(error),
                CallOutcome::NotMade => ProbeOutcome::NotMade,
                CallOutcome::Unknown(_) => ProbeOutcome::Unknown,
            };
        }
        let id = (call.execution, call.key.clone(), call.attempt);
        match self.truth.get(&id) {
            _ if self.is_blind => ProbeOutcome::Unknown,
            Some(CallOutcome::Completed(output)) => ProbeOutcome::Completed(output.clone()),
            Some(CallOutcome::Failed(error)) => ProbeOutcome::Failed(error.clone()),
            Some(CallOutcome::Unknown(_)) => ProbeOutcome::Unknown,
            Some(CallOutcome::NotMade) | None => ProbeOutcome::NotMade,
        }
    }

    fn give_up(&mut self, call: &Call) -> CallOutcome {
        let wanted = self
            .find("", call)
            .or_else(|| self.calls.iter().position(|script| !script.on.starts_with('/')));
        let said = wanted.and_then(|at| self.calls[at].answers[0].get("cancelled").cloned());
        match said {
            Some(said) => outcome(&said),
            None if call.effect == Effect::Once => {
                CallOutcome::Unknown(Error::new(ErrorType::Runtime, "given up after it had left"))
            }
            None => CallOutcome::NotMade,
        }
    }
}

/// `{output}`, `{error}`, `unknown` or `notMade`.
fn outcome(answer: &Value) -> CallOutcome {
    if let Some(output) = answer.get("output") {
        return CallOutcome::Completed(output.clone());
    }
    if let Some(error) = answer.get("error") {
        return CallOutcome::Failed(scripted_error(error));
    }
    match answer.as_str() {
        Some("notMade") => CallOutcome::NotMade,
        _ => CallOutcome::Unknown(Error::new(ErrorType::Communication, "the connection broke")),
    }
}

fn scripted_error(value: &Value) -> Error {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("communication");
    let status = value.get("status").and_then(Value::as_i64).unwrap_or(500);
    let mut error = Error::new(ErrorType::Communication, "as scripted")
        .with_status(u16::try_from(status).unwrap_or(500));
    error.kind = full_type(kind).into();
    error
}
