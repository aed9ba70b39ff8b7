//! Executions that go on when the next time comes, `after`, and schedules that rest or go.

use super::*;

#[test]
fn overlapping_executions_are_allowed() {
    check(
        &overlapping(Overlap::Allow),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, arm 20"),
            ("20 tick", "start 20, arm 30"),
            ("21 ended 10", ""),
            ("30 tick", "start 30, arm 40"),
        ],
    );
}

#[test]
fn overlapping_executions_are_skipped() {
    check(
        &overlapping(Overlap::Skip),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, arm 20"),
            ("20 tick", "miss 20 Overlap, arm 30"),
            ("21 ended 10", ""),
            ("30 tick", "start 30, arm 40"),
            ("39 restart decided=30 running=30", "arm 40"),
            ("40 tick", "miss 40 Overlap, arm 50"),
        ],
    );
}

#[test]
fn overlapping_executions_wait() {
    check(
        &overlapping(Overlap::Queue),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, arm 20"),
            ("20 tick", "queue 20, arm 30"),
            ("30 tick", "queue 30, arm 40"),
            ("31 ended 10", "start queued 20"),
            ("31 ended 10", ""),
            ("40 tick", "queue 40, arm 50"),
            ("41 ended 20", "start queued 30"),
            ("42 restart decided=40 running=30 queued=40", "arm 50"),
            ("43 ended 30", "start queued 40"),
            ("44 ended 40", ""),
            ("45 restart decided=40 queued=40", "start queued 40, arm 50"),
        ],
    );
}

#[test]
fn as_many_as_may_wait_do() {
    let mut scheduler = Scheduler::new(Scheduler::CATCH_UP_PER_SECOND);
    let spec = overlapping(Overlap::Queue);
    let mut last = Vec::new();
    for at in std::iter::once("0 new".to_owned()).chain((1..=102).map(|at| format!("{at}0 tick"))) {
        let (now, input) = input(&at, &spec);
        last.push(scheduler.on(input, now).iter().map(told).collect::<Vec<_>>().join(", "));
    }
    assert_eq!(last[101..], ["queue 1010, arm 1020", "miss 1020 QueueFull, arm 1030"]);
}

#[test]
fn overlapping_executions_cancel_those_before() {
    check(
        &overlapping(Overlap::CancelPrevious),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, arm 20"),
            ("20 tick", "queue 20, cancel 10, arm 30"),
            ("30 tick", "miss 20 Replaced, queue 30, arm 40"),
            ("31 restart decided=30 running=10 queued=30", "cancel 10, arm 40"),
            ("32 ended 10", "start queued 30"),
            ("40 tick", "queue 40, cancel 30, arm 50"),
        ],
    );
}

#[test]
fn after_counts_from_the_end() {
    check(
        &after(10, Misfire::default()),
        &[
            ("0 new", "arm 10"),
            ("10 tick", "start 10, rest"),
            ("99 tick", ""),
            ("100 ended 10", "arm 110"),
            ("110 tick", "start 110, rest"),
            ("111 restart decided=110 running=110 ended=100", ""),
            ("112 ended 110", "arm 122"),
            ("120 restart decided=110 ended=112", "arm 122"),
            ("122 tick", "start 122, rest"),
        ],
    );
}

#[test]
fn after_an_outage_after_goes_on() {
    let gone_by = |misfire, expected: &str| {
        check(&after(10, misfire), &[("300 restart decided=10 ended=100", expected)]);
    };
    gone_by(Misfire::Skip, "miss 110 Misfire, arm 310");
    gone_by(Misfire::RUN_ONCE, "miss 110 Misfire, arm 310");
    gone_by(Misfire::RunOnce { within: minutes(190) }, "catch up 110");
    gone_by(Misfire::RUN_ALL, "catch up 110");
}

#[test]
fn after_no_delay_is_still_another_time() {
    check(
        &after(0, Misfire::default()),
        &[("0 new", "arm 0:1ms"), ("1 tick", "start 0:1ms, rest")],
    );
    let once = after(0, Misfire::default());
    check(&once, &[("1 restart decided=1 ended=1", "arm 1:1ms")]);
}

#[test]
fn a_person_is_asked_after_a_restore() {
    let spec = overlapping(Overlap::Queue);
    check(
        &spec,
        &[
            ("55 restore", "ask 10"),
            ("60 tick", ""),
            ("61 confirm yes", "miss 10-50 (5) Misfire, catch up 60, arm 70"),
        ],
    );
    check(
        &spec,
        &[
            ("55 restore decided=30 running=10 queued=20,30", "ask 20"),
            ("56 ended 10", ""),
            (
                "57 confirm no",
                "miss 20 Declined, miss 30 Declined, miss 40-50 (2) Declined, arm 60",
            ),
            ("60 tick", "start 60, arm 70"),
        ],
    );
    check(&spec, &[("55 restore decided=50", "arm 60"), ("60 tick", "start 60, arm 70")]);
    check(
        &after(10, Misfire::default()),
        &[("300 restore", "ask 10"), ("301 confirm no", "miss 10 Declined, arm 311")],
    );
}

#[test]
fn what_a_schedule_that_goes_has_not_decided_is_recorded() {
    check(
        &Spec { overlap: Overlap::Queue, ..misfiring(Misfire::RunAll { max: 9 }) },
        &[
            ("55 restart", "catch up 10, queue 20, arm 55:1"),
            (
                "75 gone",
                "miss 20 Deactivated, miss 30 Deactivated, miss 40 Deactivated, miss 50 Deactivated, miss 60-70 (2) Deactivated, rest",
            ),
            ("80 tick", ""),
            ("81 ended 10", ""),
        ],
    );
}
