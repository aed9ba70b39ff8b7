//! Filters about the members of objects.

use std::sync::Arc;

use super::{Native, arranging, describe, integer, native};
use crate::{
    Kind, Object, Value,
    budget::Budget,
    context::Context,
    stop::{Flow, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        arranging("keys", 0, |context, args| keys(context, &args[0], true)),
        arranging("keys_unsorted", 0, |context, args| keys(context, &args[0], false)),
        native("has", 1, |_, args| has(&args[0], &args[1])),
        native("in", 1, |_, args| has(&args[1], &args[0])),
        native("contains", 1, |context, args| {
            Ok(Value::from(contains(context, &args[0], &args[1])?))
        }),
        native("inside", 1, |context, args| {
            Ok(Value::from(contains(context, &args[1], &args[0])?))
        }),
        arranging("to_entries", 0, |context, args| to_entries(context, &args[0])),
        arranging("from_entries", 0, |context, args| from_entries(context, &args[0])),
        arranging("setpath", 2, |context, args| {
            let path = path_of(&args[1])?;
            super::access::change(context, args[0].clone(), path, &mut |_| {
                Ok(Some(args[2].clone()))
            })
        }),
        arranging("delpaths", 1, |context, args| match args[1].as_array() {
            Some(paths) => super::access::delete_paths(context, args[0].clone(), paths),
            None => Stop::raise("Paths must be specified as an array"),
        }),
    ]
}

fn path_of(path: &Value) -> Flow<&[Value]> {
    path.as_array().map_or_else(|| Stop::raise("Path must be specified as an array"), Ok)
}

/// Adds a member whose name is a value.
pub(crate) fn put(object: &mut Object, key: &Value, value: Value) -> Flow {
    let Kind::String(name) = key.kind() else {
        return Stop::raise(format!("Cannot use {} as object key", describe(key)));
    };
    object.insert(name.clone(), value);
    if key.is_tainted() {
        object.mark_keys();
    }
    Ok(())
}

fn keys(context: &Context<'_>, value: &Value, sorted: bool) -> Flow<Value> {
    match value.kind() {
        Kind::Object(object) => {
            super::sorting::pay(context, object.len(), value.size().min(64 * object.len() as u64))?;
            let mark = object.keys_tainted();
            let names: Vec<&Arc<str>> = if sorted {
                object.sorted().into_iter().map(|member| member.0).collect()
            } else {
                object.iter().map(|member| member.0).collect()
            };
            context.array(
                names.into_iter().map(|name| Value::from(name.clone()).tainted_if(mark)).collect(),
            )
        }
        Kind::Array(items) => context.array((0..items.len()).map(integer).collect()),
        _ => Stop::raise(format!("{} has no keys", describe(value))),
    }
}

fn has(value: &Value, key: &Value) -> Flow<Value> {
    match (value.kind(), key.kind()) {
        (Kind::Object(object), Kind::String(name)) => Ok(Value::from(object.get(name).is_some())),
        (Kind::Array(items), Kind::Integer(_) | Kind::Float(_)) => {
            let at = key.as_f64().unwrap_or(-1.0);
            #[expect(clippy::cast_precision_loss, reason = "arrays are far shorter than 53 bits")]
            let length = items.len() as f64;
            Ok(Value::from(at >= 0.0 && at < length))
        }
        _ => Stop::raise(format!(
            "Cannot check whether {} has a {} key",
            value.type_name(),
            key.type_name()
        )),
    }
}

fn contains(context: &Context<'_>, whole: &Value, part: &Value) -> Flow<bool> {
    context.budget.tick()?;
    match (whole.kind(), part.kind()) {
        (Kind::Object(whole), Kind::Object(part)) => {
            for (key, part) in part.iter() {
                let Some(whole) = whole.get(key) else { return Ok(false) };
                if whole.type_name() != part.type_name() || !contains(context, whole, part)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Kind::Array(whole), Kind::Array(part)) => {
            for part in part {
                let mut found = false;
                for whole in whole {
                    found =
                        whole.type_name() == part.type_name() && contains(context, whole, part)?;
                    if found {
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Kind::String(whole), Kind::String(part)) => {
            context.budget.walk(whole.len() as u64)?;
            Ok(whole.contains(&**part))
        }
        _ if whole.type_name() == part.type_name() => Ok(whole == part),
        _ => Stop::raise(format!(
            "{} and {} cannot have their containment checked",
            describe(whole),
            describe(part)
        )),
    }
}

fn to_entries(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let entry = |key: Value, value: &Value| Value::object([("key", key), ("value", value.clone())]);
    let mut entries = Vec::new();
    match value.kind() {
        Kind::Object(object) => {
            for (key, member) in object.iter() {
                context.budget.ticks(5)?;
                entries.push(entry(
                    Value::from(key.clone()).tainted_if(object.keys_tainted()),
                    member,
                ));
            }
        }
        Kind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                context.budget.ticks(5)?;
                entries.push(entry(integer(index), item));
            }
        }
        _ => return Stop::raise(format!("{} has no keys", describe(value))),
    }
    context.array(entries)
}

fn from_entries(context: &Context<'_>, value: &Value) -> Flow<Value> {
    let entries: Vec<&Value> = match value.kind() {
        Kind::Array(items) => items.iter().collect(),
        Kind::Object(object) => object.iter().map(|member| member.1).collect(),
        _ => {
            return Stop::raise(format!(
                "Cannot iterate over {}",
                super::describe_with_null(value)
            ));
        }
    };
    let mut object = Object::default();
    for entry in entries {
        context.budget.ticks(4)?;
        let Some(members) = entry.as_object() else {
            return Stop::raise(format!("Cannot index {} with \"key\"", entry.type_name()));
        };
        let find = |names: &[&str]| {
            let present = names.iter().filter_map(|name| members.get(name));
            present
                .clone()
                .find(|value| value.is_truthy())
                .or_else(|| present.clone().find(|value| !value.is_null()))
        };
        let key = find(&["key", "k", "name", "Name", "Key", "K"]).cloned().unwrap_or(Value::NULL);
        let name = match key.kind() {
            Kind::Null => Value::from("null").tainted_if(key.is_tainted()),
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => {
                Value::from(key.to_json()).tainted_if(key.is_tainted())
            }
            _ => key.clone(),
        };
        let value = find(&["value", "v", "Value", "V"]).cloned().unwrap_or(Value::NULL);
        put(&mut object, &name, value)?;
    }
    Budget::admit(Value::from(object))
}
