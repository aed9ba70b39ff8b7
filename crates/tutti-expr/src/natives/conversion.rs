//! Filters that ask for a type or change it, and errors.

use super::{Native, arranging, describe, native};
use crate::{
    Kind, Value,
    context::Context,
    limits::{BYTES, Limit},
    stop::{Flow, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("type", 0, |_, args| Ok(Value::from(args[0].type_name()))),
        native("not", 0, |_, args| Ok(Value::from(!args[0].is_truthy()))),
        native("tojson", 0, |context, args| to_text(context, &args[0])),
        native("tostring", 0, |context, args| match args[0].as_str() {
            Some(_) => Ok(args[0].clone()),
            None => to_text(context, &args[0]),
        }),
        native("fromjson", 0, |context, args| from_text(context, &args[0])),
        native("tonumber", 0, |_, args| to_number(&args[0])),
        native("toboolean", 0, |_, args| match (args[0].as_bool(), args[0].as_str()) {
            (Some(_), _) => Ok(args[0].clone()),
            (None, Some("true")) => Ok(Value::from(true)),
            (None, Some("false")) => Ok(Value::from(false)),
            _ => Stop::raise(format!("{} cannot be parsed as a boolean", describe(&args[0]))),
        }),
        arranging("error", 0, |_, args| Stop::error(args[0].clone())),
        arranging("error", 1, |_, args| Stop::error(args[1].clone())),
        native("have_literal_numbers", 0, |_, _| Ok(Value::from(true))),
        native("have_decnum", 0, |_, _| Ok(Value::from(false))),
    ]
}

/// A value's JSON as a text.
pub(super) fn to_text(context: &Context<'_>, value: &Value) -> Flow<Value> {
    context.budget.hold(value.size())?;
    context.budget.text(value.size())?;
    match value.to_json_within(BYTES) {
        Some(text) => {
            context.budget.hold(text.len() as u64)?;
            Ok(Value::from(text))
        }
        None => Stop::limit(Limit::Bytes),
    }
}

fn from_text(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{} cannot be parsed as JSON", describe(value)));
    };
    context.budget.hold(text.len() as u64)?;
    context.budget.ticks(text.len() as u64 / 16)?;
    if text.trim() == "nan" {
        return Ok(Value::NULL);
    }
    let shown = || if value.is_tainted() { Value::REDACTED.to_owned() } else { value.preview(60) };
    Value::from_json(text)
        .or_else(|error| Stop::raise(format!("{} (while parsing {})", error.message, shown())))
}

fn to_number(value: &Value) -> Flow<Value> {
    let text = match value.kind() {
        Kind::Integer(_) | Kind::Float(_) => return Ok(value.clone()),
        Kind::String(text) => text,
        _ => return Stop::raise(format!("{} cannot be parsed as a number", describe(value))),
    };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let allowed =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let starts = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    match text.parse::<f64>() {
        Ok(number) if starts && text.bytes().all(allowed) => {
            let simple = text.strip_prefix('+').unwrap_or(text);
            Ok(match simple.parse::<i64>() {
                Ok(integer) if integer != 0 => Value::from(integer),
                _ if number.is_finite() => Value::computed(number),
                _ => Value::float(number.clamp(f64::MIN, f64::MAX)),
            })
        }
        _ => Stop::raise(format!("{} cannot be parsed as a number", describe(value))),
    }
}
