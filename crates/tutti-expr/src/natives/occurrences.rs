//! Where one array stands in another.

use super::integer;
use crate::{Value, context::Context, stop::Flow};

/// Where `wanted` begins in `items`.
pub(super) fn find(context: &Context<'_>, items: &[Value], wanted: &[Value]) -> Flow<Value> {
    let mut found = Vec::new();
    if wanted.is_empty() || wanted.len() > items.len() {
        return Ok(Value::NULL).map(|none| if wanted.is_empty() { none } else { Value::array([]) });
    }
    let size: u64 = wanted.iter().map(Value::size).fold(0, u64::saturating_add);
    for at in 0..=items.len() - wanted.len() {
        context.budget.tick()?;
        if items[at] == wanted[0] {
            context.budget.walk(size)?;
            if items[at..at + wanted.len()] == *wanted {
                found.push(integer(at));
            }
        }
    }
    context.array(found)
}
