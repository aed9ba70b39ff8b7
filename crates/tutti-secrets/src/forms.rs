//! The forms in which a secret shows up in text.

use std::{collections::BTreeSet, fmt::Write as _};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// Secrets and forms shorter than this (bytes) are not looked for: they would be found everywhere.
pub(crate) const SHORTEST: usize = 4;
/// Lines of a secret of several lines are looked for one by one from this length (bytes) on.
const SHORTEST_LINE: usize = 8;

/// Every form of `secret` that is long enough: itself, its lines, and both as base64 (at each alignment within a longer
/// text), hexadecimal, URL-encoded and JSON-escaped text.
pub(crate) fn of(secret: &str) -> BTreeSet<Vec<u8>> {
    let lines = secret.lines().filter(|line| line.len() >= SHORTEST_LINE && *line != secret);
    let mut forms = BTreeSet::new();
    for text in lines.chain([secret, secret.trim()]).filter(|text| text.len() >= SHORTEST) {
        forms.insert(text.to_owned());
        base64_forms(text, &mut forms);
        forms.extend(hexadecimal(text));
        forms.extend(url_encoded(text));
        forms.extend(json_escaped(text));
    }
    let forms = forms.into_iter().map(String::into_bytes);
    forms.filter(|form| form.len() >= SHORTEST).collect()
}

fn base64_forms(text: &str, forms: &mut BTreeSet<String>) {
    forms.extend([STANDARD.encode(text), URL_SAFE.encode(text)]);
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(text));
        for before in 0..3 {
            let padded = [&b"\0\0"[..before], text.as_bytes()].concat();
            // Only the digits that no byte before or after has a part in.
            let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            forms.insert(engine.encode(&padded)[first..end].to_owned());
        }
    }
}

fn hexadecimal(text: &str) -> [String; 2] {
    let digits = text.bytes().fold(String::new(), |mut digits, byte| {
        hex(&mut digits, "", byte);
        digits
    });
    [digits.to_uppercase(), digits]
}

fn url_encoded(text: &str) -> impl Iterator<Item = String> {
    // What stays as it is: by RFC 3986, by `encodeURIComponent`, by `encodeURI`, in forms, and in a path.
    let kept = ["-._~", "-._~!*'()", "-._~!*'();/?:@&=+$,#", "-._*", "-._~!$&'()*+,;=:@"];
    kept.into_iter().flat_map(move |kept| {
        let encoded = percent_encoded(text, kept);
        [encoded.replace("%20", "+"), lower_escapes(&encoded), encoded]
    })
}

fn percent_encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            hex(&mut encoded, "%", byte);
        }
    }
    upper_escapes(&encoded)
}

fn lower_escapes(encoded: &str) -> String {
    escapes(encoded, str::to_ascii_lowercase)
}

fn upper_escapes(encoded: &str) -> String {
    escapes(encoded, str::to_ascii_uppercase)
}

/// Rewrites the two digits after each `%`.
fn escapes(encoded: &str, rewrite: impl Fn(&str) -> String) -> String {
    let mut parts = encoded.split('%');
    let mut rewritten = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        rewritten.push('%');
        rewritten += &rewrite(digits);
        rewritten += rest;
    }
    rewritten
}

fn json_escaped(text: &str) -> impl Iterator<Item = String> {
    let once = [
        json(text, Json { slash: false, ascii: false, upper: false }),
        json(text, Json { slash: true, ascii: false, upper: false }),
        json(text, Json { slash: false, ascii: true, upper: false }),
        json(text, Json { slash: false, ascii: true, upper: true }),
        json(text, Json { slash: true, ascii: true, upper: false }),
    ];
    // JSON inside a string of JSON is common enough.
    let twice = json(&once[0], Json { slash: false, ascii: false, upper: false });
    once.into_iter().chain([twice])
}

/// How a writer of JSON escapes beyond what it must.
#[derive(Clone, Copy)]
struct Json {
    slash: bool,
    ascii: bool,
    upper: bool,
}

fn json(text: &str, style: Json) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' => escaped += "\\\"",
            '\\' => escaped += "\\\\",
            '\n' => escaped += "\\n",
            '\r' => escaped += "\\r",
            '\t' => escaped += "\\t",
            '\u{8}' => escaped += "\\b",
            '\u{c}' => escaped += "\\f",
            '/' if style.slash => escaped += "\\/",
            other if other.is_control() || (style.ascii && !other.is_ascii()) => {
                unicode_escape(&mut escaped, other, style.upper);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn unicode_escape(escaped: &mut String, character: char, upper: bool) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let digits = if upper { format!("{unit:04X}") } else { format!("{unit:04x}") };
        escaped.push_str("\\u");
        escaped.push_str(&digits);
    }
}

fn hex(text: &mut String, before: &str, byte: u8) {
    write!(text, "{before}{byte:02x}").expect("invariant: writing to a string cannot fail");
}
