//! Arithmetic and comparison.

use std::cmp::Ordering;

use super::{access, describe, pieces};
use crate::{
    Value,
    budget::Budget,
    context::Context,
    stop::{Flow, Stop},
    syntax::tree::Binary,
};

/// The result of `left operator right`.
pub(crate) fn binary(
    context: &Context<'_>,
    operator: Binary,
    left: Value,
    right: Value,
) -> Flow<Value> {
    let mark = left.is_tainted() || right.is_tainted();
    let value = match operator {
        Binary::Add => return add(context, left, right),
        Binary::Subtract => subtract(context, &left, &right)?,
        Binary::Multiply => return multiply(context, left, &right),
        Binary::Divide => divide(context, &left, &right)?,
        Binary::Remainder => remainder(&left, &right)?,
        Binary::Equal => Value::from(equal(context, &left, &right)?),
        Binary::Unequal => Value::from(!equal(context, &left, &right)?),
        Binary::Less => Value::from(order(context, &left, &right)?.is_lt()),
        Binary::LessOrEqual => Value::from(order(context, &left, &right)?.is_le()),
        Binary::Greater => Value::from(order(context, &left, &right)?.is_gt()),
        Binary::GreaterOrEqual => Value::from(order(context, &left, &right)?.is_ge()),
    };
    if operator == Binary::Subtract && value.as_array().is_some() {
        return Ok(value);
    }
    Ok(value.tainted_if(mark))
}

fn equal(context: &Context<'_>, left: &Value, right: &Value) -> Flow<bool> {
    context.budget.walk(left.size().min(right.size()))?;
    Ok(left == right)
}

fn order(context: &Context<'_>, left: &Value, right: &Value) -> Flow<Ordering> {
    // Objects are sorted by name to be ordered.
    let effort = if left.depth() > 0 { 8 } else { 1 };
    context.budget.walk(left.size().min(right.size()).saturating_mul(effort))?;
    if left.as_f64().is_some_and(f64::is_nan) && right.as_f64().is_some() {
        return Ok(Ordering::Less);
    }
    Ok(left.order(right))
}

fn refuse<T>(left: &Value, right: &Value, what: &str) -> Flow<T> {
    Stop::raise(format!("{} and {} cannot be {what}", describe(left), describe(right)))
}

fn add(context: &Context<'_>, left: Value, right: Value) -> Flow<Value> {
    let mark = left.is_tainted() || right.is_tainted();
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(sum) = left.checked_add(right)
    {
        return Ok(Value::from(sum).tainted_if(mark));
    }
    add_general(context, left, right)
}

fn add_general(context: &Context<'_>, left: Value, right: Value) -> Flow<Value> {
    if left.is_null() && !left.is_tainted() {
        return Ok(right);
    }
    if right.is_null() && !right.is_tainted() {
        return Ok(left);
    }
    let mark = left.is_tainted() || right.is_tainted();
    if left.is_null() || right.is_null() {
        return Ok(if left.is_null() { right } else { left }.tainted());
    }
    if let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) {
        return Ok(Value::computed(left + right).tainted_if(mark));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return join(context, left, right).map(|text| text.tainted_if(mark));
    }
    if left.as_array().is_some() && right.as_array().is_some() {
        return append(context, left, &right);
    }
    if left.as_object().is_some() && right.as_object().is_some() {
        return merge(context, left, &right);
    }
    refuse(&left, &right, "added")
}

fn join(context: &Context<'_>, left: &str, right: &str) -> Flow<Value> {
    let length = (left.len() + right.len()) as u64;
    context.budget.hold(length)?;
    context.budget.walk(length / 8)?;
    let mut text = String::with_capacity(left.len() + right.len());
    text.push_str(left);
    text.push_str(right);
    Budget::admit(Value::from(text))
}

fn append(context: &Context<'_>, left: Value, right: &Value) -> Flow<Value> {
    let added = right.as_array().unwrap_or_default();
    if left.as_array().is_some_and(<[Value]>::is_empty) && !left.is_tainted() {
        return Ok(right.clone());
    }
    let copied = if left.is_unshared() { 0 } else { left.as_array().map_or(0, <[Value]>::len) };
    context.budget.copy(copied + added.len())?;
    context.budget.hold(((copied + added.len()) * size_of::<Value>()) as u64)?;
    if left.size().saturating_add(right.size()) > crate::limits::BYTES {
        return Stop::limit(crate::limits::Limit::Bytes);
    }
    match left.into_array() {
        Ok(mut array) => {
            for item in added {
                array.push(item.clone());
            }
            Budget::admit(Value::from(array))
        }
        Err(left) => refuse(&left, right, "added"),
    }
}

