//! What is kept beside the journals: records, the audit trail, lists of executions.

use std::sync::Arc;

use tutti_ids::{ExecutionId, Name};
use tutti_journal::Timestamp;

use super::{Sample, check_stored, wait};
use crate::{
    AuditFact, Commit, Error, ExecutionQuery, Expected, Lookup, Record, RecordChange, RecordId,
    RecordKind, RecordRange, Status,
};

/// Every check of what [`Lookup`] adds, each on an empty store that `empty` makes.
pub fn check_lookup(empty: &dyn Fn() -> Arc<dyn Lookup>) {
    a_record_is_changed_only_from_what_was_expected(&*empty());
    records_are_listed_by_namespace_and_key(&*empty());
    a_stale_change_takes_all_of_its_commit_with_it(&*empty());
    audit_facts_are_numbered_and_come_back(&*empty());
    executions_are_listed_newest_first(&*empty());
    the_head_moves_with_every_commit(&*empty());
    open_executions_are_counted_until_they_end(&*empty());
}

fn name(text: &str) -> Name {
    text.parse().expect("it is a name")
}

fn id(kind: RecordKind, namespace: Option<&str>, key: &str) -> RecordId {
    RecordId { kind, namespace: namespace.map(name), key: key.to_owned() }
}

fn change(store: &dyn Lookup, changes: Vec<RecordChange>) -> Result<(), Error> {
    wait(store.commit(Commit { records: changes, ..Commit::default() }))
}

fn set(id: RecordId, expected: Expected, value: Option<&[u8]>) -> RecordChange {
    RecordChange { id, expected, value: value.map(<[u8]>::to_vec) }
}

fn a_record_is_changed_only_from_what_was_expected(store: &dyn Lookup) {
    let token = || id(RecordKind::Token, None, "one");
    let check = |expected: Expected, value: Option<&[u8]>, is_made: bool, after: Option<&[u8]>| {
        let made = change(store, vec![set(token(), expected.clone(), value)]);
        match &made {
            Ok(()) => assert!(is_made, "{expected:?} was met"),
            Err(Error::Stale { record }) => {
                assert!(!is_made, "{expected:?} was not met");
                assert_eq!(**record, token());
            }
            Err(other) => assert!(matches!(other, Error::Stale { .. }), "{other:?}"),
        }
        assert_eq!(wait(store.record(token())).expect("it is whole").as_deref(), after);
    };
    check(Expected::Value(b"a".to_vec()), Some(b"b"), false, None);
    check(Expected::Nothing, Some(b"a"), true, Some(b"a"));
    check(Expected::Nothing, Some(b"b"), false, Some(b"a"));
    check(Expected::Value(b"x".to_vec()), None, false, Some(b"a"));
    check(Expected::Value(b"a".to_vec()), Some(b""), true, Some(b""));
    check(Expected::Anything, Some(b"c"), true, Some(b"c"));
    check(Expected::Value(b"c".to_vec()), None, true, None);
    check(Expected::Anything, None, true, None);
    // Within one commit, one change sees the one before.
    let (nothing, one) = (Expected::Nothing, Expected::Value(b"1".to_vec()));
    let both = vec![set(token(), nothing, Some(b"1")), set(token(), one, Some(b"2"))];
    assert!(change(store, both).is_ok());
    assert_eq!(wait(store.record(token())).ok().flatten().as_deref(), Some(&b"2"[..]));
}

fn records_are_listed_by_namespace_and_key(store: &dyn Lookup) {
    let all = [
        id(RecordKind::Secret, None, "z"),
        id(RecordKind::Secret, Some("a"), "1"),
        id(RecordKind::Secret, Some("a"), "2"),
        id(RecordKind::Secret, Some("b"), "0"),
    ];
    let other = id(RecordKind::Workflow, Some("a"), "1");
    let changes = all.iter().rev().chain([&other]);
    let changes = changes.map(|id| set(id.clone(), Expected::Nothing, Some(id.key.as_bytes())));
    change(store, changes.collect()).expect("they are new");
    let check = |namespace: Option<&str>, after: Option<usize>, limit, expected: &[usize]| {
        let namespace = namespace.map(name);
        let after = after.map(|at: usize| all[at].clone());
        let range = RecordRange { kind: RecordKind::Secret, namespace, after, limit };
        let found = wait(store.records(range)).expect("they are whole");
        let record =
            |at: &usize| Record { id: all[*at].clone(), value: all[*at].key.clone().into_bytes() };
        assert_eq!(found, expected.iter().map(record).collect::<Vec<_>>());
    };
    check(None, None, 10, &[0, 1, 2, 3]);
    check(None, None, 2, &[0, 1]);
    check(None, Some(1), 2, &[2, 3]);
    check(Some("a"), None, 10, &[1, 2]);
    check(Some("a"), Some(1), 10, &[2]);
    check(Some("c"), None, 10, &[]);
}

fn a_stale_change_takes_all_of_its_commit_with_it(store: &dyn Lookup) {
    let mut sample = Sample::new(1);
    let fact = AuditFact { execution: None, bytes: b"fact".to_vec() };
    let key = |key| id(RecordKind::Request, Some("a"), key);
    let commit = Commit {
        turns: vec![sample.turn("never stored", Status::Running)],
        records: vec![
            set(key("new"), Expected::Nothing, Some(b"1")),
            set(key("old"), Expected::Value(b"0".to_vec()), Some(b"1")),
        ],
        audit: vec![fact],
        ..Commit::default()
    };
    assert!(matches!(wait(store.commit(commit)), Err(Error::Stale { .. })));
    check_stored(store, sample.execution(), &[]);
    assert_eq!(wait(store.record(key("new"))).ok(), Some(None));
    assert_eq!(wait(store.audit_after(0, 10)).map(|found| found.len()).ok(), Some(0));
}

