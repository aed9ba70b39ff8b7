//! Whatever becomes of the files of a store, no read gives altered data unreported.
//!
//! An ordinary test tries a sample, chosen by the seed in `TUTTI_DAMAGE_SEED`. With a number of rounds in
//! `TUTTI_DAMAGE_ROUNDS`, which is what `cargo xtask crash --damage` sets, files are cut at every byte, and so many random
//! corruptions are tried.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tutti_store::{
    Commit, DefinitionText, Error, OpenExecution, SqliteStore, Status, Store, StoredTurn,
    contract::{self, Sample, wait},
};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A store's files and what was acknowledged of it.
struct Original {
    files: Files,
    /// The files as they were after each earlier commit.
    older: Vec<Files>,
    turns: Vec<Vec<StoredTurn>>,
    definitions: Vec<DefinitionText>,
    open: Vec<OpenExecution>,
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: usize,
    /// At how many places each file is cut.
    cuts: usize,
    /// How many random corruptions there are.
    rounds: usize,
    /// Whether one value is so large that it is kept apart.
    has_blob: bool,
}

impl Plan {
    fn chosen() -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
        let seed = number("TUTTI_DAMAGE_SEED").unwrap_or(1);
        match number("TUTTI_DAMAGE_ROUNDS") {
            // Without the large value, which would be most of the bytes.
            Some(rounds) => Self { seed, cuts: usize::MAX, rounds, has_blob: false },
            None => Self { seed, cuts: 300, rounds: 400, has_blob: true },
        }
    }
}

/// What became of what was tried.
#[derive(Debug, Default)]
struct Tally {
    tried: usize,
    reported: usize,
}

impl Tally {
    fn tell(&self, what: &str) {
        let Self { tried, reported } = self;
        writeln!(io::stderr(), "{what}: {tried} tried, {reported} reported, the rest harmless")
            .ok();
    }
}

/// Where the data is when the damage comes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Log,
    Database,
}

impl Original {
    fn new(place: Place, plan: Plan) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let definitions = vec![contract::definition("one"), contract::definition("two")];
        let turns: Vec<_> = (1..=6).map(|number| journal(number, plan.has_blob)).collect();
        let open = || SqliteStore::open(directory.path()).expect("the store opens");
        let mut store = open();
        let mut older = Vec::new();
        for round in 0..4 {
            let turns = turns.iter().filter_map(|turns: &Vec<_>| turns.get(round)).cloned();
            let commit = Commit {
                definitions: definitions.clone(),
                turns: turns.collect(),
                ..Commit::default()
            };
            wait(store.commit(commit)).expect("the commit is good");
            if place == Place::Database {
                drop(store);
                move_log(directory.path());
                older.push(read_files(directory.path()));
                store = open();
            } else {
                // Copied as a kill would leave them.
                older.push(read_files(directory.path()));
            }
        }
        let open = wait(store.open_executions(None, 100)).expect("the listing is whole");
        let files = older.pop().expect("there were commits");
        Self { files, older, turns, definitions, open }
    }

    /// Puts the files where a store can be opened on them, one of them changed.
    fn restore(&self, directory: &Path, changed: &Path, bytes: Option<&[u8]>) {
        for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "high-water"] {
            // Left over from the last opening, where there was one.
            drop(fs::remove_file(directory.join(name)));
        }
        for (name, original) in &self.files {
            if let Some(bytes) = if name == changed { bytes } else { Some(&original[..]) } {
                fs::write(directory.join(name), bytes).expect("the file can be written");
            }
        }
    }

    /// Changes one file, and checks what the store says to it.
    fn attempt(&self, directory: &Path, changed: &Path, bytes: Option<&[u8]>, what: &str) -> bool {
        self.restore(directory, changed, bytes);
        let reported = self.check(directory, what);
        if reported {
            // Whatever made a read fail, a look into the store finds it.
            self.restore(directory, changed, bytes);
            let report = SqliteStore::open_read_only(directory).and_then(|it| wait(it.inspect()));
            assert!(!report.is_ok_and(|report| report.is_whole()), "{what}: nothing is found");
        }
        reported
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
            let tail = wait(store.load_tail(turns[0].row.execution));
            let tail = tail.map(|tail| tail.map(|history| (history.rows, history.projection)));
            reported |= tail.map(|tail| assert_eq!(tail, truth, "{what}")).is_err();
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

/// Moves all of the log into the database.
fn move_log(directory: &Path) {
    let database = Connection::open(directory.join("journal.sqlite")).expect("it opens");
    let moved = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0));
    assert_eq!(moved, Ok(0));
}

