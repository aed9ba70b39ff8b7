//! The seeds of the fuzz target, as an ordinary test: whatever was found once is tried in every test.

mod exports;

use std::{fs, path::Path};

#[test]
fn seeds_of_exports_are_judged() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/exports");
    let mut held = 0;
    let mut count = 0;
    for entry in fs::read_dir(seeds).expect("the seeds are there") {
        held += usize::from(exports::check(
            &fs::read(entry.expect("an entry").path()).expect("a seed"),
        ));
        count += 1;
    }
    assert!(count > 5 && held > 1, "{held} of {count} seeds hold");
}
