//! One entry of every kind, and what tests and the recorder of golden journals make of them.

use std::{collections::BTreeMap, sync::Arc};

use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{
    Blob, CallRecord, CodecError, Effect, Entry, Error, ErrorType, EventPosition, Flow, Parent,
    Resolution, Row, SealError, Sealer, SuspensionReason, Timestamp, Turn, Unanswered,
};

/// Seals by a byte that is different for each key, so that the wrong key fails; otherwise seals nothing.
#[derive(Debug)]
pub(crate) struct TestSealer(pub(crate) u8);

impl Sealer for TestSealer {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        [&[self.0], plain].concat()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let opened = sealed.split_first().filter(|(key, _)| **key == self.0);
        opened.map(|(_, plain)| plain.to_vec()).ok_or(SealError)
    }
}

/// The key that tests seal with.
pub(crate) const KEY: TestSealer = TestSealer(7);

/// The execution of all samples.
pub(crate) fn execution() -> ExecutionId {
    ExecutionId::new(1_700_000_000_000, 42)
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect("the sample is JSON")
}

fn definition() -> DefinitionRef {
    DefinitionRef {
        namespace: "default".parse().expect("a name"),
        name: "sample".parse().expect("a name"),
        version: "1.2.3-rc.1".parse().expect("a version"),
    }
}

