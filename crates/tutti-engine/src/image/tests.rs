//! Images hold everything, and what is no image of the execution is refused.

use std::sync::Arc;

use tutti_dsl::{ListId, TaskId};
use tutti_ids::ExecutionId;
use tutti_journal::{CallRecord, Effect, Error, ErrorType, Flow, SealError};

use super::*;
use crate::{
    ChildRequest,
    extension::{After, Before},
    frame::{
        Branches, BranchesKind, CallPhase, ChildPhase, Cursor, Ending, Role, TryPhase, TryState,
    },
    listening::Listening,
    undo::{Undo, UndoState, Undos},
};

/// Seals by a byte in front.
#[derive(Debug)]
struct TestSealer;

impl Sealer for TestSealer {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.iter().map(|byte| byte ^ 0x5A).collect()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(self.seal(sealed))
    }
}

fn value(text: &str) -> Value {
    Value::object([("data", Value::from(text)), ("secret", Value::from("hunter2").tainted())])
}

fn error() -> Error {
    Error::new(ErrorType::Communication, "no").with("cause", value("cause"))
}

fn cursor() -> Cursor {
    Cursor { list: ListId(0), position: 1, data: value("cursor") }
}

fn keys() -> KeyRing {
    KeyRing::from([
        (vec![(TaskId(0), Some(3)), (TaskId(1), None)], (Arc::from("key"), 7)),
        (vec![(TaskId(1), Some(0))], (Arc::from("other"), 1)),
    ])
}

fn parent() -> Parent {
    Parent { execution: ExecutionId::new(1, 2), task: Sequence(4), depth: 2, awaits: true }
}

fn branches(kind: BranchesKind) -> Body {
    let mut branches = Branches::new(kind, 3, value("base"));
    branches.results[0] = Some(Ok(value("first")));
    branches.results[2] = Some(Err(error()));
    branches.contexts.insert(2, value("context"));
    branches.begin(2);
    branches.failed = 1;
    branches.winner = Some(0);
    branches.joined = true;
    Body::Fork(branches)
}

fn tried(phase: TryPhase) -> Body {
    let attempt_due = Some(Timestamp(12));
    Body::Try(TryState { phase, cursor: cursor(), retries: 2, attempt_due, keys: keys() })
}

fn call(phase: CallPhase) -> Body {
    let record = CallRecord {
        function: Arc::from("http"),
        arguments: value("arguments"),
        effect: Effect::Once,
        key: Arc::from("key"),
        attempt: 2,
    };
    Body::Call { record, phase }
}

fn child(phase: ChildPhase) -> Body {
    let request = ChildRequest {
        execution: ExecutionId::new(3, 4),
        definition: definition(),
        digest: Digest([5; 32]),
        input: value("input"),
        parent: parent(),
    };
    Body::Child { request, phase }
}

fn definition() -> DefinitionRef {
    DefinitionRef {
        namespace: "test".parse().expect("a name"),
        name: "sample".parse().expect("a name"),
        version: "1.0.0".parse().expect("a version"),
    }
}

fn undo() -> Undo {
    let bound = vec![(Arc::from("item"), value("item")), (Arc::from("index"), Value::from(4))];
    Undo { task: TaskId(1), output: value("undone"), bound }
}

fn undoing(incident: Option<Error>) -> Body {
    Body::Undo(UndoState { undo: undo(), cursor: cursor(), incident, keys: keys() })
}

fn listening() -> Body {
    let listening = Listening {
        after: EventPosition(7),
        context: value("context"),
        expected: value("expected"),
        learned: [(Arc::from("order"), value("learned"))].into(),
        filled: [0, 2].into(),
        collects: true,
        items: vec![value("one"), value("two")],
        bytes: 99,
        consumed: 3,
        ending: 1,
        current: Some(value("current")),
    };
    Body::Listen(Box::new(listening))
}

