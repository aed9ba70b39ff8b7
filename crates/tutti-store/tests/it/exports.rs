//! An export holds, and whatever is changed in it is found.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Entry, EventPosition, Timestamp};
use tutti_store::{
    Commit, EraseRequest, Erased, Error, NewEvent, Receipt, SqliteStore, Status, Store,
    contract::{self, Sample, wait},
    export::{self, ExportRequest, KnownHead, Report, Scope, Unverified},
};

/// What is written, for the test to look at.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn request(scope: Scope) -> ExportRequest {
    ExportRequest { scope, product: "0.0.1".to_owned(), at: Timestamp(1_700_000_000_000) }
}

fn exported(store: &SqliteStore, scope: Scope) -> (Vec<u8>, Report) {
    let written = Written::default();
    let report = wait(store.export(request(scope), Box::new(written.clone())));
    let report = report.expect("it can be exported");
    let bytes = written.0.lock().expect("nobody panicked").clone();
    (bytes, report)
}

/// A store with three executions, one of them with a blob, whose turns were committed in turn.
fn store() -> (tempfile::TempDir, SqliteStore, ExecutionId) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let mut samples = [Sample::new(1), Sample::new(2), Sample::new(3)];
    for round in 0..3 {
        for sample in &mut samples {
            let detail = if round == 1 { "large ".repeat(12_000) } else { "small".to_owned() };
            let commit = Commit {
                definitions: vec![contract::definition("sample")],
                turns: vec![sample.turn(&detail, Status::Running)],
                events: vec![],
                ..Commit::default()
            };
            wait(store.commit(commit)).expect("it is stored");
        }
    }
    let second = samples[1].execution();
    (root, store, second)
}

#[test]
fn what_is_exported_holds() {
    let (_root, store, second) = store();
    for (scope, executions) in [(Scope::All, 3), (Scope::Execution(second), 1)] {
        let (bytes, written) = exported(&store, scope);
        let read = export::verify(&bytes[..]).expect("it holds");
        assert_eq!(read, written);
        assert_eq!((read.counts.executions, read.counts.rows), (executions, 3 * executions));
    }
}

#[test]
fn the_position_of_an_altered_byte_is_named() {
    let (_root, store, second) = small();
    for (scope, step) in [(Scope::All, 151), (Scope::Execution(second), 307)] {
        let (bytes, _) = exported(&store, scope);
        let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n');
        for position in (0..bytes.len()).step_by(step).chain(ends) {
            // Other changes than of one bit take thirty times as many tries: fewer of them.
            let others: &[u8] = if position % 8 == 0 { b"\n7" } else { b"" };
            let flips = [bytes[position] ^ 0x01, bytes[position] ^ 0x20];
            for altered_to in flips.iter().chain(others).filter(|to| **to != bytes[position]) {
                let mut altered = bytes.clone();
                altered[position] = *altered_to;
                found(&altered, &bytes, position);
            }
        }
    }
}

#[test]
fn heads_that_somebody_outside_wrote_down_are_compared() {
    let (_root, store, second) = small();
    for scope in [Scope::All, Scope::Execution(second)] {
        let (bytes, report) = exported(&store, scope);
        let check = |number, head, at| {
            let known = KnownHead { head, at: Timestamp(at) };
            let verified = export::verify_against(&bytes[..], &[(number, known)].into());
            verified.err().map(|error| error.to_string())
        };
        assert_eq!(check(report.commit, report.head, 0), None);
        let told = check(report.commit, Digest([7; 32]), 0).expect("another history");
        assert!(told.contains("commit 2 has another head than its checkpoint"), "{told}");
        let told = check(report.commit + 1, report.head, 0).expect("its end was cut off");
        assert!(told.contains("checkpoint of commit 3, but the commits end before"), "{told}");
        assert_eq!(check(report.commit + 1, report.head, i64::MAX), None, "it was made before");
    }
}

#[test]
fn of_several_altered_bytes_the_line_is_named() {
    let (_root, store, _) = small();
    let (bytes, _) = exported(&store, Scope::All);
    let begin = bytes.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let mut altered = bytes.clone();
    altered[begin + 30] ^= 0x01;
    altered[begin + 90] ^= 0x01;
    let error = export::verify(&altered[..]).expect_err("two bytes were altered");
    assert!(matches!(error, Unverified::Flaw(export::Flaw { line: 2, .. })), "{error}");
}

