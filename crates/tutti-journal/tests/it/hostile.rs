//! Bytes that nobody wrote: errors, never a panic, never memory beyond what they hold.

use std::sync::Arc;

use proptest::prelude::*;
use tutti_ids::{Digest, Sequence};
use tutti_journal::{Entry, Row, SaltedValues};

use crate::samples::{self, KEY, encode};

/// A row with these bytes, which nothing vouches for.
fn row(structure: Vec<u8>, values: Vec<u8>, count: u32) -> Row {
    let (rows, _) = encode(&[samples::turn(Sequence::FIRST, vec![Entry::ExecutionCancelled])]);
    let values = Some(SaltedValues { salt: [0; 16], bytes: values });
    Row { structure, values, count, ..rows[0].clone() }
}

/// The structure of one entry that refers to one value.
fn one_value() -> Vec<u8> {
    let output = tutti_expr::Value::NULL;
    let entries = vec![Entry::CallCompleted { task: Sequence(3), output }];
    encode(&[samples::turn(Sequence::FIRST, entries)]).0[0].structure.clone()
}

/// Does all that can be done to a row that nobody wrote; says whether it decodes.
fn handle(row: &Row) -> bool {
    assert!(row.verify(Digest::ZERO, Sequence::FIRST).is_err());
    drop(row.blob_digests());
    let decoded = row.decode(&KEY, &|_| Some(Arc::from(&b"\xf6"[..])));
    if let Ok(turn) = &decoded {
        assert_eq!(turn.entries.len(), row.count as usize);
    }
    decoded.is_ok()
}

proptest! {
    #[test]
    fn any_structure_is_handled(
        mut structure in proptest::collection::vec(any::<u8>(), 0..200),
        count in 0..4_u32,
    ) {
        structure.insert(0, 1);
        handle(&row(structure, b"\xf6".to_vec(), count));
    }

    #[test]
    fn any_values_are_handled(values in proptest::collection::vec(any::<u8>(), 0..200)) {
        handle(&row(one_value(), values, 1));
    }

    #[test]
    fn any_change_of_a_real_row_is_handled(
        position in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
        of_structure in any::<bool>(),
    ) {
        let (rows, _) = encode(&samples::journal());
        let mut changed = rows[0].clone();
        let values = changed.values.as_mut().map(|values| &mut values.bytes);
        let bytes = if of_structure { &mut changed.structure } else { values.expect("not erased") };
        let position = position.index(bytes.len());
        bytes[position] ^= change;
        handle(&changed);
    }
}

#[test]
fn every_cut_of_a_real_row_is_handled() {
    let (rows, _) = encode(&samples::journal());
    let structure = &rows[0].structure;
    for length in 0..structure.len() {
        let cut = Row { structure: structure[..length].to_vec(), ..rows[0].clone() };
        assert!(!handle(&cut), "cut to {length}");
    }
    let longer = Row { structure: [structure, &[0][..]].concat(), ..rows[0].clone() };
    assert!(!handle(&longer), "more follows");
}

#[test]
fn declared_lengths_are_not_believed() {
    let huge = [0xFF; 8];
    // Arrays, objects, texts and bytes of 2^64 - 1 parts, plain and within an array.
    for kind in [0x9B, 0xBB, 0x7B, 0x5B] {
        for before in [&[][..], &[0x81], &[0x82, 0xF6]] {
            let values = [before, &[kind], &huge, &[0xF6]].concat();
            assert!(!handle(&row(one_value(), values, 1)), "{kind:x}");
        }
        let structure = [&[1, kind][..], &huge].concat();
        assert!(!handle(&row(structure, Vec::new(), u32::MAX)), "{kind:x}");
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let array = |depth: usize| [vec![0x81; depth], vec![0xF6]].concat();
    assert!(handle(&row(one_value(), array(256), 1)));
    assert!(!handle(&row(one_value(), array(257), 1)));
    assert!(!handle(&row(one_value(), array(5_000_000), 1)));
    let object = [[0xA1, 0x60].repeat(1_000_000), vec![0xF6]].concat();
    assert!(!handle(&row(one_value(), object, 1)));
    assert!(!handle(&row([vec![1], array(1_000_000)].concat(), Vec::new(), 1)));
    // Sealed leaves within sealed leaves, each with its tag, length and the test key's byte.
    let sealed = (0..2_000).fold(vec![0xF6], |inner: Vec<u8>, _| {
        let length = u32::try_from(inner.len() + 1).expect("small").to_be_bytes();
        [&[0xDA, 0x74, 0x75, 0, 1, 0x5A][..], &length, &[7], &inner].concat()
    });
    assert!(!handle(&row(one_value(), sealed, 1)));
}

#[test]
fn a_newer_version_is_refused() {
    let mut newer = row(one_value(), b"\xf6".to_vec(), 1);
    assert!(handle(&newer));
    newer.structure[0] = 2;
    let error = newer.decode(&KEY, &|_| None).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("newer version")));
}
