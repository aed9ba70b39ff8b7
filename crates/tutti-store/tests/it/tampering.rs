//! Whatever is changed in a table while the store is in use, the read that would have shown it reports it.

use rusqlite::Connection;
use tutti_store::{
    Commit, DefinitionText, Error, Place, SqliteStore, Status, Store,
    contract::{self, Sample, wait},
};

/// The read that has to report.
#[derive(Debug, Clone, Copy)]
enum Read {
    Load,
    Tail,
    Open,
    Definition,
    /// Nothing shows it but a check of everything.
    Verify,
}

/// What is done, and which read shows it. The execution is the first; its journal has the positions 1, 3, 5 and 7.
const CASES: [(&str, Read); 47] = [
    (
        "UPDATE journal SET structure = CAST(structure || 'x' AS BLOB) WHERE position = 3",
        Read::Load,
    ),
    ("UPDATE journal SET structure = zeroblob(length(structure)) WHERE position = 3", Read::Load),
    ("UPDATE journal SET value = CAST(value || 'x' AS BLOB) WHERE position = 3", Read::Load),
    ("UPDATE journal SET salt = zeroblob(16) WHERE position = 3", Read::Load),
    ("UPDATE journal SET salt = NULL, value = NULL WHERE position = 3", Read::Load),
    ("UPDATE journal SET salt = NULL WHERE position = 3", Read::Load),
    ("UPDATE journal SET count = 3 WHERE position = 3", Read::Load),
    ("UPDATE journal SET at = at + 1 WHERE position = 3", Read::Load),
    ("UPDATE journal SET first = 99 WHERE position = 3", Read::Load),
    ("UPDATE journal SET first = -1 WHERE position = 3", Read::Load),
    ("UPDATE journal SET position = 99 WHERE position = 3", Read::Load),
    ("UPDATE journal SET values_digest = zeroblob(32) WHERE position = 3", Read::Load),
    ("UPDATE journal SET previous = zeroblob(32) WHERE position = 3", Read::Load),
    ("UPDATE journal SET digest = zeroblob(32) WHERE position = 3", Read::Load),
    ("UPDATE journal SET digest = x'00' WHERE position = 3", Read::Load),
    ("UPDATE journal SET checksum = zeroblob(16) WHERE position = 3", Read::Load),
    ("UPDATE journal SET execution = zeroblob(16) WHERE position = 3", Read::Load),
    ("DELETE FROM journal WHERE position = 1", Read::Load),
    ("DELETE FROM journal WHERE position = 3", Read::Load),
    ("DELETE FROM journal WHERE position = 7", Read::Load),
    ("DELETE FROM journal WHERE position % 2 = 1", Read::Load),
    ("DELETE FROM executions", Read::Load),
    ("DELETE FROM blobs", Read::Load),
    ("UPDATE blobs SET bytes = x'f6'", Read::Load),
    ("DELETE FROM executions", Read::Open),
    ("UPDATE executions SET status = 6 WHERE status = 1", Read::Open),
    ("UPDATE executions SET status = 2 WHERE status = 1", Read::Open),
    ("UPDATE executions SET due = 5", Read::Open),
    ("UPDATE executions SET parent = NULL, name = 'other'", Read::Open),
    ("UPDATE executions SET next = 3", Read::Open),
    (
        "UPDATE executions SET execution = zeroblob(16) WHERE execution = (SELECT min(execution) FROM executions)",
        Read::Open,
    ),
    ("UPDATE definitions SET text = 'two'", Read::Definition),
    ("UPDATE definitions SET name = 'other'", Read::Definition),
    ("UPDATE definitions SET digest = zeroblob(32)", Read::Definition),
    ("DELETE FROM definitions", Read::Definition),
    ("UPDATE snapshots SET structure = x'80'", Read::Tail),
    ("UPDATE snapshots SET value = x''", Read::Tail),
    ("UPDATE snapshots SET salt = zeroblob(16)", Read::Tail),
    ("UPDATE snapshots SET fingerprint = 'other'", Read::Tail),
    ("UPDATE snapshots SET next = 3", Read::Tail),
    ("UPDATE snapshots SET head = zeroblob(32)", Read::Tail),
    ("UPDATE snapshots SET digest = zeroblob(32)", Read::Tail),
    ("DELETE FROM journal WHERE position = 7", Read::Tail),
    ("DELETE FROM executions", Read::Tail),
    ("UPDATE snapshots SET execution = zeroblob(16)", Read::Verify),
    ("UPDATE commits SET open = open + 1 WHERE number = 2", Read::Verify),
    ("DELETE FROM blob_references", Read::Verify),
];

