//! Filters about texts.

use super::{Native, describe, native, text_of};
use crate::{
    Kind, Value,
    machine::{Flow, Machine, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("startswith", 1, |_, args| {
            both(args, "startswith", |text, part| text.starts_with(part))
        }),
        native("endswith", 1, |_, args| both(args, "endswith", |text, part| text.ends_with(part))),
        native("ltrimstr", 1, |machine, args| strip(machine, args, true, false)),
        native("rtrimstr", 1, |machine, args| strip(machine, args, false, true)),
        native("trimstr", 1, |machine, args| strip(machine, args, true, true)),
        native("trim", 0, |machine, args| trim(machine, &args[0], "trim", str::trim_matches)),
        native("ltrim", 0, |machine, args| {
            trim(machine, &args[0], "ltrim", str::trim_start_matches)
        }),
        native("rtrim", 0, |machine, args| trim(machine, &args[0], "rtrim", str::trim_end_matches)),
        native("ascii_downcase", 0, |machine, args| {
            convert(machine, &args[0], "ascii_downcase", str::to_ascii_lowercase)
        }),
        native("ascii_upcase", 0, |machine, args| {
            convert(machine, &args[0], "ascii_upcase", str::to_ascii_uppercase)
        }),
        native("split", 1, |machine, args| match (args[0].as_str(), args[1].as_str()) {
            (Some(text), Some(separator)) => split(machine, text, separator),
            _ => Stop::raise("split input and separator must be strings"),
        }),
        native("join", 1, |machine, args| join(machine, &args[0], &args[1])),
        native("explode", 0, |machine, args| explode(machine, &args[0])),
        native("implode", 0, |machine, args| implode(machine, &args[0])),
    ]
}

fn both(args: &[Value], name: &str, test: fn(&str, &str) -> bool) -> Flow<Value> {
    match (args[0].as_str(), args[1].as_str()) {
        (Some(text), Some(part)) => Ok(Value::from(test(text, part))),
        _ => Stop::raise(format!("{name}() requires string inputs")),
    }
}

fn strip(machine: &Machine<'_>, args: &[Value], front: bool, back: bool) -> Flow<Value> {
    let (Some(text), Some(part)) = (args[0].as_str(), args[1].as_str()) else {
        return Ok(args[0].clone());
    };
    machine.budget.walk(text.len() as u64)?;
    let text = if front { text.strip_prefix(part).unwrap_or(text) } else { text };
    Ok(Value::from(if back { text.strip_suffix(part).unwrap_or(text) } else { text }))
}

/// Removes what a test says yes to.
type Cut = for<'t> fn(&'t str, fn(char) -> bool) -> &'t str;

fn trim(machine: &Machine<'_>, value: &Value, name: &str, cut: Cut) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{name} input must be a string"));
    };
    machine.budget.walk(text.len() as u64)?;
    Ok(Value::from(cut(text, char::is_whitespace)))
}

fn convert(
    machine: &Machine<'_>,
    value: &Value,
    name: &str,
    change: fn(&str) -> String,
) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{name} input must be a string"));
    };
    machine.budget.hold(text.len() as u64)?;
    machine.budget.walk(text.len() as u64)?;
    Ok(Value::from(change(text)))
}

/// The parts of a text between separators; every character where the separator is empty.
pub(super) fn split(machine: &Machine<'_>, text: &str, separator: &str) -> Flow<Value> {
    machine.budget.walk(text.len() as u64)?;
    let mut parts = Vec::new();
    let mut add = |part: &str| -> Flow {
        machine.budget.tick()?;
        parts.push(Value::from(part));
        Ok(())
    };
    if text.is_empty() {
        return machine.array(Vec::new());
    }
    if separator.is_empty() {
        let mut buffer = [0; 4];
        text.chars().try_for_each(|character| add(character.encode_utf8(&mut buffer)))?;
    } else {
        text.split(separator).try_for_each(add)?;
    }
    machine.array(parts)
}

fn join(machine: &Machine<'_>, value: &Value, separator: &Value) -> Flow<Value> {
    let Some(items) = super::arrays::parts(value) else {
        return Stop::raise(format!("Cannot iterate over {}", super::describe_with_null(value)));
    };
    machine.budget.copy(items.len())?;
    if items.is_empty() {
        return Ok(Value::from(""));
    }
    let between = text_of(separator, "join")?;
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        machine.budget.tick()?;
        texts.push(match item.kind() {
            Kind::Null => Value::from("").tainted_if(item.is_tainted()),
            Kind::String(_) => item,
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => {
                Value::from(item.to_json()).tainted_if(item.is_tainted())
            }
            _ => return Stop::raise(format!("{} cannot be joined", describe(&item))),
        });
    }
    super::arrays::concatenate(machine, &texts, between)
}

fn explode(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
    let Some(text) = value.as_str() else {
        return Stop::raise(format!("{} cannot be exploded", describe(value)));
    };
    machine.budget.ticks(text.len() as u64 / 16)?;
    machine.budget.hold(text.len() as u64 * 32)?;
    machine
        .array(text.chars().map(|character| Value::from(i64::from(u32::from(character)))).collect())
}

fn implode(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
    let Some(items) = value.as_array() else {
        return Stop::raise("implode input must be an array");
    };
    machine.budget.ticks(items.len() as u64 / 16)?;
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