/// A store with two executions whose exports are small.
fn small() -> (tempfile::TempDir, SqliteStore, ExecutionId) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let mut samples = [Sample::new(1), Sample::new(2)];
    for _ in 0..2 {
        let turns = samples.iter_mut().map(|sample| sample.turn("x", Status::Running)).collect();
        let definitions = vec![contract::definition("sample")];
        wait(store.commit(Commit { definitions, turns, events: vec![], ..Commit::default() }))
            .expect("it is stored");
    }
    let second = samples[1].execution();
    (root, store, second)
}

fn found(altered: &[u8], bytes: &[u8], position: usize) {
    let line = bytes[..position].split(|byte| *byte == b'\n').count() as u64;
    match export::verify(altered) {
        Err(Unverified::Flaw(flaw)) => {
            assert_eq!((flaw.line, flaw.offset), (line, position as u64), "{flaw}");
        }
        other => assert!(other.is_err(), "byte {position} of line {line}: {other:?}"),
    }
}

#[test]
fn every_cut_and_every_line_that_is_gone_doubled_or_moved_is_found() {
    let (_root, store, second) = small();
    let (bytes, _) = exported(&store, Scope::Execution(second));
    for end in 0..bytes.len() {
        assert!(export::verify(&bytes[..end]).is_err(), "cut to {end}");
    }
    assert!(export::verify(&[&bytes[..], b"\n"].concat()[..]).is_err());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() {
        let gone = [&lines[..at], &lines[at + 1..]].concat().concat();
        assert!(export::verify(&gone[..]).is_err(), "without line {}", at + 1);
        let doubled = [&lines[..=at], &lines[at..]].concat().concat();
        assert!(export::verify(&doubled[..]).is_err(), "line {} twice", at + 1);
        let mut moved = lines.clone();
        moved.swap(at, (at + 1) % lines.len());
        assert!(export::verify(&moved.concat()[..]).is_err(), "line {} moved", at + 1);
    }
}

#[test]
fn an_execution_that_is_not_there_is_not_exported() {
    let (_root, store, _) = small();
    let missing = Sample::new(99).execution();
    let refused = wait(store.export(request(Scope::Execution(missing)), Box::new(Vec::new())));
    assert!(refused.is_err_and(|error| error.to_string().contains("there is no execution")));
}

const CANARY: &str = "c4nary of a customer";

/// A store with an execution that has ended and knew the canary, in a row and in a blob, and one that goes on and shares
/// another blob with it.
fn with_customer() -> (tempfile::TempDir, Sample, Sample) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let (mut ended, mut open) = (Sample::new(1), Sample::new(2));
    let (own, shared) = (CANARY.repeat(5_000), "shared ".repeat(12_000));
    for (detail, status) in [
        (CANARY, Status::Running),
        (&own, Status::Running),
        (&shared, Status::Running),
        ("it ends", Status::Completed),
    ] {
        let mut turns = vec![ended.turn(detail, status)];
        if detail != own && detail != CANARY {
            turns.push(open.turn(detail, Status::Running));
        }
        let definitions = vec![contract::definition("sample")];
        wait(store.commit(Commit { definitions, turns, events: vec![], ..Commit::default() }))
            .expect("it is stored");
    }
    (root, ended, open)
}

fn asked(execution: ExecutionId) -> EraseRequest {
    let (by, reason) = ("ada".to_owned(), "she asked".to_owned());
    EraseRequest { execution, at: Timestamp(1_700_000_009_000), by, reason }
}

#[test]
fn what_is_erased_is_gone_from_all_files_and_everything_else_verifies() {
    let (root, mut ended, open) = with_customer();
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let (before, _) = exported(&store, Scope::All);
    drop(store);
    assert!(files_hold(root.path(), CANARY));
    let erased = SqliteStore::erase(root.path(), &asked(ended.execution()), &contract::Plain)
        .expect("it can be");
    assert_eq!((erased.rows, erased.blobs), (4, 1));
    assert!(!files_hold(root.path(), CANARY), "something is left");

    let store = SqliteStore::open(root.path()).expect("it can be opened");
    let found = wait(store.verify()).expect("it is whole");
    assert_eq!((found.erased, found.blobs), (4, 1));
    let history = wait(store.load(open.execution())).expect("it is whole").expect("it is there");
    assert_eq!((history.rows.len(), history.blobs.len()), (2, 1));
    for scope in [Scope::All, Scope::Execution(ended.execution())] {
        let (bytes, written) = exported(&store, scope);
        assert!(!holds(&bytes, CANARY));
        let read = export::verify(&bytes[..]).expect("it holds");
        assert_eq!(read, written);
        assert_eq!((read.counts.erased, read.counts.erasures), (4, 1));
        assert_eq!(read.erasures[0].reason, "she asked");
    }
    let (bytes, _) = exported(&store, Scope::Execution(open.execution()));
    assert_eq!(export::verify(&bytes[..]).expect("it holds").counts.erasures, 0);
    export::verify(&before[..]).expect("what was exported before still holds");

    let turns = vec![ended.turn("again", Status::Running)];
    let refused = wait(store.commit(Commit { turns, ..Commit::default() })).err();
    assert!(matches!(refused, Some(Error::Erased { .. })), "{refused:?}");
    drop(store);
    let again = SqliteStore::erase(root.path(), &asked(ended.execution()), &contract::Plain)
        .expect("it can be");
    assert_eq!(again, Erased::default());
}

