//! Journals that earlier versions wrote are read for ever.
//!
//! The files are never edited. A release that adds entries records a journal of its own beside them:
//! `cargo run -p tutti-journal --example record_golden > crates/tutti-journal/tests/golden/VERSION/journal.bin`

use tutti_ids::{Digest, Sequence};

use crate::{
    container,
    samples::{self, check_same, decode, encode},
};

const VERSION_0_1: &[u8] = include_bytes!("../golden/0.1/journal.bin");

#[test]
fn the_journal_of_0_1_is_read() {
    let (rows, blobs) = container::read(VERSION_0_1);
    let turns = samples::journal();
    assert_eq!(rows.len(), turns.len());
    let (mut previous, mut next) = (Digest::ZERO, Sequence::FIRST);
    for (row, turn) in rows.iter().zip(&turns) {
        row.verify(previous, next).expect("the chain is whole");
        check_same(&decode(row, &blobs).expect("it decodes"), turn);
        (previous, next) = (row.digest, row.next());
    }
}

#[test]
fn this_version_still_writes_as_0_1_did() {
    let (rows, blobs) = encode(&samples::journal());
    assert!(
        container::write(&rows, &blobs) == VERSION_0_1,
        "the encoding of known entries changed"
    );
}
