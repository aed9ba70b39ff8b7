//! Reading and changing what stands at a place in a value.

use std::{ops::Range, sync::Arc};

use super::{describe, integer, occurrences};
use crate::{
    Kind, Object, Value,
    budget::Budget,
    context::Context,
    limits::Limit,
    stop::{Flow, Stop},
    value::Array,
};

/// Changes a value; nothing leaves `null` in its place.
pub(crate) type Change<'c> = &'c mut dyn FnMut(Value) -> Flow<Option<Value>>;

/// `value.name`
pub(crate) fn field(value: &Value, name: &str) -> Flow<Value> {
    match value.kind() {
        Kind::Object(object) => Ok(object.get(name).cloned().unwrap_or(Value::NULL)),
        Kind::Null => Ok(Value::NULL.tainted_if(value.is_tainted())),
        _ => refuse(value, &Value::from(name)),
    }
}

/// `value[key]`
pub(crate) fn index(context: &Context<'_>, value: &Value, key: &Value) -> Flow<Value> {
    let found = match (value.kind(), key.kind()) {
        (_, Kind::String(name)) if value.as_object().is_some() || value.is_null() => {
            field(value, name)?
        }
        (Kind::Array(items), Kind::Integer(_) | Kind::Float(_)) => {
            place_of(key, items.len()).and_then(|at| items.get(at)).cloned().unwrap_or(Value::NULL)
        }
        (Kind::Array(_), Kind::Null) if key.as_f64().is_some() => Value::NULL,
        (Kind::Array(items), Kind::Object(bounds)) => {
            let range = slice_range(bounds, items.len())?;
            context.array(items[range].to_vec())?.tainted_if(value.is_tainted() && items.is_empty())
        }
        (Kind::String(text), Kind::Object(bounds)) => {
            context.budget.walk(text.len() as u64)?;
            slice_text(text, bounds)?.tainted_if(value.is_tainted())
        }
        (Kind::Array(items), Kind::Array(wanted)) => {
            let found = occurrences::find(context, items, wanted)?;
            found.tainted_if(value.is_tainted())
        }
        (Kind::Null, Kind::Integer(_) | Kind::Float(_) | Kind::Object(_) | Kind::Null) => {
            Value::NULL.tainted_if(value.is_tainted())
        }
        _ => return refuse(value, key),
    };
    if key.is_tainted() {
        context.budget.walk(found.size())?;
        return Ok(found.tainted());
    }
    Ok(found)
}

fn refuse<T>(value: &Value, key: &Value) -> Flow<T> {
    let key = match key.kind() {
        Kind::Object(_) => "object".to_owned(),
        _ => describe(key),
    };
    Stop::raise(format!("Cannot index {} with {key}", value.type_name()))
}

/// The key of a slice, as paths show it.
pub(crate) fn slice_key(from: Value, to: Value) -> Value {
    Value::object([("start", from), ("end", to)])
}

/// The place a number means in an array of this length; counted from the end where it is negative.
#[expect(clippy::cast_possible_truncation, reason = "saturating is right for places far outside")]
fn place_of(key: &Value, length: usize) -> Option<usize> {
    let at = key.as_f64()?.floor() as i64;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if at < 0 { at.saturating_add(length) } else { at }).ok()
}

fn slice_range(bounds: &Object, length: usize) -> Flow<Range<usize>> {
    let bound = |name: &str, default: usize, round: fn(f64) -> f64| match bounds.get(name) {
        None => Ok(default),
        Some(value) if value.is_null() => Ok(default),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(clamp(round(number), length)),
            None => Stop::raise("Array/string slice indices must be integers"),
        },
    };
    let start = bound("start", 0, f64::floor)?;
    let end = bound("end", length, f64::ceil)?;
    Ok(start..end.max(start))
}

#[expect(clippy::cast_possible_truncation, reason = "saturating is right for bounds far outside")]
fn clamp(number: f64, length: usize) -> usize {
    let at = number as i64;
    let whole = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { at.saturating_add(whole) } else { at };
    usize::try_from(at.clamp(0, whole)).unwrap_or(length)
}

fn slice_text(text: &str, bounds: &Object) -> Flow<Value> {
    let length = text.chars().count();
    let range = slice_range(bounds, length)?;
    let part: String = text.chars().skip(range.start).take(range.len()).collect();
    Ok(Value::from(part))
}

