//! Filters about arrays, and lengths.

use super::{Native, arranging, describe, integer, items_of, native, operators};
use crate::{
    Kind, Object, Value,
    limits::{BYTES, Limit},
    machine::{Flow, Machine, Stop},
    syntax::tree::Binary,
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("length", 0, |machine, args| length(machine, &args[0])),
        native("utf8bytelength", 0, |_, args| match args[0].as_str() {
            Some(text) => Ok(integer(text.len())),
            None => {
                Stop::raise(format!("{} only strings have UTF-8 byte length", describe(&args[0])))
            }
        }),
        arranging("add", 0, |machine, args| add(machine, &args[0])),
        arranging("reverse", 0, |machine, args| reverse(machine, &args[0])),
        arranging("flatten", 0, |machine, args| flatten(machine, &args[0], f64::INFINITY)),
        arranging("flatten", 1, |machine, args| match args[1].as_f64() {
            Some(depth) if depth < 0.0 => Stop::raise("flatten depth must not be negative"),
            Some(depth) => flatten(machine, &args[0], depth),
            None => Stop::raise("flatten depth must not be negative"),
        }),
        arranging("transpose", 0, |machine, args| transpose(machine, &args[0])),
        arranging("toarray", 0, |machine, args| match args[0].as_array() {
            Some(_) => Ok(args[0].clone()),
            None => machine.array(vec![args[0].clone()]),
        }),
        native("_indices", 1, |machine, args| indices(machine, &args[0], &args[1])),
        native("bsearch", 1, |machine, args| search(machine, &args[0], &args[1])),
    ]
}

fn length(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
    match value.kind() {
        Kind::Null => Ok(Value::from(0)),
        Kind::Integer(number) => {
            Ok(number.checked_abs().map_or_else(|| value.clone(), Value::from))
        }
        Kind::Float(number) => Ok(Value::computed(number.abs())),
        Kind::String(text) => {
            machine.budget.walk(text.len() as u64)?;
            Ok(integer(text.chars().count()))
        }
        Kind::Array(items) => Ok(integer(items.len())),
        Kind::Object(object) => Ok(integer(object.len())),
        Kind::Bool(_) => Stop::raise(format!("{} has no length", describe(value))),
    }
}

fn add(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
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
    machine.budget.copy(parts.len())?;
    if !parts.is_empty() && parts.iter().all(|part| part.as_str().is_some()) {
        return concatenate(machine, &parts, "");
    }
    let mut sum = Value::NULL;
    for part in parts {
        machine.budget.tick()?;
        sum = operators::binary(machine, Binary::Add, sum, part)?;
    }
    Ok(sum)
}

/// Texts joined, marked if one of them is.
pub(super) fn concatenate(machine: &Machine<'_>, parts: &[Value], separator: &str) -> Flow<Value> {
    let texts = || parts.iter().filter_map(Value::as_str);
    let length = texts().map(|text| text.len() + separator.len()).sum::<usize>() as u64;
    machine.budget.hold(length)?;
    machine.budget.walk(length)?;
    let mut joined = String::with_capacity(usize::try_from(length).unwrap_or(0));
    for (number, text) in texts().enumerate() {
        if number > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    Ok(Value::from(joined).tainted_if(parts.iter().any(Value::is_tainted)))
}

fn reverse(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
    match value.kind() {
        Kind::String(text) => {
            machine.budget.walk(text.len() as u64)?;
            Ok(Value::from(text.chars().rev().collect::<String>()).tainted_if(value.is_tainted()))
        }
        Kind::Array(items) => machine.array(items.iter().rev().cloned().collect()),
        Kind::Null => machine.array(Vec::new()),
        _ => Stop::raise(format!("Cannot reverse {}", describe(value))),
    }
}

/// An array with nested arrays opened, with a stack of its own.
fn flatten(machine: &Machine<'_>, value: &Value, depth: f64) -> Flow<Value> {
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
        machine.budget.tick()?;
        match item.as_array() {
            Some(items) if depth > 0.0 => {
                machine.budget.copy(items.len())?;
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
    machine.array(flat)
}

fn transpose(machine: &Machine<'_>, value: &Value) -> Flow<Value> {
    let rows = items_of(value, "transposed")?;
    let mut widest = 0;
    for row in rows {
        widest = widest.max(items_of(row, "transposed")?.len());
    }
    machine.budget.ticks((rows.len() as u64).saturating_mul(widest as u64))?;
    let column = |at: usize| {
        let cells = rows.iter().map(|row| row.as_array().and_then(|row| row.get(at)).cloned());
        machine.array(cells.map(|cell| cell.unwrap_or(Value::NULL)).collect())
    };
    let columns: Flow<Vec<Value>> = (0..widest).map(column).collect();
    machine.array(columns?)
}

/// Where `wanted` begins in `items`.
pub(super) fn occurrences(machine: &Machine<'_>, items: &[Value], wanted: &[Value]) -> Flow<Value> {
    let mut found = Vec::new();
    if wanted.is_empty() || wanted.len() > items.len() {
        return Ok(Value::NULL).map(|none| if wanted.is_empty() { none } else { Value::array([]) });
    }
    let size: u64 = wanted.iter().map(Value::size).fold(0, u64::saturating_add);
    for at in 0..=items.len() - wanted.len() {
        machine.budget.tick()?;
        if items[at] == wanted[0] {
            machine.budget.walk(size)?;
            if items[at..at + wanted.len()] == *wanted {
                found.push(integer(at));
            }
        }
    }
    machine.array(found)
}

fn indices(machine: &Machine<'_>, value: &Value, wanted: &Value) -> Flow<Value> {
    match (value.kind(), wanted.kind()) {
        (Kind::Null, _) => Ok(Value::NULL),
        (Kind::String(text), Kind::String(wanted)) => {
            let mut found = Vec::new();
            if wanted.is_empty() {
                return Ok(Value::NULL);
            }
            machine.budget.walk(text.len() as u64)?;
            // Overlapping occurrences count, at places counted in characters.
            let (mut from, mut characters) = (0, 0);
            while let Some(at) = text[from..].find(&**wanted) {
                machine.budget.tick()?;
                characters += text[from..from + at].chars().count();
                found.push(integer(characters));
                let step = text[from + at..].chars().next().map_or(1, char::len_utf8);
                from += at + step;
                characters += 1;
            }
            machine.array(found)
        }
        (Kind::Array(items), Kind::Array(wanted)) => occurrences(machine, items, wanted),
        (Kind::Array(items), _) => occurrences(machine, items, std::slice::from_ref(wanted)),
        _ => super::access::index(machine, value, wanted),
    }
}

fn search(machine: &Machine<'_>, value: &Value, wanted: &Value) -> Flow<Value> {
    let items = items_of(value, "searched from")?;
    machine.budget.walk(wanted.size().saturating_mul(32))?;
    Ok(match items.binary_search_by(|item| item.order(wanted)) {
        Ok(mut at) => {
            while at > 0 && items[at - 1] == *wanted {
                machine.budget.tick()?;
                at -= 1;
            }
            integer(at)
        }
        Err(at) => Value::from(-1 - i64::try_from(at).unwrap_or(i64::MAX)),
    })
}

/// The parts of an array or the values of an object.
pub(super) fn parts(value: &Value) -> Option<Vec<Value>> {
    match value.kind() {
        Kind::Array(items) => Some(items.to_vec()),
        Kind::Object(object) => Some(Object::iter(object).map(|member| member.1.clone()).collect()),
        _ => None,
    }
}
