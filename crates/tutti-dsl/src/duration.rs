//! Durations of the language: ISO 8601 with calendar parts, or an object of units.

use tutti_expr::{Kind, Value};

/// The longest duration accepted, in months and in milliseconds: 400 years.
const MAX_MONTHS: u64 = 400 * 12;
const MAX_MILLISECONDS: u64 = 146_097 * DAY;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// An amount of time with calendar parts, added to a moment in UTC.
///
/// ```
/// use tutti_dsl::Duration;
/// use tutti_expr::Value;
///
/// let duration = Duration::from_value(&Value::from("P1MT90S")).expect("a duration");
/// assert_eq!(duration, Duration { months: 1, milliseconds: 90_000 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duration {
    /// Calendar months; a year is twelve.
    pub months: u32,
    /// Milliseconds; weeks and days are counted here as UTC has no other days than of 24 hours.
    pub milliseconds: u64,
}

/// A text or object that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidDuration {
    /// What is wrong with it.
    pub reason: String,
}

fn invalid(reason: impl Into<String>) -> InvalidDuration {
    InvalidDuration { reason: reason.into() }
}

impl Duration {
    /// Reads an ISO 8601 text such as `PT15M`, or an object such as `{ minutes: 15 }`; at most 400 years.
    ///
    /// # Errors
    /// If the value is neither, is negative or is longer. The message shows no part of a secret.
    pub fn from_value(value: &Value) -> Result<Self, InvalidDuration> {
        match value.kind() {
            Kind::String(text) => from_text(text).map_err(|reason| {
                if value.is_tainted() {
                    invalid("the text is not an ISO 8601 duration")
                } else {
                    reason
                }
            }),
            Kind::Object(_) => from_units(value),
            _ => Err(invalid("a duration is an ISO 8601 text or an object of units")),
        }
    }

    /// The moment this much after `start_ms` (milliseconds since the Unix epoch), by the calendar in UTC.
    /// Saturates at the calendar's end.
    pub fn after(&self, start_ms: i64) -> i64 {
        let moved = if self.months == 0 { start_ms } else { add_months(start_ms, self.months) };
        moved.saturating_add_unsigned(self.milliseconds)
    }
}

fn from_units(value: &Value) -> Result<Duration, InvalidDuration> {
    let Some(object) = value.as_object().filter(|object| !object.is_empty()) else {
        return Err(invalid("a duration needs at least one unit"));
    };
    let mut milliseconds: u64 = 0;
    for (unit, amount) in object.iter() {
        let factor = match &**unit {
            "days" => DAY,
            "hours" => HOUR,
            "minutes" => MINUTE,
            "seconds" => SECOND,
            "milliseconds" => 1,
            _ => {
                return Err(invalid(format!(
                    "`{unit}` is no unit of a duration: days, hours, minutes, seconds, milliseconds are"
                )));
            }
        };
        let amount = whole(amount)
            .ok_or_else(|| invalid(format!("`{unit}` must be a whole number, 0 or more")))?;
        milliseconds = milliseconds.saturating_add(amount.saturating_mul(factor));
    }
    bounded(0, milliseconds)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is whole and within the range of 53 bits"
)]
fn whole(amount: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(integer) = amount.as_i64() {
        return u64::try_from(integer).ok();
    }
    let float = amount.as_f64()?;
    (float.fract() == 0.0 && (0.0..=EXACT).contains(&float)).then_some(float as u64)
}

fn bounded(months: u64, milliseconds: u64) -> Result<Duration, InvalidDuration> {
    let too_long = || invalid("a duration is at most 400 years");
    // Whatever is split between the calendar and the clock, the sum stays within the bound.
    let from_months = months.saturating_mul(31 * DAY).min(MAX_MILLISECONDS);
    let months = u32::try_from(months).ok().filter(|months| u64::from(*months) <= MAX_MONTHS);
    let within = milliseconds <= MAX_MILLISECONDS
        && (milliseconds == 0 || from_months + milliseconds <= MAX_MILLISECONDS);
    match months {
        Some(months) if within => Ok(Duration { months, milliseconds }),
        _ => Err(too_long()),
    }
}

/// `P[nY][nM][nW][nD][T[nH][nM][nS]]`, each `n` with an optional fraction.
fn from_text(text: &str) -> Result<Duration, InvalidDuration> {
    let not_iso = || invalid(format!("`{}` is not an ISO 8601 duration", shortened(text)));
    if text.starts_with('-') {
        return Err(invalid("a duration cannot be negative"));
    }
    let rest = text.strip_prefix('P').ok_or_else(not_iso)?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return Err(not_iso()),
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return Err(not_iso()),
        None => (rest, ""),
    };
    let mut months: u64 = 0;
    let mut milliseconds: u64 = 0;
    for (unit, amount) in parts(date, "YMWD").ok_or_else(not_iso)? {
        match unit {
            'Y' => months = months.saturating_add(amount.whole_of(12).ok_or_else(in_calendar)?),
            'M' => months = months.saturating_add(amount.whole_of(1).ok_or_else(in_calendar)?),
            'W' => milliseconds = milliseconds.saturating_add(amount.of(WEEK)),
            _ => milliseconds = milliseconds.saturating_add(amount.of(DAY)),
        }
    }
    for (unit, amount) in parts(time, "HMS").ok_or_else(not_iso)? {
        let factor = match unit {
            'H' => HOUR,
            'M' => MINUTE,
            _ => SECOND,
        };
        milliseconds = milliseconds.saturating_add(amount.of(factor));
    }
    bounded(months, milliseconds)
}

