//! The scenarios of the language, run in every way that must not make a difference.

mod budget;
mod conformance;
mod going_back;
mod public_services;
mod rows;
mod scenarios;
mod snapshots;
