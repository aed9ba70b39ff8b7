//! Nominal times as tables.

use jiff::tz::TimeZoneDatabase;

use super::*;

/// A zone as this program was built with it, whatever the system has.
fn zone(name: &str) -> Zone {
    Zone(TimeZoneDatabase::bundled().get(name).expect("a time zone"))
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
}

/// The next times after a moment, as local times with their offset.
fn check(cron: &str, name: &str, after: &str, expected: &[&str]) {
    let (parsed, zone) = (Cron::parse(cron).expect("a cron expression"), zone(name));
    let next = |last: &Timestamp| next_of_cron(&parsed, &zone, *last);
    let found: Vec<String> = std::iter::successors(next(&at(after)), next)
        .take(expected.len())
        .map(|found| {
            let found = jiff::Timestamp::from_millisecond(found.0).expect("a time");
            let offset = zone.0.to_offset(found);
            let local = offset.to_datetime(found);
            format!("{local}{offset}")
        })
        .collect();
    assert_eq!(found, expected, "{cron} in {name} after {after}");
}

#[test]
fn a_time_in_a_gap_is_kept_at_the_first_instant_after_it() {
    let before = "2025-03-29T12:00:00Z";
    check(
        "30 2 * * *",
        "Europe/Berlin",
        before,
        &["2025-03-30T03:00:00+02", "2025-03-31T02:30:00+02"],
    );
    // Three nominal times of the gap and one after it come to one instant.
    check(
        "*/20 1-3 30 3 *",
        "Europe/Berlin",
        before,
        &[
            "2025-03-30T01:00:00+01",
            "2025-03-30T01:20:00+01",
            "2025-03-30T01:40:00+01",
            "2025-03-30T03:00:00+02",
            "2025-03-30T03:20:00+02",
        ],
    );
    // A gap at midnight, and one of half an hour.
    check("0 0 * * *", "Africa/Cairo", "2025-04-24T12:00:00Z", &["2025-04-25T01:00:00+03"]);
    check(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2025-10-04T12:00:00Z",
        &["2025-10-05T02:30:00+11", "2025-10-06T02:15:00+11"],
    );
    // A whole day that Samoa never had.
    check(
        "0 9 * * *",
        "Pacific/Apia",
        "2011-12-29T12:00:00Z",
        &["2011-12-29T09:00:00-10", "2011-12-31T00:00:00+14", "2011-12-31T09:00:00+14"],
    );
}

#[test]
fn a_time_that_happens_twice_is_kept_the_first_time() {
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2025-10-25T12:00:00Z",
        &["2025-10-26T02:30:00+02", "2025-10-27T02:30:00+01"],
    );
    check(
        "*/30 * * * *",
        "America/New_York",
        "2025-11-02T04:59:00Z",
        &["2025-11-02T01:00:00-04", "2025-11-02T01:30:00-04", "2025-11-02T02:00:00-05"],
    );
    // Asked from inside the second passage.
    check("15 1 * * *", "America/New_York", "2025-11-02T06:05:00Z", &["2025-11-03T01:15:00-05"]);
    check("* * * * * *", "Europe/Berlin", "2025-10-26T01:00:00Z", &["2025-10-26T03:00:00+01"]);
}

#[test]
fn rare_days_are_found() {
    let after = "2025-01-01T00:00:00Z";
    check("0 0 29 2 *", "UTC", after, &["2028-02-29T00:00:00+00", "2032-02-29T00:00:00+00"]);
    // The days are restricted by a list and a step that begins with `*`: both must hold.
    check("0 0 29 2 */6", "UTC", after, &["2032-02-29T00:00:00+00", "2048-02-29T00:00:00+00"]);
    check("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", &["2104-02-29T00:00:00+00"]);
    check("59 59 23 31 12 ?", "UTC", after, &["2025-12-31T23:59:59+00"]);
    check("0 12 31 * *", "UTC", after, &["2025-01-31T12:00:00+00", "2025-03-31T12:00:00+00"]);
    check(
        "0 0 13 * fri",
        "UTC",
        after,
        &["2025-01-03T00:00:00+00", "2025-01-10T00:00:00+00", "2025-01-13T00:00:00+00"],
    );
}

