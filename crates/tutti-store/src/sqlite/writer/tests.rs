//! Groups, and what becomes of them when SQLite cannot write.

use std::fs::File;

use tempfile::TempDir;

use super::*;
use crate::{
    Status, StoredTurn,
    contract::{Sample, wait},
    sqlite::{directory::Directory, read, schema},
};

/// A writer without its thread.
struct Fixture {
    journal: Journal,
    root: TempDir,
    _directory: Directory,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let directory = Directory::lock(root.path()).expect("nobody else uses it");
        let mark = HighWater::open(&directory.high_water()).expect("it can be made");
        let (connection, tail) = schema::open(&directory, None).expect("it can be made");
        let counters = Arc::new(Counters::default());
        let journal = Journal { connection, tail, mark, counters, unmoved: 0, failed: None };
        Self { journal, root, _directory: directory }
    }

    /// Writes one group of one commit for each turn; gives their answers in order.
    fn write(&mut self, turns: impl IntoIterator<Item = StoredTurn>) -> Vec<Result<(), Error>> {
        self.write_commits(turns.into_iter().map(|turn| vec![turn]))
    }

    /// Writes one group of commits of these turns; gives their answers in order.
    fn write_commits(
        &mut self,
        commits: impl IntoIterator<Item = Vec<StoredTurn>>,
    ) -> Vec<Result<(), Error>> {
        let (sender, mut ready) = mpsc::channel(16);
        for turns in commits {
            sender.try_send(request(turns)).expect("there is a place");
        }
        let first = ready.try_recv().expect("there is a turn");
        let answers = self.journal.write(Group::collect(first, &mut ready));
        answers.into_iter().map(|(_, answer)| answer.map(|_done| ())).collect()
    }

    fn counts(&self) -> (u64, u64) {
        let counters = &self.journal.counters;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (load(&counters.commits), load(&counters.transactions))
    }

    fn is_stored(&self, turn: &StoredTurn) -> bool {
        let stored = read::history(&self.journal.connection, turn.row.execution);
        stored.expect("it can be read").is_some_and(|history| history.rows.contains(&turn.row))
    }
}

fn request(turns: Vec<StoredTurn>) -> Request {
    let (reply, _) = oneshot::channel();
    Request { work: Work::Commit(Commit { turns, ..Commit::default() }), reply }
}

fn first_turn(number: u128) -> StoredTurn {
    Sample::new(number).turn("first", Status::Running)
}

#[test]
fn commits_that_are_ready_share_a_transaction() {
    let mut fixture = Fixture::new();
    let answers = fixture.write((1..=10).map(first_turn));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(fixture.counts(), (10, 1));
    assert!((1..=10).all(|number| fixture.is_stored(&first_turn(number))));
}

#[test]
fn a_conflict_does_not_hurt_the_others_of_its_group() {
    let mut fixture = Fixture::new();
    let stale = vec![first_turn(3), first_turn(1)];
    let answers = fixture.write_commits([vec![first_turn(1)], stale, vec![first_turn(2)]]);
    assert!(matches!(answers[..], [Ok(()), Err(Error::Conflict { .. }), Ok(())]), "{answers:?}");
    assert_eq!(fixture.counts(), (2, 1));
    let stored = [1, 2, 3].map(|number| fixture.is_stored(&first_turn(number)));
    assert_eq!(stored, [true, true, false]);
    let report = crate::sqlite::verify::everything(&fixture.journal.connection, None);
    let report = report.and_then(crate::Report::whole);
    assert_eq!(report.expect("everything is whole").rows, 2);
}

#[test]
fn a_group_of_conflicts_leaves_no_commit() {
    let mut fixture = Fixture::new();
    fixture.write([first_turn(1)]);
    let answers = fixture.write([first_turn(1), first_turn(1)]);
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(fixture.counts(), (1, 1));
    assert_eq!(fixture.journal.tail.number, 1);
}

#[test]
fn groups_are_bounded_in_rows_and_bytes() {
    let check = |request: &dyn Fn() -> Request, expected: usize| {
        let (sender, mut ready) = mpsc::channel(2 * GROUP_ROWS);
        for _ in 0..2 * GROUP_ROWS {
            sender.try_send(request()).expect("there is a place");
        }
        let first = ready.try_recv().expect("there is one");
        assert_eq!(Group::collect(first, &mut ready).requests.len(), expected);
    };
    let small = first_turn(1);
    check(&|| request(vec![small.clone()]), GROUP_ROWS);
    check(&|| request(vec![small.clone(); 100]), GROUP_ROWS.div_ceil(100));
    let big = Sample::new(1).turn(&"x".repeat(1024 * 1024), Status::Running);
    check(&|| request(vec![big.clone()]), 8);
}

