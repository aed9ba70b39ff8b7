//! The calendar against a walk over every second or minute.
//!
//! The walk knows of a zone nothing but its offset at an instant, and of cron expressions nothing but whether a
//! local time fits their text. It shares no code with what it checks.

use std::collections::BTreeSet;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::*;

/// Expressions of five fields, walked by the minute. They name times at and around the hours at which clocks change.
const BY_MINUTE: &[&str] = &[
    "0 0 * * *",
    "30 2 * * *",
    "*/7 * * * *",
    "15,45 0-3 * * *",
    "59 23 * * *",
    "0 */5 * * mon-fri",
    "5 1 1-7 * sun",
    "10 2 */2 * 0",
    "0 3 29,31 2,3,10 ?",
    "20 1 * 3-11/2 6",
];

/// Expressions of six fields, walked by the second.
const BY_SECOND: &[&str] = &["*/20 59 * * * *", "59 59 1,2,23 * * *", "7 */30 0-4 * * sun,thu"];

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Whether a number fits a field: the grammar once more, the slow way.
fn fits(field: &str, value: i8, low: i8, high: i8, names: &[&str]) -> bool {
    let number = |text: &str| -> i8 {
        let named = names.iter().position(|name| *name == text);
        named.map_or_else(
            || text.parse().expect("a number"),
            |at| i8::try_from(at).expect("a small number") + low,
        )
    };
    field.split(',').any(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let open = part.contains('/');
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first), number(last)),
            None if matches!(range, "*" | "?") => (low, high),
            None => (number(range), if open { high } else { number(range) }),
        };
        (first..=last).contains(&value) && (value - first) % number(step) == 0
    })
}

const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What an expression names, by asking the grammar once about every number.
struct Fields {
    seconds: Vec<bool>,
    minutes: Vec<bool>,
    hours: Vec<bool>,
    days: Vec<bool>,
    months: Vec<bool>,
    weekdays: Vec<bool>,
    either: bool,
}

impl Fields {
    fn of(cron: &str) -> Self {
        let fields: Vec<&str> = cron.split(' ').collect();
        let fields = if fields.len() == 5 { [&["0"], &fields[..]].concat() } else { fields };
        let [seconds, minutes, hours, days, months, weekdays] = fields[..] else {
            unreachable!("six fields: {cron}")
        };
        let all = |field: &str, low: i8, high: i8, names: &[&str]| -> Vec<bool> {
            (0..=high).map(|value| value >= low && fits(field, value, low, high, names)).collect()
        };
        let mut named_days = all(weekdays, 0, 7, DAYS);
        named_days[0] |= named_days[7];
        let restricted = |field: &str| !field.starts_with(['*', '?']);
        Self {
            seconds: all(seconds, 0, 59, &[]),
            minutes: all(minutes, 0, 59, &[]),
            hours: all(hours, 0, 23, &[]),
            days: all(days, 1, 31, &[]),
            months: all(months, 1, 12, &[]),
            weekdays: named_days,
            either: restricted(days) && restricted(weekdays),
        }
    }

    /// Whether a local time, in seconds as if it were UTC, is named.
    fn name(&self, local: i64) -> bool {
        let part = |unit: i64, count: i64| {
            usize::try_from(local.div_euclid(unit).rem_euclid(count)).expect("a small number")
        };
        self.seconds[part(1, 60)]
            && self.minutes[part(MINUTE, 60)]
            && self.hours[part(HOUR, 24)]
            && self.names_day(jiff::Timestamp::from_second(local).expect("a time"))
    }

    fn names_day(&self, local: jiff::Timestamp) -> bool {
        let local = TimeZone::UTC.to_datetime(local);
        let has = |field: &[bool], value: i8| field[usize::from(value.unsigned_abs())];
        let is_day = has(&self.days, local.day());
        let is_weekday = has(&self.weekdays, local.weekday().to_sunday_zero_offset());
        let named = if self.either { is_day || is_weekday } else { is_day && is_weekday };
        has(&self.months, local.month()) && named
    }
}

/// The local time at an instant, in seconds as if it were UTC.
fn local_at(zone: &TimeZone, second: i64) -> i64 {
    let instant = jiff::Timestamp::from_second(second).expect("a time");
    second + i64::from(zone.to_offset(instant).seconds())
}

