//! Every store keeps the contract.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tempfile::TempDir;
use tutti_store::{
    Commit, Error, FaultyStore, MemoryStore, SqliteStore, Status, Store,
    contract::{self, Sample, check_stored, wait},
};

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory).expect("the store opens")
}

#[test]
fn memory_keeps_the_contract() {
    contract::check_all(&|| Arc::new(MemoryStore::new()));
    contract::check_lookup(&|| Arc::new(MemoryStore::new()));
}

#[test]
fn sqlite_keeps_the_contract() {
    let directories = Mutex::new(Vec::new());
    let empty = || {
        let directory = directory();
        let store = open(directory.path());
        directories.lock().unwrap_or_else(PoisonError::into_inner).push(directory);
        Arc::new(store)
    };
    contract::check_all(&|| empty());
    contract::check_lookup(&|| empty());
}

#[test]
fn a_faulty_store_without_faults_keeps_the_contract() {
    contract::check_all(&|| Arc::new(FaultyStore::new(Arc::new(MemoryStore::new()), |_| None)));
}

#[test]
fn a_second_holder_of_the_directory_is_refused() {
    let directory = directory();
    let store = open(directory.path());
    let refused = SqliteStore::open(directory.path()).expect_err("the directory is in use");
    assert!(matches!(refused, Error::Unavailable { .. }));
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    drop(store);
    open(directory.path());
}

#[test]
fn a_store_open_for_reading_reads_everything_and_takes_no_commit() {
    let directory = directory();
    let missing = SqliteStore::open_read_only(directory.path()).expect_err("nothing is there");
    assert!(matches!(missing, Error::Unavailable { .. }), "{missing}");
    let mut sample = Sample::new(1);
    let turn = sample.turn("kept", Status::Running);
    let commit = |turn| Commit { turns: vec![turn], ..Commit::default() };
    wait(open(directory.path()).commit(commit(turn.clone()))).expect("the commit is good");
    let store = SqliteStore::open_read_only(directory.path()).expect("it opens");
    let refused = wait(store.commit(commit(sample.turn("refused", Status::Running))));
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    check_stored(&store, sample.execution(), &[turn]);
    let report = wait(store.inspect()).expect("it can be read");
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.counts.executions, report.counts.rows), (1, 1));
    assert_eq!(store.statistics().commits, 0);
}

#[test]
fn reopening_keeps_everything() {
    let directory = directory();
    let mut sample = Sample::new(1);
    let mut turns = Vec::new();
    let text = contract::definition("kept");
    for _ in 0..5 {
        let store = open(directory.path());
        check_stored(&store, sample.execution(), &turns);
        for detail in ["small", &"x".repeat(70_000)] {
            let turn = sample.turn(detail, Status::Running);
            turns.push(turn.clone());
            let definitions = vec![text.clone()];
            wait(store.commit(Commit { definitions, turns: vec![turn], ..Commit::default() }))
                .expect("good");
        }
        assert_eq!(wait(store.definition(text.digest)).ok(), Some(Some(text.clone())));
        let report = wait(store.verify()).expect("everything is whole");
        assert_eq!((report.rows, report.executions), (turns.len() as u64, 1));
    }
}
