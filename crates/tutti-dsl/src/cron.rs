//! Cron expressions: are they ones, and do they ever come true?

use std::ops::Range;

/// Why a text is no cron expression.
#[derive(Debug)]
pub(crate) struct InvalidCron {
    pub(crate) reason: String,
    /// The bytes of the text it is about.
    pub(crate) range: Range<usize>,
}

struct Field {
    name: &'static str,
    low: u32,
    high: u32,
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

/// Checks a cron expression of five fields, or six with seconds first.
pub(crate) fn check(text: &str) -> Result<(), InvalidCron> {
    let words = words(text);
    let fields: Vec<&Field> = match words.len() {
        5 => FIELDS.iter().collect(),
        6 => std::iter::once(&SECOND).chain(&FIELDS).collect(),
        count => {
            let reason =
                format!("a cron expression has five fields, or six with seconds; this has {count}");
            return Err(InvalidCron { reason, range: 0..text.len() });
        }
    };
    let mut values = Vec::new();
    for (field, range) in fields.iter().zip(&words) {
        let word = &text[range.clone()];
        values.push(
            field.values(word).map_err(|reason| InvalidCron { reason, range: range.clone() })?,
        );
    }
    let [.., days, months, weekdays] = &values[..] else { return Ok(()) };
    // With both given either is enough (as cron does), so only a lone day of the month can be impossible.
    let any_weekday = weekdays.len() >= 7;
    if any_weekday && !possible(days, months) {
        let reason = "no month it names has the day it names".to_owned();
        let start = words[words.len() - 3].start;
        return Err(InvalidCron { reason, range: start..words[words.len() - 2].end });
    }
    Ok(())
}

fn possible(days: &[u32], months: &[u32]) -> bool {
    let longest = |month: u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    months.iter().any(|month| days.iter().any(|day| *day <= longest(*month)))
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
    fn values(&self, text: &str) -> Result<Vec<u32>, String> {
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
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn range(&self, text: &str, stepped: bool) -> Result<(u32, u32), String> {
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

    fn value(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        let named = named.and_then(|at| u32::try_from(at).ok()).map(|at| at + self.low);
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

    #[test]
    fn cron_expressions_are_told_from_others() {
        let check = |text: &str, expected: Option<&str>| {
            let found = super::check(text).err().map(|error| text[error.range].to_owned());
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
    }
}