/// Every kind of body, in every phase.
fn bodies() -> Vec<Body> {
    let each =
        BranchesKind::Each { items: value("items"), limit: 2, collect: true, allowed_failures: 1 };
    vec![
        Body::Fresh,
        Body::Switched { then: Flow::Jump(3) },
        Body::List(cursor()),
        Body::For {
            items: Value::array([value("item")]),
            index: 7,
            entered: true,
            cursor: cursor(),
        },
        branches(BranchesKind::Fork { compete: true }),
        branches(each),
        tried(TryPhase::Body),
        tried(TryPhase::Caught(error())),
        tried(TryPhase::Delay { due: Timestamp(9) }),
        tried(TryPhase::Handler(error())),
        tried(TryPhase::Undoing(error())),
        undoing(None),
        undoing(Some(error())),
        Body::Emitted(value("event")),
        listening(),
        Body::Wait { due: Timestamp(-3) },
        call(CallPhase::Scheduled),
        call(CallPhase::Dispatched),
        call(CallPhase::Probing(error())),
        call(CallPhase::Unknown(error())),
        call(CallPhase::Incident(error())),
        call(CallPhase::Done(Ok(value("output")))),
        call(CallPhase::Done(Err(error()))),
        child(ChildPhase::Requested),
        child(ChildPhase::Done(Ok(value("output")))),
        Body::Function { input: value("input"), output: Some(value("output")) },
        Body::Function { input: value("input"), output: None },
        Body::Extended,
        Body::Before(Before { place: 1, cursor: cursor() }),
        Body::Bypassed(value("mocked")),
        Body::After(After {
            place: 2,
            cursor: cursor(),
            raw: value("raw"),
            output: value("output"),
            then: Flow::Exit,
        }),
    ]
}

/// No kind of body may be missing above: one that is added does not compile here.
fn kind(body: &Body) -> usize {
    match body {
        Body::Fresh => 0,
        Body::Switched { .. } => 1,
        Body::List(_) => 2,
        Body::For { .. } => 3,
        Body::Fork(_) => 4,
        Body::Try(_) => 5,
        Body::Wait { .. } => 6,
        Body::Call { .. } => 7,
        Body::Child { .. } => 8,
        Body::Function { .. } => 9,
        Body::Undo(_) => 10,
        Body::Emitted(_) => 11,
        Body::Listen(_) => 12,
        Body::Extended => 13,
        Body::Before(_) => 14,
        Body::Bypassed(_) => 15,
        Body::After(_) => 16,
    }
}

fn empty() -> Execution {
    let text = "document: { dsl: '1.0.3', namespace: test, name: sample, version: '1.0.0' }\n\
                do: [ { one: { set: { a: 1 } } }, { two: { set: { a: 2 } } } ]";
    let workflow = tutti_dsl::parse(text).workflow.expect("a valid document");
    let id = ExecutionId::new(1_700_000_000_000, 1);
    Execution::new(id, definition(), Digest([1; 32]), Arc::new(workflow))
}

/// An execution with one frame that has this body, all else in it filled in.
fn with(body: &Body) -> Execution {
    let mut execution = empty();
    let endings = [None, Some(Ending::Fault(error())), Some(Ending::Cancel), Some(Ending::Finish)];
    for (id, ending) in (5..).zip(endings) {
        let frame = Frame {
            id: Sequence(id),
            parent: Some(Sequence(4)),
            task: Some(TaskId(1)),
            role: Role::Item,
            iteration: Some(3),
            started_at: Timestamp(11),
            raw: value("raw"),
            input: value("input"),
            due: Some(Timestamp(13)),
            children: 2,
            ending,
            context: Some(value("context")),
            body: body.clone(),
            undos: Undos::from([(Sequence(3), undo())]),
            extensions: vec![0, 4],
            queued: true,
        };
        execution.timers.extend(frame.due_times().map(|due| (due, frame.id)));
        if frame.is_external() {
            execution.external.insert(frame.id);
        }
        execution.frames.insert(frame.id, frame);
    }
    execution.next = Sequence(99);
    execution.seed = 8;
    execution.parent = Some(parent());
    execution.started_at = Timestamp(1);
    execution.updated_at = Timestamp(2);
    execution.ready = [Sequence(7), Sequence(5)].into();
    execution.suspended = Some((SuspensionReason::JournalLimit, Timestamp(4)));
    execution.held = Some(Timestamp(3));
    execution.hold = Some(Hold { group: Some("1".to_owned()) });
    execution.outcome = Some(Outcome::Faulted(error()));
    execution.handed_keys = keys();
    execution.granted_at = Sequence(50);
    execution.events_after = EventPosition(6);
    execution.lines = [(Sequence(5), Consumed([(1, 4), (8, 8)].into()))].into();
    execution.joining = [(Sequence(6), Consumed([(2, 2)].into()))].into();
    execution
}

