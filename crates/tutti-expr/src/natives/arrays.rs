//! Filters about arrays, and lengths.

use super::{
    Native, access, arranging, describe, integer, items_of, native, occurrences, operators, pieces,
};
use crate::{
    Kind, Value,
    context::Context,
    limits::{BYTES, Limit},
    stop::{Flow, Stop},
    syntax::tree::Binary,
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("length", 0, |context, args| length(context, &args[0])),
        native("utf8bytelength", 0, |_, args| match args[0].as_str() {
            Some(text) => Ok(integer(text.len())),
            None => {
                Stop::raise(format!("{} only strings have UTF-8 byte length", describe(&args[0])))
            }
        }),
        arranging("add", 0, |context, args| add(context, &args[0])),
        arranging("reverse", 0, |context, args| reverse(context, &args[0])),
        arranging("flatten", 0, |context, args| flatten(context, &args[0], f64::INFINITY)),
        arranging("flatten", 1, |context, args| match args[1].as_f64() {
            Some(depth) if depth < 0.0 => Stop::raise("flatten depth must not be negative"),
            Some(depth) => flatten(context, &args[0], depth),
            None => Stop::raise("flatten depth must not be negative"),
        }),
        arranging("transpose", 0, |context, args| transpose(context, &args[0])),
        arranging("toarray", 0, |context, args| match args[0].as_array() {
            Some(_) => Ok(args[0].clone()),
            None => context.array(vec![args[0].clone()]),
        }),
        native("_indices", 1, |context, args| indices(context, &args[0], &args[1])),
        native("bsearch", 1, |context, args| search(context, &args[0], &args[1])),
    ]
}

fn length(context: &Context<'_>, value: &Value) -> Flow<Value> {
    match value.kind() {
        Kind::Null => Ok(Value::from(0)),
        Kind::Integer(number) => {
            Ok(number.checked_abs().map_or_else(|| value.clone(), Value::from))
        }
        Kind::Float(number) => Ok(Value::computed(number.abs())),
        Kind::String(text) => {
            context.budget.walk(text.len() as u64)?;
            Ok(integer(text.chars().count()))
        }
        Kind::Array(items) => Ok(integer(items.len())),
        Kind::Object(object) => Ok(integer(object.len())),
        Kind::Bool(_) => Stop::raise(format!("{} has no length", describe(value))),
    }
}

fn add(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let parts: Vec<Value> = match value.kind() {
        Kind::Array(items) => items.to_vec(),
        Kind::Object(object) => object.iter().map(|member| member.1.clone()).collect(),
        _ => {
            return Stop::raise(format!(
                "Cannot iterate over {}",
                super::describe_with_null(value)
            ));
        }
    };
    context.budget.copy(parts.len())?;
    if !parts.is_empty() && parts.iter().all(|part| part.as_str().is_some()) {
        return pieces::concatenate(context, &parts, "");
    }
    let mut sum = Value::NULL;
    for part in parts {
        context.budget.tick()?;
        sum = operators::binary(context, Binary::Add, sum, part)?;
    }
    Ok(sum)
}

fn reverse(context: &Context<'_>, value: &Value) -> Flow<Value> {
    match value.kind() {
        Kind::String(text) => {
            context.budget.walk(text.len() as u64)?;
            Ok(Value::from(text.chars().rev().collect::<String>()).tainted_if(value.is_tainted()))
        }
        Kind::Array(items) => context.array(items.iter().rev().cloned().collect()),
        Kind::Null => context.array(Vec::new()),
        _ => Stop::raise(format!("Cannot reverse {}", describe(value))),
    }
}

/// An array with nested arrays opened, with a stack of its own.
fn flatten(context: &Context<'_>, value: &Value, depth: f64) -> Flow<Value> {
    let items: Vec<&Value> = match value.kind() {
        Kind::Array(items) => items.iter().collect(),
        Kind::Object(object) => object.iter().map(|member| member.1).collect(),
        _ => {
            return Stop::raise(format!(
                "Cannot iterate over {}",
                super::describe_with_null(value)
            ));
        }
    };
    let mut pending: Vec<(&Value, f64)> =
        items.into_iter().rev().map(|item| (item, depth)).collect();
    let mut flat = Vec::new();
    let mut size = 0_u64;
    while let Some((item, depth)) = pending.pop() {
        context.budget.tick()?;
        match item.as_array() {
            Some(items) if depth > 0.0 => {
                context.budget.copy(items.len())?;
                pending.extend(items.iter().rev().map(|item| (item, depth - 1.0)));
            }
            _ => {
                size = size.saturating_add(item.size());
                if size > BYTES {
                    return Stop::limit(Limit::Bytes);
                }
                flat.push(item.clone());
            }
        }
    }
    context.array(flat)
}

fn transpose(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let rows = items_of(value, "transposed")?;
    let mut widest = 0;
    for row in rows {
        widest = widest.max(items_of(row, "transposed")?.len());
    }
    context.budget.ticks((rows.len() as u64).saturating_mul(widest as u64))?;
    let column = |at: usize| {
        let cells = rows.iter().map(|row| row.as_array().and_then(|row| row.get(at)).cloned());
        context.array(cells.map(|cell| cell.unwrap_or(Value::NULL)).collect())
    };
    let columns: Flow<Vec<Value>> = (0..widest).map(column).collect();
    context.array(columns?)
}

fn indices(context: &Context<'_>, value: &Value, wanted: &Value) -> Flow<Value> {
    match (value.kind(), wanted.kind()) {
        (Kind::Null, _) => Ok(Value::NULL),
        (Kind::String(text), Kind::String(wanted)) => {
            let mut found = Vec::new();
            if wanted.is_empty() {
                return Ok(Value::NULL);
            }
            context.budget.walk(text.len() as u64)?;
            // Overlapping occurrences count, at places counted in characters.
            let (mut from, mut characters) = (0, 0);
            while let Some(at) = text[from..].find(&**wanted) {
                context.budget.tick()?;
                characters += text[from..from + at].chars().count();
                found.push(integer(characters));
                let step = text[from + at..].chars().next().map_or(1, char::len_utf8);
                from += at + step;
                characters += 1;
            }
            context.array(found)
        }
        (Kind::Array(items), Kind::Array(wanted)) => occurrences::find(context, items, wanted),
        (Kind::Array(items), _) => occurrences::find(context, items, std::slice::from_ref(wanted)),
        _ => access::index(context, value, wanted),
    }
}

fn search(context: &Context<'_>, value: &Value, wanted: &Value) -> Flow<Value> {
    let items = items_of(value, "searched from")?;
    context.budget.walk(wanted.size().saturating_mul(32))?;
    Ok(match items.binary_search_by(|item| item.order(wanted)) {
        Ok(mut at) => {
            while at > 0 && items[at - 1] == *wanted {
                context.budget.tick()?;
                at -= 1;
            }
            integer(at)
        }
        Err(at) => Value::from(-1 - i64::try_from(at).unwrap_or(i64::MAX)),
    })
}
