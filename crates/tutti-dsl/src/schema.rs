//! JSON Schemas in documents, compiled.

mod bounds;

use std::{borrow::Cow, fmt};

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as Json;
use tutti_expr::{Object, Value};

use self::bounds::Bounds;

/// Violations told at once.
const MAX_VIOLATIONS: usize = 16;
/// Bytes of one compiled pattern.
const MAX_PATTERN: usize = 1024 * 1024;
/// Characters of a value shown in a message.
const SHOWN: usize = 60;

/// A compiled JSON Schema (2020-12, 2019-09 or 07) with bounded patterns and references.
///
/// References stay inside the schema; patterns match in linear time; checking a value ends within 1,000,000 steps.
///
/// ```
/// use tutti_dsl::Schema;
/// use tutti_expr::Value;
///
/// let schema = Value::from_json(r#"{ "type": "object", "required": ["id"] }"#).expect("JSON");
/// let schema = Schema::compile(&schema).expect("a schema");
/// let violations = schema.validate(&Value::from(7)).expect_err("7 is no object");
/// assert_eq!(violations[0].message, "7 is not of type \"object\"");
/// ```
pub struct Schema {
    /// The schema as written.
    pub source: Value,
    json: Json,
    validator: Validator,
    bounds: Bounds,
}

/// One way in which a value does not fit a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The RFC 6901 pointer to the part of the value.
    pub pointer: String,
    /// What is wrong with it; never shows a secret.
    pub message: String,
}

/// A JSON Schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidSchema {
    /// What is wrong.
    pub reason: String,
    /// The RFC 6901 pointer to the part of the schema.
    pub pointer: String,
}

impl Schema {
    /// Compiles a schema; without `$schema` it is 2020-12.
    ///
    /// # Errors
    /// If it is of another draft, breaks the draft's own schema, refers outside of itself or in circles that consume
    /// nothing, unfolds to more than 10,000 parts, or has a pattern that cannot be matched in linear time.
    pub fn compile(source: &Value) -> Result<Self, InvalidSchema> {
        let json = Json::from(source);
        let draft = draft(&json)?;
        let bounds = Bounds::of(&json)?;
        let validator = jsonschema::options()
            .with_draft(draft)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
            .offline()
            .build(&json)
            .map_err(|error| InvalidSchema {
                reason: shortened(&error.to_string()),
                pointer: error.instance_path().as_str().to_owned(),
            })?;
        Ok(Self { source: source.clone(), json, validator, bounds })
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The violations, at most 16.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let json = Json::from(value);
        if !self.bounds.allow(&self.json, &json) {
            let message = "checking the value against the schema takes more than 1,000,000 steps";
            return Err(vec![Violation { pointer: String::new(), message: message.to_owned() }]);
        }
        let violations: Vec<Violation> = self
            .validator
            .iter_errors(&json)
            .take(MAX_VIOLATIONS)
            .map(|error| {
                let pointer = error.instance_path().as_str().to_owned();
                if let Some(end) = secret_names_at(value, &pointer) {
                    let message = "the object, whose names come from a secret, does not fit";
                    return Violation {
                        message: message.to_owned(),
                        pointer: pointer[..end].to_owned(),
                    };
                }
                let part = value.pointer(&pointer);
                Violation { message: error.masked_with(shown(part)).to_string(), pointer }
            })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.source).finish()
    }
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

fn shortened(text: &str) -> String {
    const MAX: usize = 300;
    let line = text.lines().next().unwrap_or("");
    let mut short: String = line.chars().take(MAX).collect();
    if line.chars().count() > MAX {
        short.push('…');
    }
    short
}

