//! Values to JSON text.

use super::{Node, Object, Value, number::write_float};
use std::{fmt::Write as _, sync::Arc};

impl Value {
    /// This value as compact JSON, secrets included: for the wire and for calls, never for a person or a log.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(usize::try_from(self.size().min(1 << 20)).unwrap_or(0));
        self.write_json(&mut out, usize::MAX);
        out
    }

    /// This value as compact JSON if it takes at most `limit` bytes.
    pub(crate) fn to_json_within(&self, limit: u64) -> Option<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut out = String::new();
        self.write_json(&mut out, limit);
        (out.len() <= limit).then_some(out)
    }

    /// This value as compact JSON in which every leaf that came from a secret reads `«secret»`.
    pub fn to_redacted_json(&self) -> String {
        self.redacted().to_json()
    }

    /// The beginning of this value's redacted JSON, at most `limit` bytes, with `...` where it was cut.
    pub(crate) fn preview(&self, limit: usize) -> String {
        let shown = if self.is_tainted() { Self::from(Self::REDACTED) } else { self.clone() };
        let mut out = String::new();
        shown.write_json(&mut out, limit);
        if out.len() <= limit {
            return out;
        }
        let tail = if shown.as_str().is_some() { "...\"" } else { "..." };
        let end = out.floor_char_boundary(limit.saturating_sub(tail.len()));
        out.truncate(end);
        out.push_str(tail);
        out
    }

    /// Appends compact JSON, stopping soon after `limit` bytes.
    fn write_json(&self, out: &mut String, limit: usize) {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut next = Some(self);
        while let Some(value) = next {
            if out.len() > limit {
                return;
            }
            match &value.node {
                Node::Array(array) => {
                    out.push('[');
                    open.push(Open::Array(array.items().iter(), true));
                }
                Node::Object(object) => {
                    out.push('{');
                    open.push(Open::Object(object, 0));
                }
                Node::String(text) => write_text(text.shared(), out, limit),
                leaf => write_leaf(leaf, out),
            }
            next = following(&mut open, out, limit);
        }
    }
}

enum Open<'a> {
    Array(std::slice::Iter<'a, Value>, bool),
    Object(&'a Arc<Object>, usize),
}

/// The next value to write inside the open containers, closing those that end.
fn following<'a>(open: &mut Vec<Open<'a>>, out: &mut String, limit: usize) -> Option<&'a Value> {
    loop {
        match open.last_mut()? {
            Open::Array(items, first) => {
                if let Some(item) = items.next() {
                    if !std::mem::take(first) {
                        out.push(',');
                    }
                    return Some(item);
                }
                out.push(']');
            }
            Open::Object(object, index) => {
                if let Some((key, value)) = object.at(*index) {
                    if *index > 0 {
                        out.push(',');
                    }
                    *index += 1;
                    write_text(key, out, limit);
                    out.push(':');
                    return Some(value);
                }
                out.push('}');
            }
        }
        open.pop();
    }
}

fn write_leaf(leaf: &Node, out: &mut String) {
    match leaf {
        Node::Bool(true) => out.push_str("true"),
        Node::Bool(false) => out.push_str("false"),
        Node::Integer(number) => write!(out, "{number}").unwrap_or_default(),
        Node::Float(number) if !number.is_nan() => {
            write_float(number.clamp(f64::MIN, f64::MAX), out);
        }
        Node::Decimal(decimal) => out.push_str(decimal.text()),
        _ => out.push_str("null"),
    }
}

fn write_text(text: &str, out: &mut String, limit: usize) {
    out.push('"');
    let shown = &text[..text.floor_char_boundary(limit.min(text.len()))];
    let mut plain = 0;
    for (index, byte) in shown.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f {
            continue;
        }
        out.push_str(&shown[plain..index]);
        plain = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x8 => out.push_str("\\b"),
            0xc => out.push_str("\\f"),
            _ => write!(out, "\\u{byte:04x}").unwrap_or_default(),
        }
    }
    out.push_str(&shown[plain..]);
    out.push('"');
}
