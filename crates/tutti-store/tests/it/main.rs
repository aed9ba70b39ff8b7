//! Tests of the stores from outside.

mod damage;
mod faults;
mod stores;
mod tampering;
