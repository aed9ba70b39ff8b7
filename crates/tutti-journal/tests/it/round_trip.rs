//! What was written is read.

use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{BLOB_THRESHOLD, Entry, Timestamp, Turn};

use crate::samples::{self, KEY, TestSealer, check_same, decode, encode};

#[test]
fn every_entry_is_read_as_it_was_written() {
    for entry in samples::entries().into_iter().chain(samples::newer_entries()) {
        let turn = samples::turn(Sequence(5), vec![entry]);
        let (rows, blobs) = encode(std::slice::from_ref(&turn));
        check_same(&decode(&rows[0], &blobs).expect("it decodes"), &turn);
    }
}

#[test]
fn samples_have_every_kind_of_entry() {
    // Kinds are numbered from 0 without gaps: an entry that is added must be added to the samples.
    let names = |entry: &Entry| format!("{entry:?}").split([' ', '{']).next().map(str::to_owned);
    let all = [samples::entries(), samples::newer_entries()].concat();
    let kinds: std::collections::BTreeSet<_> = all.iter().map(names).collect();
    assert_eq!(kinds.len(), 45);
}

#[test]
fn a_journal_is_read_as_it_was_written() {
    let turns = samples::journal();
    let (rows, blobs) = encode(&turns);
    assert_eq!(blobs.len(), 1);
    for (row, turn) in rows.iter().zip(&turns) {
        check_same(&decode(row, &blobs).expect("it decodes"), turn);
    }
    assert_eq!(rows[1].blob_digests().expect("it decodes"), [blobs[0].digest]);
    assert!(decode(&rows[1], &[]).is_err(), "the blob is needed");
    let mut altered = blobs.clone();
    altered[0].bytes = b"\xf6".as_slice().into();
    assert!(decode(&rows[1], &altered).is_err(), "the blob is checked");
}

#[test]
fn values_above_the_threshold_stand_in_blobs() {
    // A text of this length takes three bytes more.
    for (length, expected) in [(BLOB_THRESHOLD - 3, 0), (BLOB_THRESHOLD - 2, 1)] {
        let output = Value::from("x".repeat(length));
        let entries = vec![Entry::CallCompleted { task: Sequence(3), output }];
        let turn = samples::turn(Sequence::FIRST, entries);
        let (rows, blobs) = encode(std::slice::from_ref(&turn));
        assert_eq!(blobs.len(), expected, "{length}");
        check_same(&decode(&rows[0], &blobs).expect("it decodes"), &turn);
    }
}

#[test]
fn secrets_are_sealed_and_open_only_with_their_key() {
    let secret = Value::object([
        ("shown", Value::from("plain")),
        ("token", Value::from("hunter2").tainted()),
    ]);
    let entries = vec![Entry::CallCompleted { task: Sequence(3), output: secret }];
    let turn = samples::turn(Sequence::FIRST, entries);
    let (row, blobs) = turn.encode(tutti_ids::Digest::ZERO, [0; 16], &Scrambling);
    assert!(blobs.is_empty());
    let bytes = row.values.as_ref().map(|values| values.bytes.clone()).unwrap_or_default();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"plain") && holds(b"token") && !holds(b"hunter2"));
    assert!(!format!("{turn:?}").contains("hunter2"));
    check_same(&row.decode(&Scrambling, &|_| None).expect("it opens"), &turn);
    assert!(row.decode(&KEY, &|_| None).is_err(), "another key opens nothing");
    let (row, _) = turn.encode(tutti_ids::Digest::ZERO, [0; 16], &TestSealer(8));
    assert!(row.decode(&KEY, &|_| None).is_err(), "another key opens nothing");
}

/// Hides what it seals from a search for it.
#[derive(Debug)]
struct Scrambling;

impl tutti_journal::Sealer for Scrambling {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.iter().map(|byte| !byte).collect()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, tutti_journal::SealError> {
        Ok(self.seal(sealed))
    }
}

#[test]
fn erased_values_read_as_such_and_leave_the_chain_whole() {
    let turns: Vec<Turn> = samples::journal();
    let (mut rows, blobs) = encode(&turns);
    rows[0].values = None;
    rows[0].verify(rows[0].previous, rows[0].first).expect("the chain is whole");
    rows[1].verify(rows[0].digest, rows[0].next()).expect("the chain is whole");
    let turn = decode(&rows[0], &blobs).expect("it decodes");
    assert_eq!(turn.entries.len(), turns[0].entries.len());
    assert_eq!(turn.at, Timestamp(1_700_000_000_123));
    let Entry::ExecutionStarted { input, digest, .. } = &turn.entries[0] else {
        return assert!(matches!(turn.entries[0], Entry::ExecutionStarted { .. }));
    };
    assert_eq!(input.as_str(), Some("«erased»"));
    assert_eq!(*digest, tutti_ids::Digest([1; 32]));
    assert_eq!(rows[0].blob_digests(), Ok(Vec::new()));
}