/// The root with what stands at `path` changed; containers that nobody else holds change in place.
pub(crate) fn change(
    context: &Context<'_>,
    root: Value,
    path: &[Value],
    change_it: Change<'_>,
) -> Flow<Value> {
    if path.len() > Value::MAX_DEPTH as usize {
        return Stop::limit(Limit::ValueDepth);
    }
    let Some((key, rest)) = path.split_first() else {
        return Ok(change_it(root)?.unwrap_or(Value::NULL));
    };
    context.budget.tick()?;
    match key.kind() {
        Kind::String(name) => change_member(context, root, key, name, rest, change_it),
        Kind::Integer(_) | Kind::Float(_) => change_item(context, root, key, rest, change_it),
        Kind::Object(bounds) => change_slice(context, &root, bounds, rest, change_it),
        Kind::Array(_) if root.as_array().is_some() => {
            Stop::raise("Cannot update field at array index of array")
        }
        _ => refuse(&root, key),
    }
}

fn change_member(
    context: &Context<'_>,
    root: Value,
    key: &Value,
    name: &Arc<str>,
    rest: &[Value],
    change_it: Change<'_>,
) -> Flow<Value> {
    if !root.is_unshared() {
        context.budget.ticks(root.as_object().map_or(0, Object::len) as u64 / 2)?;
    }
    let mut object = match if root.is_null() { Ok(Object::default()) } else { root.into_object() } {
        Ok(object) => object,
        Err(root) => return refuse(&root, key),
    };
    let before = object.take(name);
    let after = change(context, before, rest, change_it)?;
    object.insert(name.clone(), after);
    if key.is_tainted() {
        object.mark_keys();
    }
    Budget::admit(Value::from(object))
}

fn change_item(
    context: &Context<'_>,
    root: Value,
    key: &Value,
    rest: &[Value],
    change_it: Change<'_>,
) -> Flow<Value> {
    if !root.is_unshared() {
        context.budget.copy(root.as_array().map_or(0, <[Value]>::len))?;
    }
    let mut array =
        match if root.is_null() { Ok(Array::new(Vec::new())) } else { root.into_array() } {
            Ok(array) => array,
            Err(root) => return refuse(&root, key),
        };
    let length = array.items().len();
    let Some(at) = place_of(key, length) else {
        return Stop::raise("Out of bounds negative array index");
    };
    if at > length {
        context.budget.hold((at as u64).saturating_mul(size_of::<Value>() as u64))?;
        context.budget.copy(at)?;
    }
    let before = array.take(at);
    let after = change(context, before, rest, change_it)?;
    array.set(at, after);
    Budget::admit(Value::from(array))
}

fn change_slice(
    context: &Context<'_>,
    root: &Value,
    bounds: &Object,
    rest: &[Value],
    change_it: Change<'_>,
) -> Flow<Value> {
    let items = match root.kind() {
        Kind::Null => &[],
        Kind::Array(items) => items,
        _ => {
            return Stop::raise(format!(
                "Cannot update field at object index of {}",
                root.type_name()
            ));
        }
    };
    let range = slice_range(bounds, items.len())?;
    let part = context.array(items[range.clone()].to_vec())?;
    let before = if root.is_null() { Value::NULL } else { part };
    let after = change(context, before, rest, change_it)?;
    let Some(inserted) = after.as_array() else {
        return Stop::raise("A slice of an array can only be assigned another array");
    };
    let total = items.len() + inserted.len();
    context.budget.copy(total)?;
    context.budget.hold((total * size_of::<Value>()) as u64)?;
    context.array([&items[..range.start], inserted, &items[range.end..]].concat())
}

/// The root without what stands at these paths.
pub(crate) fn delete_paths(context: &Context<'_>, root: Value, paths: &[Value]) -> Flow<Value> {
    let mut places = Vec::with_capacity(paths.len());
    for path in paths {
        context.budget.tick()?;
        match path.as_array() {
            Some(keys) if keys.len() > Value::MAX_DEPTH as usize => {
                return Stop::limit(Limit::ValueDepth);
            }
            Some(keys) => places.push(keys),
            None => return Stop::raise("Path must be specified as an array"),
        }
    }
    if places.iter().any(|place| place.is_empty()) {
        return Ok(Value::NULL);
    }
    delete(context, root, &places)
}

/// Deletes places that all have a key; places are those of the untouched root.
fn delete(context: &Context<'_>, root: Value, places: &[&[Value]]) -> Flow<Value> {
    context.budget.ticks(places.len() as u64)?;
    match root.kind() {
        Kind::Null => Ok(root),
        Kind::Object(_) => delete_members(context, root, places),
        Kind::Array(_) => delete_items(context, &root, places),
        _ => match places.first().and_then(|place| place.first()) {
            Some(key) if places.iter().any(|place| place.len() == 1) => Stop::raise(format!(
                "Cannot delete field at {} index of {}",
                key.type_name(),
                root.type_name()
            )),
            Some(key) => refuse(&root, key),
            None => Ok(root),
        },
    }
}

/// Places sorted and grouped by their first key: the key, whether it goes itself, and what goes below it.
struct Group<'p> {
    key: &'p Value,
    whole: bool,
    below: Vec<&'p [Value]>,
}

