//! `tutti store verify`, and what is said about a store that is damaged.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::{Value as Json, json};
use tutti_secrets::{KeyFileError, KeyFiles};
use tutti_store::{FoundDamage, Place, Report, SqliteStore};

use crate::{
    codes::DAMAGED_STORE,
    command_line::{ReportFormat, StoreVerifyArguments},
    console,
    exit::{Exit, Failure, causes},
};

/// Checks everything in a store and prints what was found.
pub(crate) fn verify(arguments: &StoreVerifyArguments) -> Result<Exit, Failure> {
    let report = inspect(&arguments.directory)?;
    console::print(&match arguments.output {
        ReportFormat::Text => as_text(&report),
        ReportFormat::Json => format!("{}\n", as_json(&report)),
    })?;
    if report.is_whole() { Ok(Exit::Completed) } else { Err(told(&arguments.directory, &report)) }
}

/// What is said where `directory` turns out to be damaged; nothing where it is whole or cannot be looked into.
pub(crate) fn damage(directory: &Path) -> Option<Failure> {
    let report = inspect(directory).ok()?;
    (!report.is_whole()).then(|| told(directory, &report))
}

/// The same of a store that is open.
pub(crate) async fn damage_in(directory: &Path, store: &SqliteStore) -> Option<Failure> {
    let report = store.inspect().await.ok()?;
    (!report.is_whole()).then(|| told(directory, &report))
}

/// Whether the database is missing in `directory` beside files that say that there was one.
pub(crate) fn has_lost(directory: &Path) -> bool {
    let has_bytes = |name| fs::metadata(directory.join(name)).is_ok_and(|about| about.len() > 0);
    !directory.join("journal.sqlite").exists()
        && ["high-water", "journal.sqlite-wal"].into_iter().any(has_bytes)
}

fn inspect(directory: &Path) -> Result<Report, Failure> {
    if has_lost(directory) {
        return Ok(without_database());
    }
    let mut report = inspect_database(directory)?;
    if let Some(damage) = damaged_keys(directory, &report) {
        report.damages.push(damage);
    }
    Ok(report)
}

/// Of a store of which the database is missing.
fn without_database() -> Report {
    let what = "the file journal.sqlite is missing, and others that belong to it are not";
    let what = what.to_owned();
    let damage = FoundDamage { place: Place::Database, execution: None, entry: None, what };
    Report { damages: vec![damage], ..Report::default() }
}

/// Keys are made with a store: one in which something is stored and that has none lost them.
fn damaged_keys(directory: &Path, report: &Report) -> Option<FoundDamage> {
    (report.counts.commits > 0).then_some(())?;
    let error = KeyFiles::in_directory(directory).open().err()?;
    let what = format!("what was sealed cannot be opened: {}", causes(&error));
    Some(FoundDamage { place: Place::Keys, execution: None, entry: None, what })
}

/// What is said where the keys of a store cannot be used.
pub(crate) fn without_keys(error: &KeyFileError) -> Failure {
    let message = format!("what was sealed cannot be opened: {}", causes(error));
    Failure::coded(DAMAGED_STORE.text, message)
        .hint("put master.key and data.keys back, both of one moment")
        .exit(Exit::Unfinished)
}

fn inspect_database(directory: &Path) -> Result<Report, Failure> {
    let fail = |error: &tutti_store::Error| Failure::of("cannot look into the store", error);
    let store = SqliteStore::open_read_only(directory).map_err(|error| fail(&error))?;
    let tokio = tokio::runtime::Builder::new_current_thread().build();
    let tokio = tokio.map_err(|error| Failure::of("cannot start the runtime", &error))?;
    tokio.block_on(store.inspect()).map_err(|error| fail(&error))
}

fn told(directory: &Path, report: &Report) -> Failure {
    let directory = directory.display();
    let first = report.damages.first().map(line).unwrap_or_default();
    let more = match number_of_damages(report) {
        0 | 1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let whole = report.counts.executions;
    Failure::coded(
        DAMAGED_STORE.text,
        format!("the store in {directory} is damaged: {first}{more}; executions that are whole: {whole}"),
    )
    .hint(format!(
        "keep a copy of the directory as it is, see `tutti store verify {directory}` for all that does not hold, and restore a backup"
    ))
    .exit(Exit::Unfinished)
}

fn number_of_damages(report: &Report) -> u64 {
    report.unlisted + report.damages.len() as u64
}

fn line(damage: &FoundDamage) -> String {
    match damage.execution {
        Some(execution) if !damage.what.contains(&execution.to_string()) => {
            format!("{}: {} ({execution})", damage.place, damage.what)
        }
        _ => format!("{}: {}", damage.place, damage.what),
    }
}

fn as_text(report: &Report) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "executions {}, entries {}, rows {}, erased {}, commits {}, blobs {}, definitions {}, snapshots {}\n",
        counts.executions,
        counts.entries,
        counts.rows,
        counts.erased,
        counts.commits,
        counts.blobs,
        counts.definitions,
        counts.snapshots,
    );
    for damage in &report.damages {
        writeln!(text, "damaged  {}", line(damage)).ok();
    }
    if report.unlisted > 0 {
        writeln!(text, "damaged  {} more that are not listed", report.unlisted).ok();
    }
    writeln!(text, "{}", if report.is_whole() { "whole" } else { "damaged" }).ok();
    text
}

fn as_json(report: &Report) -> Json {
    let counts = &report.counts;
    let damage = |damage: &FoundDamage| {
        json!({
            "place": damage.place.as_str(),
            "execution": damage.execution.map(|execution| execution.to_string()),
            "entry": damage.entry.map(|entry| entry.0),
            "what": damage.what,
        })
    };
    json!({
        "whole": report.is_whole(),
        "executions": counts.executions,
        "entries": counts.entries,
        "rows": counts.rows,
        "erased": counts.erased,
        "commits": counts.commits,
        "blobs": counts.blobs,
        "definitions": counts.definitions,
        "snapshots": counts.snapshots,
        "damages": report.damages.iter().map(damage).collect::<Vec<_>>(),
        "unlisted": report.unlisted,
    })
}
