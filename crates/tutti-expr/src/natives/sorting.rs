//! Sorting, grouping, extremes.

use std::cmp::Ordering;

use super::{Native, arranging, describe};
use crate::{
    Value,
    context::Context,
    stop::{Flow, Stop},
    syntax::tree::Special,
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        arranging("sort", 0, |context, args| {
            by_key(context, Special::SortBy, plain(context, &args[0], "sorted")?)
        }),
        arranging("unique", 0, |context, args| {
            by_key(context, Special::UniqueBy, plain(context, &args[0], "sorted")?)
        }),
        arranging("min", 0, |context, args| {
            by_key(context, Special::MinBy, plain(context, &args[0], "searched for the least")?)
        }),
        arranging("max", 0, |context, args| {
            by_key(context, Special::MaxBy, plain(context, &args[0], "searched for the greatest")?)
        }),
    ]
}

fn plain(context: &Context<'_>, value: &Value, what: &str) -> Flow<Vec<(Value, Value)>> {
    match value.as_array() {
        Some(items) => {
            context.budget.ticks(items.len() as u64 / 8)?;
            Ok(items.iter().map(|item| (item.clone(), item.clone())).collect())
        }
        None => Stop::raise(format!("{} cannot be {what}, as it is not an array", describe(value))),
    }
}

/// Pays for sorting so many values of so much size together.
pub(crate) fn pay(context: &Context<'_>, count: usize, size: u64) -> Flow {
    let rounds = u64::from(count.max(1).ilog2() + 1);
    context.budget.ticks((count as u64 / 3).saturating_mul(rounds))?;
    context.budget.walk((size / 4).saturating_mul(rounds))
}

/// What it takes to order a value, measured in size: objects are sorted by name to be ordered.
fn effort(key: &Value) -> u64 {
    let plain = key.depth() == 0 || key.depth() == 1 && key.as_array().is_some();
    key.size().saturating_mul(if plain { 1 } else { 16 })
}

/// What a sorting filter makes of items with their keys.
pub(crate) fn by_key(
    context: &Context<'_>,
    special: Special,
    mut keyed: Vec<(Value, Value)>,
) -> Flow<Value> {
    let size = keyed.iter().map(|(key, _)| effort(key)).fold(0, u64::saturating_add);
    let order = |left: &(Value, Value), right: &(Value, Value)| left.0.order(&right.0);
    if let Special::MinBy | Special::MaxBy = special {
        context.budget.ticks(keyed.len() as u64)?;
        context.budget.walk(size)?;
        let best = match special {
            Special::MinBy => keyed
                .into_iter()
                .reduce(|best, next| if order(&next, &best).is_lt() { next } else { best }),
            _ => keyed
                .into_iter()
                .reduce(|best, next| if order(&next, &best).is_ge() { next } else { best }),
        };
        return Ok(best.map_or(Value::NULL, |(_, item)| item));
    }
    pay(context, keyed.len(), size)?;
    keyed.sort_by(order);
    match special {
        Special::UniqueBy => {
            keyed.dedup_by(|next, kept| order(next, kept) == Ordering::Equal);
            context.array(keyed.into_iter().map(|(_, item)| item).collect())
        }
        Special::GroupBy => {
            let groups = keyed.chunk_by(|left, right| order(left, right) == Ordering::Equal);
            let groups: Flow<Vec<Value>> = groups
                .map(|group| context.array(group.iter().map(|(_, item)| item.clone()).collect()))
                .collect();
            context.array(groups?)
        }
        _ => context.array(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}
