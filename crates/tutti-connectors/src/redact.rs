//! Keeps the secrets of a call's arguments out of what people read, and marks them in what comes back.
//!
//! This is the one place that does so; it knows the exact values, their JSON and base64 forms and the lines of values
//! that have several.

use base64::{Engine, engine::general_purpose::STANDARD};
use tutti_expr::{Kind, Value};
use tutti_journal::Error;

/// What stands where a secret stood.
const MARK: &str = "«secret»";

/// Lines of a longer secret that are this short are not secrets themselves.
const SHORTEST_LINE: usize = 8;

/// The secrets of one call.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The tainted leaves of `arguments`.
    pub(crate) fn of(arguments: &Value) -> Self {
        let mut found = Vec::new();
        collect(arguments, &mut found);
        let mut forms: Vec<String> = found.iter().flat_map(|secret| forms(secret)).collect();
        forms.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        forms.dedup();
        Self(forms)
    }

    /// The same and one more.
    pub(crate) fn and(mut self, secret: &str) -> Self {
        if !secret.is_empty() {
            self.0.insert(0, secret.to_owned());
        }
        self
    }

    /// Whether `text` holds one of them.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// The length in bytes of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.0.iter().map(String::len).max().unwrap_or(0)
    }

    /// `text` for a person.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MARK) } else { text }
        })
    }

    /// `value` with a mark on every string that holds one of them.
    pub(crate) fn mark(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value.kind() {
            Kind::String(text) if self.are_in(text) => value.tainted(),
            Kind::Integer(_) | Kind::Float(_) if self.0.contains(&value.to_json()) => {
                value.tainted()
            }
            Kind::Array(items) => Value::array(items.iter().cloned().map(|item| self.mark(item))),
            Kind::Object(members) => Value::object(
                members.iter().map(|(name, value)| (name.clone(), self.mark(value.clone()))),
            ),
            _ => value,
        }
    }

    /// `error` with a readable text and its other members marked.
    pub(crate) fn clean(&self, mut error: Error) -> Error {
        error.detail = error.detail.map(|detail| match detail.as_str() {
            Some(text) => Value::from(self.redact(text)),
            None => self.mark(detail),
        });
        error.extra = error.extra.map(|extra| self.mark(extra));
        error
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    if !value.is_tainted() {
        return;
    }
    match value.kind() {
        Kind::String(text) => found.push(text.to_string()),
        Kind::Integer(_) | Kind::Float(_) => found.push(value.to_json()),
        Kind::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Kind::Object(members) => members.iter().for_each(|(_, member)| collect(member, found)),
        Kind::Null | Kind::Bool(_) => {}
    }
}

fn forms(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let json = Value::from(secret).to_json();
    let mut forms = vec![
        secret.to_owned(),
        json.get(1..json.len() - 1).unwrap_or_default().to_owned(),
        STANDARD.encode(secret),
    ];
    if secret.contains('\n') {
        forms.extend(secret.lines().filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
    }
    forms.retain(|form| !form.is_empty());
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(value: &str) -> Secrets {
        Secrets::of(&Value::array([Value::from(value).tainted(), Value::from("plain")]))
    }

    #[test]
    fn every_form_of_a_secret_is_redacted() {
        for (secret, text, expected) in [
            ("hunter2", "pw=hunter2!", "pw=«secret»!"),
            ("hunter2", "aHVudGVyMg==", "«secret»"),
            ("say \"hi\"", r#"{"a":"say \"hi\""}"#, r#"{"a":"«secret»"}"#),
            ("first line\nsecond line", "x second line", "x «secret»"),
            ("", "plain", "plain"),
            ("hunter2", "plain", "plain"),
        ] {
            assert_eq!(secrets(secret).redact(text), expected, "{secret}");
        }
    }

    #[test]
    fn only_what_holds_a_secret_is_marked() {
        let value = Value::object([("a", Value::from("x hunter2")), ("b", Value::from("y"))]);
        let marked = secrets("hunter2").mark(value);
        assert_eq!(marked.to_redacted_json(), r#"{"a":"«secret»","b":"y"}"#);
    }
}
