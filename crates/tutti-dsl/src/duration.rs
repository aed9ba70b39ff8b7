//! Durations of the language: ISO 8601 with calendar parts, or an object of units.

use tutti_expr::Value;

/// An amount of time with calendar parts, added to a moment in UTC.
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

impl Duration {
    /// Reads an ISO 8601 text such as `PT15M`, or an object such as `{ minutes: 15 }`.
    ///
    /// # Errors
    /// If the value is neither.
    pub fn from_value(_value: &Value) -> Result<Self, InvalidDuration> {
        Err(InvalidDuration { reason: "not built".to_owned() })
    }

    /// The moment this much after `start_ms` (milliseconds since the Unix epoch), by the calendar in UTC.
    /// Saturates at the calendar's end.
    pub fn after(&self, start_ms: i64) -> i64 {
        start_ms.saturating_add_unsigned(self.milliseconds)
    }
}
