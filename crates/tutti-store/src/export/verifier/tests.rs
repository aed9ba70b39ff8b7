//! Whoever changes an export and makes new digests for its lines is still found: by what the lines say.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use tutti_journal::Timestamp;

use super::*;
use crate::{
    AuditFact, Commit, EraseRequest, SqliteStore, Status, Store as _,
    contract::{self, Sample, wait},
    export::{ExportRequest, LineWriter},
};

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

/// The records of a store with an execution that was erased and one that was not, of which one row has a blob; of what the
/// audit trail says, some is about the latter, and some is the same twice.
fn records(scope: Scope) -> Vec<Record> {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(root.path()).expect("nobody else uses it");
    let (mut erased, mut kept) = (Sample::new(1), Sample::new(2));
    for (detail, status) in
        [("x".to_owned(), Status::Running), ("large ".repeat(12_000), Status::Completed)]
    {
        let turns = vec![erased.turn("y", status), kept.turn(&detail, status)];
        let definitions = vec![contract::definition("sample")];
        let about = [Some(kept.execution()), None, None];
        let fact = |execution| AuditFact { execution, bytes: b"who did what".to_vec() };
        let audit = about.map(fact).to_vec();
        wait(store.commit(Commit { definitions, turns, audit, ..Commit::default() }))
            .expect("it is stored");
    }
    drop(store);
    let request = EraseRequest {
        execution: erased.execution(),
        at: Timestamp(1),
        by: "ada".to_owned(),
        reason: "she asked".to_owned(),
    };
    SqliteStore::erase(root.path(), &request, &contract::Plain).expect("it can be erased");
    exported(root.path(), scope)
}

fn exported(directory: &Path, scope: Scope) -> Vec<Record> {
    let store = SqliteStore::open(directory).expect("nobody else uses it");
    let written = Written::default();
    let request = ExportRequest { scope, product: "0.0.1".to_owned(), at: Timestamp(2) };
    wait(store.export(request, Box::new(written.clone()))).expect("it can be exported");
    let bytes = written.0.lock().expect("nobody panicked").clone();
    let mut lines = LineReader::new(&bytes[..]);
    let mut records = Vec::new();
    while let Some(line) = lines.next().expect("it can be read") {
        records.push(line.expect("the line holds"));
    }
    records
}

/// Writes the records with good digests and gives what is found.
fn flaw(records: &[Record]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut lines = LineWriter::new(&mut bytes);
    for record in records {
        lines.write(record).expect("memory takes it");
    }
    verify(&bytes[..]).err().map(|error| error.to_string())
}

#[test]
fn what_is_written_again_unchanged_holds() {
    assert_eq!(flaw(&records(Scope::All)), None);
    assert_eq!(flaw(&records(Scope::Execution(Sample::new(2).execution()))), None);
}

#[test]
fn every_record_that_is_gone_is_found() {
    let records = records(Scope::All);
    for at in 0..records.len() {
        let mut fewer = records.clone();
        let gone = fewer.remove(at);
        recount(&mut fewer);
        assert!(flaw(&fewer).is_some(), "{gone:?}");
    }
}

/// Makes the end count what there is.
fn recount(records: &mut [Record]) {
    let mut counts = Counts::default();
    for record in &*records {
        match record {
            Record::Definition(_) => counts.definitions += 1,
            Record::Execution(_) => counts.executions += 1,
            Record::Row(row) => {
                counts.rows += 1;
                counts.entries += u64::from(row.row.count);
                counts.erased += u64::from(row.row.values.is_none());
            }
            Record::Blob { .. } => counts.blobs += 1,
            Record::Erasure(_) => counts.erasures += 1,
            Record::Audit(_) => counts.audit += 1,
            Record::Commit(_) => counts.commits += 1,
            Record::Header(_) | Record::End(_) => {}
        }
    }
    if let Some(Record::End(end)) = records.last_mut() {
        *end = counts;
    }
}

/// Changes the first record that `change` takes, counts anew, and looks for what must be found.
fn check(what: &str, change: fn(&mut Record) -> bool) {
    let mut records = records(Scope::All);
    assert!(records.iter_mut().any(change), "there is nothing to change for: {what}");
    recount(&mut records);
    let found = flaw(&records);
    assert!(found.as_ref().is_some_and(|found| found.contains(what)), "{what}: {found:?}");
}

/// Changes a row that has values.
fn row(record: &mut Record, change: impl FnOnce(&mut RowRecord)) -> bool {
    match record {
        Record::Row(row) if row.row.values.is_some() => {
            change(row);
            true
        }
        _ => false,
    }
}

#[test]
fn every_change_is_found() {
    check("the values were altered", |record| {
        row(record, |row| {
            row.row.values.iter_mut().for_each(|values| values.bytes.push(0xF6));
        })
    });
    check("the entries were altered", |record| row(record, |row| row.row.at = Timestamp(5)));
    check("no erasure says so", |record| row(record, |row| row.row.values = None));
    check("no commit has the row", |record| row(record, |row| row.position = 99));
    check("two rows stand at one position", |record| row(record, |row| row.position = 3));
    check("does not have its digest", |record| match record {
        Record::Definition(definition) => {
            definition.text = "another".into();
            true
        }
        _ => false,
    });
    check("do not have its digest", |record| match record {
        Record::Blob { bytes, .. } => {
            bytes.push(1);
            true
        }
        _ => false,
    });
    check("or an erasure", |record| match record {
        Record::Erasure(erasure) => {
            erasure.reason = "another".to_owned();
            true
        }
        _ => false,
    });
    check("a fact of the audit trail is missing", |record| match record {
        Record::Audit(audit) => {
            audit.fact.bytes = b"who did nothing".to_vec();
            true
        }
        _ => false,
    });
    check("the audit trail does not belong here", |record| match record {
        Record::Audit(audit) => {
            audit.number += 1;
            true
        }
        _ => false,
    });
    check("what is missing is not what the erasure says", |record| match record {
        Record::Erasure(erasure) => {
            erasure.rows += 1;
            true
        }
        _ => false,
    });
    check("the row of commit 1 was altered", |record| match record {
        Record::Commit(commit) => {
            commit.row.totals.open += 1;
            true
        }
        _ => false,
    });
    check("does not end where the header says", |record| match record {
        Record::Header(header) => {
            header.head = Digest([7; 32]);
            true
        }
        _ => false,
    });
}
