//! What a value breaks of a schema, in words that never show a secret.

use std::borrow::Cow;

use boon::{ErrorKind, InstanceLocation, InstanceToken, ValidationError};
use serde_json::Value as Json;
use tutti_expr::{Object, Value};

use super::Violation;

/// Violations told at once.
const MAX_VIOLATIONS: usize = 16;
/// Characters of a value shown in a message.
const SHOWN: usize = 60;
/// Allowed values shown in a message.
const CHOICES: usize = 12;

/// What `value` breaks, at most 16.
pub(super) fn violations(error: &ValidationError<'_, '_>, value: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    collect(error, value, &mut found);
    found
}

fn collect(error: &ValidationError<'_, '_>, value: &Value, found: &mut Vec<Violation>) {
    use ErrorKind as Kind;
    match &error.kind {
        Kind::Group | Kind::Schema { .. } | Kind::Reference { .. } | Kind::AllOf => {
            for cause in &error.causes {
                if found.len() < MAX_VIOLATIONS {
                    collect(cause, value, found);
                }
            }
        }
        Kind::AnyOf | Kind::OneOf(None) => match only_likely(error) {
            Some(cause) => collect(cause, value, found),
            None => tell(error, value, found),
        },
        _ => tell(error, value, found),
    }
}

/// The one branch whose kind of value was given; what the others want is of another kind.
fn only_likely<'e, 's, 'v>(
    error: &'e ValidationError<'s, 'v>,
) -> Option<&'e ValidationError<'s, 'v>> {
    let here = error.instance_location.tokens.len();
    let mut likely = error.causes.iter().filter(|cause| !of_another_kind(cause, here));
    likely.next().filter(|_| likely.next().is_none())
}

fn of_another_kind(error: &ValidationError<'_, '_>, depth: usize) -> bool {
    match &error.kind {
        ErrorKind::Type { .. } | ErrorKind::FalseSchema => {
            error.instance_location.tokens.len() == depth
        }
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } => {
            error.causes.iter().any(|cause| of_another_kind(cause, depth))
        }
        _ => false,
    }
}

fn tell(error: &ValidationError<'_, '_>, value: &Value, found: &mut Vec<Violation>) {
    let pointer = match &error.kind {
        ErrorKind::PropertyName { prop } => holder(value, prop),
        _ => pointer(&error.instance_location),
    };
    if let Some(end) = secret_names_at(value, &pointer) {
        let message = "the object, whose names come from a secret, does not fit".to_owned();
        found.push(Violation { message, pointer: pointer[..end].to_owned() });
        return;
    }
    let messages = messages(error, &shown(value.pointer(&pointer)));
    let room = MAX_VIOLATIONS.saturating_sub(found.len());
    let told = messages.into_iter().take(room);
    found.extend(told.map(|message| Violation { message, pointer: pointer.clone() }));
}