struct Fixture {
    directory: tempfile::TempDir,
    store: SqliteStore,
    execution: Sample,
    definition: DefinitionText,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let store = SqliteStore::open(directory.path()).expect("the store opens");
        let (mut execution, mut other) = (Sample::new(1), Sample::new(2));
        let definition = contract::definition("one");
        for detail in ["one", "two", &"x".repeat(70_000), "four"] {
            let next = if detail == "two" { Sample::turn_with_snapshot } else { Sample::turn };
            let turns = [
                next(&mut execution, detail, Status::Running),
                other.turn(detail, Status::Running),
            ];
            let definitions = vec![definition.clone()];
            let commit = Commit { definitions, turns: turns.into(), ..Commit::default() };
            wait(store.commit(commit)).expect("the commit is good");
        }
        Self { directory, store, execution, definition }
    }

    fn error(&self, read: Read) -> Option<Error> {
        match read {
            Read::Load => wait(self.store.load(self.execution.execution())).err(),
            Read::Tail => wait(self.store.load_tail(self.execution.execution())).err(),
            Read::Open => wait(self.store.open_executions(None, 10)).err(),
            Read::Definition => wait(self.store.definition(self.definition.digest)).err(),
            Read::Verify => wait(self.store.verify()).err(),
        }
    }

    fn tamper(&self, statement: &str) {
        let database = Connection::open(self.directory.path().join("journal.sqlite"));
        let changed = database.and_then(|database| database.execute(statement, ()));
        assert!(changed.is_ok_and(|rows| rows > 0), "{statement} changes nothing");
    }
}

#[test]
fn every_tampering_is_reported_by_the_read_that_would_show_it() {
    let untouched = Fixture::new();
    for read in [Read::Load, Read::Tail, Read::Open, Read::Definition, Read::Verify] {
        assert!(untouched.error(read).is_none(), "{read:?}");
    }
    for (statement, read) in CASES {
        let fixture = Fixture::new();
        fixture.tamper(statement);
        for read in [read, Read::Verify] {
            let reported = fixture.error(read);
            let is_damage = matches!(reported, Some(Error::Damaged(_) | Error::Corrupt { .. }));
            assert!(is_damage, "{statement}: {read:?} says {reported:?}");
        }
    }
}

#[test]
fn a_look_into_a_damaged_store_lists_what_is_damaged_and_reads_the_rest() {
    let Fixture { directory, store, execution, .. } = Fixture::new();
    drop(store);
    let database = Connection::open(directory.path().join("journal.sqlite")).expect("it opens");
    for statement in
        ["UPDATE journal SET at = at + 1 WHERE position = 3", "UPDATE definitions SET text = 'two'"]
    {
        assert_eq!(database.execute(statement, ()), Ok(1), "{statement}");
    }
    drop(database);
    let store = SqliteStore::open_read_only(directory.path()).expect("it opens");
    let report = wait(store.inspect()).expect("it can be read");
    let found = |place| {
        let damages = report.damages.iter().filter(|damage| damage.place == place);
        damages.filter_map(|damage| damage.execution).collect::<Vec<_>>()
    };
    assert!(found(Place::Journal).contains(&execution.execution()), "{report:?}");
    assert!(report.damages.iter().any(|it| it.place == Place::Definitions), "{report:?}");
    assert_eq!((report.counts.executions, report.unlisted), (1, 0), "the other one is whole");
    wait(store.load(Sample::new(2).execution())).expect("the other one is whole");
}