fn draft(schema: &Json) -> Result<Draft, InvalidSchema> {
    let Some(named) = schema.get("$schema") else { return Ok(Draft::Draft202012) };
    let uri = named.as_str().unwrap_or("").trim_end_matches('#');
    let path = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")).unwrap_or("");
    match path {
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        _ => Err(InvalidSchema {
            reason: format!(
                "the draft `{uri}` of JSON Schema is not known: 2020-12, 2019-09 and 07 are"
            ),
            pointer: "/$schema".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(json: &str) -> Result<Schema, InvalidSchema> {
        Schema::compile(&Value::from_json(json).expect("JSON"))
    }

    #[test]
    fn violations_say_where_and_what() {
        let check = |schema: &str, value: &str, expected: &[(&str, &str)]| {
            let schema = compile(schema).expect("a schema");
            let value = Value::from_json(value).expect("JSON");
            let violations = schema.validate(&value).err().unwrap_or_default();
            let found: Vec<(&str, &str)> =
                violations.iter().map(|v| (v.pointer.as_str(), v.message.as_str())).collect();
            assert_eq!(found, expected);
        };
        check(r#"{"type":"object"}"#, "{}", &[]);
        check(
            r#"{"properties":{"a":{"type":"integer"}},"required":["b"]}"#,
            r#"{"a":"x"}"#,
            &[("", "\"b\" is a required property"), ("/a", "\"x\" is not of type \"integer\"")],
        );
        check("false", "1", &[("", "False schema does not allow 1")]);
        check(
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"null"}},"items":[{"$ref":"#/definitions/n"}]}"##,
            "[1]",
            &[("/0", "1 is not of type \"null\"")],
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        let schema = compile(r#"{"properties":{"token":{"maxLength":3}}}"#).expect("a schema");
        let value = Value::object([("token", Value::from("hunter2").tainted())]);
        let violations = schema.validate(&value).expect_err("too long");
        assert_eq!(violations[0].message, "«secret» is longer than 3 characters");
    }

    #[test]
    fn names_that_come_from_a_secret_are_never_shown() {
        let inner = Value::object([("hunter2", Value::object([("b", Value::from(1))]))]);
        let value = Value::object([("a", inner.tainted())]);
        for schema in [
            r#"{"properties":{"a":{"additionalProperties":false}}}"#,
            r#"{"properties":{"a":{"additionalProperties":{"type":"string"}}}}"#,
            r#"{"properties":{"a":{"additionalProperties":{"properties":{"b":false}}}}}"#,
            r#"{"properties":{"a":{"propertyNames":{"maxLength":3}}}}"#,
        ] {
            let violations = compile(schema).expect("a schema").validate(&value);
            let told = format!("{:?}", violations.expect_err(schema));
            assert!(!told.contains("hunter2") && told.contains("\"/a\""), "{schema}: {told}");
        }
    }

    #[test]
    fn many_violations_are_cut() {
        let schema = compile(r#"{"items":{"type":"string"}}"#).expect("a schema");
        let value = Value::array((0..1_000).map(Value::from));
        assert_eq!(schema.validate(&value).expect_err("no strings").len(), MAX_VIOLATIONS);
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        let check = |schema: &str, pointer: &str| {
            let error = compile(schema).expect_err(schema);
            assert_eq!(error.pointer, pointer, "{schema}: {error}");
        };
        check(r##"{"$ref":"#"}"##, "/$ref");
        check(
            r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}"##,
            "/$defs/b/not/$ref",
        );
        check(r#"{"$ref":"https://example.com/schema.json"}"#, "/$ref");
        check(r#"{"properties":{"a":{"$ref":"other.json"}}}"#, "/properties/a/$ref");
        check(r##"{"$ref":"#/$defs/none"}"##, "/$ref");
        check(r#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, "/$schema");
        check(r#"{"type":"strin"}"#, "/type");
        check(r#"{"pattern":"(?=look)ahead"}"#, "/pattern");
        check(r#"{"pattern":"(((a{1000}){1000}){1000})"}"#, "/pattern");
    }

    #[test]
    fn branching_that_doubles_at_every_level_is_refused() {
        let mut definitions: Vec<String> = (0..40)
            .map(|n| {
                let next = n + 1;
                format!(r##""d{n}":{{"allOf":[{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{next}"}}]}}"##)
            })
            .collect();
        definitions.push(r#""d40":{}"#.to_owned());
        let schema = format!(r##"{{"$defs":{{{}}},"$ref":"#/$defs/d0"}}"##, definitions.join(","));
        assert!(compile(&schema).is_err());

        let twice = r##"{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["b"]},{"properties":{"a":{"$ref":"#"}},"required":["b"]}]}"##;
        let schema = compile(twice).expect("a schema");
        let deep = (0..60).fold(Value::NULL, |inner, _| Value::object([("a", inner)]));
        let violations = schema.validate(&deep).expect_err("too many steps");
        assert!(violations[0].message.contains("1,000,000 steps"), "{violations:?}");
    }

    #[test]
    fn recursion_that_consumes_is_fine() {
        let schema = r##"{"properties":{"children":{"type":"array","items":{"$ref":"#"}},"name":{"type":"string"}}}"##;
        let schema = compile(schema).expect("a schema");
        let tree = Value::from_json(r#"{"name":"a","children":[{"name":1}]}"#).expect("JSON");
        let violations = schema.validate(&tree).expect_err("a number");
        assert_eq!(violations[0].pointer, "/children/0/name");
    }
}
