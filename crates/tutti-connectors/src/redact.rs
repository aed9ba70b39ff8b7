//! Keeps the secrets of a call's arguments out of what people read, and marks them in what comes back.
//!
//! Which forms of a secret are looked for is [`Redactor`]'s to say; this is the one place that takes secrets out of
//! arguments and asks it.

use tutti_expr::{Kind, Value};
use tutti_journal::Error;
use tutti_secrets::{REDACTED, RedactedStream, Redactor};

/// How many bytes all secrets of one call may have together to be looked for. Past it nobody can afford to, so everything
/// counts as secret.
const MOST: usize = 64 * 1024;

/// The secrets of one call.
#[derive(Clone)]
pub(crate) struct Secrets {
    /// As written, those included that are too short to be looked for within other text.
    exact: Vec<String>,
    /// None where there are too many to look for.
    redactor: Option<Redactor>,
}

impl Secrets {
    /// The tainted leaves of a call's `arguments`, and those of the secrets `at_hand` that are a part of one.
    pub(crate) fn of(arguments: &Value, at_hand: &[Value]) -> Self {
        let (mut exact, mut parts) = (Vec::new(), Vec::new());
        collect(arguments, &mut exact);
        for secret in at_hand {
            collect(secret, &mut parts);
        }
        parts.sort();
        parts.dedup();
        let longest = exact.iter().map(String::len).max().unwrap_or(0);
        parts.retain(|part| part.len() <= longest && is_part_of_one(part, &exact));
        exact.extend(parts);
        Self::new(exact)
    }

    /// The same and one more.
    pub(crate) fn and(&self, secret: String) -> Self {
        let mut exact = self.exact.clone();
        exact.push(secret);
        Self::new(exact)
    }

    /// The same for a call to `uri`, whose host is told as `host`: in another form than it was given in.
    ///
    /// The host is a secret unless it is seen that what is secret stands behind it.
    pub(crate) fn and_host(&self, uri: &Value, host: String) -> Self {
        let Some(text) = uri.as_str().filter(|_text| uri.is_tainted()) else {
            return self.clone();
        };
        let text = text.to_ascii_lowercase();
        let (_, rest) = text.split_once("://").unwrap_or(("", &text));
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let parts = self.exact.iter().map(|it| it.to_ascii_lowercase()).filter(|it| *it != text);
        let (within, others): (Vec<_>, Vec<_>) =
            parts.partition(|part| is_part_of_one(part, &[authority.to_owned()]));
        let is_behind = others.iter().any(|part| is_part_of_one(part, &[rest.to_owned()]));
        let host = (!within.is_empty() || !is_behind).then_some(host);
        Self::new(self.exact.iter().cloned().chain(within).chain(host).collect())
    }

    fn new(mut exact: Vec<String>) -> Self {
        exact.retain(|secret| !secret.is_empty());
        exact.sort();
        exact.dedup();
        let small = exact.iter().map(String::len).sum::<usize>() <= MOST;
        let redactor =
            small.then(|| Redactor::new(exact.iter().map(String::as_str)).ok()).flatten();
        Self { exact, redactor }
    }

    /// Whether `bytes` hold one of them.
    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.redactor.as_ref().is_none_or(|redactor| redactor.finds(bytes))
            || self.exact.iter().any(|secret| secret.as_bytes() == bytes)
    }

    /// `text` for a person.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact(text),
            None => REDACTED.to_owned(),
        }
    }

    /// For text that comes in pieces.
    pub(crate) fn stream(&self) -> Redacting {
        Redacting { stream: self.redactor.as_ref().map(Redactor::stream) }
    }

    /// `value` with a mark on every leaf that holds one of them, and on objects with such a name in them.
    pub(crate) fn mark(&self, value: Value) -> Value {
        if self.exact.is_empty() {
            return value;
        }
        match value.kind() {
            Kind::String(text) if self.are_in(text.as_bytes()) => value.tainted(),
            Kind::Integer(_) | Kind::Float(_) if self.are_in(value.to_json().as_bytes()) => {
                value.tainted()
            }
            Kind::Array(items) => Value::array(items.iter().cloned().map(|item| self.mark(item))),
            Kind::Object(members)
                if members.iter().any(|(name, _)| self.are_in(name.as_bytes())) =>
            {
                value.tainted()
            }
            Kind::Object(members) => Value::object(
                members.iter().map(|(name, value)| (name.clone(), self.mark(value.clone()))),
            ),
            _ => value,
        }
    }

    /// `error` with a readable text and its other members marked.
    pub(crate) fn clean(&self, mut error: Error) -> Error {
        error.detail = error.detail.map(|detail| match detail.as_str() {
            Some(text) if !self.exact.is_empty() => Value::from(self.redact(text)),
            _ => self.mark(detail),
        });
        error.extra = error.extra.map(|extra| self.mark(extra));
        error
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.exact.len())
    }
}

