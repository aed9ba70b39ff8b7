//! Catalogs that nobody wrote, and what is found in them.
#![no_main]

#[path = "../../crates/tutti-dsl/tests/it/fuzzed/catalogs.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
