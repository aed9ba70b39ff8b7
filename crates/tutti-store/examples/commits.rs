//! Measures durable commits against raw SQLite in the same directory: `cargo run --release --example commits [DIR]`.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tutti_store::{
    Commit, SqliteStore, Status, Store, StoredTurn,
    contract::{Sample, wait},
};

const ALONE: u32 = 2_000;
const CALLERS: u32 = 64;
const EACH: u32 = 1_000;
/// How many turns an execution has in them.
const TURNS: u32 = 5;
const BATCH: usize = 64;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let root = tempfile::tempdir_in(root)?;
    opening(root.path())?;
    let store = SqliteStore::open(&root.path().join("store"))?;
    alone(&store)?;
    together(&store)?;
    batches(&store)?;
    let begun = Instant::now();
    let report = wait(store.verify())?;
    println!("verify: {} rows in {:.1?}", report.rows, begun.elapsed());
    drop(store);
    let begun = Instant::now();
    let store = SqliteStore::open(&root.path().join("store"))?;
    println!("reopen: {:.1?}", begun.elapsed());
    drop(store);
    raw(root.path(), 1)?;
    raw(root.path(), BATCH)
}

fn opening(root: &Path) -> Outcome<()> {
    let mut times = Vec::new();
    for number in 0..20 {
        let begun = Instant::now();
        let store = SqliteStore::open(&root.join(format!("fresh-{number}")))?;
        let opened = begun.elapsed();
        wait(store.commit(one(Sample::new(1).turn("first", Status::Running))))?;
        let committed = begun.elapsed();
        drop(store);
        times.push((opened, committed, begun.elapsed()));
    }
    times.sort();
    let (opened, committed, closed) = times[times.len() / 2];
    println!(
        "fresh store: open {opened:.1?}, with first commit {committed:.1?}, closed {closed:.1?} (median)"
    );
    Ok(())
}

fn alone(store: &SqliteStore) -> Outcome<()> {
    let mut sample = Sample::new(1);
    let turns: Vec<_> =
        (0..ALONE).map(|_| sample.turn("a small detail", Status::Running)).collect();
    let begun = Instant::now();
    for turn in turns {
        wait(store.commit(one(turn)))?;
    }
    rate("one caller", ALONE, begun.elapsed());
    Ok(())
}

fn together(store: &SqliteStore) -> Outcome<()> {
    let before = store.statistics();
    let work: Vec<Vec<StoredTurn>> = (0..CALLERS)
        .map(|caller| {
            let executions = (0..EACH / TURNS).map(|number| number * CALLERS + caller + 2);
            executions.flat_map(|number| execution(u128::from(number))).collect()
        })
        .collect();
    let begun = Instant::now();
    let good = thread::scope(|scope| {
        let callers: Vec<_> = work
            .into_iter()
            .map(|turns| {
                let commit = |turn| wait(store.commit(one(turn))).is_ok();
                scope.spawn(move || turns.into_iter().map(commit).filter(|good| *good).count())
            })
            .collect();
        callers.into_iter().filter_map(|caller| caller.join().ok()).sum::<usize>()
    });
    rate("64 callers", u32::try_from(good)?, begun.elapsed());
    let after = store.statistics();
    println!("  in {} transactions", after.transactions - before.transactions);
    Ok(())
}

/// All turns of a short execution.
fn execution(number: u128) -> Vec<StoredTurn> {
    let mut sample = Sample::new(number);
    let status = |turn| if turn == TURNS { Status::Completed } else { Status::Running };
    (1..=TURNS).map(|turn| sample.turn("a small detail", status(turn))).collect()
}

/// One caller whose commits hold a turn of each of many executions, as a loop of the runtime makes them.
fn batches(store: &SqliteStore) -> Outcome<()> {
    let mut commits = Vec::new();
    for round in 0..u128::from(EACH / TURNS) {
        let numbers = (0..BATCH as u128).map(|number| 1_000_000 + round * BATCH as u128 + number);
        let executions: Vec<_> = numbers.map(execution).collect();
        for turn in 0..TURNS as usize {
            let turns = executions.iter().map(|execution| execution[turn].clone()).collect();
            commits.push(Commit { turns, ..Commit::default() });
        }
    }
    let begun = Instant::now();
    for commit in commits {
        wait(store.commit(commit))?;
    }
    rate("one caller, 64 turns per commit", EACH * u32::try_from(BATCH)?, begun.elapsed());
    Ok(())
}

/// Inserts rows of the same bytes into one plain table, so many per transaction, each transaction synced.
fn raw(root: &Path, batch: usize) -> Outcome<()> {
    let connection = Connection::open(root.join(format!("raw-{batch}.sqlite")))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE rows (id INTEGER PRIMARY KEY, structure BLOB, value BLOB, digest BLOB)",
    )?;
    let total = ALONE as usize * if batch == 1 { 1 } else { 32 };
    let row = Sample::new(1).turn("a small detail", Status::Running).row;
    let value = row.values.map(|values| values.bytes);
    let begun = Instant::now();
    for _ in 0..total / batch {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection
            .prepare_cached("INSERT INTO rows (structure, value, digest) VALUES (?1, ?2, ?3)")?;
        for _ in 0..batch {
            insert.execute((&row.structure, &value, row.digest.0))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    rate(
        &format!("raw SQLite, {batch} per transaction"),
        u32::try_from(total / batch * batch)?,
        begun.elapsed(),
    );
    Ok(())
}

fn one(turn: StoredTurn) -> Commit {
    Commit { turns: vec![turn], ..Commit::default() }
}

/// One figure a line, as `cargo xtask bench` reads them: name, value and unit, parted by tabs.
fn rate(what: &str, commits: u32, time: Duration) {
    println!("store: {what}\t{:.0}\t/s", f64::from(commits) / time.as_secs_f64());
}