#[test]
fn a_time_is_never_its_own_next() {
    check("0 0 * * *", "UTC", "2025-01-01T00:00:00Z", &["2025-01-02T00:00:00+00"]);
    check("0 0 * * *", "UTC", "2024-12-31T23:59:59.999Z", &["2025-01-01T00:00:00+00"]);
    check("0 0 * * *", "UTC", "2025-01-01T00:00:00.001Z", &["2025-01-02T00:00:00+00"]);
}

#[test]
fn the_calendar_ends() {
    let cron = Cron::parse("0 0 1 1 *").expect("a cron expression");
    assert_eq!(next_of_cron(&cron, &Zone::utc(), at("9999-12-30T00:00:00Z")), None);
    assert_eq!(next_of_cron(&cron, &Zone::utc(), Timestamp(i64::MAX)), None);
}

#[test]
fn zones_are_those_of_the_database() {
    assert!(Zone::find("Europe/Berlin").is_ok());
    assert_eq!(Zone::find("UTC"), Ok(Zone::utc()));
    for name in ["", "Mars/Olympus", "../Europe/Berlin", "/etc/passwd", "Etc/Unknown", "UTC+1"] {
        assert!(Zone::find(name).is_err(), "{name}");
    }
}

#[test]
fn a_zone_by_the_name_of_its_place_is_told() {
    let near = |name: &str| Zone::find(name).expect_err("no time zone").near;
    assert_eq!(near("Berlin").as_deref(), Some("Europe/Berlin"));
    assert_eq!(near("America/new york").as_deref(), Some("America/New_York"));
    assert_eq!(near("Mars/Olympus"), None);
    assert_eq!(near(""), None);
}

#[test]
fn intervals_count_from_their_anchor() {
    let check = |interval: &str, anchor: &str, after: &str, expected: &[&str]| {
        let interval = Duration::from_value(&interval.into()).expect("a duration");
        let anchor = at(anchor);
        let next = |last: &Timestamp| next_of_interval(interval, anchor, *last);
        let found: Vec<_> =
            std::iter::successors(next(&at(after)), next).take(expected.len()).collect();
        let expected: Vec<_> = expected.iter().map(|text| at(text)).collect();
        assert_eq!(found, expected, "{interval:?} after {after}");
    };
    let anchor = "2025-01-31T10:00:00Z";
    check("PT15M", anchor, anchor, &["2025-01-31T10:15:00Z", "2025-01-31T10:30:00Z"]);
    check("PT15M", anchor, "2024-01-01T00:00:00Z", &["2025-01-31T10:15:00Z"]);
    check("PT15M", anchor, "2025-01-31T10:15:00Z", &["2025-01-31T10:30:00Z"]);
    check("PT15M", anchor, "2025-01-31T10:14:59.999Z", &["2025-01-31T10:15:00Z"]);
    // Each month from the anchor, so that a short one shortens no other.
    check(
        "P1M",
        anchor,
        anchor,
        &["2025-02-28T10:00:00Z", "2025-03-31T10:00:00Z", "2025-04-30T10:00:00Z"],
    );
    check("P1M", anchor, "2051-03-01T00:00:00Z", &["2051-03-31T10:00:00Z"]);
    check("P1Y", "2024-02-29T00:00:00Z", "2027-03-01T00:00:00Z", &["2028-02-29T00:00:00Z"]);
    check("P1MT1H", anchor, anchor, &["2025-02-28T11:00:00Z", "2025-03-31T12:00:00Z"]);
}

#[test]
fn an_interval_of_nothing_names_no_time() {
    assert_eq!(next_of_interval(Duration::default(), Timestamp(0), Timestamp(5)), None);
}
