//! The scenarios of the language, run in every way that must not make a difference.

mod attempts;
mod budget;
mod conformance;
mod examples;
mod going_back;
mod held;
mod partitions;
mod public_services;
mod rows;
mod scenarios;
mod snapshots;
