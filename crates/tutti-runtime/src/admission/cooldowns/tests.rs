//! Which call may be made when.

use super::*;

/// No call is let go.
const NONE: [u64; 0] = [];

fn lane(group: &str) -> CooldownLane {
    CooldownLane {
        namespace: "test".parse().expect("a name"),
        workflow: "w".parse().expect("a name"),
        task: CooldownLane::names("/do/12/charge/try/0/a1"),
        group: Some(group.into()),
    }
}

fn call(number: u64) -> HeldCall {
    (ExecutionId::new(0, u128::from(number)), Sequence(3))
}

fn ask(number: u64, group: &str, priority: u8, limit: u32) -> Ask {
    Ask {
        call: call(number),
        lane: lane(group),
        limit,
        per: Duration { months: 0, milliseconds: 100 },
        priority: Priority::new(priority).expect("it is at most 100"),
        since: Timestamp(0),
    }
}

/// Feeds inputs; whatever it does is durable at once. Gives the calls that were let go.
fn feed(cooldowns: &mut Cooldowns, input: PaceInput, at: i64) -> Vec<u64> {
    let (mut let_go, mut next) = (Vec::new(), vec![input]);
    while let Some(input) = next.pop() {
        for output in cooldowns.on(input, Timestamp(at)) {
            next.push(match output {
                PaceOutput::Grant { call: made, lane, .. } => {
                    let_go.extend((0..10).find(|number| call(*number) == made));
                    PaceInput::Answered { lane, is_made: true }
                }
                PaceOutput::Forget(lane) => PaceInput::Forgotten(lane),
            });
        }
    }
    let_go
}

#[test]
fn numbers_on_the_way_to_a_task_do_not_matter() {
    assert_eq!(&*lane("a").task, "do/charge/try/a1");
}

#[test]
fn so_many_calls_are_made_in_any_such_time_by_priority_and_arrival() {
    let mut cooldowns = Cooldowns::default();
    let mut asks = |number, group: &str, priority, at| {
        feed(&mut cooldowns, PaceInput::Asked(ask(number, group, priority, 2)), at)
    };
    assert_eq!(asks(1, "a", 50, 0), [1]);
    assert_eq!(asks(2, "a", 50, 40), [2]);
    assert_eq!(asks(3, "a", 50, 50), NONE);
    assert_eq!(asks(4, "a", 90, 50), NONE);
    assert_eq!(asks(4, "a", 90, 50), NONE, "told again");
    assert_eq!(asks(5, "b", 50, 50), [5], "another group");
    let wait = cooldowns.wait(call(3)).expect("it waits");
    assert_eq!((wait.limit, wait.next, wait.place), (2, Some(Timestamp(100)), 2));
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 99), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 100), [4]);
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 139), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 140), [3]);
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 240), NONE);
    assert!(cooldowns.lanes.is_empty() && cooldowns.next_due().is_none(), "{cooldowns:?}");
}

#[test]
fn one_thing_of_a_lane_is_written_at_a_time_and_a_call_that_is_gone_does_not_count() {
    let mut cooldowns = Cooldowns::default();
    let asked = |number| PaceInput::Asked(ask(number, "a", 50, 2));
    let first = cooldowns.on(asked(1), Timestamp(0));
    assert!(matches!(&*first, [PaceOutput::Grant { made, .. }] if made.len() == 1));
    assert!(cooldowns.on(asked(2), Timestamp(0)).is_empty());
    let gone = PaceInput::Answered { lane: lane("a"), is_made: false };
    let second = cooldowns.on(gone, Timestamp(1));
    assert!(
        matches!(&*second, [PaceOutput::Grant { call: made, made: all, .. }] if *made == call(2) && all.len() == 1),
        "{second:?}"
    );
}

#[test]
fn what_was_made_before_a_start_anew_counts() {
    let mut cooldowns = Cooldowns::default();
    let made = vec![Made { at: Timestamp(0), until: Timestamp(100) }];
    assert_eq!(feed(&mut cooldowns, PaceInput::Stored { lane: lane("a"), made }, 10), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Asked(ask(1, "a", 50, 1)), 20), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Ended(call(1).0), 30), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Asked(ask(2, "a", 50, 1)), 40), NONE);
    assert_eq!(feed(&mut cooldowns, PaceInput::Tick, 100), [2]);
}
