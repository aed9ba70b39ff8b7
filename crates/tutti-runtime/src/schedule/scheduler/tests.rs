//! Scripts: what a scheduler is told, and what it says. Times are minutes, or minutes and seconds.

use tutti_dsl::{Cron, Duration, Misfire, Overlap};

use super::*;
use crate::schedule::{Count, Missed, Past, Spec, Timing, Trigger, Why, calendar::Zone};

mod overlap;

const MINUTE: i64 = 60_000;

fn minutes(count: u64) -> Duration {
    Duration { months: 0, milliseconds: count * 60_000 }
}

/// Every ten minutes, by the documented defaults.
fn every_ten() -> Spec {
    Spec {
        timing: Timing::Every(minutes(10)),
        misfire: Misfire::default(),
        overlap: Overlap::default(),
        jitter_ms: 0,
    }
}

fn overlapping(overlap: Overlap) -> Spec {
    Spec { overlap, ..every_ten() }
}

fn misfiring(misfire: Misfire) -> Spec {
    Spec { misfire, ..every_ten() }
}

fn after(delay: u64, misfire: Misfire) -> Spec {
    Spec { timing: Timing::After(minutes(delay)), ..misfiring(misfire) }
}

fn cron(text: &str, zone: &str) -> Spec {
    let cron = Cron::parse(text).expect("a cron expression");
    let zone = Zone::find(zone).expect("a time zone");
    Spec { timing: Timing::Cron(cron, zone), ..every_ten() }
}

fn id(trigger: Trigger) -> ScheduleId {
    let name = |text: &str| text.parse().expect("a name");
    ScheduleId { namespace: name("shop"), workflow: name("order"), trigger }
}

/// `12` or `12:30`.
fn time(text: &str) -> Timestamp {
    let (minutes, seconds) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| text.parse::<i64>().expect("a number");
    Timestamp(number(minutes) * MINUTE + number(seconds) * 1_000)
}

fn shown(time: Timestamp) -> String {
    let (minutes, rest) = (time.0.div_euclid(MINUTE), time.0.rem_euclid(MINUTE));
    match rest {
        0 => minutes.to_string(),
        rest if rest % 1_000 == 0 => format!("{minutes}:{}", rest / 1_000),
        rest => format!("{minutes}:{rest}ms"),
    }
}

fn told(output: &Output) -> String {
    match output {
        Output::Start { nominal, why, .. } => {
            let why = match why {
                Why::OnTime => "start",
                Why::CatchUp => "catch up",
                Why::Queued => "start queued",
            };
            format!("{why} {}", shown(*nominal))
        }
        Output::Queue { nominal, .. } => format!("queue {}", shown(*nominal)),
        Output::Cancel { nominal, .. } => format!("cancel {}", shown(*nominal)),
        Output::Miss(Missed { first, last, count, reason, .. }) => {
            let count = match count {
                Count::Exactly(1) => String::new(),
                Count::Exactly(count) => format!("-{} ({count})", shown(*last)),
                Count::AtLeast(count) => format!("-{} (over {count})", shown(*last)),
            };
            format!("miss {}{count} {reason:?}", shown(*first))
        }
        Output::Ask { first, .. } => format!("ask {}", shown(*first)),
        Output::Arm { due } => due.map_or("rest".to_owned(), |due| format!("arm {}", shown(due))),
    }
}

/// `0 new`, `9 restart decided=5 running=5 queued=6,7 ended=3` (or `restore`), `10 tick`, `12 ended 10`, `9 confirm yes`,
/// `9 gone`.
fn input(step: &str, spec: &Spec) -> (Timestamp, Input) {
    let schedule = id(spec.timing.trigger());
    let mut words = step.split(' ');
    let now = time(words.next().expect("a time"));
    let verb = words.next().expect("a verb");
    let mut past = Past::begins(if verb == "new" { now } else { Timestamp(0) });
    let mut rest = "";
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or(("", word));
        let times: Vec<Timestamp> =
            value.split(',').filter(|_| !key.is_empty()).map(time).collect();
        match key {
            "decided" => past.decided = times.first().copied(),
            "ended" => past.last_ended = times.first().copied(),
            "running" => past.running = times,
            "queued" => past.queued = times,
            _ => rest = value,
        }
    }
    let catch_up = if verb == "restore" { CatchUp::WhenConfirmed } else { CatchUp::ByPolicy };
    let spec = Box::new(spec.clone());
    let input = match verb {
        "new" | "restart" | "restore" => Input::Activated { schedule, spec, past, catch_up },
        "tick" => Input::Tick,
        "ended" => Input::ExecutionEnded { schedule, nominal: time(rest) },
        "confirm" => Input::CatchUpConfirmed { schedule, run: rest == "yes" },
        "gone" => Input::Deactivated { schedule },
        _ => unreachable!("{step}"),
    };
    (now, input)
}

