//! The log of events.

use tutti_ids::Digest;
use tutti_journal::{EventPosition, Timestamp};

use super::{Sample, check_stored, commit, must_commit, wait};
use crate::{Commit, EventRetention, LoggedEvent, NewEvent, Receipt, Status, Store};

/// An event of its own for each number, received that many milliseconds after the epoch.
fn event(number: u8) -> NewEvent {
    let key = Digest([number; 32]);
    NewEvent { key, received_at: Timestamp(i64::from(number)), bytes: vec![number; 40] }
}

fn publish(store: &dyn Store, numbers: &[u8]) -> Vec<Receipt> {
    let events = numbers.iter().map(|number| event(*number)).collect();
    wait(store.publish(events)).expect("they are received")
}

fn check_log(store: &dyn Store, after: u64, limit: usize, expected: &[(u64, u8)]) {
    let found = wait(store.events_after(EventPosition(after), limit)).expect("the log is whole");
    let logged = |(position, number): &(u64, u8)| LoggedEvent {
        position: EventPosition(*position),
        event: event(*number),
    };
    assert_eq!(found, expected.iter().map(logged).collect::<Vec<_>>());
}

pub(super) fn events_stand_in_the_order_they_were_received(store: &dyn Store) {
    assert_eq!(wait(store.last_event_position()).ok(), Some(EventPosition(0)));
    check_log(store, 0, 10, &[]);
    let logged = |position| Receipt::Logged(EventPosition(position));
    assert_eq!(publish(store, &[5, 3]), [logged(1), logged(2)]);
    assert_eq!(publish(store, &[4]), [logged(3)]);
    check_log(store, 0, 10, &[(1, 5), (2, 3), (3, 4)]);
    check_log(store, 1, 1, &[(2, 3)]);
    check_log(store, 3, 10, &[]);
    assert_eq!(wait(store.last_event_position()).ok(), Some(EventPosition(3)));
}

pub(super) fn an_event_that_is_known_is_not_received_again(store: &dyn Store) {
    let (logged, known) = (
        |position| Receipt::Logged(EventPosition(position)),
        |position| Receipt::Duplicate(EventPosition(position)),
    );
    assert_eq!(publish(store, &[1, 1, 2]), [logged(1), known(1), logged(2)]);
    assert_eq!(publish(store, &[2, 3, 1]), [known(2), logged(3), known(1)]);
    check_log(store, 0, 10, &[(1, 1), (2, 2), (3, 3)]);
}

pub(super) fn emitted_events_are_stored_with_their_turns_or_not_at_all(store: &dyn Store) {
    let mut sample = Sample::new(1);
    let turn = sample.turn("emits", Status::Running);
    let with = |number, turns| Commit { turns, events: vec![event(number)], ..Commit::default() };
    wait(store.commit(with(1, vec![turn.clone()]))).expect("the commit is good");
    assert!(wait(store.commit(with(2, vec![turn.clone()]))).is_err(), "a turn that is stored");
    check_log(store, 0, 10, &[(1, 1)]);
    let next = sample.turn("emits what is known", Status::Running);
    wait(store.commit(with(1, vec![next.clone()]))).expect("the commit is good");
    check_log(store, 0, 10, &[(1, 1)]);
    check_stored(store, sample.execution(), &[turn, next]);
    must_commit(store, [sample.turn("goes on", Status::Running)]);
    assert!(commit(store, [Sample::new(1).turn("again", Status::Running)]).is_err());
}

pub(super) fn old_events_are_dropped_in_order(store: &dyn Store) {
    publish(store, &[1, 2, 3, 4, 5]);
    let drop = |through, before, count, limit| {
        let through = EventPosition(through);
        let retention = EventRetention { through, before: Timestamp(before), count };
        wait(store.drop_events(retention, limit)).expect("it is done")
    };
    assert_eq!(drop(9, 0, 9, 9), 0, "none is too old, and there is room");
    assert_eq!(drop(0, 9, 0, 9), 0, "somebody needs them all");
    assert_eq!(drop(9, 3, 9, 1), 1, "one at a time");
    check_log(store, 0, 10, &[(2, 2), (3, 3), (4, 4), (5, 5)]);
    assert_eq!(drop(9, 0, 3, 9), 1, "there are too many");
    assert_eq!(drop(3, 9, 0, 9), 1, "those after it are needed");
    assert_eq!(drop(9, 9, 0, 9), 1, "the newest stays");
    check_log(store, 0, 10, &[(5, 5)]);
    assert_eq!(publish(store, &[6]), [Receipt::Logged(EventPosition(6))]);
    publish(store, &[9, 7, 8]);
    assert_eq!(
        drop(9, 8, 9, 9),
        2,
        "none goes from behind one that stays, though a clock went back"
    );
    check_log(store, 0, 10, &[(7, 9), (8, 7), (9, 8)]);
}
