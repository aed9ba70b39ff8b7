//! Filters about texts.

use super::{Native, describe, native, pieces, text_of};
use crate::{
    Kind, Value,
    context::Context,
    stop::{Flow, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("startswith", 1, |_, args| {
            both(args, "startswith", |text, part| text.starts_with(part))
        }),
        native("endswith", 1, |_, args| both(args, "endswith", |text, part| text.ends_with(part))),
        native("ltrimstr", 1, |context, args| strip(context, args, true, false)),
        native("rtrimstr", 1, |context, args| strip(context, args, false, true)),
        native("trimstr", 1, |context, args| strip(context, args, true, true)),
        native("trim", 0, |context, args| trim(context, &args[0], "trim", str::trim_matches)),
        native("ltrim", 0, |context, args| {
            trim(context, &args[0], "ltrim", str::trim_start_matches)
        }),
        native("rtrim", 0, |context, args| trim(context, &args[0], "rtrim", str::trim_end_matches)),
        native("ascii_downcase", 0, |context, args| {
            convert(context, &args[0], "ascii_downcase", str::to_ascii_lowercase)
        }),
        native("ascii_upcase", 0, |context, args| {
            convert(context, &args[0], "ascii_upcase", str::to_ascii_uppercase)
        }),
        native("split", 1, |context, args| match (args[0].as_str(), args[1].as_str()) {
            (Some(text), Some(separator)) => pieces::split(context, text, separator),
            _ => Stop::raise("split input and separator must be strings"),
        }),
        native("join", 1, |context, args| join(context, &args[0], &args[1])),
        native("explode", 0, |context, args| explode(context, &args[0])),
        native("implode", 0, |context, args| implode(context, &args[0])),
    ]
}

fn both(args: &[Value], name: &str, test: fn(&str, &str) -> bool) -> Flow<Value> {
    match (args[0].as_str(), args[1].as_str()) {
        (Some(text), Some(part)) => Ok(Value::from(test(text, part))),
        _ => Stop::raise(format!("{name}() requires string inputs")),
    }
}

fn strip(context: &Context<'_>, args: &[Value], front: bool, back: bool) -> Flow<Value> {
    let (Some(text), Some(part)) = (args[0].as_str(), args[1].as_str()) else {
        return Ok(args[0].clone());
    };
    context.budget.walk(text.len() as u64)?;
    let text = if front { text.strip_prefix(part).unwrap_or(text) } else { text };
    Ok(Value::from(if back { text.strip_suffix(part).unwrap_or(text) } else { text }))
}

/// Removes what a test says yes to.
type Cut = for<'t> fn(&'t str, fn(char) -> bool) -> &'t str;

fn trim(context: &Context<'_>, value: &Value, name: &str, cut: Cut) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{name} input must be a string"));
    };
    context.budget.walk(text.len() as u64)?;
    Ok(Value::from(cut(text, char::is_whitespace)))
}

fn convert(
    context: &Context<'_>,
    value: &Value,
    name: &str,
    change: fn(&str) -> String,
) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{name} input must be a string"));
    };
    context.budget.hold(text.len() as u64)?;
    context.budget.walk(text.len() as u64)?;
    Ok(Value::from(change(text)))
}

fn join(context: &Context<'_>, value: &Value, separator: &Value) -> Flow<Value> {
    let Some(items) = parts(value) else {
        return Stop::raise(format!("Cannot iterate over {}", super::describe_with_null(value)));
    };
    context.budget.copy(items.len())?;
    if items.is_empty() {
        return Ok(Value::from(""));
    }
    let between = text_of(separator, "join")?;
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        context.budget.tick()?;
        texts.push(match item.kind() {
            Kind::Null => Value::from("").tainted_if(item.is_tainted()),
            Kind::String(_) => item,
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => {
                Value::from(item.to_json()).tainted_if(item.is_tainted())
            }
            _ => return Stop::raise(format!("{} cannot be joined", describe(&item))),
        });
    }
    pieces::concatenate(context, &texts, between)
}

/// The parts of an array or the values of an object.
fn parts(value: &Value) -> Option<Vec<Value>> {
    match value.kind() {
        Kind::Array(items) => Some(items.to_vec()),
        Kind::Object(object) => Some(object.iter().map(|member| member.1.clone()).collect()),
        _ => None,
    }
}

fn explode(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{} cannot be exploded", describe(value)));
    };
    context.budget.ticks(text.len() as u64 / 16)?;
    context.budget.hold(text.len() as u64 * 32)?;
    context
        .array(text.chars().map(|character| Value::from(i64::from(u32::from(character)))).collect())
}

fn implode(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let Some(items) = value.as_array() else {
        return Stop::raise("implode input must be an array");
    };
    context.budget.ticks(items.len() as u64 / 16)?;
    let mut text = String::new();
    for item in items {
        let Some(number) = item.as_f64() else {
            return Stop::raise("Unicode codepoint must be numeric");
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no code point is replaced"
        )]
        let code = number as u32;
        let valid = (0.0..1_114_112.0).contains(&number);
        let character = if valid { char::from_u32(code) } else { None };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(Value::from(text))
}
