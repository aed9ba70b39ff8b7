//! Nothing of a row can change unnoticed.

use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Entry, Row};

use crate::samples::{self, encode};

type Field = (&'static str, fn(&mut Row) -> &mut [u8]);

/// The fields of a row that are bytes.
const FIELDS: [Field; 6] = [
    ("structure", |row| &mut row.structure),
    ("salt", |row| row.values.as_mut().map_or(&mut [], |values| &mut values.salt)),
    ("values", |row| row.values.as_mut().map_or(&mut [], |values| &mut values.bytes)),
    ("digest of the values", |row| &mut row.values_digest.0),
    ("previous digest", |row| &mut row.previous.0),
    ("digest", |row| &mut row.digest.0),
];

#[test]
fn every_flipped_bit_of_every_field_is_noticed() {
    let (rows, _) = encode(&samples::journal());
    let (first, row) = (&rows[0], &rows[2]);
    let previous = rows[1].digest;
    let check = |what: &str, changed: &Row| {
        assert!(changed.verify(previous, row.first).is_err(), "{what}");
    };
    row.verify(previous, row.first).expect("it was not changed");
    for (name, field) in FIELDS {
        for row in [row, first] {
            let length = field(&mut row.clone()).len();
            assert!(length > 0 || name == "values", "{name}");
            for bit in 0..length * 8 {
                let mut changed = row.clone();
                field(&mut changed)[bit / 8] ^= 1 << (bit % 8);
                let whole = changed.verify(row.previous, row.first);
                assert!(whole.is_err(), "bit {bit} of the {name}");
            }
        }
    }
    for bit in 0..128 {
        let execution = ExecutionId::from_bits(row.execution.to_bits() ^ (1 << bit));
        check("execution", &Row { execution, ..row.clone() });
    }
    for bit in 0..64 {
        check("first", &Row { first: Sequence(row.first.0 ^ (1 << bit)), ..row.clone() });
        check("at", &Row { at: tutti_journal::Timestamp(row.at.0 ^ (1 << bit)), ..row.clone() });
    }
    for bit in 0..32 {
        check("count", &Row { count: row.count ^ (1 << bit), ..row.clone() });
    }
}

#[test]
fn rows_must_follow_each_other() {
    let (rows, _) = encode(&samples::journal());
    let follows = |row: &Row, before: &Row| row.verify(before.digest, before.next()).is_ok();
    assert!(follows(&rows[1], &rows[0]) && follows(&rows[2], &rows[1]));
    assert!(!follows(&rows[2], &rows[0]), "a row is missing");
    assert!(!follows(&rows[1], &rows[1]) && !follows(&rows[0], &rows[1]));
    assert!(rows[0].verify(Digest::ZERO, Sequence::FIRST).is_ok());
    // A whole row of another journal, in its place by number alone.
    assert!(rows[1].verify(Digest([9; 32]), rows[1].first).is_err());
    assert!(rows[1].verify(rows[1].previous, rows[2].first).is_err());
}

#[test]
fn equal_values_under_other_salts_have_other_digests() {
    let turn = samples::turn(Sequence::FIRST, vec![Entry::ExecutionCancelled]);
    let [one, two] =
        [1, 2].map(|salt| turn.encode(Digest::ZERO, [salt; 16], &samples::KEY).0.values_digest);
    assert_ne!(one, two);
}
