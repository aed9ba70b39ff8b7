//! A result is of one attempt, and counts for that one alone.

use std::sync::Arc;

use tutti_engine::{
    CallOutcome, Definitions, Execution, Input, Limits, Rejection, Secrets, Start, Surroundings,
};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence};
use tutti_journal::{Entry, EventPosition, Timestamp};

const CALL: &str = r"
document: { dsl: '1.0.3', namespace: test, name: call, version: '1.0.0' }
do: [ { a: { call: http, with: { method: get, endpoint: 'http://localhost/' } } } ]
";

fn surroundings() -> Surroundings<'static> {
    Surroundings {
        now: Timestamp(0),
        secrets: &Nothing,
        definitions: &Nothing,
        free_slots: 1,
        limits: Limits::default(),
    }
}

/// An execution that waits for the first attempt of a call, which the task makes.
fn calling() -> (Execution, Sequence) {
    let workflow = Arc::new(tutti_dsl::parse(CALL).workflow.expect("a valid document"));
    let definition = DefinitionRef {
        namespace: "test".parse().expect("a name"),
        name: "call".parse().expect("a name"),
        version: "1.0.0".parse().expect("a version"),
    };
    let (execution, digest) = (ExecutionId::new(0, 1), Digest::ZERO);
    let mut live = Execution::new(execution, definition.clone(), digest, workflow);
    let start = Start {
        execution,
        definition,
        digest,
        seed: 1,
        input: None,
        parent: None,
        events_after: EventPosition::default(),
        key: None,
        hold: None,
    };
    let entries = live.start(start, &surroundings());
    let scheduled = entries.iter().find_map(|entry| match entry {
        Entry::CallScheduled { task, .. } => Some(*task),
        _ => None,
    });
    (live, scheduled.expect("the call is scheduled"))
}

#[test]
fn the_result_of_another_attempt_is_refused_and_changes_nothing() {
    let (mut live, task) = calling();
    let mut finish = |attempt| {
        let outcome = CallOutcome::Completed(Value::from(1));
        live.advance(Input::CallFinished { task, attempt, outcome }, &surroundings())
    };
    for other in [0, 2] {
        assert_eq!(finish(other), Err(Rejection::Stale { task }), "attempt {other}");
    }
    assert!(finish(1).is_ok());
    assert_eq!(finish(1), Err(Rejection::Ended), "it has its result");
}

/// No secrets, no definitions.
#[derive(Debug)]
struct Nothing;

impl Secrets for Nothing {
    fn secret(&self, _namespace: &str, _name: &str) -> Option<Value> {
        None
    }
}

impl Definitions for Nothing {
    fn find(&self, _space: &str, _name: &str, _version: &str) -> Option<(DefinitionRef, Digest)> {
        None
    }
}
