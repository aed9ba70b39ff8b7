//! Records of commands that nobody wrote.
#![no_main]

#[path = "../../crates/tutti-connectors/tests/it/fuzzed/shell_records.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
