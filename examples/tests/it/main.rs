//! The examples and tutorials, run as a reader would run them: with the built `tutti`, from the repository's top directory.
//!
//! `cargo build -p tutti` comes first; `cargo xtask test` sees to it.

mod batch_billing;
mod blocks;
mod checkout;
mod commands;
mod host_report;
mod nightly_backup;
mod pages;
mod patch_fleet;
mod program;
mod provision;
mod serving;
mod shop;
mod tutorials;
