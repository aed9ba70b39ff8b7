//! JSON Schemas in documents, compiled.

mod bounds;
mod violations;

use std::{error::Error, fmt};

use boon::{CompileError, Compiler, Draft, SchemaIndex, Schemas, UrlLoader};
use serde_json::Value as Json;
use tutti_expr::Value;

use self::{bounds::Bounds, violations::violations};

/// Where the library keeps the one schema that it is given.
const PLACE: &str = "urn:schema";

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
    compiled: Schemas,
    root: SchemaIndex,
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
        let mut compiled = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.set_default_draft(draft);
        compiler.use_loader(Box::new(Nowhere));
        let refused = |error| invalid(&error, source);
        compiler.add_resource(PLACE, json.clone()).map_err(refused)?;
        let root = compiler.compile(PLACE, &mut compiled).map_err(refused)?;
        Ok(Self { source: source.clone(), json, compiled, root, bounds })
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
        let checked = self.compiled.validate(&json, self.root);
        checked.map_err(|error| violations(&error, value))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.source).finish()
    }
}

/// Loads no other schema, from anywhere.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, _url: &str) -> Result<Json, Box<dyn Error>> {
        Err("others are not loaded".into())
    }
}

/// Why the library cannot use a schema.
fn invalid(error: &CompileError, source: &Value) -> InvalidSchema {
    match error {
        CompileError::ValidationError { src, .. } => {
            let first = violations(src, source).into_iter().next();
            let (reason, pointer) = first.map(|v| (v.message, v.pointer)).unwrap_or_default();
            InvalidSchema { reason, pointer }
        }
        CompileError::InvalidRegex { regex, .. } => InvalidSchema {
            reason: shortened(&format!("`{regex}` is no pattern that matches in linear time")),
            pointer: String::new(),
        },
        other => InvalidSchema { reason: shortened(&other.to_string()), pointer: String::new() },
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
    let Some(named) = schema.get("$schema") else { return Ok(Draft::V2020_12) };
    let uri = named.as_str().unwrap_or("").trim_end_matches('#');
    let path = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")).unwrap_or("");
    match path {
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::V2020_12),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::V2019_09),
        "json-schema.org/draft-07/schema" => Ok(Draft::V7),
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
        let names = r#"{"additionalProperties":{"propertyNames":{"maxLength":1}}}"#;
        let told = "the name of the property \"bc\" does not fit `propertyNames`";
        check(names, r#"{"x":{"a":1,"bc":2}}"#, &[("/x", told)]);
        check("false", "1", &[("", "nothing is allowed here, not even 1")]);
        check(
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"null"}},"items":[{"$ref":"#/definitions/n"}]}"##,
            "[1]",
            &[("/0", "1 is not of type \"null\"")],
        );
    }

    #[test]
    fn of_several_schemas_the_one_of_the_right_kind_is_told() {
        let schema = r#"{"anyOf":[{"enum":["low","high"]},{"type":"array"}]}"#;
        let told = |value: Value| {
            let violations = compile(schema).expect("a schema").validate(&value);
            violations.expect_err("does not fit").remove(0).message
        };
        assert_eq!(told(Value::from("lo")), r#""lo" is none of "low", "high""#);
        let either = compile(r#"{"oneOf":[{"minimum":3},{"multipleOf":2}]}"#).expect("a schema");
        let violations = either.validate(&Value::from(1)).expect_err("neither");
        assert_eq!(violations[0].message, "1 fits none of the schemas of `oneOf`");
        let violations = either.validate(&Value::from(4)).expect_err("both");
        assert_eq!(
            violations[0].message,
            "4 fits more than one schema of `oneOf`: those at 0 and 1"
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
        assert_eq!(schema.validate(&value).expect_err("no strings").len(), 16);
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

        let items = Value::array((0..1_000_001).map(Value::from));
        let violations = compile(r#"{"items":{}}"#).expect("a schema").validate(&items);
        let violations = violations.expect_err("too many steps");
        assert!(violations[0].message.contains("1,000,000 steps"), "{violations:?}");

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
