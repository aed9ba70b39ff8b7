//! The tables as a JSON Schema (2020-12) for editors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Key, Object, Rule, Shape, USE, calls, document::ROOT, tasks};
use crate::kinds::Keyword;

/// The JSON Schema of the language, descriptions included: what editors complete and check with.
///
/// It knows shapes only; [`parse`](crate::parse) also checks names, expressions and flow.
pub fn json_schema() -> Value {
    let mut definitions = Definitions::default();
    let mut root = Map::new();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("Tutti workflow"));
    if let Value::Object(body) = definitions.body(&ROOT, &[]) {
        root.extend(body);
    }
    root.insert("additionalProperties".into(), json!(true));
    definitions.tasks();
    root.insert("$defs".into(), Value::Object(definitions.made.into_iter().collect()));
    Value::Object(root)
}

#[derive(Default)]
struct Definitions {
    made: BTreeMap<String, Value>,
}

impl Definitions {
    fn shape(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Any | Shape::Value => json!({}),
            Shape::Text
            | Shape::Expression
            | Shape::TextValue
            | Shape::Code
            | Shape::Directive
            | Shape::Variable => json!({ "type": "string" }),
            Shape::Uri => json!({ "type": "string", "minLength": 1 }),
            Shape::Marked => json!({ "type": "string", "pattern": "^\\s*\\$\\{" }),
            Shape::MapValue => json!({ "type": "object" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Integer { min, max: i64::MAX } => json!({ "type": "integer", "minimum": min }),
            Shape::Integer { min, max } => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
            Shape::Choice(choices) => json!({ "enum": choices }),
            Shape::Duration => self.duration(),
            Shape::DnsLabel => json!({
                "type": "string", "maxLength": 63, "pattern": "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$"
            }),
            Shape::Version => json!({ "type": "string", "pattern": SEMANTIC_VERSION }),
            Shape::VersionOrLatest => json!({
                "anyOf": [{ "const": "latest" }, { "type": "string", "pattern": SEMANTIC_VERSION }]
            }),
            Shape::Host => json!({
                "type": "string", "pattern": "^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$"
            }),
            Shape::JsonSchema => json!({ "type": ["object", "boolean"] }),
            Shape::NotYet => json!({ "not": {} }),
            Shape::List(inner) => json!({ "type": "array", "items": self.shape(inner) }),
            Shape::Map(inner) => {
                json!({ "type": "object", "additionalProperties": self.shape(inner) })
            }
            Shape::Named(inner) => self.named(inner),
            Shape::NonEmptyNamed(inner) => {
                let mut named = self.named(inner);
                named["minItems"] = json!(1);
                named
            }
            Shape::Object(object) => self.reference(object),
            Shape::UseOr(object) => json!({
                "if": { "required": ["use"] },
                "then": self.reference(&USE),
                "else": self.reference(object),
            }),
            Shape::Either(shapes) => {
                json!({ "anyOf": shapes.iter().map(|shape| self.shape(shape)).collect::<Vec<_>>() })
            }
            Shape::Task => json!({ "$ref": "#/$defs/task" }),
            Shape::Tasks => json!({ "$ref": "#/$defs/tasks" }),
        }
    }

    fn named(&mut self, inner: &Shape) -> Value {
        json!({
            "type": "array",
            "items": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": self.shape(inner),
            }
        })
    }

    fn duration(&mut self) -> Value {
        let amount = || json!({ "type": "integer", "minimum": 0 });
        self.made.entry("duration".to_owned()).or_insert_with(|| {
            json!({
                "description": "An ISO 8601 duration such as `PT15M`, units such as `{ minutes: 15 }`, or an expression.",
                "anyOf": [
                    { "type": "string", "pattern": "^(P|\\s*\\$\\{)" },
                    {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": false,
                        "properties": {
                            "days": amount(),
                            "hours": amount(),
                            "minutes": amount(),
                            "seconds": amount(),
                            "milliseconds": amount(),
                        }
                    }
                ]
            })
        });
        json!({ "$ref": "#/$defs/duration" })
    }

    fn reference(&mut self, object: &Object) -> Value {
        if !self.made.contains_key(object.name) {
            // The place is taken first: objects contain each other.
            self.made.insert(object.name.to_owned(), Value::Null);
            let body = self.body(object, &[]);
            self.made.insert(object.name.to_owned(), body);
        }
        json!({ "$ref": format!("#/$defs/{}", object.name) })
    }

    fn body(&mut self, object: &Object, common: &[Key]) -> Value {
        let mut properties = Map::new();
        for key in object.keys.iter().chain(common) {
            properties.insert(key.name.to_owned(), self.key(key));
        }
        let required: Vec<&str> =
            object.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        let others = object.others.map_or(Value::Bool(false), |shape| self.shape(&shape));
        let mut body = json!({
            "type": "object",
            "description": object.doc,
            "properties": properties,
            "additionalProperties": others,
        });
        if !required.is_empty() {
            body["required"] = json!(required);
        }
        let rules: Vec<Value> = object.rules.iter().map(rule).collect();
        if !rules.is_empty() {
            body["allOf"] = Value::Array(rules);
        }
        body
    }

    fn key(&mut self, key: &Key) -> Value {
        let mut schema = self.shape(&key.shape);
        let note = if matches!(key.shape, Shape::NotYet) {
            format!("{} Not supported by this version.", key.doc)
        } else {
            key.doc.to_owned()
        };
        schema["description"] = Value::String(note);
        schema
    }

    fn tasks(&mut self) {
        let tasks = self.named(&Shape::Task);
        self.made.insert("tasks".to_owned(), tasks);
        let mut kinds: Vec<Value> = Vec::new();
        for keyword in Keyword::ALL {
            let object = tasks::of(*keyword);
            let body = match keyword {
                Keyword::Call => self.call(object),
                _ => self.body(object, tasks::COMMON),
            };
            self.made.insert(object.name.to_owned(), body);
            kinds.push(json!({ "$ref": format!("#/$defs/{}", object.name) }));
        }
        self.made.insert("task".to_owned(), json!({ "type": "object", "anyOf": kinds }));
    }

    fn call(&mut self, object: &Object) -> Value {
        let mut body = self.body(object, tasks::COMMON);
        let arguments: Vec<Value> = calls::LANGUAGE
            .iter()
            .map(|(name, arguments)| {
                let mut then = json!({ "properties": { "with": self.reference(arguments) } });
                then["required"] = json!(["with"]);
                json!({ "if": { "properties": { "call": { "const": name } } }, "then": then })
            })
            .collect();
        body["allOf"] = Value::Array(arguments);
        body
    }
}

const SEMANTIC_VERSION: &str =
    "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$";

fn rule(rule: &Rule) -> Value {
    match rule {
        Rule::ExactlyOne(keys) => {
            let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
            json!({ "oneOf": each })
        }
        Rule::Needs { key, other } => json!({ "dependentRequired": { *key: [other] } }),
        Rule::OnlyWith { key, other, value } => json!({
            "if": { "properties": { *other: { "const": value } } },
            "then": { "required": [key] },
            "else": { "not": { "required": [key] } },
        }),
        Rule::NotEmpty => json!({ "minProperties": 1 }),
    }
}
