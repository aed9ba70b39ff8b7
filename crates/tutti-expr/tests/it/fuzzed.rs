//! The seeds of the fuzz targets, as ordinary tests: whatever was found once is tried in every test.

mod expressions;
mod values;

use std::{fs, path::Path};

#[expect(clippy::disallowed_methods, reason = "tests read their seeds")]
fn each_seed(target: &str, check: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut count = 0;
    for entry in fs::read_dir(seeds).expect("the seeds are there") {
        check(&fs::read(entry.expect("an entry").path()).expect("the seed is readable"));
        count += 1;
    }
    assert!(count > 3, "{target} has {count} seeds");
}

#[test]
fn seeds_of_expressions_are_refused_or_end() {
    each_seed("expressions", expressions::check);
}

#[test]
fn seeds_of_values_print_as_what_they_are() {
    each_seed("values", values::check);
}
