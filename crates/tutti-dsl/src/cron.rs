//! Cron expressions: which moments of a calendar they name, and whether there are any.
//!
//! Nothing here knows a time zone or today: whoever walks a calendar asks [`Cron`] about its days and times.

use std::{fmt, ops::Range, sync::Arc};

/// A cron expression: sets of seconds, minutes, hours, days, months and weekdays.
///
/// As in crontab, a day field that does not begin with `*` is restricted; if both the day of the month and the day of
/// the week are, either is enough.
///
/// ```
/// use tutti_dsl::Cron;
///
/// let cron = Cron::parse("30 2 1 * mon").expect("a cron expression");
/// assert_eq!(cron.hours().collect::<Vec<_>>(), [2]);
/// assert!(cron.is_day(6, 1, 0) && cron.is_day(6, 7, 1) && !cron.is_day(6, 7, 0));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: Arc<str>,
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether one of the two day fields is enough.
    either: bool,
}

/// Numbers below 64.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn of(values: impl Iterator<Item = u8>) -> Self {
        Self(values.fold(0, |set, value| set | (1 << value)))
    }

    fn has(self, value: u8) -> bool {
        value < 64 && self.0 >> value & 1 == 1
    }

    fn values(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..64).filter(move |value| self.has(*value))
    }
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidCron {
    /// What is wrong with it.
    pub reason: String,
    /// The bytes of the text it is about.
    pub range: Range<usize>,
}

struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    names: &'static [&'static str],
}

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const SECOND: Field = Field { name: "second", low: 0, high: 59, names: &[] };
const FIELDS: [Field; 5] = [
    Field { name: "minute", low: 0, high: 59, names: &[] },
    Field { name: "hour", low: 0, high: 23, names: &[] },
    Field { name: "day of the month", low: 1, high: 31, names: &[] },
    Field { name: "month", low: 1, high: 12, names: MONTHS },
    Field { name: "day of the week", low: 0, high: 7, names: DAYS },
];