fn journal(number: u128, has_blob: bool) -> Vec<StoredTurn> {
    let mut sample = Sample::new(number);
    let big = "x".repeat(if number == 3 && has_blob { 66_000 } else { 10 });
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

/// All positions of a file, or about `most` of them, evenly from one that the seed chooses.
fn positions(length: usize, plan: Plan) -> impl Iterator<Item = usize> {
    let step = length.div_ceil(plan.cuts).max(1);
    (plan.seed % step..length).step_by(step)
}

fn check_cuts(place: Place) {
    let plan = Plan::chosen();
    let original = Original::new(place, plan);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, bytes) in &original.files {
        let mut tally = Tally::default();
        for length in positions(bytes.len(), plan) {
            let what = format!("{place:?}: {} cut to {length}", name.display());
            tally.tried += 1;
            let cut = Some(&bytes[..length]);
            tally.reported += usize::from(original.attempt(directory.path(), name, cut, &what));
        }
        tally.tell(&format!("{place:?}: {} cut", name.display()));
        let matters = match place {
            Place::Log => ["journal.sqlite-wal", "high-water"],
            Place::Database => ["journal.sqlite", "high-water"],
        };
        let matters = matters.iter().any(|each| name.as_path() == Path::new(each));
        assert!(
            tally.reported > 0 || !matters,
            "{place:?}: cutting {} went unnoticed",
            name.display()
        );
    }
    check_undamaged(&original, &directory);
}

fn check_undamaged(original: &Original, directory: &TempDir) {
    original.restore(directory.path(), Path::new(""), None);
    assert!(!original.check(directory.path(), "nothing was changed"));
}

#[test]
fn a_cut_log_is_reported_or_harmless() {
    check_cuts(Place::Log);
}

#[test]
fn a_cut_database_is_reported_or_harmless() {
    check_cuts(Place::Database);
}

/// A small generator of chance.
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

    /// Changes `bytes` in one of the ways in which disks do.
    fn damage(&mut self, bytes: &mut [u8]) {
        let from = self.below(bytes.len());
        let end = bytes.len();
        let span = |length: usize| from..end.min(from + length);
        match self.below(6) {
            0 => bytes[from] ^= 1 << self.below(8),
            1 => bytes[from] = self.byte(),
            2 => {
                let span = span(1 + self.below(64));
                bytes[span].iter_mut().for_each(|byte| *byte = self.byte());
            }
            3 => bytes[span(512)].fill(0),
            4 => self.with_blocks(bytes, |bytes, from, to, size| {
                bytes.copy_within(from..from + size, to);
            }),
            _ => self.with_blocks(bytes, |bytes, from, to, size| {
                (0..size).for_each(|at| bytes.swap(from + at, to + at));
            }),
        }
    }

    /// Draws two blocks, of the size of a sector or a page.
    fn with_blocks(
        &mut self,
        bytes: &mut [u8],
        change: impl FnOnce(&mut [u8], usize, usize, usize),
    ) {
        let size = [512, 4096][self.below(2)];
        let blocks = bytes.len() / size;
        let (from, to) = (self.below(blocks) * size, self.below(blocks) * size);
        if blocks > 1 {
            change(bytes, from, to, size);
        }
    }

    /// What becomes of a file: its bytes are damaged, it is removed, or replaced as people do.
    fn fate(&mut self, original: &Original, name: &Path) -> Option<Vec<u8>> {
        match self.below(20) {
            0 => None,
            1 | 2 => {
                let older = &original.older[self.below(original.older.len())];
                older.get(name).cloned()
            }
            _ => {
                let mut bytes = original.files[name].clone();
                self.damage(&mut bytes);
                Some(bytes)
            }
        }
    }
}

fn check_corruption(place: Place) {
    let plan = Plan::chosen();
    let original = Original::new(place, plan);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut chance = Chance(0x5EED_0000 + plan.seed as u64);
    let names: Vec<_> = original.files.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    let mut tally = Tally::default();
    for round in 0..plan.rounds {
        let (name, _) = names[chance.below(names.len())];
        let bytes = chance.fate(&original, name);
        let what = format!("{place:?}: seed {}, round {round} in {}", plan.seed, name.display());
        tally.tried += 1;
        let reported = original.attempt(directory.path(), name, bytes.as_deref(), &what);
        tally.reported += usize::from(reported);
    }
    tally.tell(&format!("{place:?}: random corruption"));
    assert!(tally.reported > tally.tried / 10, "{tally:?}");
}

#[test]
fn corruption_of_the_log_is_reported_or_harmless() {
    check_corruption(Place::Log);
}

#[test]
fn corruption_of_the_database_is_reported_or_harmless() {
    check_corruption(Place::Database);
}
