//! Whatever becomes of the files of a store, no read gives altered data unreported.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tutti_store::{
    Commit, DefinitionText, Error, OpenExecution, SqliteStore, Status, Store, StoredTurn,
    contract::{self, Sample, wait},
};

/// A store's files and what was acknowledged of it.
struct Original {
    files: BTreeMap<PathBuf, Vec<u8>>,
    turns: Vec<Vec<StoredTurn>>,
    definitions: Vec<DefinitionText>,
    open: Vec<OpenExecution>,
}

/// Where the data is when the damage comes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Log,
    Database,
}

impl Original {
    fn new(place: Place) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let store = SqliteStore::open(directory.path()).expect("the store opens");
        let definitions = vec![contract::definition("one"), contract::definition("two")];
        let turns: Vec<_> = (1..=6).map(journal).collect();
        for round in 0..4 {
            let turns = turns.iter().filter_map(|turns: &Vec<_>| turns.get(round)).cloned();
            let commit = Commit {
                definitions: definitions.clone(),
                turns: turns.collect(),
                ..Commit::default()
            };
            wait(store.commit(commit)).expect("the commit is good");
        }
        let open = wait(store.open_executions(None, 100)).expect("the listing is whole");
        if place == Place::Log {
            // Copied as a kill would leave them.
            return Self { files: read_files(directory.path()), turns, definitions, open };
        }
        drop(store);
        let database = Connection::open(directory.path().join("journal.sqlite")).expect("opens");
        let moved = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0));
        assert_eq!(moved, Ok(0));
        drop(database);
        Self { files: read_files(directory.path()), turns, definitions, open }
    }

    /// Puts the files where a store can be opened on them, one of them changed.
    fn restore(&self, directory: &Path, changed: &Path, bytes: &[u8]) {
        for name in ["journal.sqlite-wal", "journal.sqlite-shm"] {
            // Left over from the last opening, where there was one.
            drop(fs::remove_file(directory.join(name)));
        }
        for (name, original) in &self.files {
            let bytes = if name == changed { bytes } else { original };
            fs::write(directory.join(name), bytes).expect("the file can be written");
        }
    }

    /// Opens the store and reads everything: each read is the truth or an error. Says whether anything was reported.
    fn check(&self, directory: &Path, what: &str) -> bool {
        let store = match SqliteStore::open(directory) {
            Ok(store) => store,
            Err(error) => {
                assert!(!matches!(error, Error::Conflict { .. }), "{what}: {error}");
                return true;
            }
        };
        let mut reported = false;
        for turns in &self.turns {
            let Ok(found) = wait(store.load(turns[0].row.execution)) else {
                reported = true;
                continue;
            };
            let found = found.map(|history| (history.rows, history.projection));
            let rows = turns.iter().map(|turn| turn.row.clone()).collect();
            let truth = turns.last().map(|turn| (rows, turn.projection.clone()));
            assert_eq!(found, truth, "{what}");
        }
        for definition in &self.definitions {
            match wait(store.definition(definition.digest)) {
                Ok(found) => assert_eq!(found.as_ref(), Some(definition), "{what}"),
                Err(_) => reported = true,
            }
        }
        match wait(store.open_executions(None, 100)) {
            Ok(found) => assert_eq!(found, self.open, "{what}"),
            Err(_) => reported = true,
        }
        reported
    }
}

fn journal(number: u128) -> Vec<StoredTurn> {
    let mut sample = Sample::new(number);
    let big = "x".repeat(if number == 3 { 66_000 } else { 10 });
    let mut turns: Vec<_> =
        ["one", &big, "three"].map(|detail| sample.turn(detail, Status::Running)).into();
    if number % 2 == 1 {
        turns.push(sample.turn("last", Status::Completed));
    }
    turns
}

fn read_files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    paths
        .map(|path| {
            let bytes = fs::read(&path).expect("the file can be read");
            (path.file_name().map(PathBuf::from).unwrap_or_default(), bytes)
        })
        .collect()
}

/// All positions of a file, or that many of them, evenly.
fn positions(length: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length.div_ceil(most).max(1))
}

fn check_cuts(place: Place, most: usize) {
    let original = Original::new(place);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, bytes) in &original.files {
        let mut reports = 0;
        for length in positions(bytes.len(), most) {
            original.restore(directory.path(), name, &bytes[..length]);
            let what = format!("{place:?}: {} cut to {length}", name.display());
            reports += u32::from(original.check(directory.path(), &what));
        }
        let matters = match place {
            Place::Log => ["journal.sqlite-wal", "high-water"],
            Place::Database => ["journal.sqlite", "high-water"],
        };
        let matters = matters.iter().any(|each| name.as_path() == Path::new(each));
        assert!(reports > 0 || !matters, "{place:?}: cutting {} went unnoticed", name.display());
    }
    check_undamaged(&original, &directory);
}

fn check_undamaged(original: &Original, directory: &TempDir) {
    original.restore(directory.path(), Path::new(""), &[]);
    assert!(!original.check(directory.path(), "nothing was changed"));
}

#[test]
fn a_cut_log_is_reported_or_harmless() {
    check_cuts(Place::Log, 400);
}

#[test]
fn a_cut_database_is_reported_or_harmless() {
    check_cuts(Place::Database, 400);
}

/// A small generator of chance with a fixed seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
    }

    /// Changes `bytes` in one of the ways in which disks and people do.
    fn damage(&mut self, bytes: &mut [u8]) {
        let from = self.below(bytes.len());
        let span = |length: usize| from..bytes.len().min(from + length);
        match self.below(5) {
            0 => bytes[from] ^= 1 << self.below(8),
            1 => bytes[from] = self.byte(),
            2 => {
                let span = span(1 + self.below(64));
                bytes[span].iter_mut().for_each(|byte| *byte = self.byte());
            }
            3 => {
                let span = span(512);
                bytes[span].fill(0);
            }
            _ => {
                let pages = bytes.len() / 4096;
                let (from, to) = (self.below(pages) * 4096, self.below(pages) * 4096);
                if pages > 1 {
                    bytes.copy_within(from..from + 4096, to);
                }
            }
        }
    }
}

fn check_corruption(place: Place, rounds: usize) {
    let original = Original::new(place);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut chance = Chance(0x5EED_0000 + place as u64);
    let files: Vec<_> = original.files.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    let mut reports = 0;
    for round in 0..rounds {
        let (name, bytes) = files[chance.below(files.len())];
        let mut bytes = bytes.clone();
        chance.damage(&mut bytes);
        original.restore(directory.path(), name, &bytes);
        let what = format!("{place:?}: round {round} in {}", name.display());
        reports += usize::from(original.check(directory.path(), &what));
    }
    assert!(reports > rounds / 10, "only {reports} of {rounds} were reported");
}

#[test]
fn corruption_of_the_log_is_reported_or_harmless() {
    check_corruption(Place::Log, 500);
}

#[test]
fn corruption_of_the_database_is_reported_or_harmless() {
    check_corruption(Place::Database, 500);
}
