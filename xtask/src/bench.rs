//! `cargo xtask bench`: each figure beside this machine's own limit of the same kind, measured in the same run.
//!
//! A new row is one line in [`rows`]. A figure without its limit says little: machines differ tenfold.

mod limits;
mod programs;
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

/// What a figure is called, and what it has to reach.
const BARS: &[(&str, Bar)] = &[
    ("expression: slowest hostile one", Bar::AtMost(150.0)),
    ("document: 1,000 tasks checked", Bar::AtMost(100.0)),
    ("engine: pure tasks, one core", Bar::AtLeast(200_000.0)),
    ("events: 10,000 listeners, p99 to resumed", Bar::AtMost(50.0)),
    ("engine: 100,000 against 10,000 iterations", Bar::AtMost(15.0)),
];

/// The figures that are multiples of another one of the same run.
const HELD: &[(&str, &str)] = &[
    ("python3: script", "python3: bare"),
    ("python3: script, recorded", "python3: bare"),
    ("node: script", "node: bare"),
    ("node: script, recorded", "node: bare"),
    ("runtime: two loops", "runtime: durable tasks, one loop"),
];

/// The figures that are shares of what raw SQLite does in the same run.
const SHARES: &[&str] =
    &["store: one caller, 64 turns per commit", "runtime: durable tasks on SQLite"];
const RAW: &str = "store: raw SQLite, 64 per transaction";

#[derive(Debug, Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

/// Every row, measured. The machine's limits come first; the product's rows name what they are held against.
fn rows(repository: &Repository) -> Result<Vec<Row>> {
    let append = limits::synced_appends(&repository.target())?;
    let round_trip = limits::loopback_round_trips()?;
    let mut figures = programs::example(repository, "tutti-store", "commits")?;
    figures.extend(programs::example(repository, "tutti-sim", "figures")?);
    figures.extend(programs::example(repository, "tutti-sim", "listeners")?);
    figures.extend(programs::example(repository, "tutti-connectors", "latency")?);
    figures.extend(programs::example(repository, "tutti-connectors", "scripts")?);
    let raw = figures.get(RAW).cloned();
    let bare = figures.clone();
    let forty = programs::forty_tasks(repository)?;
    let mut rows = vec![
        Row::alone("machine: append + fdatasync", Figure::per_second(append)),
        Row::alone("machine: loopback round trip", Figure::per_second(round_trip)),
        Row::at_most("tutti run: 40 tasks, start to exit", Figure::new(forty, "ms"), 60.0),
    ];
    rows.extend(figures.into_iter().map(|(name, figure)| {
        let held = HELD.iter().find(|(held, _)| *held == name);
        if let Some(limit) = held.and_then(|(_, bare_name)| bare.get(*bare_name)) {
            return Row::held(name, figure, limit.clone());
        }
        let bar = BARS.iter().find(|(barred, _)| *barred == name).map(|(_, bar)| *bar);
        match (bar, &raw) {
            (Some(Bar::AtMost(bar)), _) => Row::at_most(name, figure, bar),
            (Some(Bar::AtLeast(bar)), _) => Row::at_least(name, figure, bar),
            (None, Some(raw)) if SHARES.contains(&name.as_str()) => {
                Row::held(name, figure, raw.clone())
            }
            (None, _) => Row::alone(name, figure),
        }
    }));
    Ok(rows)
}
