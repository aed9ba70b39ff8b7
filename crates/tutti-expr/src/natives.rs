//! Built-in filters that compute one value from their input and arguments.

pub(crate) mod access;
mod arrays;
mod conversion;
mod dates;
mod formats;
mod math;
pub(crate) mod object;
pub(crate) mod operators;
pub(crate) mod regex;
pub(crate) mod sorting;
mod text;

use std::{collections::BTreeMap, sync::OnceLock};

use crate::{
    Value,
    limits::Budget,
    machine::{Flow, Machine, Stop},
};

/// What a native does: the input comes first, then the arguments.
type Run = fn(&Machine<'_>, &[Value]) -> Flow<Value>;

/// A built-in filter.
pub(crate) struct Native {
    name: &'static str,
    arity: usize,
    marks: Marks,
    run: Run,
}

/// How the mark of a secret gets from the arguments to the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Everything computed from a marked value is marked.
    Spread,
    /// The parts of the arguments keep their own marks.
    Keep,
}

const fn native(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, marks: Marks::Spread, run }
}

/// A native that only arranges the parts of its arguments.
const fn arranging(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, marks: Marks::Keep, run }
}

impl Native {
    pub(crate) fn call(&self, machine: &Machine<'_>, args: &[Value]) -> Flow<Value> {
        machine.budget.tick()?;
        let result = Budget::admit((self.run)(machine, args)?)?;
        if self.marks == Marks::Spread && args.iter().any(Value::is_tainted) {
            machine.budget.walk(result.size())?;
            return Ok(result.tainted());
        }
        Ok(result)
    }
}

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
pub(crate) fn all() -> impl Iterator<Item = (&'static str, usize)> {
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
