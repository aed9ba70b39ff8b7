//! Exports that nobody made.
#![no_main]

#[path = "../../crates/tutti-store/tests/it/fuzzed/exports.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(fuzzed::check(bytes)));
