//! Who is admitted when, as tables.

use super::*;

const LIMIT: u32 = 2;

fn id(number: u128) -> ExecutionId {
    ExecutionId::new(0, number)
}

fn room(group: &str) -> RoomTerms {
    let lane = RoomLane {
        namespace: "test".parse().expect("a name"),
        workflow: "w".parse().expect("a name"),
        group: Some(group.into()),
    };
    RoomTerms { lane, limit: LIMIT }
}

fn key(key: &str, replaces: bool, held_for_ms: u64) -> KeyTerms {
    let lane = KeyLane {
        namespace: "test".parse().expect("a name"),
        workflow: "w".parse().expect("a name"),
        key: key.into(),
    };
    let held_for = (held_for_ms > 0).then_some(Duration { months: 0, milliseconds: held_for_ms });
    KeyTerms { lane, has_it: false, replaces, held_for }
}

fn terms(priority: u8, key: Option<KeyTerms>, room: Option<RoomTerms>) -> Terms {
    Terms { priority: Priority::new(priority).expect("it is at most 100"), key, room }
}

fn enter(admitter: &mut Admitter, number: u128, terms: Terms, at: i64) -> Vec<Output> {
    let (execution, held) = (id(number), Some(Timestamp(at)));
    let input = Input::Entered { execution, terms, held, key_ended: None };
    admitter.on(input, Timestamp(at))
}

fn end(admitter: &mut Admitter, number: u128, at: i64) -> Vec<Output> {
    admitter.on(Input::Ended { execution: id(number), at: Timestamp(at) }, Timestamp(at))
}

fn admit(number: u128) -> Vec<Output> {
    vec![Output::Admit(id(number))]
}

#[test]
fn room_goes_by_priority_then_by_arrival_within_a_group() {
    let mut admitter = Admitter::default();
    let in_group = |group: &str, priority| terms(priority, None, Some(room(group)));
    assert_eq!(enter(&mut admitter, 9, in_group("a", 50), 0), admit(9));
    assert_eq!(enter(&mut admitter, 8, in_group("a", 50), 0), admit(8));
    // The ids are not in the order of arrival.
    assert_eq!(enter(&mut admitter, 7, in_group("a", 50), 1), []);
    assert_eq!(enter(&mut admitter, 6, in_group("a", 50), 1), []);
    assert_eq!(enter(&mut admitter, 5, in_group("a", 90), 2), []);
    assert_eq!(enter(&mut admitter, 4, in_group("a", 10), 2), []);
    assert_eq!(enter(&mut admitter, 3, in_group("b", 0), 3), admit(3), "another group");
    let waits = admitter.wait(id(6)).expect("it waits");
    assert_eq!((waits.since, waits.place), (Timestamp(1), 3));
    let WaitFor::Room { limit, admitted, .. } = waits.what else { unreachable!("{waits:?}") };
    assert_eq!((limit, admitted), (LIMIT, 2));
    assert_eq!(admitter.waiting(&room("a").lane), 4);
    assert_eq!(end(&mut admitter, 7, 4), [], "one that waits is cancelled");
    assert_eq!(end(&mut admitter, 9, 5), admit(5));
    assert_eq!(end(&mut admitter, 9, 5), [], "told again");
    assert_eq!(end(&mut admitter, 5, 6), admit(6));
    assert_eq!(end(&mut admitter, 8, 7), admit(4));
    for number in [6, 4, 3] {
        end(&mut admitter, number, 8);
    }
    assert!(admitter.is_empty(), "{admitter:?}");
}

#[test]
fn what_was_admitted_before_a_start_anew_counts() {
    let mut admitter = Admitter::default();
    for number in [1, 2] {
        let terms = terms(50, None, Some(room("a")));
        let input = Input::Entered { execution: id(number), terms, held: None, key_ended: None };
        assert_eq!(admitter.on(input, Timestamp(0)), []);
    }
    assert_eq!(enter(&mut admitter, 3, terms(50, None, Some(room("a"))), 1), []);
    assert_eq!(end(&mut admitter, 2, 2), admit(3));
}

#[test]
fn a_key_is_queued_for_and_held_after_the_end() {
    let mut admitter = Admitter::default();
    let queued = || terms(50, Some(key("k", false, 100)), None);
    assert_eq!(enter(&mut admitter, 1, queued(), 0), admit(1));
    assert_eq!(enter(&mut admitter, 2, queued(), 1), []);
    assert_eq!(enter(&mut admitter, 3, queued(), 2), []);
    let WaitFor::Key { holder, until, .. } = admitter.wait(id(3)).expect("it waits").what else {
        unreachable!("it waits for its key");
    };
    assert_eq!((holder, until), (Some(id(1)), None));
    assert_eq!(end(&mut admitter, 1, 10), []);
    assert_eq!(admitter.next_due(), Some(Timestamp(110)));
    let WaitFor::Key { holder, until, .. } = admitter.wait(id(2)).expect("it waits").what else {
        unreachable!("it waits for its key");
    };
    assert_eq!((holder, until), (None, Some(Timestamp(110))));
    assert_eq!(admitter.on(Input::Tick, Timestamp(109)), []);
    assert_eq!(admitter.on(Input::Tick, Timestamp(110)), admit(2));
    assert_eq!(end(&mut admitter, 2, 120), []);
    assert_eq!(admitter.on(Input::Tick, Timestamp(220)), admit(3));
    assert_eq!((end(&mut admitter, 3, 230), admitter.next_due()), (vec![], None));
    assert!(admitter.is_empty(), "{admitter:?}");
}

#[test]
fn the_last_that_replaces_cancels_all_before_it() {
    let mut admitter = Admitter::default();
    let replacing = || terms(50, Some(key("k", true, 100)), None);
    let replace = |number, by| Output::Replace { execution: id(number), by: id(by) };
    assert_eq!(enter(&mut admitter, 5, replacing(), 0), admit(5));
    assert_eq!(enter(&mut admitter, 4, replacing(), 1), [replace(5, 4)]);
    assert_eq!(enter(&mut admitter, 3, replacing(), 2), [replace(5, 3), replace(4, 3)]);
    assert_eq!(end(&mut admitter, 4, 3), []);
    assert_eq!(end(&mut admitter, 5, 4), admit(3), "the key is not held for what replaces");
}

#[test]
fn who_waits_for_a_key_takes_no_room() {
    let mut admitter = Admitter::default();
    let both = |name: &str| terms(50, Some(key(name, false, 0)), Some(room("a")));
    assert_eq!(enter(&mut admitter, 1, both("k"), 0), admit(1));
    assert_eq!(enter(&mut admitter, 2, both("k"), 1), []);
    assert_eq!(enter(&mut admitter, 3, both("l"), 2), admit(3));
    assert_eq!(enter(&mut admitter, 4, both("m"), 3), []);
    assert!(matches!(admitter.wait(id(4)), Some(Wait { what: WaitFor::Room { .. }, .. })));
    assert_eq!(end(&mut admitter, 1, 4), admit(4), "it came for room before");
    assert_eq!(end(&mut admitter, 3, 5), admit(2));
}
