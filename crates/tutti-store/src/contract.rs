//! What every store must do, as checks that run against any of them.
//!
//! [`check_all`] and [`check_lookup`] are for the tests of a store; they assert, so they belong into tests only.
//! [`Sample`] makes turns to commit, [`wait`] drives a future without a runtime.

mod events;
mod lookup;
mod sample;

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

pub use self::{
    lookup::check_lookup,
    sample::{Plain, Sample, definition},
};

use crate::{Commit, Error, Status, Store, StoredTurn};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::Snapshot;

/// A store to check, empty.
pub type Empty<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// Every check, each on an empty store that `empty` makes.
pub fn check_all(empty: Empty<'_>) {
    nothing_is_found_in_an_empty_store(&*empty());
    a_journal_comes_back_as_it_was_written(&*empty());
    one_commit_takes_turns_of_many_executions(&*empty());
    a_turn_that_does_not_follow_is_a_conflict(&*empty());
    a_commit_is_whole_or_not_at_all(&*empty());
    what_contradicts_itself_is_refused(&*empty());
    open_executions_are_listed_by_id(&*empty());
    definitions_are_kept_once(&*empty());
    a_snapshot_is_read_with_the_rows_after_it(&*empty());
    a_snapshot_takes_the_place_of_the_one_before(&*empty());
    a_snapshot_goes_when_its_execution_ends(&*empty());
    a_snapshot_of_another_turn_is_refused(&*empty());
    events::events_stand_in_the_order_they_were_received(&*empty());
    events::an_event_that_is_known_is_not_received_again(&*empty());
    events::emitted_events_are_stored_with_their_turns_or_not_at_all(&*empty());
    events::old_events_are_dropped_in_order(&*empty());
    of_racing_commits_one_wins(&*empty());
    commits_from_many_threads_all_arrive(&*empty());
}

/// Waits for a future on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn commit(store: &dyn Store, turns: impl IntoIterator<Item = StoredTurn>) -> Result<(), Error> {
    wait(store.commit(Commit { turns: turns.into_iter().collect(), ..Commit::default() }))
}

fn must_commit(store: &dyn Store, turns: impl IntoIterator<Item = StoredTurn>) {
    commit(store, turns).expect("the commit is good");
}

/// Checks that `execution` is stored as exactly these turns.
///
/// # Panics
/// If it is not.
pub fn check_stored(store: &dyn Store, execution: ExecutionId, turns: &[StoredTurn]) {
    let history = wait(store.load(execution)).expect("the journal is whole");
    let Some(history) = history else {
        assert!(turns.is_empty(), "{execution} is missing");
        return;
    };
    let rows: Vec<_> = turns.iter().map(|turn| turn.row.clone()).collect();
    assert_eq!(history.rows, rows);
    assert_eq!(Some(&history.projection), turns.last().map(|turn| &turn.projection));
    let blobs: Vec<_> = turns.iter().flat_map(|turn| &turn.blobs).collect();
    assert!(blobs.iter().all(|blob| history.blobs.get(&blob.digest) == Some(&blob.bytes)));
    assert!(history.blobs.keys().all(|digest| blobs.iter().any(|blob| blob.digest == *digest)));
}

fn nothing_is_found_in_an_empty_store(store: &dyn Store) {
    check_stored(store, Sample::new(1).execution(), &[]);
    assert_eq!(wait(store.definition(Digest([7; 32]))).ok(), Some(None));
    assert_eq!(wait(store.open_executions(None, 10)).ok(), Some(Vec::new()));
}

fn a_journal_comes_back_as_it_was_written(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let big = "x".repeat(100_000);
    let turns = ["first", &big, "third", &big].map(|detail| sample.turn(detail, Status::Running));
    assert!(!turns[1].blobs.is_empty(), "a big value stands in a blob");
    for turn in &turns {
        must_commit(store, [turn.clone()]);
    }
    check_stored(store, sample.execution(), &turns);
    check_stored(store, Sample::new(2).execution(), &[]);
}

fn one_commit_takes_turns_of_many_executions(store: &dyn Store) {
    let (mut one, mut two) = (Sample::new(1), Sample::new(2));
    let turns = [
        one.turn("a", Status::Running),
        two.turn("b", Status::Running),
        one.turn("c", Status::Completed),
    ];
    must_commit(store, turns.clone());
    let [a, b, c] = turns;
    check_stored(store, one.execution(), &[a, c]);
    check_stored(store, two.execution(), &[b]);
}

