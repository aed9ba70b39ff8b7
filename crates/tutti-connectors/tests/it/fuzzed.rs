//! The seeds of the fuzz target, as an ordinary test: whatever was found once is tried in every test.

mod shell_records;

use std::{fs, path::Path};

#[test]
fn seeds_of_shell_records_are_judged() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/shell_records");
    let mut count = 0;
    for entry in fs::read_dir(seeds).expect("the seeds are there") {
        shell_records::check(&fs::read(entry.expect("an entry").path()).expect("a seed"));
        count += 1;
    }
    assert!(count > 3, "{count} seeds");
}