/// One stream of text on its way to people.
#[derive(Debug)]
pub(crate) struct Redacting {
    /// None where every line is kept back.
    stream: Option<RedactedStream>,
}

impl Redacting {
    /// Takes the next piece; gives what can go out. A beginning of a secret waits for what comes after it.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if let Some(stream) = &mut self.stream {
            return stream.push(piece);
        }
        let lines = piece.split(|byte| *byte == b'\n').skip(1);
        lines.flat_map(|_hidden| format!("{REDACTED}\n").into_bytes()).collect()
    }

    /// Gives the rest: no more pieces come.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.stream.as_mut().map(RedactedStream::finish).unwrap_or_default()
    }
}

fn is_part_of_one(secret: &str, exact: &[String]) -> bool {
    let found = Redactor::new([secret])
        .map(|redactor| exact.iter().any(|it| redactor.finds(it.as_bytes())));
    found.unwrap_or(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(value: &str) -> Secrets {
        Secrets::of(&Value::array([Value::from(value).tainted(), Value::from("plain")]), &[])
    }

    #[test]
    fn a_secret_is_known_by_itself_where_the_arguments_join_it_with_something() {
        for (at_hand, argument, text, expected) in [
            ("hunter2", "Bearer hunter2", "hunter2", "«secret»"),
            ("hunter2", "Bearer hunter2", "Bearer hunter2", "«secret»"),
            ("hunter2", "u:hunter2", "dTpodW50ZXIy", "«secret»"),
            ("hunter2", "Basic dTpodW50ZXIy", "pw hunter2", "pw «secret»"),
            ("hunter3", "Bearer hunter2", "hunter3", "hunter3"),
        ] {
            let argument = Value::from(argument).tainted();
            let secrets = Secrets::of(&argument, &[Value::from(at_hand).tainted()]);
            assert_eq!(secrets.redact(text), expected, "{argument:?} {text}");
        }
    }

    #[test]
    fn a_host_is_told_only_where_the_secret_is_seen_behind_it() {
        for (secret, uri, host, text, expected) in [
            (
                "Hunter2",
                "http://Hunter2.invalid/x",
                "hunter2.invalid",
                "hunter2.invalid",
                "«secret»",
            ),
            ("Hunter2", "http://Hunter2.invalid/x", "hunter2.invalid", "a hunter2", "a «secret»"),
            (
                "Hunter2",
                "http://2retnuh.invalid/x",
                "2retnuh.invalid",
                "2retnuh.invalid",
                "«secret»",
            ),
            ("Hunter2", "http://[0:0::ABCD]/Hunter2", "[::abcd]", "[::abcd]", "[::abcd]"),
            ("0:0::ABCD", "http://[0:0::ABCD]/", "[::abcd]", "[::abcd]", "«secret»"),
            ("Hunter2", "http://h.invalid/x?q=Hunter2", "h.invalid", "h.invalid", "h.invalid"),
        ] {
            let uri = Value::from(uri).tainted();
            let secrets = Secrets::of(&uri, &[Value::from(secret).tainted()]);
            let secrets = secrets.and_host(&uri, host.to_owned());
            assert_eq!(secrets.redact(text), expected, "{uri:?} {text}");
        }
    }

    #[test]
    fn every_form_of_a_secret_is_redacted() {
        for (secret, text, expected) in [
            ("hunter2", "pw=hunter2!", "pw=«secret»!"),
            ("hunter2", "aHVudGVyMg==", "«secret»"),
            ("hunter2", "68756e74657232", "«secret»"),
            ("hunter 2+", "q=hunter%202%2B", "q=«secret»"),
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
        for (secret, value, expected) in [
            ("hunter2", r#"{"a":"x hunter2","b":"y"}"#, r#"{"a":"«secret»","b":"y"}"#),
            ("hunter2", r#"{"a":{"hunter2":1},"b":"y"}"#, r#"{"a":"«secret»","b":"y"}"#),
            ("1234", r"[1234,123]", r#"["«secret»",123]"#),
            ("abc", r#"["abc","abcd"]"#, r#"["«secret»","abcd"]"#),
        ] {
            let value = Value::from_json(value).expect("JSON");
            assert_eq!(secrets(secret).mark(value).to_redacted_json(), expected, "{secret}");
        }
    }

    #[test]
    fn where_there_are_too_many_everything_is_secret() {
        let secrets = secrets(&"x".repeat(MOST + 1));
        assert_eq!(secrets.redact("plain"), "«secret»");
        assert_eq!(secrets.mark(Value::from("plain")).to_redacted_json(), "\"«secret»\"");
        let mut stream = secrets.stream();
        assert_eq!(stream.push("a\nb\nc".as_bytes()), "«secret»\n«secret»\n".as_bytes());
        assert!(stream.finish().is_empty());
    }
}
