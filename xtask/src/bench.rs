//! `cargo xtask bench`: each figure beside this machine's own limit of the same kind, measured in the same run.
//!
//! A new row is one line in [`rows`]. A figure without its limit says little: machines differ tenfold.

mod limits;
mod table;

use anyhow::{Result, bail};

use self::table::{Figure, Row};
use crate::{console::say, repository::Repository};

/// Measures and prints the table.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask bench");
    }
    say(&table::print(&rows(repository)?));
    Ok(())
}

/// Every row, measured. The machine's limits come first; the product's rows name the limit they are held against.
fn rows(repository: &Repository) -> Result<Vec<Row>> {
    let append = limits::synced_appends(&repository.target())?;
    let round_trip = limits::loopback_round_trips()?;
    Ok(vec![
        Row::limit("machine: append + fdatasync", Figure::per_second(append)),
        Row::limit("machine: loopback round trip", Figure::per_second(round_trip)),
        // Row::held("durable tasks, SQLite", Figure::per_second(tasks), Figure::per_second(append)),
    ])
}