#[test]
fn a_full_disk_refuses_the_group_and_the_store_goes_on() {
    let mut fixture = Fixture::new();
    fixture.write([first_turn(1)]);
    let limit = |fixture: &Fixture, pages: u32| {
        let connection = &fixture.journal.connection;
        connection.pragma_update(None, "max_page_count", pages).expect("a good number");
    };
    limit(&fixture, 1);
    let big = Sample::new(2).turn(&"x".repeat(100_000), Status::Running);
    let answers = fixture.write([first_turn(3), big.clone(), first_turn(4)]);
    let refused = |answer: &_| matches!(answer, &Err(Error::Unavailable { .. }));
    assert!(answers.iter().all(refused), "{answers:?}");
    assert!(
        ![first_turn(3), big.clone(), first_turn(4)].iter().any(|turn| fixture.is_stored(turn))
    );
    limit(&fixture, 1_000_000);
    let answers = fixture.write([first_turn(3), big.clone()]);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(fixture.is_stored(&first_turn(3)) && fixture.is_stored(&big));
}

#[test]
fn a_store_that_cannot_write_stays_failed() {
    let mut fixture = Fixture::new();
    fixture.write([first_turn(1)]);
    let read_only = |fixture: &Fixture, on: bool| {
        let connection = &fixture.journal.connection;
        connection.pragma_update(None, "query_only", on).expect("a good value");
    };
    read_only(&fixture, true);
    for _ in 0..2 {
        let answers = fixture.write([first_turn(2), first_turn(3)]);
        let refused = |answer: &_| matches!(answer, &Err(Error::Unavailable { .. }));
        assert!(answers.iter().all(refused), "{answers:?}");
        read_only(&fixture, false);
    }
    assert!(!fixture.is_stored(&first_turn(2)));
}

#[test]
fn what_cannot_be_told_is_ambiguous_and_the_store_fails() {
    let mut fixture = Fixture::new();
    fixture.write([first_turn(1)]);
    let path = fixture.root.path().join("high-water");
    fixture.journal.mark = HighWater::of(File::open(path).expect("it is there"));
    let answers = fixture.write([first_turn(2), first_turn(1)]);
    let [Err(Error::Ambiguous { .. }), Err(Error::Conflict { .. })] = answers[..] else {
        return assert_eq!(format!("{answers:?}"), "an ambiguous end and a conflict");
    };
    let answers = fixture.write([first_turn(3)]);
    assert!(matches!(answers[..], [Err(Error::Unavailable { .. })]), "{answers:?}");
}

#[test]
fn a_caller_that_left_does_not_stop_the_writer() {
    let Fixture { journal, root, _directory } = Fixture::new();
    let Journal { connection, tail, mark, .. } = journal;
    let writer = Writer::start(connection, tail, mark).expect("a thread can be started");
    let turn = first_turn(1);
    {
        let commit = Commit { turns: vec![turn], ..Commit::default() };
        let mut left = std::pin::pin!(writer.commit(commit));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        drop(left.as_mut().poll(&mut context));
    }
    let commit = Commit { turns: vec![first_turn(2)], ..Commit::default() };
    wait(writer.commit(commit)).expect("the writer goes on");
    assert_eq!(writer.statistics().commits, 2);
    drop(writer);
    drop(root);
}

#[test]
fn an_execution_that_lost_its_row_is_damage_and_hurts_no_other() {
    let mut fixture = Fixture::new();
    fixture.write([first_turn(1)]);
    let lost = fixture.journal.connection.execute("DELETE FROM executions", ());
    assert_eq!(lost, Ok(1));
    let other = Sample::new(1).turn("another first", Status::Running);
    let answers = fixture.write([other, first_turn(2)]);
    assert!(matches!(answers[..], [Err(Error::Corrupt { .. }), Ok(())]), "{answers:?}");
    let found = read::history(&fixture.journal.connection, first_turn(1).row.execution);
    assert!(matches!(found, Err(Error::Corrupt { .. })), "{found:?}");
}
