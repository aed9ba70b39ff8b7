//! An execution that is held does nothing until it is admitted, and its journal says so.

use std::sync::Arc;

use tutti_engine::{
    Command, Control, Definitions, Execution, Hold, Input, Limits, Outcome, Rejection, Secrets,
    Start, Status, Surroundings,
};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, EventPosition, Timestamp, Turn};

const WAITS: &str = r"
document: { dsl: '1.0.3', namespace: test, name: held, version: '1.0.0' }
timeout: { after: PT10S }
do: [ { a: { set: { n: 1 } } }, { b: { wait: PT5S } } ]
";

/// An execution that began held at 0, with its journal.
struct Run {
    live: Execution,
    journal: Vec<Turn>,
}

impl Run {
    fn begin() -> Self {
        let execution = ExecutionId::new(0, 1);
        let start = Start {
            execution,
            definition: definition(),
            digest: Digest::ZERO,
            seed: 1,
            input: None,
            parent: None,
            events_after: EventPosition::default(),
            key: None,
            hold: Some(hold()),
        };
        let mut live = empty();
        let entries = live.start(start, &surroundings(0));
        let first = Turn { execution, first: Sequence::FIRST, at: Timestamp(0), entries };
        Self { live, journal: vec![first] }
    }

    fn feed(&mut self, input: Input, at: i64) -> Result<(), Rejection> {
        let first = self.live.next_sequence();
        let entries = self.live.advance(input, &surroundings(at))?;
        let (execution, at) = (self.live.id(), Timestamp(at));
        self.journal.push(Turn { execution, first, at, entries });
        self.check_replay();
        Ok(())
    }

    fn back(&mut self, from: &str, at: i64) {
        let first = self.live.next_sequence();
        let rewound = self.live.rewind(&self.journal, Some(&TaskRef::new(from)), &surroundings(at));
        let (live, entries) = rewound.expect("it can be taken back");
        let (execution, at) = (live.id(), Timestamp(at));
        self.live = live;
        self.journal.push(Turn { execution, first, at, entries });
        self.check_replay();
    }

    #[track_caller]
    fn check_replay(&self) {
        let (id, workflow) = (self.live.id(), self.live.workflow().clone());
        let again = Execution::restore(id, definition(), Digest::ZERO, workflow, &self.journal);
        assert_eq!(format!("{again:?}"), format!("{:?}", self.live));
    }

    #[track_caller]
    fn check_held(&self) {
        assert_eq!(self.live.status(), Status::Pending);
        assert_eq!(self.live.outstanding().collect::<Vec<_>>(), [Command::AwaitAdmission]);
    }

    fn wakes_at(&self) -> Option<i64> {
        self.live.outstanding().find_map(|command| match command {
            Command::Wake { at } => Some(at.0),
            _ => None,
        })
    }
}

#[test]
fn nothing_begins_before_it_is_admitted() {
    let mut run = Run::begin();
    run.check_held();
    assert_eq!(run.live.hold(), Some(&hold()));
    assert_eq!(run.journal[0].entries.len(), 2);
    for input in [Input::Continue, Input::TimerFired] {
        assert_eq!(run.feed(input, 60_000), Err(Rejection::Nothing));
    }
    run.feed(Input::Admitted, 60_000).expect("it is admitted");
    assert_eq!((run.live.status(), run.wakes_at()), (Status::Waiting, Some(65_000)));
    assert_eq!(run.feed(Input::Admitted, 60_001), Err(Rejection::Nothing), "told again");
}

#[test]
fn what_is_held_can_be_cancelled_and_paused() {
    let mut run = Run::begin();
    run.feed(Input::Control(Control::Cancel { reason: None }), 5).expect("it is cancelled");
    assert_eq!(run.live.outcome(), Some(&Outcome::Cancelled));

    let mut run = Run::begin();
    run.feed(Input::Control(Control::Suspend), 5).expect("it is suspended");
    run.feed(Input::Admitted, 10).expect("it is admitted");
    assert_eq!((run.live.status(), run.live.held()), (Status::Suspended, None));
    run.feed(Input::Control(Control::Resume), 20).expect("it goes on");
    assert_eq!(run.wakes_at(), Some(5_020));
}

#[test]
fn one_that_has_ended_is_held_anew_when_it_is_taken_back() {
    let mut run = Run::begin();
    run.feed(Input::Admitted, 0).expect("it is admitted");
    run.feed(Input::Control(Control::Suspend), 10).expect("it is suspended");
    run.back("/do/1/b", 20);
    assert_eq!(run.live.status(), Status::Waiting, "it has its room");
    for round in 1..=3 {
        let at = round * 100_000;
        run.feed(Input::Control(Control::Cancel { reason: None }), at).expect("it is cancelled");
        run.back("/do/1/b", at + 10);
        run.check_held();
        assert!(
            matches!(
                run.journal.last().map(|turn| &*turn.entries),
                Some([Entry::Rewound { .. }, Entry::ExecutionHeld { group: Some(_) }])
            ),
            "{:?}",
            run.journal.last()
        );
        run.feed(Input::Admitted, at + 50_000).expect("it is admitted");
        assert_eq!(run.wakes_at(), Some(at + 55_000), "the wait begins anew");
    }
}

#[test]
fn the_time_that_it_is_held_counts_towards_no_timeout() {
    let mut run = Run::begin();
    run.feed(Input::Admitted, 0).expect("it is admitted");
    run.feed(Input::TimerFired, 5_000).expect("the wait is over");
    assert!(matches!(run.live.outcome(), Some(Outcome::Completed(_))));
    run.back("/do/1/b", 6_000);
    run.feed(Input::Admitted, 906_000).expect("it is admitted");
    assert_eq!(run.wakes_at(), Some(911_000));
    run.feed(Input::TimerFired, 911_000).expect("the wait is over");
    assert!(matches!(run.live.outcome(), Some(Outcome::Completed(_))), "{:?}", run.live);
}

fn hold() -> Hold {
    Hold { group: Some("\"a\"".to_owned()) }
}

fn definition() -> DefinitionRef {
    DefinitionRef {
        namespace: "test".parse().expect("a name"),
        name: "held".parse().expect("a name"),
        version: "1.0.0".parse().expect("a version"),
    }
}

fn empty() -> Execution {
    let workflow = Arc::new(tutti_dsl::parse(WAITS).workflow.expect("a valid document"));
    Execution::new(ExecutionId::new(0, 1), definition(), Digest::ZERO, workflow)
}

fn surroundings(now: i64) -> Surroundings<'static> {
    Surroundings {
        now: Timestamp(now),
        secrets: &Nothing,
        definitions: &Nothing,
        free_slots: 1,
        limits: Limits::default(),
    }
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