fn error() -> Error {
    Error::new(ErrorType::Communication, "the other side hung up")
        .with_status(503)
        .at("/do/0/call")
        .with("cause", json(r#"{"code": 7}"#))
}

fn call() -> CallRecord {
    CallRecord {
        function: Arc::from("http"),
        arguments: Value::object([
            ("method", Value::from("post")),
            ("token", Value::from("hunter2").tainted()),
        ]),
        effect: Effect::Once,
        key: Arc::from("key-1"),
        attempt: 2,
    }
}

/// Every kind of entry, with each optional part present somewhere and absent somewhere.
pub(crate) fn entries() -> Vec<Entry> {
    let task = Sequence(3);
    let due = Timestamp(1_700_000_060_000);
    let numbers =
        json("[0, -1, 9223372036854775807, 1.5, 1e300, 100000000000000000000001, true, null]");
    vec![
        Entry::ExecutionStarted {
            definition: definition(),
            digest: Digest([1; 32]),
            seed: u64::MAX,
            input: json(r#"{"b": [1, {"c": "d"}], "a": ""}"#),
            parent: Some(Parent { execution: execution(), task, depth: 1, awaits: true }),
            events_after: None,
            key: None,
        },
        Entry::ExecutionStarted {
            definition: definition(),
            digest: Digest([2; 32]),
            seed: 0,
            input: Value::NULL,
            parent: None,
            events_after: None,
            key: None,
        },
        Entry::InputAccepted { input: Some(numbers), due: Some(due) },
        Entry::InputAccepted { input: None, due: None },
        Entry::TaskStarted {
            reference: TaskRef::new("/do/0/a~1b"),
            parent: Sequence::FIRST,
            iteration: Some(4),
            raw: Some(Value::NULL),
            input: Some(json("{}")),
            due: Some(due),
            label: Some(Value::from("web-1")),
        },
        Entry::TaskStarted {
            reference: TaskRef::root(),
            parent: Sequence::FIRST,
            iteration: None,
            raw: None,
            input: None,
            due: None,
            label: None,
        },
        Entry::TaskSkipped { reference: TaskRef::new("/do/1/x"), parent: task, iteration: Some(0) },
        Entry::TaskCompleted {
            task,
            output: Some(json("[]")),
            context: Some(Value::from("secret").tainted()),
            then: Flow::Jump(2),
        },
        Entry::TaskCompleted { task, output: None, context: None, then: Flow::Continue },
        Entry::TaskFaulted { task, error: error() },
        Entry::TaskCancelled { task },
        Entry::TaskTimedOut { task, error: Error::new(ErrorType::Timeout, "too late") },
        Entry::CaseSelected { task, case: Some("big".to_owned()), then: Flow::Exit },
        Entry::CaseSelected { task, case: None, then: Flow::End },
        Entry::LoopStarted { task, items: json("[1, 2, 3]"), limit: Some(10) },
        Entry::ItemStarted { task, index: 2 },
        Entry::BranchesJoined { task },
        Entry::WaitStarted { task, due },
        Entry::RetryScheduled { task, retry: 1, due, error: error() },
        Entry::RetryStarted { task, due: Some(due) },
        Entry::ErrorCaught { task, error: error() },
        Entry::CallScheduled { task, call: call() },
        Entry::CallDispatched { task },
        Entry::CallCompleted { task, output: Value::from(true).tainted() },
        Entry::CallFailed { task, error: error() },
        Entry::CallOutcomeUnknown { task, error: error(), probed: true },
        Entry::CallRescheduled { task },
        Entry::ChildStarted {
            task,
            execution: ExecutionId::from_bits(u128::MAX),
            definition: definition(),
            input: json("7"),
            awaited: false,
            digest: Digest([3; 32]),
        },
        Entry::ChildDetached { task },
        Entry::IncidentRaised { task, error: error() },
        Entry::IncidentResolved { task, resolution: Resolution::Retry },
        Entry::IncidentResolved { task, resolution: Resolution::Complete { output: json("1") } },
        Entry::IncidentResolved { task, resolution: Resolution::Fault },
        Entry::ExecutionSuspended { reason: SuspensionReason::Control },
        Entry::ExecutionSuspended { reason: SuspensionReason::Incident },
        Entry::ExecutionResumed,
        Entry::CancelRequested { reason: Some("wrong one".to_owned()) },
        Entry::CancelRequested { reason: None },
        Entry::Rewound { to: task },
        Entry::ExecutionCompleted { output: Some(Value::from("done")) },
        Entry::ExecutionFaulted { error: error() },
        Entry::ExecutionCancelled,
        Entry::FunctionCalled { task, input: Some(json("{\"x\": 1}")) },
    ]
}

/// The kinds of entries, and optional parts of them, that came after 0.1.
pub(crate) fn newer_entries() -> Vec<Entry> {
    let (task, position) = (Sequence(3), EventPosition(7));
    let event =
        json(r#"{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": 1}"#);
    vec![
        Entry::ExecutionStarted {
            definition: definition(),
            digest: Digest([4; 32]),
            seed: 7,
            input: Value::NULL,
            parent: None,
            events_after: Some(position),
            key: None,
        },
        Entry::ExecutionStarted {
            definition: definition(),
            digest: Digest([4; 32]),
            seed: 7,
            input: Value::NULL,
            parent: None,
            events_after: None,
            key: Some("order 7".to_owned()),
        },
        Entry::ExecutionHeld { group: Some("\"db1\"".to_owned()) },
        Entry::ExecutionHeld { group: None },
        Entry::ExecutionAdmitted,
        Entry::CallHeld {
            task,
            reference: TaskRef::new("/do/0/call"),
            group: Some("7".to_owned()),
        },
        Entry::CallHeld { task, reference: TaskRef::new("/do/0/call"), group: None },
        Entry::CallAdmitted { task },
        Entry::EventEmitted { task, event: event.clone() },
        Entry::ListenStarted { task, after: position, expected: Some(json(r#"[{"a": 1}, {}]"#)) },
        Entry::ListenStarted { task, after: EventPosition(0), expected: None },
        Entry::EventConsumed {
            task,
            position,
            filter: Some(1),
            ends: false,
            item: Some(event.tainted()),
            learned: Some(json(r#"{"key": "k"}"#)),
            source: Arc::from("/s"),
            id: Arc::from("1"),
        },
        Entry::EventConsumed {
            task,
            position: EventPosition(u64::MAX),
            filter: None,
            ends: true,
            item: None,
            learned: None,
            source: Arc::from(""),
            id: Arc::from(""),
        },
        Entry::ReversalStarted {
            task,
            error: Error::new(ErrorType::CompensationFailed, "no"),
            handled: true,
        },
        Entry::UndoStarted { task, completed: Sequence(9) },
        Entry::ExecutionSuspended { reason: SuspensionReason::JournalLimit },
        Entry::ExtensionsSelected {
            task,
            extensions: vec![0, 2],
            unanswered: vec![Unanswered { extension: 1, detail: "no boolean".to_owned() }],
        },
        Entry::ExtensionsSelected { task, extensions: vec![], unanswered: vec![] },
        Entry::BodyCompleted {
            task,
            raw: Some(json(r#"{"a": 1}"#)),
            output: Some(Value::from("x").tainted()),
            context: Some(json("{}")),
            then: Flow::Jump(2),
        },
        Entry::BodyCompleted { task, raw: None, output: None, context: None, then: Flow::Exit },
    ]
}

/// A turn with these entries, from sequence `first` on.
pub(crate) fn turn(first: Sequence, entries: Vec<Entry>) -> Turn {
    Turn { execution: execution(), first, at: Timestamp(1_700_000_000_123), entries }
}

/// A journal of three turns: every kind of entry; a value that stands in a blob; a small one.
pub(crate) fn journal() -> Vec<Turn> {
    let big = Value::array((0..10_000).map(|number| Value::from(format!("line {number}"))));
    let (task, every) = (Sequence(3), entries());
    let second = Sequence::FIRST.0 + every.len() as u64;
    vec![
        turn(Sequence::FIRST, every),
        turn(Sequence(second), vec![Entry::CallCompleted { task, output: big }]),
        turn(Sequence(second + 1), vec![Entry::ExecutionCompleted { output: None }]),
    ]
}

/// Encodes turns as the rows of one journal, with salts that are always the same.
pub(crate) fn encode(turns: &[Turn]) -> (Vec<Row>, Vec<Blob>) {
    let (mut rows, mut blobs) = (Vec::new(), Vec::new());
    let mut previous = Digest::ZERO;
    for (number, turn) in (0..).zip(turns) {
        let (row, of_row) = turn.encode(previous, [number; 16], &KEY);
        previous = row.digest;
        rows.push(row);
        blobs.extend(of_row);
    }
    (rows, blobs)
}

/// Decodes a row with the blobs among `blobs`.
pub(crate) fn decode(row: &Row, blobs: &[Blob]) -> Result<Turn, CodecError> {
    let found: BTreeMap<Digest, Arc<[u8]>> =
        blobs.iter().map(|blob| (blob.digest, blob.bytes.clone())).collect();
    row.decode(&KEY, &|digest| found.get(digest).cloned())
}

/// Checks that two turns are the same to the last number and mark of a secret.
pub(crate) fn check_same(left: &Turn, right: &Turn) {
    assert_eq!(left, right);
    // Equality of values looks past marks and kinds of numbers; their text, open and redacted, does not.
    assert_eq!(open(left), open(right));
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

/// The encoding under no seal of note shows every value as it is.
fn open(turn: &Turn) -> Row {
    turn.encode(Digest::ZERO, [0; 16], &KEY).0
}