fn read(snapshot: &Snapshot, of: &Execution) -> Result<Execution, CodecError> {
    let workflow = of.workflow().clone();
    Execution::from_snapshot(snapshot, definition(), of.digest, workflow, &TestSealer)
}

#[test]
fn every_frame_is_read_as_it_was_written() {
    let kinds: std::collections::BTreeSet<_> = bodies().iter().map(kind).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), (0..17).collect::<Vec<_>>());
    for body in bodies() {
        let execution = with(&body);
        let snapshot = execution.snapshot(Digest([2; 32]), [3; 16], &TestSealer);
        snapshot.verify().expect("it is whole");
        let imaged = read(&snapshot, &execution).expect("it is read");
        assert_eq!(format!("{imaged:?}"), format!("{execution:?}"));
        // What came from a secret is still marked, and still there.
        let raw = &imaged.frames[&Sequence(5)].raw;
        assert_eq!(raw.to_json(), value("raw").to_json());
        assert!(raw.get("secret").is_some_and(Value::is_tainted));
        let bytes = &snapshot.values.bytes;
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "a secret stands in it");
    }
}

#[test]
fn what_ended_well_or_was_cancelled_is_read_as_it_was_written() {
    for outcome in [Outcome::Completed(value("output")), Outcome::Cancelled] {
        let execution = Execution { outcome: Some(outcome), ..empty() };
        let snapshot = execution.snapshot(Digest::ZERO, [3; 16], &TestSealer);
        let imaged = read(&snapshot, &execution).expect("it is read");
        assert_eq!(format!("{imaged:?}"), format!("{execution:?}"));
    }
}

#[test]
fn a_value_that_many_frames_share_is_written_once() {
    let shared = Value::from("x".repeat(10_000));
    let mut execution = with(&Body::Fresh);
    for frame in execution.frames.values_mut() {
        frame.raw = shared.clone();
        frame.input = shared.clone();
    }
    let snapshot = execution.snapshot(Digest::ZERO, [3; 16], &TestSealer);
    assert!(snapshot.size() < 15_000, "{} bytes", snapshot.size());
}

#[test]
fn an_image_that_does_not_fit_is_refused() {
    let execution = with(&Body::Fresh);
    let good = execution.snapshot(Digest::ZERO, [3; 16], &TestSealer);
    let check = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = good.clone();
        change(&mut snapshot);
        assert!(read(&snapshot, &execution).is_err());
    };
    check(&|snapshot| snapshot.fingerprint.push('!'));
    check(&|snapshot| snapshot.structure.truncate(20));
    check(&|snapshot| snapshot.structure.push(0));
    check(&|snapshot| snapshot.values.bytes.clear());
    for length in 0..good.structure.len() {
        check(&|snapshot| snapshot.structure.truncate(length));
    }
    let other = Execution { digest: Digest([9; 32]), ..empty() };
    assert!(read(&good, &other).is_err(), "another definition's tasks have other places");
    let mut strange = execution.clone();
    for frame in strange.frames.values_mut() {
        frame.task = Some(TaskId(2));
    }
    let snapshot = strange.snapshot(Digest::ZERO, [3; 16], &TestSealer);
    assert!(read(&snapshot, &execution).is_err(), "there is no third task");
}