fn a_turn_that_does_not_follow_is_a_conflict(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let first = sample.turn("first", Status::Running);
    let mut other = sample.clone();
    let second = sample.turn("second", Status::Running);
    let third = sample.turn("third", Status::Running);
    let other_second = other.turn("another second", Status::Running);
    let other_third = other.turn("another third", Status::Running);
    must_commit(store, [first.clone()]);
    check_conflict(store, &first, second.row.first);
    check_conflict(store, &third, second.row.first);
    must_commit(store, [second.clone()]);
    check_conflict(store, &other_second, third.row.first);
    check_conflict(store, &other_third, third.row.first);
    check_conflict(store, &Sample::new(2).after_a_gap(), Sequence::FIRST);
    check_conflict(store, &other.misnumbered(&second), third.row.first);
    check_stored(store, sample.execution(), &[first, second]);
}

fn check_conflict(store: &dyn Store, turn: &StoredTurn, next: Sequence) {
    let refused = commit(store, [turn.clone()]);
    let Err(Error::Conflict { execution, stored }) = refused else {
        assert!(refused.is_err(), "the turn does not follow, but was stored");
        return assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    };
    assert_eq!((execution, stored), (turn.row.execution, next));
}

fn a_commit_is_whole_or_not_at_all(store: &dyn Store) {
    let (mut good, mut stale) = (Sample::new(1), Sample::new(2));
    let first = stale.turn("first", Status::Running);
    must_commit(store, [first.clone()]);
    let turns = vec![good.turn("good", Status::Running), first.clone()];
    let text = definition("never stored");
    let refused =
        wait(store.commit(Commit { definitions: vec![text.clone()], turns, ..Commit::default() }));
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    check_stored(store, good.execution(), &[]);
    check_stored(store, stale.execution(), &[first]);
    assert_eq!(wait(store.definition(text.digest)).ok(), Some(None));
    let open = wait(store.open_executions(None, 10)).expect("the listing is whole");
    assert_eq!(open.len(), 1);
}

fn what_contradicts_itself_is_refused(store: &dyn Store) {
    let good = Sample::new(1).turn(&"x".repeat(100_000), Status::Running);
    let alter = |change: &dyn Fn(&mut StoredTurn)| {
        let mut turn = good.clone();
        change(&mut turn);
        let refused = commit(store, [turn]);
        assert!(matches!(refused, Err(Error::Damaged(_) | Error::Corrupt { .. })), "{refused:?}");
    };
    alter(&|turn| turn.row.structure[0] ^= 1);
    alter(&|turn| turn.row.at.0 += 1);
    alter(&|turn| {
        turn.row.values = turn.row.values.take().map(|mut values| {
            values.salt[3] ^= 1;
            values
        });
    });
    alter(&|turn| turn.blobs.clear());
    alter(&|turn| turn.blobs[0].bytes = Arc::from(&b"other"[..]));
    alter(&|turn| {
        turn.blobs.extend(Sample::new(9).turn(&"y".repeat(100_000), Status::Running).blobs);
    });
    let mut text = definition("one");
    text.text = Arc::from("two");
    let refused = wait(store.commit(Commit { definitions: vec![text], ..Commit::default() }));
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    check_stored(store, good.row.execution, &[]);
}

fn open_executions_are_listed_by_id(store: &dyn Store) {
    let mut samples: Vec<Sample> = (1..=7).map(Sample::new).collect();
    for sample in samples.iter_mut().rev() {
        must_commit(store, [sample.turn("first", Status::Waiting)]);
    }
    must_commit(store, [samples[2].turn("last", Status::Faulted)]);
    must_commit(store, [samples[4].turn("last", Status::Completed)]);
    must_commit(store, [samples[4].turn("again", Status::Suspended)]);
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = wait(store.open_executions(after, 2)).expect("the listing is whole");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.execution);
        found.extend(page);
    }
    let ids: Vec<_> = found.iter().map(|open| open.execution).collect();
    let expected: Vec<_> = [0, 1, 3, 4, 5, 6].map(|index: usize| samples[index].execution()).into();
    assert_eq!(ids, expected);
    assert_eq!(found[3].projection.status, Status::Suspended);
}

fn definitions_are_kept_once(store: &dyn Store) {
    let texts = [definition("one"), definition("two")];
    for definitions in [vec![texts[0].clone()], texts.to_vec(), texts.to_vec()] {
        wait(store.commit(Commit { definitions, turns: Vec::new(), ..Commit::default() }))
            .expect("the commit is good");
    }
    for text in texts {
        assert_eq!(wait(store.definition(text.digest)).ok(), Some(Some(text)));
    }
    assert_eq!(wait(store.definition(Digest([7; 32]))).ok(), Some(None));
}