fn groups<'p>(context: &Context<'_>, places: &[&'p [Value]]) -> Flow<Vec<Group<'p>>> {
    let mut sorted = places.to_vec();
    super::sorting::pay(context, sorted.len(), 0)?;
    sorted.sort_by(|left, right| left[0].order(&right[0]));
    let mut groups: Vec<Group<'p>> = Vec::new();
    for place in sorted {
        let Some((key, rest)) = place.split_first() else { continue };
        if groups.last().is_none_or(|group| group.key != key) {
            groups.push(Group { key, whole: false, below: Vec::new() });
        }
        let Some(group) = groups.last_mut() else { continue };
        if rest.is_empty() {
            group.whole = true;
        } else {
            group.below.push(rest);
        }
    }
    Ok(groups)
}

fn delete_members(context: &Context<'_>, root: Value, places: &[&[Value]]) -> Flow<Value> {
    let groups = groups(context, places)?;
    context.budget.ticks(root.as_object().map_or(0, Object::len) as u64 / 2)?;
    let mut object = match root.into_object() {
        Ok(object) => object,
        Err(root) => return Ok(root),
    };
    for group in groups {
        let Some(name) = group.key.as_str() else {
            return Stop::raise(format!(
                "Cannot delete field at {} index of object",
                group.key.type_name()
            ));
        };
        if group.whole {
            context.budget.ticks(object.len() as u64 / 32)?;
            object.remove(name);
        } else if object.get(name).is_some() {
            let name: Arc<str> = Arc::from(name);
            let before = object.take(&name);
            object.insert(name, delete(context, before, &group.below)?);
        }
    }
    Ok(Value::from(object))
}

fn delete_items(context: &Context<'_>, root: &Value, places: &[&[Value]]) -> Flow<Value> {
    let mut items = root.as_array().unwrap_or_default().to_vec();
    context.budget.copy(items.len())?;
    let mut kept = vec![true; items.len()];
    for group in groups(context, places)? {
        match group.key.kind() {
            Kind::Integer(_) | Kind::Float(_) => {
                let Some(at) = place_of(group.key, items.len()).filter(|at| *at < items.len())
                else {
                    continue;
                };
                if group.whole {
                    kept[at] = false;
                } else {
                    let before = std::mem::replace(&mut items[at], Value::NULL);
                    items[at] = delete(context, before, &group.below)?;
                }
            }
            Kind::Object(bounds) => {
                let range = slice_range(bounds, items.len())?;
                context.budget.copy(range.len())?;
                if group.whole {
                    kept[range].fill(false);
                } else {
                    // What goes below a slice goes at the places the slice shifts to.
                    let start = integer(range.start);
                    delete_in_slice(context, &mut items, &mut kept, &start, &group.below)?;
                }
            }
            _ => {
                return Stop::raise(format!(
                    "Cannot delete field at {} index of array",
                    group.key.type_name()
                ));
            }
        }
    }
    let mut kept = kept.into_iter();
    items.retain(|_| kept.next().unwrap_or(true));
    context.array(items)
}

fn delete_in_slice(
    context: &Context<'_>,
    items: &mut [Value],
    kept: &mut [bool],
    start: &Value,
    below: &[&[Value]],
) -> Flow {
    for place in below {
        let Some((key, rest)) = place.split_first() else { continue };
        let shifted =
            key.as_f64().zip(start.as_f64()).map(|(key, start)| Value::computed(key + start));
        let Some(at) =
            shifted.and_then(|key| place_of(&key, items.len())).filter(|at| *at < items.len())
        else {
            continue;
        };
        if rest.is_empty() {
            kept[at] = false;
        } else {
            let before = std::mem::replace(&mut items[at], Value::NULL);
            items[at] = delete(context, before, &[rest])?;
        }
    }
    Ok(())
}

/// `left * right` of two objects: members that are objects on both sides merge too.
pub(crate) fn merge_deep(context: &Context<'_>, left: Value, right: &Value) -> Flow<Value> {
    let Some(added) = right.as_object() else { return Ok(right.clone()) };
    context.budget.ticks((added.len() + left.as_object().map_or(0, Object::len)) as u64 / 2 + 1)?;
    let Ok(mut object) = left.into_object() else { return Ok(right.clone()) };
    for (key, value) in added.iter() {
        let before = object
            .get(key)
            .filter(|before| before.as_object().is_some() && value.as_object().is_some());
        let value = match before {
            Some(_) => {
                let before = object.take(key);
                merge_deep(context, before, value)?
            }
            None => value.clone(),
        };
        object.insert(key.clone(), value);
    }
    if added.keys_tainted() {
        object.mark_keys();
    }
    Budget::admit(Value::from(object))
}