impl Cron {
    /// Reads an expression of five fields, or six with seconds first.
    ///
    /// # Errors
    /// If it has another number of fields, a field names something else than its numbers, or no day is ever named.
    pub fn parse(text: &str) -> Result<Self, InvalidCron> {
        let words = words(text);
        let fields: Vec<&Field> = match words.len() {
            5 => FIELDS.iter().collect(),
            6 => std::iter::once(&SECOND).chain(&FIELDS).collect(),
            count => {
                let reason = format!(
                    "a cron expression has five fields, or six with seconds; this has {count}"
                );
                return Err(InvalidCron { reason, range: 0..text.len() });
            }
        };
        let mut sets = Vec::new();
        for (field, range) in fields.iter().zip(&words) {
            let set = field.values(&text[range.clone()]);
            sets.push(set.map_err(|reason| InvalidCron { reason, range: range.clone() })?);
        }
        // The fields from the day on are the last three, whether there are seconds or not.
        let (day, month, weekday) = (sets.len() - 3, sets.len() - 2, sets.len() - 1);
        let restricted = |field: usize| !text[words[field].clone()].starts_with(['*', '?']);
        let either = restricted(day) && restricted(weekday);
        if !either && !possible(sets[day], sets[month]) {
            let reason = "no month it names has the day it names".to_owned();
            return Err(InvalidCron { reason, range: words[day].start..words[month].end });
        }
        Ok(Self {
            text: Arc::from(text),
            seconds: if sets.len() == 6 { sets[0] } else { Set::of([0].into_iter()) },
            minutes: sets[day - 2],
            hours: sets[day - 1],
            days: sets[day],
            months: sets[month],
            weekdays: Set::of(sets[weekday].values().map(|day| day % 7)),
            either,
        })
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The seconds of a minute, ascending.
    pub fn seconds(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.seconds.values()
    }

    /// The minutes of an hour, ascending.
    pub fn minutes(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.minutes.values()
    }

    /// The hours of a day, ascending.
    pub fn hours(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.hours.values()
    }

    /// Whether the month, from 1, has days it names.
    pub fn is_month(&self, month: u8) -> bool {
        self.months.has(month)
    }

    /// Whether it names this day: month and day from 1, weekdays from 0 for Sunday.
    pub fn is_day(&self, month: u8, day: u8, weekday: u8) -> bool {
        let (of_month, of_week) = (self.days.has(day), self.weekdays.has(weekday));
        let named = if self.either { of_month || of_week } else { of_month && of_week };
        self.is_month(month) && named
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

fn possible(days: Set, months: Set) -> bool {
    let longest = |month: u8| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    months.values().any(|month| days.values().any(|day| day <= longest(month)))
}

fn words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_whitespace(), start) {
            (true, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    found
}

impl Field {
    /// The values a field's text names.
    fn values(&self, text: &str) -> Result<Set, String> {
        let mut values = Vec::new();
        for part in text.split(',') {
            let (range, step) = part.split_once('/').map_or((part, None), |(r, s)| (r, Some(s)));
            let step: usize = match step {
                None => 1,
                Some(step) => step
                    .parse()
                    .ok()
                    .filter(|step| *step > 0)
                    .ok_or_else(|| format!("`{step}` is no step of the {}", self.name))?,
            };
            let (low, high) = self.range(range, part.contains('/'))?;
            values.extend((low..=high).step_by(step));
        }
        Ok(Set::of(values.into_iter()))
    }

    fn range(&self, text: &str, stepped: bool) -> Result<(u8, u8), String> {
        if matches!(text, "*" | "?") {
            return Ok((self.low, self.high));
        }
        let Some((low, high)) = text.split_once('-') else {
            let value = self.value(text)?;
            return Ok((value, if stepped { self.high } else { value }));
        };
        let (low, high) = (self.value(low)?, self.value(high)?);
        if low > high {
            return Err(format!("`{text}` ends before it begins in the {}", self.name));
        }
        Ok((low, high))
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        let named = named.and_then(|at| u8::try_from(at).ok()).map(|at| at + self.low);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        named
            .or(number)
            .filter(|value| (self.low..=self.high).contains(value))
            .ok_or_else(|| format!("`{text}` is no {}: {} to {}", self.name, self.low, self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::Cron;

    #[test]
    fn cron_expressions_are_told_from_others() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Cron::parse(text).err().map(|error| text[error.range].to_owned());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("0 0 * * *", None);
        check("*/5 0-12/3 1,15 JAN-mar sun", None);
        check("30 0 0 * * ?", None);
        check("0 0 29 2 *", None);
        check("0 0 30 2 1", None);
        check("0 0 30 2 *", Some("30 2"));
        check("60 0 * * *", Some("60"));
        check("0 0 * * 5-1", Some("5-1"));
        check("0 */0 * * *", Some("*/0"));
        check("0 0 * *", Some("0 0 * *"));
        check("0 0 * * mo", Some("mo"));
        check("@daily", Some("@daily"));
        check("0 0 31 4,6 ?", Some("31 4,6"));
        check("0 0 30 2 */2", Some("30 2"));
        check("0 0 30 2 0-7", None);
    }

    /// The days of June 2025, a month that begins on a Sunday, that an expression names.
    #[test]
    fn days_are_those_of_crontab() {
        let check = |text: &str, expected: &[u8]| {
            let cron = Cron::parse(text).expect("a cron expression");
            let named = (1..=30).filter(|day| cron.is_day(6, *day, (*day - 1) % 7));
            assert_eq!(named.collect::<Vec<_>>(), expected, "{text}");
        };
        check("0 0 13 * *", &[13]);
        check("0 0 * * fri", &[6, 13, 20, 27]);
        check("0 0 13 * fri", &[6, 13, 20, 27]);
        check("0 0 14 * 5", &[6, 13, 14, 20, 27]);
        check("0 0 */7 * sun", &[1, 8, 15, 22, 29]);
        check("0 0 1-7 * ?", &[1, 2, 3, 4, 5, 6, 7]);
        check("0 0 */2 * 0", &[1, 15, 29]);
        check("0 0 ? * 7", &[1, 8, 15, 22, 29]);
        check("0 0 * 5 *", &[]);
    }

    #[test]
    fn times_are_sets() {
        let cron = Cron::parse("*/20 5/25 1,3-4 * * *").expect("a cron expression");
        assert_eq!(cron.seconds().collect::<Vec<_>>(), [0, 20, 40]);
        assert_eq!(cron.minutes().collect::<Vec<_>>(), [5, 30, 55]);
        assert_eq!(cron.hours().collect::<Vec<_>>(), [1, 3, 4]);
        let five = Cron::parse("0 0 * * *").expect("a cron expression");
        assert_eq!(five.seconds().collect::<Vec<_>>(), [0]);
    }
}
