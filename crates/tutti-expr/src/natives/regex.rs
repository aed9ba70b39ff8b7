//! Filters that match regular expressions, in time linear in the text.

use std::{ops::Range, sync::Arc};

use super::{Native, describe, integer, native};
use crate::{
    Value,
    context::Context,
    regexes::Flags,
    stop::{Flow, Stop},
};

pub(super) fn natives() -> Vec<Native> {
    vec![
        native("_match", 2, |context, args| {
            let found = matches(context, &args[0], &args[1], &args[2], false)?;
            let text = args[0].as_str().unwrap_or_default();
            let mut place = Place::default();
            context.array(found.iter().map(|found| found.described(text, &mut place)).collect())
        }),
        native("_capture", 2, |context, args| {
            let found = matches(context, &args[0], &args[1], &args[2], false)?;
            context.array(found.iter().map(|found| found.named(false)).collect())
        }),
        native("_scan", 2, |context, args| {
            let found = matches(context, &args[0], &args[1], &args[2], true)?;
            context.array(found.iter().map(Match::scanned).collect())
        }),
        native("test", 1, |context, args| test(context, &args[0], &args[1], &Value::NULL)),
        native("test", 2, |context, args| test(context, &args[0], &args[1], &args[2])),
        native("split", 2, |context, args| {
            let found = matches(context, &args[0], &args[1], &args[2], true)?;
            let text = args[0].as_str().unwrap_or_default();
            let mut at = 0;
            let mut parts = Vec::new();
            for found in found {
                parts.push(Value::from(&text[at..found.range.start]));
                at = found.range.end;
            }
            parts.push(Value::from(&text[at..]));
            context.array(parts)
        }),
    ]
}

/// Where a pattern matched.
pub(crate) struct Match {
    pub(crate) range: Range<usize>,
    groups: Vec<Group>,
    text: Arc<str>,
}

struct Group {
    name: Option<Arc<str>>,
    range: Option<Range<usize>>,
}

fn test(context: &Context<'_>, text: &Value, pattern: &Value, flags: &Value) -> Flow<Value> {
    let found = find(context, text, pattern, flags, false, 1)?;
    Ok(Value::from(!found.is_empty()))
}

/// Where a pattern, given as a text or as an array of a text and flags, matches.
pub(crate) fn matches(
    context: &Context<'_>,
    text: &Value,
    pattern: &Value,
    flags: &Value,
    global: bool,
) -> Flow<Vec<Match>> {
    find(context, text, pattern, flags, global, usize::MAX)
}

fn find(
    context: &Context<'_>,
    text: &Value,
    pattern: &Value,
    flags: &Value,
    global: bool,
    most: usize,
) -> Flow<Vec<Match>> {
    let (source, flags) = match pattern.as_array() {
        Some([pattern, flags]) => (pattern, flags),
        Some([pattern]) => (pattern, flags),
        _ => (pattern, flags),
    };
    let Some(whole) = text.as_str() else {
        return Stop::raise(format!("{} cannot be matched, as it is not a string", describe(text)));
    };
    let Some(source) = source.as_str() else {
        return Stop::raise(format!(
            "{} cannot be matched, as it is not a string",
            describe(source)
        ));
    };
    let mut flags = flags_of(flags)?;
    flags.global |= global;
    context.budget.ticks(source.len() as u64 * 8)?;
    let pattern = context.regexes.get(source, flags, pattern.is_tainted(), &context.budget)?;
    context.budget.ticks(pattern.cost(whole.len()))?;
    let shared: Arc<str> = Arc::from(whole);
    let names: Vec<Option<Arc<str>>> =
        pattern.regex.capture_names().map(|name| name.map(Arc::from)).collect();
    let mut found = Vec::new();
    for captures in pattern.regex.captures_iter(whole) {
        context.budget.ticks(4 + 2 * names.len() as u64)?;
        // Scanning on costs about as much as what lies between two matches, but never nothing.
        let Some(all) = captures.get(0) else { continue };
        if flags.skip_empty && all.is_empty() {
            continue;
        }
        let groups = names.iter().zip(captures.iter()).skip(1);
        let groups = groups.map(|(name, group)| Group {
            name: name.clone(),
            range: group.map(|group| group.range()),
        });
        found.push(Match { range: all.range(), groups: groups.collect(), text: shared.clone() });
        if !flags.global || found.len() >= most {
            break;
        }
    }
    Ok(found)
}

fn flags_of(flags: &Value) -> Flow<Flags> {
    let mut result = Flags::default();
    if flags.is_null() {
        return Ok(result);
    }
    let Some(letters) = flags.as_str() else {
        return Stop::raise(format!("{} is not a string of flags", describe(flags)));
    };
    for letter in letters.chars() {
        match letter {
            'g' => result.global = true,
            'i' => result.ignore_case = true,
            'x' => result.extended = true,
            's' | 'p' => result.dot_is_any = true,
            'n' => result.skip_empty = true,
            'l' => {}
            _ => {
                return Stop::raise(format!(
                    "{} is not a valid modifier string",
                    if flags.is_tainted() { Value::REDACTED } else { letters }
                ));
            }
        }
    }
    Ok(result)
}

/// A place in a text counted in bytes and in characters, moving forward.
#[derive(Default)]
struct Place {
    bytes: usize,
    characters: usize,
}

impl Place {
    fn characters_at(&mut self, text: &str, bytes: usize) -> usize {
        if bytes < self.bytes {
            *self = Self::default();
        }
        self.characters += text[self.bytes..bytes].chars().count();
        self.bytes = bytes;
        self.characters
    }
}

impl Match {
    /// The match as `match` gives it.
    fn described(&self, text: &str, place: &mut Place) -> Value {
        let start = place.characters_at(text, self.range.start);
        let part = &text[self.range.clone()];
        let captures = self.groups.iter().map(|group| {
            let name = group.name.clone().map_or(Value::NULL, Value::from);
            let (offset, length, string) = match &group.range {
                Some(range) => {
                    let inside = text[self.range.start..range.start].chars().count();
                    let part = &text[range.clone()];
                    (integer(start + inside), integer(part.chars().count()), Value::from(part))
                }
                None => (Value::from(-1), Value::from(0), Value::NULL),
            };
            Value::object([
                ("offset", offset),
                ("length", length),
                ("string", string),
                ("name", name),
            ])
        });
        Value::object([
            ("offset", integer(start)),
            ("length", integer(part.chars().count())),
            ("string", Value::from(part)),
            ("captures", Value::array(captures)),
        ])
    }

    /// The named groups as an object.
    pub(crate) fn named(&self, mark: bool) -> Value {
        let named =
            self.groups.iter().filter_map(|group| Some((group.name.clone()?, self.group(group))));
        Value::object(named).tainted_if(mark)
    }

    fn scanned(&self) -> Value {
        if self.groups.is_empty() {
            return Value::from(&self.text[self.range.clone()]);
        }
        Value::array(self.groups.iter().map(|group| self.group(group)))
    }

    fn group(&self, group: &Group) -> Value {
        group.range.clone().map_or(Value::NULL, |range| Value::from(&self.text[range]))
    }
}