/// Each step gives what stands beside it. What activates begins in a new scheduler, as after a crash.
fn check(spec: &Spec, steps: &[(&str, &str)]) {
    let new = || Scheduler::new(NonZeroU32::MIN.saturating_add(1));
    let mut scheduler = new();
    for (step, expected) in steps {
        let (now, input) = input(step, spec);
        if matches!(input, Input::Activated { .. }) {
            scheduler = new();
        }
        let found: Vec<String> = scheduler.on(input, now).iter().map(told).collect();
        assert_eq!(found.join(", "), *expected, "{step}, of {steps:#?}");
    }
}

#[test]
fn nominal_times_start_when_they_come() {
    check(
        &every_ten(),
        &[
            ("5 new", "arm 15"),
            ("14:59 tick", ""),
            ("15 tick", "start 15, arm 25"),
            ("15 tick", ""),
            ("25:59 tick", "start 25, arm 35"),
            ("26 ended 25", ""),
            ("35 tick", "start 35, arm 45"),
        ],
    );
}

#[test]
fn what_is_late_by_a_minute_is_on_time() {
    check(&every_ten(), &[("0 new", "arm 10"), ("10:59 tick", "start 10, arm 20")]);
    check(&every_ten(), &[("0 new", "arm 10"), ("11 tick", "catch up 10, arm 20")]);
}

#[test]
fn missed_times_are_skipped_by_policy() {
    check(
        &misfiring(Misfire::Skip),
        &[
            ("55 restart", "miss 10-50 (5) Misfire, arm 60"),
            ("60 tick", "start 60, arm 70"),
            ("75 restart decided=60", "miss 70 Misfire, arm 80"),
        ],
    );
}

#[test]
fn the_last_missed_time_is_made_up_for_within_an_hour() {
    check(&every_ten(), &[("55 restart", "miss 10-40 (4) Misfire, catch up 50, arm 60")]);
    check(&every_ten(), &[("12 restart", "catch up 10, arm 20")]);
    let hourly = |within: u64| Spec {
        timing: Timing::Every(minutes(60)),
        ..misfiring(Misfire::RunOnce { within: minutes(within) })
    };
    check(&hourly(30), &[("90 restart", "catch up 60, arm 120")]);
    check(&hourly(30), &[("90:1 restart", "miss 60 Misfire, arm 120")]);
    check(&hourly(600), &[("599 restart", "miss 60-480 (8) Misfire, catch up 540, arm 600")]);
}

#[test]
fn all_missed_times_are_made_up_for_in_their_order_and_at_a_pace() {
    check(
        &misfiring(Misfire::RunAll { max: 3 }),
        &[
            ("55 restart", "miss 10-20 (2) Misfire, catch up 30, catch up 40, arm 55:1"),
            ("55 tick", ""),
            ("55:1 tick", "catch up 50, arm 60"),
        ],
    );
    // A time that comes meanwhile waits for those before it: what is decided grows.
    check(
        &misfiring(Misfire::RunAll { max: 9 }),
        &[
            ("59:59 restart", "catch up 10, catch up 20, arm 60"),
            ("60 tick", "catch up 30, catch up 40, arm 60:1"),
            ("60:1 tick", "catch up 50, start 60, arm 70"),
        ],
    );
}

#[test]
fn what_could_not_be_made_up_for_before_a_crash_is_afterwards() {
    check(
        &misfiring(Misfire::RunAll { max: 9 }),
        &[
            ("55 restart", "catch up 10, catch up 20, arm 55:1"),
            ("55 restart decided=20 running=10,20", "catch up 30, catch up 40, arm 55:1"),
            ("55:1 tick", "catch up 50, arm 60"),
        ],
    );
}

#[test]
fn a_long_downtime_is_one_record() {
    let dense =
        Spec { timing: Timing::Every(Duration { months: 0, milliseconds: 1_000 }), ..every_ten() };
    // Forty days of seconds: counted up to a limit. Then a minute of seconds that is not late.
    let now = 40 * 24 * 60;
    let mut scheduler = Scheduler::new(Scheduler::CATCH_UP_PER_SECOND);
    let (now, input) = input(&format!("{now} restart"), &dense);
    let found: Vec<String> = scheduler.on(input, now).iter().map(told).collect();
    let expected = ["miss 0:1-57598:59 (over 10000) Misfire", "catch up 57599", "start 57599:1"];
    assert_eq!(found[..3], expected);
    assert_eq!(found.len(), 3 + 59 + 1);
}

