//! `@json`, `@csv` and the other formats.

use std::{fmt::Write as _, sync::OnceLock};

use base64::{Engine as _, alphabet, engine};

use super::{Native, conversion::to_text, describe, native};
use crate::{
    Kind, Value,
    budget::Budget,
    context::Context,
    stop::{Flow, Stop},
};

/// The formats' names.
pub(crate) const FORMATS: [&str; 12] = [
    "text", "json", "csv", "tsv", "html", "uri", "urid", "sh", "base64", "base64d", "base32",
    "base32d",
];

/// The format of this name.
pub(crate) fn format(name: &str) -> Option<&'static Native> {
    static TABLE: OnceLock<Vec<Native>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        vec![
            native("text", 0, |context, args| text(context, &args[0])),
            native("json", 0, |context, args| to_text(context, &args[0])),
            native("csv", 0, |context, args| row(context, &args[0], "csv", ",", csv)),
            native("tsv", 0, |context, args| row(context, &args[0], "tsv", "\t", tsv)),
            native("html", 0, |context, args| each_character(context, &args[0], html)),
            native("uri", 0, |context, args| each_character(context, &args[0], uri)),
            native("urid", 0, |context, args| unescape_uri(context, &args[0])),
            native("sh", 0, |context, args| shell(context, &args[0])),
            native("base64", 0, |context, args| {
                let bytes = bytes_of(context, &args[0])?;
                Ok(Value::from(engine::general_purpose::STANDARD.encode(bytes)))
            }),
            native("base64d", 0, |context, args| decode_base64(context, &args[0])),
            native("base32", 0, |context, args| {
                Ok(Value::from(base32(bytes_of(context, &args[0])?.as_bytes())))
            }),
            native("base32d", 0, |context, args| decode_base32(context, &args[0])),
        ]
    });
    table.iter().find(|native| native.name == name)
}

fn text(context: &Context<'_>, value: &Value) -> Flow<Value> {
    if value.as_str().is_some() { Ok(value.clone()) } else { to_text(context, value) }
}

/// The bytes a format works on: a text's own, of anything else its JSON's.
fn bytes_of(context: &Context<'_>, value: &Value) -> Flow<String> {
    context.budget.hold(value.size().saturating_mul(3))?;
    context.budget.text(value.size())?;
    Ok(value.as_str().map_or_else(|| value.to_json(), str::to_owned))
}

fn each_character(
    context: &Context<'_>,
    value: &Value,
    escape: fn(char, &mut String),
) -> Flow<Value> {
    let text = bytes_of(context, value)?;
    context.budget.ticks(text.len() as u64 / 16)?;
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| escape(character, &mut out));
    Budget::admit(Value::from(out))
}

fn html(character: char, out: &mut String) {
    match character {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '\'' => out.push_str("&#39;"),
        '"' => out.push_str("&quot;"),
        other => out.push(other),
    }
}

fn uri(character: char, out: &mut String) {
    if character.is_ascii_alphanumeric() || "-_.~".contains(character) {
        out.push(character);
        return;
    }
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        write!(out, "%{byte:02X}").unwrap_or_default();
    }
}

fn unescape_uri(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let text = bytes_of(context, value)?;
    context.budget.ticks(text.len() as u64 / 16)?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ if *first == b'%' => {
                return Stop::raise(format!("{} is not a valid uri encoding", describe(value)));
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

fn row(
    context: &Context<'_>,
    value: &Value,
    name: &str,
    separator: &str,
    quote: fn(&str, &mut String),
) -> Flow<Value> {
    let Some(items) = value.as_array() else {
        return Stop::raise(format!(
            "{} cannot be {name}-formatted, only an array can be",
            describe(value)
        ));
    };
    context.budget.hold(value.size().saturating_mul(2))?;
    context.budget.text(value.size())?;
    context.budget.ticks(items.len() as u64 / 2)?;
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match item.kind() {
            Kind::Null => {}
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => out.push_str(&item.to_json()),
            Kind::String(text) => quote(text, &mut out),
            _ => return Stop::raise(format!("{} is not valid in a {name} row", describe(item))),
        }
    }
    Ok(Value::from(out))
}

fn csv(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

fn tsv(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
}

fn shell(context: &Context<'_>, value: &Value) -> Flow<Value> {
    context.budget.hold(value.size().saturating_mul(4))?;
    context.budget.text(value.size())?;
    let words = value.as_array().unwrap_or(std::slice::from_ref(value));
    let mut out = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match word.kind() {
            Kind::String(text) => {
                out.push('\'');
                out.push_str(&text.replace('\'', "'\\''"));
                out.push('\'');
            }
            Kind::Array(_) | Kind::Object(_) => {
                return Stop::raise(format!("{} can not be escaped for shell", describe(word)));
            }
            _ => out.push_str(&word.to_json()),
        }
    }
    Ok(Value::from(out))
}

fn decode_base64(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let text = bytes_of(context, value)?;
    let config = engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = engine::GeneralPurpose::new(&alphabet::STANDARD, config);
    // A last character that carries no whole byte is dropped, as jq does.
    let meat = text.trim_end_matches('=');
    let meat = if meat.len() % 4 == 1 && meat.len() > 1 {
        &meat[..meat.floor_char_boundary(meat.len() - 1)]
    } else {
        meat
    };
    match engine.decode(meat) {
        Ok(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
        Err(_) => Stop::raise(format!("{} is not valid base64 data", describe(value))),
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        let written = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = usize::try_from((bits >> (35 - 5 * at)) & 31).unwrap_or(0);
            out.push(if at < written { char::from(BASE32[digit]) } else { '=' });
        }
    }
    out
}

fn decode_base32(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let text = bytes_of(context, value)?;
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let Some(digit) = BASE32.iter().position(|known| *known == byte) else {
            return Stop::raise(format!("{} is not valid base32 data", describe(value)));
        };
        bits = (bits << 5 | u32::try_from(digit).unwrap_or(0)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}
