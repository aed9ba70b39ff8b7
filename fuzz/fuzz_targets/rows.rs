//! Rows of a journal that nobody wrote.
#![no_main]

#[path = "../../crates/tutti-journal/tests/it/fuzzed/rows.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
