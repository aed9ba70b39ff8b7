//! The seeds of the fuzz target, as an ordinary test: whatever was found once is tried in every test.

mod rows;

use std::{fs, path::Path};

use crate::samples;

#[expect(clippy::disallowed_methods, reason = "tests read their seeds")]
fn seeds() -> Vec<Vec<u8>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/rows");
    let entries = fs::read_dir(seeds).expect("the seeds are there");
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read(entry.expect("an entry").path());
    entries.map(|entry| read(entry).expect("the seed is readable")).collect()
}

#[test]
fn seeds_of_rows_are_handled() {
    let seeds = seeds();
    assert!(seeds.len() > 3, "{} seeds", seeds.len());
    for seed in &seeds {
        rows::check(seed);
    }
}

#[test]
fn rows_that_were_written_are_read_as_they_are() {
    let (encoded, _) = samples::encode(&samples::journal());
    for row in &encoded {
        let values = row.values.as_ref().map(|values| &values.bytes[..]).unwrap_or_default();
        rows::check(&laid_out(row.count, &row.structure, values));
    }
}

/// The bytes that the check takes for a row.
fn laid_out(count: u32, structure: &[u8], values: &[u8]) -> Vec<u8> {
    let count = u8::try_from(count).expect("few entries");
    let length = u16::try_from(structure.len()).expect("a short structure");
    [&[count][..], &length.to_be_bytes(), structure, values].concat()
}
