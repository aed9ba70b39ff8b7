//! Expressions that nobody wrote.
#![no_main]

#[path = "../../crates/tutti-expr/tests/it/fuzzed/expressions.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
