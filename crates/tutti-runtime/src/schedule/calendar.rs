//! The times that triggers name: cron expressions in a time zone, and intervals from an anchor.
//!
//! A cron expression names local times. One that falls into a gap of the local clock is kept at the first instant after
//! the gap; one that happens twice is kept the first time; several that come to one instant are one nominal time. Intervals
//! are added in UTC, months by the calendar.

use std::fmt;

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use tutti_dsl::{Cron, Duration};
use tutti_journal::Timestamp;

/// Years in which the next day of a cron expression is looked for: the 29th of February is a Monday every 40 years at least.
const MAX_YEARS: i16 = 50;
const DAY_MS: u64 = 24 * 3_600_000;

/// A time zone of the IANA database: the system's, or where there is none the one this program was built with.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that is no time zone's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{name}`")]
pub struct UnknownZone {
    /// The name.
    pub name: String,
    /// A zone that was perhaps meant: the name is that of its place.
    pub near: Option<String>,
}

impl UnknownZone {
    fn new(name: &str) -> Self {
        let place = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
        let is_near = |zone: &str| {
            !place.is_empty()
                && zone.rsplit('/').next().is_some_and(|known| known.eq_ignore_ascii_case(&place))
        };
        let mut zones = jiff::tz::db().available().map(|zone| zone.to_string());
        Self { name: name.to_owned(), near: zones.find(|zone| is_near(zone)) }
    }
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of a name such as `Europe/Berlin`.
    ///
    /// # Errors
    /// If the database has none of this name.
    pub fn find(name: &str) -> Result<Self, UnknownZone> {
        match TimeZone::get(name) {
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            Ok(_) | Err(_) => Err(UnknownZone::new(name)),
        }
    }

    /// The instant at which a local time is kept.
    fn instant(&self, local: DateTime) -> Option<jiff::Timestamp> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { before, .. } => {
                // By the clock before the gap the time is past its beginning, by less than the gap is long.
                let past = before.to_timestamp(local).ok()?.checked_add(1.second()).ok()?;
                self.0.preceding(past).next().map(|transition| transition.timestamp())
            }
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.0.iana_name().unwrap_or("?")).finish()
    }
}

/// The first time after a moment that a cron expression names in a zone.
pub fn next_of_cron(cron: &Cron, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
    let after = jiff::Timestamp::from_millisecond(after.0).ok()?;
    // No earlier local time is kept later than this one: local times are kept in their own order.
    let local = zone.0.to_datetime(after);
    let mut from = local.with().subsec_nanosecond(0).build().ok()?;
    loop {
        let named = next_local(cron, from)?;
        let instant = zone.instant(named)?;
        if instant > after {
            return Some(Timestamp(instant.as_millisecond()));
        }
        from = named.checked_add(1.second()).ok()?;
    }
}

/// The first local time from this one on.
fn next_local(cron: &Cron, from: DateTime) -> Option<DateTime> {
    let mut date = from.date();
    let mut earliest = from.time();
    while date.year() - from.year() <= MAX_YEARS {
        if names_day(cron, date)
            && let Some(time) = next_time(cron, earliest)
        {
            return Some(date.to_datetime(time));
        }
        earliest = Time::midnight();
        date = if is_month(cron, date) { date.tomorrow() } else { next_month(date) }.ok()?;
    }
    None
}

fn next_month(date: Date) -> Result<Date, jiff::Error> {
    date.first_of_month().checked_add(1.month())
}

fn is_month(cron: &Cron, date: Date) -> bool {
    u8::try_from(date.month()).is_ok_and(|month| cron.is_month(month))
}

fn names_day(cron: &Cron, date: Date) -> bool {
    let weekday = date.weekday().to_sunday_zero_offset();
    match (u8::try_from(date.month()), u8::try_from(date.day()), u8::try_from(weekday)) {
        (Ok(month), Ok(day), Ok(weekday)) => cron.is_day(month, day, weekday),
        _ => false,
    }
}

/// The first time of a day from this one on.
fn next_time(cron: &Cron, earliest: Time) -> Option<Time> {
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let (hour, minute, second) =
        (part(earliest.hour()), part(earliest.minute()), part(earliest.second()));
    let (first_minute, first_second) = (cron.minutes().next()?, cron.seconds().next()?);
    let has_hour = cron.hours().any(|named| named == hour);
    let has_minute = has_hour && cron.minutes().any(|named| named == minute);
    let of_minute = || Some((hour, minute, cron.seconds().find(|named| *named >= second)?));
    let of_hour = || Some((hour, cron.minutes().find(|named| *named > minute)?, first_second));
    let of_day = || Some((cron.hours().find(|named| *named > hour)?, first_minute, first_second));
    let found = if has_minute { of_minute() } else { None };
    let found = found.or_else(|| if has_hour { of_hour() } else { None }).or_else(of_day);
    let (hour, minute, second) = found?;
    Time::new(hour.cast_signed(), minute.cast_signed(), second.cast_signed(), 0).ok()
}

/// The first time after a moment that is a whole number of intervals, one at least, after the anchor.
pub fn next_of_interval(
    interval: Duration,
    anchor: Timestamp,
    after: Timestamp,
) -> Option<Timestamp> {
    let longest = u64::from(interval.months) * 31 * DAY_MS + interval.milliseconds;
    // As months are shorter than the longest one, this is too few rather than too many.
    let mut count = after.ms_since(anchor).checked_div(longest)?;
    let mut reached = nth(interval, anchor, count)?;
    while reached <= after || count == 0 {
        count += 1;
        let next = nth(interval, anchor, count)?;
        if next <= reached {
            return None;
        }
        reached = next;
    }
    Some(reached)
}

fn nth(interval: Duration, anchor: Timestamp, count: u64) -> Option<Timestamp> {
    let months = u64::from(interval.months).checked_mul(count)?;
    let times = Duration {
        months: u32::try_from(months).ok()?,
        milliseconds: interval.milliseconds.checked_mul(count)?,
    };
    Some(Timestamp(times.after(anchor.0)))
}

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod tests;
