//! Tests of the stores from outside.

mod damage;
mod exports;
mod faults;
mod fuzzed;
mod stores;
mod tampering;