#[test]
fn nothing_is_erased_of_an_execution_that_goes_on_or_is_not_there() {
    let (root, _, open) = with_customer();
    let refused = SqliteStore::erase(root.path(), &asked(open.execution()), &contract::Plain).err();
    assert!(matches!(refused, Some(Error::NotEnded { .. })), "{refused:?}");
    let refused =
        SqliteStore::erase(root.path(), &asked(Sample::new(99).execution()), &contract::Plain)
            .err();
    assert!(matches!(refused, Some(Error::Unknown { .. })), "{refused:?}");
    assert!(files_hold(root.path(), CANARY));
}

/// Received before and after the executions of [`Sample`] started.
const BEFORE: i64 = 1_699_999_999_999;
const AFTER: i64 = 1_700_000_000_001;

fn event(number: u8, received_at: i64) -> NewEvent {
    let bytes = format!("{CANARY} of {number}").into_bytes();
    NewEvent { key: Digest([number; 32]), received_at: Timestamp(received_at), bytes }
}

/// A store in which an execution that ended consumed the first of two events.
fn with_events(received_at: i64, other: Status) -> (tempfile::TempDir, Sample) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let (mut ended, mut beside) = (Sample::new(1), Sample::new(2));
    wait(store.publish(vec![event(1, received_at), event(2, received_at)])).expect("it is done");
    let consumed = Entry::EventConsumed {
        task: Sequence(1),
        position: EventPosition(1),
        filter: None,
        ends: false,
        item: None,
        learned: None,
        source: "s".into(),
        id: "1".into(),
    };
    let commit = Commit {
        definitions: vec![contract::definition("sample")],
        turns: vec![
            ended.turn_of(vec![consumed], Status::Completed),
            beside.turn("goes its way", other),
        ],
        events: vec![],
        ..Commit::default()
    };
    wait(store.commit(commit)).expect("it is stored");
    (root, ended)
}

fn erase_events(root: &Path, ended: &Sample) -> (u64, u64) {
    let erased = SqliteStore::erase(root, &asked(ended.execution()), &contract::Plain);
    let erased = erased.expect("it can be");
    (erased.events, erased.kept_events)
}

#[test]
fn events_that_an_erased_execution_consumed_lose_what_they_said() {
    let (root, ended) = with_events(AFTER, Status::Completed);
    assert_eq!(erase_events(root.path(), &ended), (1, 0));
    assert!(!files_hold(root.path(), &format!("{CANARY} of 1")));
    let store = SqliteStore::open(root.path()).expect("it can be opened");
    wait(store.verify()).expect("it is whole");
    let left = wait(store.events_after(EventPosition(0), 1)).expect("the log is whole");
    assert_eq!(left.iter().map(|event| event.position.0).collect::<Vec<_>>(), [2]);
    let again = wait(store.publish(vec![event(1, AFTER)])).expect("it is answered");
    assert_eq!(again, [Receipt::Duplicate(EventPosition(1))]);
    drop(store);
    assert_eq!(erase_events(root.path(), &ended), (0, 0), "it was erased before");
}

#[test]
fn events_that_others_may_still_receive_are_erased_later() {
    let (root, ended) = with_events(BEFORE, Status::Waiting);
    assert_eq!(erase_events(root.path(), &ended), (1, 0), "nobody began before it");
    let (root, ended) = with_events(AFTER, Status::Waiting);
    assert_eq!(erase_events(root.path(), &ended), (0, 1));
    assert!(files_hold(root.path(), &format!("{CANARY} of 1")));
    assert_eq!(erase_events(root.path(), &ended), (0, 1), "somebody began before it");
}

fn files_hold(directory: &Path, text: &str) -> bool {
    let files = fs::read_dir(directory).expect("it can be listed");
    let read = |file: std::io::Result<fs::DirEntry>| {
        fs::read(file.expect("it is there").path()).expect("it can be read")
    };
    files.map(read).any(|bytes| holds(&bytes, text))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
