//! Plain scalars by the core schema of YAML 1.2.

use std::sync::Arc;

use super::{NodeKind, Style};

/// Why a plain scalar has no value in a document.
pub(super) struct NotFinite;

/// Types a plain scalar: `null`, booleans, integers (also `0o17`, `0x1F`), floats; all else is text.
pub(super) fn plain(text: &str) -> Result<NodeKind, NotFinite> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Bool(true),
        "false" | "False" | "FALSE" => NodeKind::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Err(NotFinite),
        _ => match number(text)? {
            Some(number) => number,
            None => NodeKind::String(Arc::from(text), Style::Plain),
        },
    })
}

fn number(text: &str) -> Result<Option<NodeKind>, NotFinite> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(NotFinite);
    }
    if let Some(kind) = radix(text, "0o", 8).or_else(|| radix(text, "0x", 16)) {
        return Ok(Some(kind));
    }
    if unsigned.is_empty() || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(None);
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = text.parse::<i64>()
    {
        return Ok(Some(NodeKind::Integer(value)));
    }
    if !is_float(unsigned) {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(NodeKind::Float(value))),
        Ok(_) => Err(NotFinite),
        Err(_) => Ok(None),
    }
}

fn radix(text: &str, prefix: &str, radix: u32) -> Option<NodeKind> {
    let digits = text.strip_prefix(prefix)?;
    let fits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if !fits {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(NodeKind::Integer)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}
