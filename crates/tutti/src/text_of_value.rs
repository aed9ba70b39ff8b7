//! Values as text: JSON in one line, JSON with indentation, YAML.

use std::io::{self, IsTerminal as _};

use tutti_expr::{Kind, Value};

use crate::command_line::OutputFormat;

/// The output as text with a newline at its end. What came from a secret is shown as `«secret»`.
pub(crate) fn text_of(value: &Value, format: Option<OutputFormat>) -> String {
    let value = value.redacted();
    match format.unwrap_or_else(usual) {
        OutputFormat::Json => format!("{}\n", value.to_json()),
        OutputFormat::Pretty => {
            let mut text = String::new();
            pretty(&value, 0, &mut text);
            text.push('\n');
            text
        }
        OutputFormat::Yaml => {
            let mut text = String::new();
            yaml(&value, 0, &mut text);
            let text = text.trim_start_matches([' ', '\n']);
            if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
        }
    }
}

fn usual() -> OutputFormat {
    if io::stdout().is_terminal() { OutputFormat::Pretty } else { OutputFormat::Json }
}

fn pretty(value: &Value, depth: usize, out: &mut String) {
    let (open, close, empty) = match value.kind() {
        Kind::Array(items) => ('[', ']', items.is_empty()),
        Kind::Object(members) => ('{', '}', members.is_empty()),
        _ => return out.push_str(&value.to_json()),
    };
    out.push(open);
    for (position, (key, member)) in members_of(value).into_iter().enumerate() {
        out.push_str(if position == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            out.push_str(&Value::from(key).to_json());
            out.push_str(": ");
        }
        pretty(member, depth + 1, out);
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(close);
}

/// Writes a value after `key:` or `-`, or at the beginning.
fn yaml(value: &Value, depth: usize, out: &mut String) {
    match value.kind() {
        Kind::Array(items) if !items.is_empty() => {}
        Kind::Object(members) if !members.is_empty() => {}
        Kind::String(text) => {
            out.push(' ');
            out.push_str(&yaml_text(text));
            return out.push('\n');
        }
        _ => {
            out.push(' ');
            out.push_str(&value.to_json());
            return out.push('\n');
        }
    }
    // The first member of what stands in a list follows its dash.
    let mut follows_dash = out.ends_with('-');
    out.push_str(if follows_dash { " " } else { "\n" });
    for (key, member) in members_of(value) {
        if !std::mem::take(&mut follows_dash) {
            out.push_str(&"  ".repeat(depth));
        }
        match key {
            Some(key) => {
                out.push_str(&yaml_text(key));
                out.push(':');
            }
            None => out.push('-'),
        }
        yaml(member, depth + 1, out);
    }
}

fn members_of(value: &Value) -> Vec<(Option<&str>, &Value)> {
    match value.kind() {
        Kind::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Kind::Object(members) => members.iter().map(|(key, value)| (Some(&**key), value)).collect(),
        _ => Vec::new(),
    }
}

/// A text as it is where it cannot be read as anything else, as JSON (which is YAML) otherwise.
fn yaml_text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " _-./+@%".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_json() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Value {
        let text =
            r#"{"a":[1,{"b":"yes"},[],[[true]]],"c":{},"d e":"x: y","n":null,"s":"plain text"}"#;
        Value::from_json(text).expect("JSON")
    }

    #[test]
    fn json_stands_in_one_line() {
        let value = Value::object([("k", Value::from("v").tainted()), ("l", Value::from(1_i64))]);
        assert_eq!(text_of(&value, Some(OutputFormat::Json)), "{\"k\":\"«secret»\",\"l\":1}\n");
    }

    #[test]
    fn pretty_json_is_the_same_value() {
        let text = text_of(&value(), Some(OutputFormat::Pretty));
        assert_eq!(Value::from_json(&text).expect("JSON"), value());
        assert!(
            text.starts_with("{\n  \"a\": [\n    1,\n    {\n      \"b\": \"yes\"\n    },\n    [],")
        );
    }

    #[test]
    fn yaml_quotes_what_would_be_read_otherwise() {
        let text = text_of(&value(), Some(OutputFormat::Yaml));
        let expected = "a:\n  - 1\n  - b: \"yes\"\n  - []\n  - - - true\nc: {}\nd e: \"x: y\"\n\"n\": null\ns: plain text\n";
        assert_eq!(text, expected);
        assert_eq!(text_of(&Value::from("x"), Some(OutputFormat::Yaml)), "x\n");
        assert_eq!(text_of(&Value::NULL, Some(OutputFormat::Yaml)), "null\n");
    }
}
