//! Moments as people write them.

use tutti_journal::Timestamp;

/// In RFC 3339; a moment that no calendar has, as its number.
pub(crate) fn show(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// What a text in RFC 3339 says.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back_as_they_were_written() {
        assert_eq!(parse("2026-12-01T10:00:00.5+01:00"), Some(Timestamp(1_796_115_600_500)));
        assert_eq!(show(Timestamp(1_796_115_600_500)), "2026-12-01T09:00:00.5Z");
        assert_eq!(parse("yesterday"), None);
    }
}