/// What is wrong with a part of a value; nothing of the part is in it but what `shown` has.
fn messages(error: &ValidationError<'_, '_>, shown: &str) -> Vec<String> {
    use ErrorKind as Kind;
    let needs = |prop: &str, missing: &[&str]| {
        let needed = missing.iter().map(|name| format!("{name:?}"));
        needed.map(|name| format!("{name} is required where {prop:?} is")).collect()
    };
    let message = match &error.kind {
        Kind::Required { want } => {
            return want.iter().map(|name| format!("{name:?} is a required property")).collect();
        }
        Kind::AdditionalProperties { got } => {
            return got
                .iter()
                .map(|name| format!("the property {name:?} is not allowed"))
                .collect();
        }
        Kind::Dependency { prop, missing } | Kind::DependentRequired { prop, missing } => {
            return needs(prop, missing);
        }
        Kind::Type { want, .. } => {
            let types: Vec<String> = want.iter().map(|kind| format!("\"{kind}\"")).collect();
            format!("{shown} is not of type {}", types.join(" or "))
        }
        Kind::Enum { want } => {
            format!("{shown} is none of {}", choices(want))
        }
        Kind::Const { want } => format!("{shown} is not {}", choices(std::slice::from_ref(*want))),
        Kind::FalseSchema => format!("nothing is allowed here, not even {shown}"),
        Kind::Format { want, .. } => format!("{shown} is no {want:?}"),
        Kind::Pattern { want, .. } => format!("{shown} does not match {want:?}"),
        Kind::MinLength { want, .. } => {
            format!("{shown} is shorter than {}", counted(*want, "character"))
        }
        Kind::MaxLength { want, .. } => {
            format!("{shown} is longer than {}", counted(*want, "character"))
        }
        Kind::MinProperties { want, .. } => {
            format!("{shown} has fewer than {}", counted(*want, "member"))
        }
        Kind::MaxProperties { want, .. } => {
            format!("{shown} has more than {}", counted(*want, "member"))
        }
        Kind::MinItems { want, .. } => format!("{shown} has fewer than {}", counted(*want, "item")),
        Kind::MaxItems { want, .. } => format!("{shown} has more than {}", counted(*want, "item")),
        Kind::AdditionalItems { .. } => format!("{shown} has more items than are described"),
        Kind::UniqueItems { got: [one, other] } => {
            format!("the items {one} and {other} of {shown} are equal")
        }
        Kind::Contains => format!("no item of {shown} fits `contains`"),
        Kind::MinContains { want, .. } => {
            format!("fewer than {} of {shown} fit `contains`", counted(*want, "item"))
        }
        Kind::MaxContains { want, .. } => {
            format!("more than {} of {shown} fit `contains`", counted(*want, "item"))
        }
        Kind::Minimum { want, .. } => format!("{shown} is less than {want}"),
        Kind::Maximum { want, .. } => format!("{shown} is more than {want}"),
        Kind::ExclusiveMinimum { want, .. } => format!("{shown} is not more than {want}"),
        Kind::ExclusiveMaximum { want, .. } => format!("{shown} is not less than {want}"),
        Kind::MultipleOf { want, .. } => format!("{shown} is no multiple of {want}"),
        Kind::Not => format!("{shown} fits the schema of `not`"),
        Kind::AnyOf => format!("{shown} fits none of the schemas of `anyOf`"),
        Kind::OneOf(None) => format!("{shown} fits none of the schemas of `oneOf`"),
        Kind::OneOf(Some((one, other))) => {
            format!("{shown} fits more than one schema of `oneOf`: those at {one} and {other}")
        }
        Kind::PropertyName { prop } => {
            format!("the name of the property {prop:?} does not fit `propertyNames`")
        }
        Kind::ContentEncoding { want, .. } => format!("{shown} is not encoded as {want:?}"),
        Kind::ContentMediaType { want, .. } => format!("{shown} is not of media type {want:?}"),
        Kind::ContentSchema => format!("the content of {shown} does not fit its schema"),
        Kind::RefCycle { .. } => "the schema leads back to itself".to_owned(),
        Kind::Group | Kind::Schema { .. } | Kind::Reference { .. } | Kind::AllOf => {
            format!("{shown} does not fit")
        }
    };
    vec![message]
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn choices(values: &[Json]) -> String {
    let mut told: Vec<String> = values.iter().take(CHOICES).map(Json::to_string).collect();
    if values.len() > CHOICES {
        told.push("…".to_owned());
    }
    told.join(", ")
}

fn pointer(location: &InstanceLocation<'_>) -> String {
    location.tokens.iter().fold(String::new(), |pointer, token| match token {
        InstanceToken::Prop(name) => inner(&pointer, name),
        InstanceToken::Item(index) => format!("{pointer}/{index}"),
    })
}

/// The one object with a member of this name, or the first whose names come from a secret; the library does not tell it.
fn holder(value: &Value, name: &str) -> String {
    let mut holders = Vec::new();
    let mut open = vec![(String::new(), value)];
    while let Some((at, part)) = open.pop() {
        if let Some(object) = part.as_object() {
            if object.get(name).is_some() {
                if object.keys_tainted() {
                    return at;
                }
                holders.push(at.clone());
            }
            open.extend(object.iter().map(|(key, member)| (inner(&at, key), member)));
        }
        for (index, item) in part.as_array().into_iter().flatten().enumerate() {
            open.push((format!("{at}/{index}"), item));
        }
    }
    if holders.len() == 1 { holders.swap_remove(0) } else { String::new() }
}

fn inner(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// How much of a pointer leads to an object with names that come from a secret: neither pointers nor messages tell more.
fn secret_names_at(value: &Value, pointer: &str) -> Option<usize> {
    let inner = pointer.match_indices('/').map(|(end, _)| end).chain([pointer.len()]);
    let has_secret_names = |part: &Value| part.as_object().is_some_and(Object::keys_tainted);
    inner.filter(|end| value.pointer(&pointer[..*end]).is_some_and(has_secret_names)).min()
}

/// A part of a value as a message may show it.
fn shown(part: Option<&Value>) -> Cow<'static, str> {
    match part {
        Some(part) if part.is_tainted() => Cow::Borrowed("«secret»"),
        Some(part) if part.as_array().is_some() => Cow::Borrowed("the array"),
        Some(part) if part.as_object().is_some() => Cow::Borrowed("the object"),
        Some(part) => {
            let json = part.to_redacted_json();
            if json.chars().count() > SHOWN { Cow::Borrowed("the value") } else { Cow::Owned(json) }
        }
        None => Cow::Borrowed("the value"),
    }
}
