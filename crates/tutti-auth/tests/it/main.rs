//! What holds of policy and records as a whole.

mod policy;
mod records;
mod samples;