/// Checks that the tail of `execution` is `snapshot` and the rows of `turns`.
///
/// # Panics
/// If it is not.
pub fn check_tail(
    store: &dyn Store,
    execution: ExecutionId,
    snapshot: Option<&Snapshot>,
    turns: &[StoredTurn],
) {
    let history = wait(store.load_tail(execution)).expect("the tail is whole");
    let history = history.expect("the execution is stored");
    assert_eq!(history.snapshot.as_ref(), snapshot);
    let rows: Vec<_> = turns.iter().map(|turn| turn.row.clone()).collect();
    assert_eq!(history.rows, rows);
    let brought: BTreeSet<Digest> =
        turns.iter().flat_map(|turn| &turn.blobs).map(|blob| blob.digest).collect();
    assert_eq!(history.blobs.into_keys().collect::<BTreeSet<_>>(), brought);
}

fn a_snapshot_is_read_with_the_rows_after_it(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let big = "x".repeat(100_000);
    let mut turns = vec![sample.turn(&big, Status::Running)];
    must_commit(store, turns.clone());
    check_tail(store, sample.execution(), None, &turns);
    assert_eq!(
        wait(store.load_tail(Sample::new(2).execution())).ok().map(|h| h.is_none()),
        Some(true)
    );
    turns.push(sample.turn_with_snapshot("an image", Status::Running));
    must_commit(store, [turns[1].clone()]);
    let snapshot = turns[1].snapshot.clone();
    check_tail(store, sample.execution(), snapshot.as_ref(), &[]);
    for detail in ["after", &"y".repeat(100_000)] {
        turns.push(sample.turn(detail, Status::Running));
        must_commit(store, turns.last().cloned());
    }
    check_tail(store, sample.execution(), snapshot.as_ref(), &turns[2..]);
    check_stored(store, sample.execution(), &turns);
}

fn a_snapshot_takes_the_place_of_the_one_before(store: &dyn Store) {
    let (mut sample, mut other) = (Sample::new(1), Sample::new(2));
    let beside = other.turn_with_snapshot("beside", Status::Waiting);
    let turns =
        ["first", "second", "third"].map(|image| sample.turn_with_snapshot(image, Status::Running));
    must_commit(store, [beside.clone(), turns[0].clone()]);
    // Two in one commit: the later one stays.
    must_commit(store, turns[1..].to_vec());
    let after = sample.turn("after", Status::Suspended);
    must_commit(store, [after.clone()]);
    check_tail(store, sample.execution(), turns[2].snapshot.as_ref(), &[after]);
    check_tail(store, other.execution(), beside.snapshot.as_ref(), &[]);
}

fn a_snapshot_goes_when_its_execution_ends(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let turns = vec![
        sample.turn_with_snapshot("an image", Status::Running),
        sample.turn_with_snapshot("of the end", Status::Faulted),
        sample.turn("again", Status::Running),
    ];
    for turn in &turns {
        must_commit(store, [turn.clone()]);
    }
    check_tail(store, sample.execution(), None, &turns);
}

fn a_snapshot_of_another_turn_is_refused(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let first = sample.turn_with_snapshot("first", Status::Running);
    let second = sample.turn("second", Status::Running);
    let mut altered = first.clone();
    if let Some(snapshot) = &mut altered.snapshot {
        snapshot.fingerprint.push('!');
    }
    let stale = StoredTurn { snapshot: first.snapshot.clone(), ..second };
    for turns in [vec![altered], vec![first, stale]] {
        let refused = commit(store, turns);
        assert!(matches!(refused, Err(Error::Damaged(_) | Error::Corrupt { .. })), "{refused:?}");
    }
    check_stored(store, sample.execution(), &[]);
}

fn of_racing_commits_one_wins(store: &dyn Store) {
    let mut sample = Sample::new(1);
    must_commit(store, [sample.turn("first", Status::Running)]);
    let race = |number: u32| {
        let turn = sample.clone().turn(&format!("racer {number}"), Status::Running);
        commit(store, [turn]).is_ok()
    };
    let race = &race;
    let winners = thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|number| scope.spawn(move || race(number))).collect();
        racers.into_iter().filter_map(|racer| racer.join().ok()).filter(|won| *won).count()
    });
    assert_eq!(winners, 1);
}

fn commits_from_many_threads_all_arrive(store: &dyn Store) {
    let work = |number: u128| {
        let mut sample = Sample::new(number);
        let turns: Vec<_> =
            (0..20).map(|turn| sample.turn(&format!("turn {turn}"), Status::Running)).collect();
        for turn in &turns {
            must_commit(store, [turn.clone()]);
        }
        check_stored(store, sample.execution(), &turns);
        true
    };
    let work = &work;
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (1..=8).map(|number| scope.spawn(move || work(number))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).count()
    });
    assert_eq!(done, 8);
}
