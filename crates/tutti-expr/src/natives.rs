//! Built-in filters that compute one value from their input and arguments.

pub(crate) mod access;
mod arrays;
mod conversion;
mod dates;
mod formats;
mod math;
pub(crate) mod object;
mod occurrences;
pub(crate) mod operators;
mod pieces;
pub(crate) mod regex;
pub(crate) mod sorting;
mod text;

use std::{collections::BTreeMap, sync::OnceLock};

use crate::{
    Value,
    native::{Native, arranging, native},
    stop::{Flow, Stop},
};

fn table() -> &'static BTreeMap<&'static str, Vec<Native>> {
    static TABLE: OnceLock<BTreeMap<&'static str, Vec<Native>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = arrays::natives()
            .into_iter()
            .chain(conversion::natives())
            .chain(dates::natives())
            .chain(math::natives())
            .chain(object::natives())
            .chain(regex::natives())
            .chain(sorting::natives())
            .chain(text::natives());
        let mut table: BTreeMap<&'static str, Vec<Native>> = BTreeMap::new();
        for native in all {
            table.entry(native.name).or_default().push(native);
        }
        table
    })
}

/// The native of this name that takes so many arguments.
pub(crate) fn find(name: &str, arity: usize) -> Option<&'static Native> {
    table().get(name)?.iter().find(|native| native.arity == arity)
}

/// All natives but the library's own: their names and numbers of arguments.
pub(crate) fn all<'n>() -> impl Iterator<Item = (&'n str, usize)> {
    let public = table().values().flatten().filter(|native| !native.name.starts_with('_'));
    public.map(|native| (native.name, native.arity))
}

pub(crate) use formats::{FORMATS, format};

/// A value as error messages show it: `number (1)`.
pub(crate) fn describe(value: &Value) -> String {
    format!("{} ({})", value.type_name(), value.preview(29))
}

/// The same, but `null` alone.
pub(crate) fn describe_with_null(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { describe(value) }
}

pub(crate) fn integer(number: usize) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The count that `limit` and `skip` take.
pub(crate) fn count(value: &Value, name: &str) -> Flow<u64> {
    let Some(number) = value.as_f64() else {
        return Stop::raise(format!("{name} needs a number, not {}", describe(value)));
    };
    if number < 0.0 {
        return Stop::raise(format!("{name} doesn't support negative count"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating is right"
    )]
    let count = number.ceil() as u64;
    Ok(count)
}

/// The text of a native's argument.
fn text_of<'v>(value: &'v Value, name: &str) -> Flow<&'v str> {
    match value.as_str() {
        Some(text) => Ok(text),
        None => Stop::raise(format!("{name} needs a string, not {}", describe(value))),
    }
}

/// The items of a native's argument.
fn items_of<'v>(value: &'v Value, name: &str) -> Flow<&'v [Value]> {
    match value.as_array() {
        Some(items) => Ok(items),
        None => Stop::raise(format!("{} cannot be {name}, as it is not an array", describe(value))),
    }
}
