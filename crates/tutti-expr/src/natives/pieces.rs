//! Texts cut into pieces and joined from them.

use crate::{Value, context::Context, stop::Flow};

/// The parts of a text between separators; every character where the separator is empty.
pub(super) fn split(context: &Context<'_>, text: &str, separator: &str) -> Flow<Value> {
    context.budget.walk(text.len() as u64)?;
    let mut parts = Vec::new();
    let mut add = |part: &str| -> Flow {
        context.budget.tick()?;
        parts.push(Value::from(part));
        Ok(())
    };
    if text.is_empty() {
        return context.array(Vec::new());
    }
    if separator.is_empty() {
        let mut buffer = [0; 4];
        text.chars().try_for_each(|character| add(character.encode_utf8(&mut buffer)))?;
    } else {
        text.split(separator).try_for_each(add)?;
    }
    context.array(parts)
}

/// Texts joined, marked if one of them is.
pub(super) fn concatenate(context: &Context<'_>, parts: &[Value], separator: &str) -> Flow<Value> {
    let texts = || parts.iter().filter_map(Value::as_str);
    let length = texts().map(|text| text.len() + separator.len()).sum::<usize>() as u64;
    context.budget.hold(length)?;
    context.budget.walk(length)?;
    let mut joined = String::with_capacity(usize::try_from(length).unwrap_or(0));
    for (number, text) in texts().enumerate() {
        if number > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    Ok(Value::from(joined).tainted_if(parts.iter().any(Value::is_tainted)))
}
