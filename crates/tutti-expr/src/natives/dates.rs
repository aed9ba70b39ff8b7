//! Filters about dates: all of them in UTC, and `now` is the turn's time.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::strtime::{self, BrokenDownTime},
    tz::TimeZone,
};

use super::{Native, describe, math::number, native};
use crate::{
    Value,
    context::Context,
    stop::{Flow, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("now", 0, |context, _| {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds fit a double for ages")]
            let now = context.environment.now_ms() as f64;
            Ok(Value::computed(now / 1000.0))
        }),
        native("gmtime", 0, |_, args| broken_down(number(&args[0])?)),
        native("localtime", 0, |_, args| broken_down(number(&args[0])?)),
        native("mktime", 0, |_, args| match date_time(&args[0]) {
            Some((date_time, _)) => seconds(date_time),
            None => Stop::raise("mktime requires array of 6 numbers"),
        }),
        native("strftime", 1, |context, args| print(context, &args[0], &args[1], "strftime/1")),
        native("strflocaltime", 1, |context, args| {
            print(context, &args[0], &args[1], "strflocaltime/1")
        }),
        native("strptime", 1, |context, args| parse(context, &args[0], &args[1])),
    ]
}

fn seconds(date_time: DateTime) -> Flow<Value> {
    match date_time.to_zoned_datetime(TimeZone::UTC) {
        Ok(zoned) => Ok(Value::from(zoned.timestamp().as_second())),
        Err(_) => Stop::raise("the date is out of range"),
    }
}

/// Seconds since 1970 as jq's array: year, month from 0, day, hours, minutes, seconds, weekday from Sunday, day of the year.
fn broken_down(seconds: f64) -> Flow<Value> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturating; what is out of range is refused next"
    )]
    let whole = seconds.floor() as i64;
    match Timestamp::from_second(whole) {
        Ok(timestamp) if seconds.is_finite() => {
            let date_time = TimeZone::UTC.to_datetime(timestamp);
            Ok(fields(date_time, seconds - seconds.floor()))
        }
        _ => Stop::raise("the date is out of range"),
    }
}

fn fields(at: DateTime, fraction: f64) -> Value {
    let whole = |number: i64| Value::from(number);
    Value::array([
        whole(i64::from(at.year())),
        whole(i64::from(at.month()) - 1),
        whole(i64::from(at.day())),
        whole(i64::from(at.hour())),
        whole(i64::from(at.minute())),
        Value::computed(f64::from(at.second()) + fraction),
        whole(i64::from(at.weekday().to_sunday_zero_offset())),
        whole(i64::from(at.date().day_of_year()) - 1),
    ])
}

/// The date and time of jq's array, and the fraction of its second.
fn date_time(value: &Value) -> Option<(DateTime, f64)> {
    let items = value.as_array().filter(|items| items.len() >= 6)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturating; what is out of range is refused next"
    )]
    let field = |at: usize| items[at].as_f64().map(|number| number.floor() as i64);
    // Months, days, hours … beyond their range run over into the next larger unit.
    let months = field(0)?.checked_mul(12)?.checked_add(field(1)?)?;
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let first = jiff::civil::Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
    let days = jiff::SignedDuration::from_hours(
        field(2)?.checked_sub(1).filter(in_range)?.checked_mul(24)?,
    );
    let hours = jiff::SignedDuration::from_hours(field(3).filter(in_range)?);
    let minutes = jiff::SignedDuration::from_mins(field(4).filter(in_range)?);
    let seconds = jiff::SignedDuration::from_secs(field(5).filter(in_range)?);
    let total = days.checked_add(hours)?.checked_add(minutes)?.checked_add(seconds)?;
    let number = items[5].as_f64()?;
    Some((first.checked_add(total).ok()?, number - number.floor()))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that `filter` wants")]
fn in_range(number: &i64) -> bool {
    number.abs() < 1_000_000_000_000
}

fn print(context: &Context<'_>, value: &Value, format: &Value, name: &str) -> Flow<Value> {
    let broken = match value.as_f64() {
        Some(seconds) => broken_down(seconds)?,
        None => value.clone(),
    };
    let Some((at, _)) = date_time(&broken) else {
        return Stop::raise(format!("{name} requires parsed datetime inputs"));
    };
    let shown = format.preview(60);
    let Some(format) = format.as_str() else {
        return Stop::raise(format!("{name} requires a string format"));
    };
    context.budget.ticks(format.len() as u64)?;
    if has_wide_padding(format) {
        return Stop::raise(format!("{name}: the format has a width that is too large"));
    }
    let Ok(zoned) = at.to_zoned_datetime(TimeZone::UTC) else {
        return Stop::raise("the date is out of range");
    };
    strtime::format(format, &zoned)
        .map(Value::from)
        .or_else(|_| Stop::raise(format!("{name} does not know the format {shown}")))
}

/// Whether a directive asks for more than 99 characters of padding.
fn has_wide_padding(format: &str) -> bool {
    format.as_bytes().windows(3).any(|digits| digits.iter().all(u8::is_ascii_digit))
        && format.contains('%')
}

fn parse(context: &Context<'_>, value: &Value, format: &Value) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!(
            "strptime/1 requires string inputs and arguments, not {}",
            describe(value)
        ));
    };
    let Some(pattern) = format.as_str() else {
        return Stop::raise("strptime/1 requires string inputs and arguments");
    };
    context.budget.ticks((text.len() + pattern.len()) as u64)?;
    let Ok(parsed) = BrokenDownTime::parse(pattern, text) else {
        return Stop::raise(format!(
            "date {} does not match format {}",
            value.preview(60),
            format.preview(60)
        ));
    };
    let Ok(date) = parsed.to_date() else {
        return Stop::raise(format!("date {} does not name a day", value.preview(60)));
    };
    let time = parsed.to_time().unwrap_or(jiff::civil::Time::midnight());
    Ok(fields(date.to_datetime(time), 0.0))
}
