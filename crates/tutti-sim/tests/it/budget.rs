//! A turn ends after so many decisions, ticks or bytes, and what it leaves is decided in the next.

use std::sync::Arc;

use tutti_engine::{
    Command, Definitions, Execution, Input, Limits, Outcome, Secrets, Start, Surroundings,
};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId};
use tutti_journal::{Entry, EventPosition, Timestamp};

/// Each of the hundred iterations is two decisions or more, some ticks and some hundred bytes.
const LOOP: &str = r#"
document: { dsl: '1.0.3', namespace: test, name: loop, version: '1.0.0' }
do:
  - each:
      for: { in: '[range(100)]' }
      do:
        - add: { set: '${ { n: ((.n // 0) + $item), text: ("x" * 300) } }' }
"#;

/// A hundred timers that are due at the same moment.
const WAITS: &str = r"
document: { dsl: '1.0.3', namespace: test, name: loop, version: '1.0.0' }
do:
  - each: { call: each, with: { in: '${ [range(100)] }', do: [ { pause: { wait: PT1S } } ] } }
";

/// Runs the loop and gives the entries of each turn.
fn turns(limits: Limits) -> Vec<Vec<Entry>> {
    turns_of(LOOP, limits)
}

/// Runs a document that awaits nothing but time, to its end, and gives the entries of each turn.
fn turns_of(document: &str, limits: Limits) -> Vec<Vec<Entry>> {
    let workflow = Arc::new(tutti_dsl::parse(document).workflow.expect("a valid document"));
    let definition = DefinitionRef {
        namespace: "test".parse().expect("a name"),
        name: "loop".parse().expect("a name"),
        version: "1.0.0".parse().expect("a version"),
    };
    let execution = ExecutionId::new(0, 1);
    let mut surroundings = Surroundings {
        now: Timestamp(0),
        secrets: &Nothing,
        definitions: &Nothing,
        free_slots: 0,
        limits,
    };
    let digest = Digest::ZERO;
    let mut live = Execution::new(execution, definition.clone(), digest, workflow);
    let events_after = EventPosition::default();
    let start = Start {
        execution,
        definition,
        digest,
        seed: 1,
        input: None,
        parent: None,
        events_after,
        key: None,
        hold: None,
    };
    let mut turns = vec![live.start(start, &surroundings)];
    while live.outcome().is_none() {
        let input = if live.outstanding().next() == Some(Command::Continue) {
            Input::Continue
        } else {
            surroundings.now = live.next_due().expect("it waits for a time").max(surroundings.now);
            Input::TimerFired
        };
        turns.push(live.advance(input, &surroundings).expect("it goes on"));
    }
    assert!(matches!(live.outcome(), Some(Outcome::Completed(_))), "{:?}", live.outcome());
    turns
}

#[test]
fn a_turn_yields_once_a_budget_is_used_up() {
    let whole = Limits::default();
    let all = turns(whole);
    assert_eq!(all.len(), 1, "the defaults have room for a hundred iterations");
    let check = |limits: Limits, least: usize, most: usize| {
        let split = turns(limits);
        assert!((least..=most).contains(&split.len()), "{} turns under {limits:?}", split.len());
        assert_eq!(split.concat(), all.concat(), "{limits:?} changes what is decided");
    };
    check(Limits { tasks_per_turn: 20, ..whole }, 10, 30);
    check(Limits { ticks_per_turn: 200, ..whole }, 5, 60);
    check(Limits { bytes_per_turn: 3_000, ..whole }, 5, 60);
    // Even without any budget a turn gets somewhere.
    let nothing = Limits { tasks_per_turn: 0, ticks_per_turn: 0, bytes_per_turn: 0, ..whole };
    check(nothing, 100, 1_000);
}

#[test]
fn timers_that_are_due_together_fire_in_turns_of_the_budget() {
    let whole = Limits::default();
    let all = turns_of(WAITS, whole);
    let few = turns_of(WAITS, Limits { tasks_per_turn: 10, ..whole });
    let fired = |turn: &Vec<Entry>| {
        turn.iter().filter(|entry| matches!(entry, Entry::TaskCompleted { .. })).count()
    };
    assert!(all.iter().any(|turn| fired(turn) >= 100), "the defaults have room for all");
    assert!(few.iter().all(|turn| fired(turn) <= 10), "{:?}", few.iter().map(fired).max());
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
