//! Tests of the stores from outside.

mod damage;
mod exports;
mod faults;
mod stores;
mod tampering;
