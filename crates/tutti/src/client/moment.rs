//! Moments and lengths of time, as a server says them and as people read them.

use jiff::Timestamp;

use crate::length_of_time;

/// The length of time between two moments in RFC 3339; nothing where one cannot be read.
pub(super) fn between(from: &str, to: &str) -> Option<String> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    let passed = to.as_millisecond().saturating_sub(from.as_millisecond());
    Some(length_of_time::show(u64::try_from(passed).unwrap_or(0)))
}

/// The moment now, in RFC 3339.
pub(super) fn now() -> String {
    use tutti_runtime::Clock as _;
    later(0, tutti_runtime::SystemClock.now().0)
}

/// The moment so many milliseconds after another, in RFC 3339.
pub(super) fn later(milliseconds: i64, than: i64) -> String {
    let at = Timestamp::from_millisecond(than.saturating_add(milliseconds));
    at.unwrap_or(Timestamp::MAX).to_string()
}

/// A moment with how long ago it was.
pub(super) fn ago(moment: &str, now: &str) -> String {
    match between(moment, now) {
        Some(length) => format!("{moment} ({length} ago)"),
        None => moment.to_owned(),
    }
}
