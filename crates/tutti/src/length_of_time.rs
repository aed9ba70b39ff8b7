//! Lengths of time as people type them: `90s`, `1h30m`, or ISO 8601.

use tutti_dsl::Duration;
use tutti_expr::Value;

/// Reads `250ms`, `10s`, `5m`, `1h`, `2d`, several of them in a row, or an ISO 8601 text such as `PT15M`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text.starts_with(['P', '-']) {
        return Duration::from_value(&Value::from(text)).map_err(|error| error.to_string());
    }
    let not_a_length = || "expected a length of time such as 30s, 5m, 1h30m or PT15M".to_owned();
    let mut rest = text;
    let mut milliseconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(not_a_length)?;
        let (amount, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(not_a_length()),
        };
        let amount: u64 = amount.parse().map_err(|_no_number| not_a_length())?;
        milliseconds = milliseconds.saturating_add(amount.saturating_mul(factor));
        rest = after;
    }
    if text.is_empty() { Err(not_a_length()) } else { Ok(Duration { months: 0, milliseconds }) }
}

/// A length of time for people: `7ms`, `1.2s`, `2m05s`, `3h10m`.
pub(crate) fn show(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match milliseconds {
        0..1_000 => format!("{milliseconds}ms"),
        1_000..60_000 => format!("{seconds}.{}s", milliseconds % 1_000 / 100),
        60_000..3_600_000 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_type_them() {
        let check = |text: &str, expected: Option<u64>| {
            let read = parse(text).ok().map(|duration| duration.milliseconds);
            assert_eq!(read, expected, "{text}");
        };
        check("250ms", Some(250));
        check("10s", Some(10_000));
        check("1h30m", Some(5_400_000));
        check("PT15M", Some(900_000));
        check("P1D", Some(86_400_000));
        check("99999999999999999d", Some(u64::MAX));
        for text in ["", "10", "s", "10 s", "-5s", "1.5h", "10x", "P", "99999999999999999999s"] {
            check(text, None);
        }
    }

    #[test]
    fn lengths_of_time_are_shown_short() {
        let check = |milliseconds, expected| assert_eq!(show(milliseconds), expected);
        check(0, "0ms");
        check(999, "999ms");
        check(1_234, "1.2s");
        check(125_000, "2m05s");
        check(11_400_000, "3h10m");
    }
}
