//! RFC 6570 level 1 templates.

use std::{fmt::Write as _, ops::Range, sync::Arc};

use tutti_expr::{Kind, Value};

/// A URI with `{variables}` that are top-level members of the task's input.
///
/// ```
/// use tutti_dsl::UriTemplate;
/// use tutti_expr::Value;
///
/// let template = UriTemplate::compile("https://example.com/pets/{petId}").expect("a template");
/// let input = Value::object([("petId", Value::from("a b"))]);
/// assert_eq!(template.expand(&input), Ok(Value::from("https://example.com/pets/a%20b")));
/// ```
#[derive(Debug, Clone)]
pub struct UriTemplate {
    /// The template as written.
    pub source: Arc<str>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(Arc<str>),
    Variable(Arc<str>),
}

/// Why a template could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the URI variable `{name}` must be a string, number or boolean")]
pub struct ExpansionError {
    /// The variable.
    pub name: String,
}

/// A text that is no URI or level 1 template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidUriTemplate {
    /// What is wrong.
    pub reason: String,
    /// What could be done.
    pub hint: Option<&'static str>,
    /// The bytes of the text it is about.
    pub range: Range<usize>,
}

impl UriTemplate {
    /// Reads a literal URI or a level 1 template: variables in braces, no operators.
    ///
    /// # Errors
    /// If braces do not match, a variable uses an operator or modifier, or a character cannot stand in a URI.
    pub fn compile(source: &str) -> Result<Self, InvalidUriTemplate> {
        if source.is_empty() {
            let reason = "a URI has at least one character".to_owned();
            return Err(InvalidUriTemplate { reason, hint: None, range: 0..0 });
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while at < source.len() {
            let rest = &source[at..];
            let open = rest.find(['{', '}']).unwrap_or(rest.len());
            if open > 0 {
                check_literal(&rest[..open], at)?;
                parts.push(Part::Literal(Arc::from(&rest[..open])));
                at += open;
                continue;
            }
            let end = rest.find('}').filter(|_| rest.starts_with('{')).ok_or_else(|| {
                let reason = "a brace of the URI template has no partner".to_owned();
                InvalidUriTemplate { reason, hint: None, range: at..at + 1 }
            })?;
            let name = &rest[1..end];
            check_variable(name, at)?;
            parts.push(Part::Variable(Arc::from(name)));
            at += end + 1;
        }
        Ok(Self { source: Arc::from(source), parts })
    }

    /// Expands the variables from the members of `input`; missing ones are empty. A secret's mark is kept.
    ///
    /// # Errors
    /// If a variable's value is an array or object.
    pub fn expand(&self, input: &Value) -> Result<Value, ExpansionError> {
        let mut expanded = String::with_capacity(self.source.len());
        let mut tainted = false;
        for part in &self.parts {
            match part {
                Part::Literal(text) => encode(text, true, &mut expanded),
                Part::Variable(name) => {
                    let Some(value) = input.get(name) else { continue };
                    tainted |= value.is_tainted();
                    let text =
                        scalar(value).ok_or_else(|| ExpansionError { name: name.to_string() })?;
                    encode(&text, false, &mut expanded);
                }
            }
        }
        let value = Value::from(expanded);
        Ok(if tainted { value.tainted() } else { value })
    }

    /// The names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(&**name),
            Part::Literal(_) => None,
        })
    }
}

/// A value as a variable's text; `null` is as if it were missing.
fn scalar(value: &Value) -> Option<String> {
    match value.kind() {
        Kind::Null => Some(String::new()),
        Kind::String(text) => Some(text.to_string()),
        Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => Some(value.to_json()),
        Kind::Array(_) | Kind::Object(_) => None,
    }
}

fn check_literal(text: &str, start: usize) -> Result<(), InvalidUriTemplate> {
    let refused =
        |c: char| c.is_control() || c.is_whitespace() || "\"<>\\^`|'".contains(c) && c != '\'';
    match text.char_indices().find(|(_, c)| refused(*c)) {
        None => Ok(()),
        Some((at, character)) => Err(InvalidUriTemplate {
            reason: format!("the character {character:?} cannot stand in a URI"),
            hint: Some("write it percent-encoded, such as `%20` for a space"),
            range: start + at..start + at + character.len_utf8(),
        }),
    }
}

fn check_variable(name: &str, start: usize) -> Result<(), InvalidUriTemplate> {
    let range = start..start + name.len() + 2;
    if name.starts_with(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|']) {
        return Err(InvalidUriTemplate {
            reason: format!("the operator of `{{{name}}}` is not part of the language"),
            hint: Some("only plain variables such as `{petId}` are; use an expression for more"),
            range,
        });
    }
    let fits = |c: char| c.is_alphanumeric() || "_-.%".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return Err(InvalidUriTemplate {
            reason: format!("`{{{name}}}` is not a variable of a URI template"),
            hint: Some("a variable is the name of a top-level member of the task's input"),
            range,
        });
    }
    Ok(())
}

/// Percent-encodes what is not unreserved; of a literal also reserved characters and triplets stay.
fn encode(text: &str, literal: bool, out: &mut String) {
    for byte in text.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let reserved = literal && b":/?#[]@!$&'()*+,;=%".contains(&byte);
        if unreserved || reserved {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_encoded_and_missing_ones_empty() {
        let check = |template: &str, expected: Result<&str, &str>| {
            let input =
                r#"{"id":7,"name":"a/b ü","ok":true,"none":null,"list":[1],"rate":1.5,"x-y":"z"}"#;
            let input = Value::from_json(input).expect("JSON");
            let template = UriTemplate::compile(template).expect("a template");
            let expanded = template.expand(&input).map_err(|error| error.name);
            assert_eq!(expanded, expected.map(Value::from).map_err(str::to_owned));
        };
        check("https://x.example/{id}", Ok("https://x.example/7"));
        check("https://x.example/{name}?q={rate}", Ok("https://x.example/a%2Fb%20%C3%BC?q=1.5"));
        check("https://x.example/{missing}/{none}/{ok}", Ok("https://x.example///true"));
        check("https://x.example/{x-y}/ä%20", Ok("https://x.example/z/%C3%A4%20"));
        check("https://x.example/{list}", Err("list"));
    }

    #[test]
    fn what_is_not_level_one_is_refused() {
        for template in [
            "http://x/{+path}",
            "http://x/{?q}",
            "http://x/{a",
            "http://x/a}",
            "http://x/{}",
            "a b",
            "{a,b}",
            "{a*}",
        ] {
            assert!(UriTemplate::compile(template).is_err(), "{template}");
        }
    }

    #[test]
    fn secrets_stay_marked() {
        let input = Value::object([("key", Value::from("s3cret").tainted())]);
        let template = UriTemplate::compile("http://x/{key}").expect("a template");
        assert_eq!(template.expand(&input).map(|uri| uri.is_tainted()), Ok(true));
    }
}
