//! Tests of the stores from outside.

mod stores;