fn audit_facts_are_numbered_and_come_back(store: &dyn Lookup) {
    let mut sample = Sample::new(1);
    let about = Some(sample.execution());
    let fact = |execution, text: &str| AuditFact { execution, bytes: text.as_bytes().to_vec() };
    let facts =
        [fact(about, "start"), fact(None, "login"), fact(about, "login"), fact(None, "login")];
    let first = Commit {
        turns: vec![sample.turn("first", Status::Running)],
        audit: facts[..2].to_vec(),
        ..Commit::default()
    };
    wait(store.commit(first)).expect("it is stored");
    let then = Commit { audit: facts[2..].to_vec(), ..Commit::default() };
    wait(store.commit(then)).expect("it is stored");
    let found = wait(store.audit_after(0, 10)).expect("the trail is whole");
    let numbers: Vec<u64> = found.iter().map(|stored| stored.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(found[1].commit < found[2].commit);
    assert_eq!(found.into_iter().map(|stored| stored.fact).collect::<Vec<_>>(), facts);
    let page = wait(store.audit_after(1, 2)).expect("the trail is whole");
    assert_eq!(page.iter().map(|stored| stored.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(wait(store.audit_after(4, 2)).map(|found| found.len()).ok(), Some(0));
    let nothing = Commit { audit: vec![fact(None, "")], ..Commit::default() };
    assert!(wait(store.commit(nothing)).is_err(), "a fact that says nothing");
}

fn executions_are_listed_newest_first(store: &dyn Lookup) {
    let mut samples: Vec<Sample> = (1..=6).map(Sample::new).collect();
    for (at, sample) in samples.iter_mut().enumerate() {
        let mut turn = sample.turn("first", Status::Running);
        turn.key = (at % 2 == 0).then(|| Arc::from("even"));
        wait(store.commit(Commit { turns: vec![turn], ..Commit::default() }))
            .expect("it is stored");
    }
    let last = samples[3].turn("last", Status::Faulted);
    wait(store.commit(Commit { turns: vec![last], ..Commit::default() })).expect("it is stored");
    let ids: Vec<ExecutionId> = samples.iter().map(Sample::execution).collect();
    let definition = super::definition("sample").name;
    let all = ExecutionQuery {
        namespace: definition.namespace.clone(),
        workflow: None,
        status: None,
        key: None,
        since: None,
        before: None,
        limit: 10,
    };
    let check = |query: ExecutionQuery, expected: &[usize]| {
        let found = wait(store.executions(query.clone())).expect("the list is whole");
        let found: Vec<_> = found.iter().map(|listed| listed.execution).collect();
        assert_eq!(found, expected.iter().map(|at| ids[*at]).collect::<Vec<_>>(), "{query:?}");
    };
    check(all.clone(), &[5, 4, 3, 2, 1, 0]);
    check(ExecutionQuery { limit: 2, before: Some(ids[4]), ..all.clone() }, &[3, 2]);
    let workflow = Some(definition.name.clone());
    check(ExecutionQuery { workflow: workflow.clone(), ..all.clone() }, &[5, 4, 3, 2, 1, 0]);
    check(ExecutionQuery { workflow: Some(name("other")), ..all.clone() }, &[]);
    check(ExecutionQuery { status: Some(Status::Faulted), ..all.clone() }, &[3]);
    let both = ExecutionQuery { workflow, status: Some(Status::Running), ..all.clone() };
    check(ExecutionQuery { limit: 3, ..both }, &[5, 4, 2]);
    let keyed = ExecutionQuery { key: Some(Arc::from("even")), ..all.clone() };
    check(keyed.clone(), &[4, 2, 0]);
    check(ExecutionQuery { before: Some(ids[4]), limit: 1, ..keyed.clone() }, &[2]);
    check(ExecutionQuery { status: Some(Status::Faulted), ..keyed }, &[]);
    check(ExecutionQuery { namespace: name("elsewhere"), ..all.clone() }, &[]);
    let later = Some(Timestamp(1_700_000_000_001));
    check(ExecutionQuery { since: later, ..all }, &[]);
    let standing = wait(store.standing(ids[4])).expect("it is whole").expect("it is there");
    assert_eq!(
        (standing.key.as_deref(), standing.projection.status),
        (Some("even"), Status::Running)
    );
    assert_eq!(wait(store.standing(Sample::new(9).execution())).ok(), Some(None));
}

fn the_head_moves_with_every_commit(store: &dyn Lookup) {
    let before = wait(store.head()).expect("it is whole");
    let fact = AuditFact { execution: None, bytes: b"fact".to_vec() };
    wait(store.commit(Commit { audit: vec![fact], ..Commit::default() })).expect("it is stored");
    let after = wait(store.head()).expect("it is whole");
    assert_eq!(after.number, before.number + 1);
    assert_ne!(after.head, before.head);
}

fn open_executions_are_counted_until_they_end(store: &dyn Lookup) {
    let mut samples: Vec<Sample> = (1..=3).map(Sample::new).collect();
    let check = |sample: &mut Sample, status: Status, expected: u64| {
        let commit = Commit { turns: vec![sample.turn("turn", status)], ..Commit::default() };
        wait(store.commit(commit)).expect("it is stored");
        assert_eq!(wait(store.open_count()).expect("it is counted"), expected, "{status:?}");
    };
    assert_eq!(wait(store.open_count()).expect("it is counted"), 0);
    check(&mut samples[0], Status::Running, 1);
    check(&mut samples[1], Status::Waiting, 2);
    check(&mut samples[2], Status::Completed, 2);
    check(&mut samples[0], Status::Suspended, 2);
    check(&mut samples[0], Status::Faulted, 1);
    check(&mut samples[0], Status::Running, 2);
}