fn in_calendar() -> InvalidDuration {
    invalid("years and months must come to whole months: a month has no fixed length")
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A decimal number of up to nine places.
#[derive(Debug, Clone, Copy)]
struct Amount {
    whole: u64,
    /// Billionths.
    fraction: u64,
}

impl Amount {
    const BILLION: u64 = 1_000_000_000;

    /// This many times `factor` milliseconds, rounded down.
    fn of(self, factor: u64) -> u64 {
        let part = u128::from(self.fraction) * u128::from(factor) / u128::from(Self::BILLION);
        self.whole.saturating_mul(factor).saturating_add(u64::try_from(part).unwrap_or(u64::MAX))
    }

    /// This many times `factor`, if that is a whole number.
    fn whole_of(self, factor: u64) -> Option<u64> {
        let part = self.fraction * factor;
        part.is_multiple_of(Self::BILLION)
            .then(|| self.whole.saturating_mul(factor).saturating_add(part / Self::BILLION))
    }
}

/// The amounts of a text, each before its unit, units in the order given and each at most once.
fn parts(mut text: &str, units: &str) -> Option<Vec<(char, Amount)>> {
    let mut found = Vec::new();
    let mut left = units;
    while !text.is_empty() {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let unit = text[end..].chars().next()?;
        let position = left.find(unit)?;
        left = &left[position + 1..];
        found.push((unit, amount(&text[..end])?));
        text = &text[end + unit.len_utf8()..];
    }
    Some(found)
}

fn amount(text: &str) -> Option<Amount> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let places: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Amount { whole: whole.parse().unwrap_or(u64::MAX), fraction: places.parse().ok()? })
}

/// Adds calendar months in UTC; a day the month does not have becomes its last.
fn add_months(start_ms: i64, months: u32) -> i64 {
    let day_ms = i64::try_from(DAY).unwrap_or(i64::MAX);
    let (days, time) = (start_ms.div_euclid(day_ms), start_ms.rem_euclid(day_ms));
    let (year, month, day) = civil_from_days(days);
    let index = year.saturating_mul(12).saturating_add(month - 1).saturating_add(i64::from(months));
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let moved = days_from_civil(year, month, day.min(days_in_month(year, month)));
    moved.saturating_mul(day_ms).saturating_add(time)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since the Unix epoch → (year, month, day) of the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Duration, String> {
        Duration::from_value(&Value::from(text)).map_err(|error| error.reason)
    }

    #[test]
    fn iso_texts_are_read() {
        let check = |text: &str, months: u32, milliseconds: u64| {
            assert_eq!(read(text), Ok(Duration { months, milliseconds }), "{text}");
        };
        check("PT0S", 0, 0);
        check("PT15M", 0, 15 * MINUTE);
        check("P1Y2M3W4DT5H6M7.89S", 14, 3 * WEEK + 4 * DAY + 5 * HOUR + 6 * MINUTE + 7_890);
        check("P0.5Y", 6, 0);
        check("P1.5D", 0, 36 * HOUR);
        check("PT0.0015S", 0, 1);
        check("PT1.5H", 0, 90 * MINUTE);
        check("P400Y", 4_800, 0);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "PT1D",
            "P1H",
            "P1M1Y",
            "PT1S1M",
            "-P1D",
            "P-1D",
            "P1DT",
            "PT1.S",
            "PT.5S",
            "p1d",
            "P1D ",
            "P0.3M",
            "P401Y",
            "P400YT1S",
            "PT99999999999999999999S",
            "P1ä",
            "PT1,5H",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn objects_of_units_are_read() {
        let check = |json: &str, expected: Option<u64>| {
            let value = Value::from_json(json).expect("JSON");
            let read = Duration::from_value(&value).ok().map(|duration| duration.milliseconds);
            assert_eq!(read, expected, "{json}");
        };
        check(r#"{"days":1,"hours":2,"minutes":3,"seconds":4,"milliseconds":5}"#, Some(93_784_005));
        check(r#"{"seconds":2.0}"#, Some(2_000));
        check(r#"{"seconds":0.5}"#, None);
        check(r#"{"seconds":-1}"#, None);
        check(r#"{"weeks":1}"#, None);
        check(r#"{"days":9223372036854775807}"#, None);
        check("{}", None);
        check("5", None);
    }

    #[test]
    fn months_follow_the_calendar() {
        let check = |start: &str, months: u32, end: &str| {
            let ms = |date: &str| {
                let mut parts = date.split('-').map(|part| part.parse::<i64>().expect("a number"));
                let mut next = || parts.next().expect("a part");
                days_from_civil(next(), next(), next()) * 86_400_000 + 1
            };
            assert_eq!(Duration { months, milliseconds: 0 }.after(ms(start)), ms(end), "{start}");
        };
        check("2026-01-31", 1, "2026-02-28");
        check("2024-01-31", 1, "2024-02-29");
        check("2024-02-29", 12, "2025-02-28");
        check("2026-11-30", 3, "2027-02-28");
        check("1969-12-31", 2, "1970-02-28");
        check("2000-02-29", 4_800, "2400-02-29");
        assert_eq!(Duration { months: 1, milliseconds: 1 }.after(i64::MAX), i64::MAX);
        assert!(Duration { months: 1, milliseconds: 1 }.after(i64::MIN) < 0);
    }
}
