//! The seeds of the fuzz targets, as ordinary tests: whatever was found once is tried in every test.

mod definitions;
mod durations;

use std::{fs, path::Path};

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
fn seeds_of_definitions_are_judged() {
    each_seed("definitions", definitions::check);
}

#[test]
fn seeds_of_durations_templates_and_cron_are_judged() {
    each_seed("durations", durations::check);
}