fn merge(context: &Context<'_>, left: Value, right: &Value) -> Flow<Value> {
    let Some(added) = right.as_object() else { return refuse(&left, right, "added") };
    let copied =
        if left.is_unshared() { 0 } else { left.as_object().map_or(0, crate::Object::len) };
    context.budget.ticks((copied + added.len()) as u64)?;
    context.budget.hold(((copied + added.len()) * 80) as u64)?;
    match left.into_object() {
        Ok(mut object) => {
            added.iter().for_each(|(key, value)| object.insert(key.clone(), value.clone()));
            if added.keys_tainted() {
                object.mark_keys();
            }
            Budget::admit(Value::from(object))
        }
        Err(left) => refuse(&left, right, "added"),
    }
}

fn subtract(context: &Context<'_>, left: &Value, right: &Value) -> Flow<Value> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(difference) = left.checked_sub(right)
    {
        return Ok(Value::from(difference));
    }
    if let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) {
        return Ok(Value::computed(left - right));
    }
    let (Some(items), Some(removed)) = (left.as_array(), right.as_array()) else {
        return refuse(left, right, "subtracted");
    };
    context.budget.ticks(items.len() as u64 / 8)?;
    let mut kept = Vec::new();
    for item in items {
        context.budget.ticks(removed.len() as u64 / 8)?;
        context.budget.walk(right.size().min(item.size().saturating_mul(removed.len() as u64)))?;
        if !removed.contains(item) {
            kept.push(item.clone());
        }
    }
    context.array(kept)
}

fn multiply(context: &Context<'_>, left: Value, right: &Value) -> Flow<Value> {
    let mark = left.is_tainted() || right.is_tainted();
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(product) = left.checked_mul(right)
    {
        return Ok(Value::from(product).tainted_if(mark));
    }
    if let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) {
        return Ok(Value::computed(left * right).tainted_if(mark));
    }
    if let Some((text, times)) =
        left.as_str().zip(right.as_f64()).or(right.as_str().zip(left.as_f64()))
    {
        return repeat(context, text, times).map(|text| text.tainted_if(mark));
    }
    if left.as_object().is_some() && right.as_object().is_some() {
        return access::merge_deep(context, left, right);
    }
    refuse(&left, right, "multiplied")
}

fn repeat(context: &Context<'_>, text: &str, times: f64) -> Flow<Value> {
    if times.is_nan() || times < 0.0 {
        return Ok(Value::NULL);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating is right"
    )]
    let times = times as u64;
    let length = (text.len() as u64).saturating_mul(times);
    context.budget.hold(length)?;
    context.budget.walk(length)?;
    Ok(Value::from(
        text.repeat(usize::try_from(times).unwrap_or(0).min(usize::try_from(length).unwrap_or(0))),
    ))
}

fn divide(context: &Context<'_>, left: &Value, right: &Value) -> Flow<Value> {
    if let (Some(dividend), Some(divisor)) = (left.as_f64(), right.as_f64()) {
        if divisor == 0.0 {
            return refuse(left, right, "divided because the divisor is zero");
        }
        if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
            && left.checked_rem(right) == Some(0)
        {
            return Ok(Value::from(left / right));
        }
        return Ok(Value::computed(dividend / divisor));
    }
    match (left.as_str(), right.as_str()) {
        (Some(text), Some(separator)) => pieces::split(context, text, separator),
        _ => refuse(left, right, "divided"),
    }
}

fn remainder(left: &Value, right: &Value) -> Flow<Value> {
    let (Some(dividend), Some(divisor)) = (left.as_f64(), right.as_f64()) else {
        return refuse(left, right, "divided (remainder)");
    };
    if dividend.is_nan() || divisor.is_nan() {
        return Ok(Value::computed(f64::NAN));
    }
    let (dividend, divisor) = (whole(left, dividend), whole(right, divisor));
    if divisor == 0 {
        return refuse(left, right, "divided (remainder) because the divisor is zero");
    }
    Ok(Value::from(dividend.checked_rem(divisor.checked_abs().unwrap_or(i64::MAX)).unwrap_or(0)))
}

#[expect(clippy::cast_possible_truncation, reason = "saturating is what jq does")]
fn whole(value: &Value, number: f64) -> i64 {
    value.as_i64().unwrap_or(number as i64)
}

/// `-value`
pub(crate) fn negate(value: &Value) -> Flow<Value> {
    let mark = value.is_tainted();
    let negated = match (value.as_i64().and_then(i64::checked_neg), value.as_f64()) {
        (Some(0), _) => Value::float(-0.0),
        (Some(integer), _) => Value::from(integer),
        (None, Some(number)) => Value::computed(-number),
        (None, None) => return Stop::raise(format!("{} cannot be negated", describe(value))),
    };
    Ok(negated.tainted_if(mark))
}