/// What expressions name in `[from, to)`, by walking every `step` seconds. The walk begins some hours earlier, so that it
/// knows which local times have been before: no clock is set back by so much.
fn walked(zone: &TimeZone, crons: &[&str], from: i64, to: i64, step: i64) -> Vec<BTreeSet<i64>> {
    let fields: Vec<Fields> = crons.iter().map(|cron| Fields::of(cron)).collect();
    let mut named = vec![BTreeSet::new(); crons.len()];
    // Local times are passed in their order; where the clock is set back they have all been passed already.
    let mut passed = local_at(zone, from - 4 * HOUR);
    let mut instant = from - 4 * HOUR + step;
    while instant < to {
        let now = local_at(zone, instant);
        // Once a step, but over a gap all the local times that never were, and then this one.
        let mut local = passed + step;
        while local <= now {
            for (fields, named) in fields.iter().zip(&mut named) {
                if instant >= from && fields.name(local) {
                    named.insert(instant);
                }
            }
            passed = local;
            local += step;
        }
        instant += step;
    }
    named
}

fn check(name: &str, zone: &TimeZone, crons: &[&str], from: i64, to: i64, step: i64) {
    let expected = walked(zone, crons, from, to, step);
    let zone = Zone(zone.clone());
    for (cron, expected) in crons.iter().zip(expected) {
        let parsed = Cron::parse(cron).expect("a cron expression");
        let next = |last: &Timestamp| next_of_cron(&parsed, &zone, *last);
        let found: BTreeSet<i64> = std::iter::successors(next(&Timestamp(from * 1_000 - 1)), next)
            .map(|found| found.0 / 1_000)
            .take_while(|found| *found < to)
            .collect();
        let differs: Vec<_> = found.symmetric_difference(&expected).collect();
        assert!(differs.is_empty(), "{cron} in {name} from {from}: {differs:?}");
    }
}

fn second(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a time").as_second()
}

/// The transitions of a zone from 2024 to 2040.
fn transitions(zone: &TimeZone) -> Vec<i64> {
    let (from, to) = (second("2024-01-01T00:00:00Z"), second("2041-01-01T00:00:00Z"));
    let from = jiff::Timestamp::from_second(from).expect("a time");
    let all = zone.following(from).map(|found| found.timestamp().as_second());
    all.take_while(|found| *found < to).collect()
}

/// Every zone that has transitions, once for all the names that have the same ones.
fn zones() -> Vec<(String, TimeZone, Vec<i64>)> {
    let database = TimeZoneDatabase::bundled();
    let mut seen = BTreeSet::new();
    let mut zones = Vec::new();
    for name in database.available() {
        let zone = database.get(name.as_str()).expect("a time zone");
        let transitions = transitions(&zone);
        let offsets: Vec<i32> = transitions
            .iter()
            .flat_map(|at| [*at - 1, *at])
            .map(|at| zone.to_offset(jiff::Timestamp::from_second(at).expect("a time")).seconds())
            .collect();
        if !transitions.is_empty() && seen.insert((transitions.clone(), offsets)) {
            zones.push((name.to_string(), zone, transitions));
        }
    }
    zones
}

#[test]
fn around_every_transition_of_every_zone() {
    let zones = zones();
    assert!(zones.len() > 30, "{}", zones.len());
    let mut walks = 0;
    for (number, (name, zone, transitions)) in zones.iter().enumerate() {
        for (at, transition) in transitions.iter().enumerate() {
            // Clocks are changed at whole minutes; some zones do so at half past.
            let start = transition - transition.rem_euclid(MINUTE);
            let crons = [number + at, number + 2 * at + 5, at % 4]
                .map(|which| BY_MINUTE[which % BY_MINUTE.len()]);
            check(name, zone, &crons, start - 12 * HOUR, start + 13 * HOUR, MINUTE);
            walks += 1;
        }
    }
    assert!(walks > 1_000, "{walks}");
}

#[test]
fn by_the_second_around_transitions() {
    for (name, zone, transitions) in zones() {
        for transition in transitions.iter().take(2) {
            let crons = [BY_SECOND[name.len() % BY_SECOND.len()]];
            check(&name, &zone, &crons, transition - HOUR, transition + 2 * HOUR, 1);
        }
    }
}

#[test]
fn whole_years_by_the_minute() {
    for (name, year) in
        [("Europe/Berlin", 2024), ("Australia/Lord_Howe", 2031), ("Africa/Cairo", 2040)]
    {
        let zone = TimeZoneDatabase::bundled().get(name).expect("a time zone");
        let (from, to) =
            (format!("{year}-01-01T00:00:00Z"), format!("{}-01-01T00:00:00Z", year + 1));
        check(name, &zone, BY_MINUTE, second(&from), second(&to), MINUTE);
    }
}
