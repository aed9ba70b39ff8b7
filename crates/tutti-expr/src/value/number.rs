//! Numbers that neither 64 bits nor a double hold exactly.

use std::fmt::Write as _;

/// A number kept as its text until something computes with it.
pub(crate) struct Decimal {
    text: Box<str>,
    number: f64,
}

impl Decimal {
    /// A JSON number's text and the nearest finite double.
    pub(crate) fn new(text: &str, number: f64) -> Self {
        Self { text: Box::from(text), number: number.clamp(f64::MIN, f64::MAX) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn number(&self) -> f64 {
        self.number
    }
}

/// Writes a finite double with the fewest digits that read back as the same, the way jq lays them out.
pub(super) fn write_float(number: f64, out: &mut String) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    out.push_str(sign);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    if point <= -4 || point > count + 15 {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "e{sign}{:02}", exponent.unsigned_abs()).unwrap_or_default();
    } else if exponent < 0 {
        out.push_str("0.");
        out.extend((1..-exponent).map(|_| '0'));
        out.push_str(&digits);
    } else if count <= exponent + 1 {
        out.push_str(&digits);
        out.extend((count..=exponent).map(|_| '0'));
        // Whole results of computations are integers up to 53 bits: this was written with a fraction, and stays so.
        if number.abs() < 9_007_199_254_740_992.0 {
            out.push_str(".0");
        }
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(exponent + 1).unwrap_or(1));
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    }
}