#[test]
fn a_clock_that_goes_backwards_starts_nothing_twice() {
    check(
        &every_ten(),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, arm 20"),
            ("5 tick", ""),
            ("10 tick", ""),
            ("15 restart decided=10", "arm 20"),
            ("3 restart decided=10", "arm 20"),
            ("20 tick", "start 20, arm 30"),
        ],
    );
}

#[test]
fn jitter_puts_a_start_off_by_the_same_every_time() {
    let spec = Spec { jitter_ms: 30_000, ..every_ten() };
    let put_off = id(Trigger::Every).jitter_ms(time("10"), 30_000);
    assert!((1..=30_000).contains(&put_off), "{put_off}");
    for _ in 0..2 {
        let mut scheduler = Scheduler::new(NonZeroU32::MIN);
        let (now, new) = input("0 new", &spec);
        let due = time("10").plus_ms(put_off);
        assert_eq!(scheduler.on(new, now), [Output::Arm { due: Some(due) }]);
        assert_eq!(scheduler.on(Input::Tick, Timestamp(due.0 - 1)), []);
        let started = scheduler.on(Input::Tick, due);
        assert_eq!(told(&started[0]), "start 10");
    }
}

#[test]
fn jitter_is_spread_over_its_bound() {
    let id = id(Trigger::Cron);
    let all: Vec<u64> = (0..1_000).map(|n| id.jitter_ms(Timestamp(n * MINUTE), 9)).collect();
    for value in 0..=9 {
        let count = all.iter().filter(|found| **found == value).count();
        assert!((60..140).contains(&count), "{value}: {count}");
    }
    assert_eq!(id.jitter_ms(Timestamp(5), 0), 0);
    // Whoever changes this moves the starts of every schedule with a jitter.
    assert_eq!(id.jitter_ms(Timestamp(1_767_225_600_000), u64::MAX), 7_973_342_769_099_810_019);
}

#[test]
fn a_day_without_the_hour_and_one_with_it_twice_start_once() {
    let minute = |text: &str| {
        let at: jiff::Timestamp = text.parse().expect("a time");
        at.as_second() / 60
    };
    let spec = cron("30 2 * * *", "Europe/Berlin");
    for (before, nominal, next) in [
        ("2025-03-29T12:00:00Z", "2025-03-30T01:00:00Z", "2025-03-31T00:30:00Z"),
        ("2025-10-25T12:00:00Z", "2025-10-26T00:30:00Z", "2025-10-27T01:30:00Z"),
    ] {
        let (before, nominal, next) = (minute(before), minute(nominal), minute(next));
        let mut scheduler = Scheduler::new(NonZeroU32::MIN);
        let mut found = Vec::new();
        let (now, new) = input(&format!("{before} new"), &spec);
        found.extend(scheduler.on(new, now));
        for at in before..next {
            found.extend(scheduler.on(Input::Tick, Timestamp(at * MINUTE)));
        }
        let found: Vec<String> = found.iter().map(told).collect();
        let expected =
            [format!("arm {nominal}"), format!("start {nominal}"), format!("arm {next}")];
        assert_eq!(found, expected);
    }
}

#[test]
fn many_schedules_take_turns_to_catch_up() {
    let mut scheduler = Scheduler::new(NonZeroU32::MIN);
    let mut found = Vec::new();
    for trigger in [Trigger::Every, Trigger::Cron] {
        let spec = Box::new(misfiring(Misfire::RUN_ALL));
        let (past, catch_up) = (Past::begins(Timestamp(0)), CatchUp::ByPolicy);
        let activated = Input::Activated { schedule: id(trigger), spec, past, catch_up };
        found.extend(scheduler.on(activated, time("35")));
    }
    for second in 1..6 {
        found.extend(scheduler.on(Input::Tick, Timestamp(time("35").0 + second * 1_000)));
    }
    let starts = found.iter().filter_map(|output| match output {
        Output::Start { schedule, nominal, .. } => {
            Some(format!("{} {}", schedule.trigger, shown(*nominal)))
        }
        _ => None,
    });
    let expected = ["every 10", "every 20", "cron 10", "every 30", "cron 20", "cron 30"];
    assert_eq!(starts.collect::<Vec<_>>(), expected);
}
