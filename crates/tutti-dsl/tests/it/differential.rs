//! Our verdict against the official schema's, on the specification's examples and on mutations of them.
//!
//! Every difference falls into a class that docs/reference/differences.md explains.

use serde_json::{Map, Value, json};
use tutti_dsl::{Severity, parse};

use crate::specification::{documents, skip, spec_dir};

/// Mutations of each example.
const MUTATIONS: u64 = 60;

/// The official schema, read by our own YAML reader as a part of a document.
fn official(yaml: &str) -> Value {
    let mut text = String::from(
        "document:\n  dsl: 1.0.3\n  namespace: a\n  name: b\n  version: 1.0.0\n  metadata:\n    schema:\n",
    );
    for line in yaml.lines() {
        text.push_str("      ");
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("do: []\n");
    let parsed = parse(&text);
    let workflow = parsed.workflow.expect("a document that holds the schema");
    Value::from(workflow.document.metadata.get("schema").expect("the schema"))
}

/// What we accept beyond release 1.0.3: name, place in its schema, what stands there instead.
fn looser() -> Vec<(&'static str, &'static str, Value)> {
    let text = || json!({ "type": "string" });
    let http = "/$defs/callTask/oneOf/2/allOf/1/properties/with/properties";
    let query: &'static str =
        Box::leak(format!("{http}/query/oneOf/0/additionalProperties").into_boxed_str());
    vec![
        // Not an expression, not empty; expressions are an alternative of their own.
        (
            "relative-uri",
            "/$defs/uriTemplate",
            json!({ "type": "string", "pattern": "^(?!\\s*\\$\\{)[\\s\\S]+$" }),
        ),
        ("query-values", query, json!(true)),
        ("event-source", "/$defs/eventProperties/properties/source", text()),
        ("event-attributes", "/$defs/eventProperties/properties/time", text()),
        ("event-attributes", "/$defs/eventProperties/properties/dataschema", text()),
        (
            "optional-source",
            "/$defs/emitTask/allOf/1/properties/emit/properties/event/properties/with/required",
            json!(["type"]),
        ),
        ("bare-expressions", "/$defs/asyncApiSubscription/properties/filter", text()),
        (
            "bare-expressions",
            "/$defs/asyncApiMessageConsumptionPolicy/oneOf/1/properties/while",
            text(),
        ),
        (
            "bare-expressions",
            "/$defs/asyncApiMessageConsumptionPolicy/oneOf/2/properties/until",
            text(),
        ),
        (
            "inline-items",
            "/$defs/forTask/allOf/1/properties/for/properties/in",
            json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "object" } }] }),
        ),
        (
            "script-arguments",
            "/$defs/runTask/allOf/1/properties/run/oneOf/1/properties/script/properties/arguments",
            json!({ "oneOf": [{ "type": "object" }, { "type": "array", "items": { "type": "string" } }] }),
        ),
        ("catch-then", "/$defs/tryTask/allOf/1/properties/catch/properties/then", text()),
        ("filter-detail", "/$defs/errorFilter/properties/detail", text()),
        (
            "schedule-read",
            "/properties/schedule/properties/read",
            json!({ "enum": ["data", "envelope", "raw"] }),
        ),
    ]
}

/// The schema with all that we accept beyond it.
fn widened(official: &Value) -> Value {
    let mut schema = official.clone();
    for (name, pointer, replacement) in looser() {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent =
            schema.pointer_mut(parent).unwrap_or_else(|| unreachable!("{name}: {pointer}"));
        parent[key] = replacement;
    }
    schema
}

/// A seeded sequence of numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

/// Every pointer of a value but the root's.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut visit = |token: &str, inner: &Value| {
        let pointer = format!("{at}/{}", token.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        pointers(inner, &pointer, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| visit(key, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| visit(&index.to_string(), inner));
        }
        _ => {}
    }
}

fn mutate(document: &Value, chance: &mut Chance) -> Value {
    let mut mutated = document.clone();
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let pointer = &all[chance.below(all.len())];
    let (parent, token) = pointer.rsplit_once('/').expect("a pointer");
    let token = token.replace("~1", "/").replace("~0", "~");
    let kind = chance.below(5);
    let replacements = [
        Value::Null,
        json!(true),
        json!(5),
        json!(-1.5),
        json!("text"),
        json!("${ .x }"),
        json!("https://example.com/a"),
        json!("PT5S"),
        json!([]),
        json!({}),
        json!({ "x": 1 }),
        json!(["x"]),
    ];
    let replacement = replacements[chance.below(replacements.len())].clone();
    let Some(parent) = mutated.pointer_mut(parent) else { return mutated };
    match parent {
        Value::Object(members) => mutate_member(members, &token, kind, replacement),
        Value::Array(items) => {
            let index: usize = token.parse().expect("an index");
            match kind {
                0 => _ = items.remove(index),
                1 => items.push(items[index].clone()),
                _ => items[index] = replacement,
            }
        }
        _ => {}
    }
    mutated
}

fn mutate_member(members: &mut Map<String, Value>, key: &str, kind: usize, replacement: Value) {
    match kind {
        0 => _ = members.remove(key),
        1 => {
            let copy = members[key].clone();
            members.insert(format!("{key}Copy"), copy);
        }
        2 => {
            let value = members.remove(key).unwrap_or_default();
            members.insert(format!("{key}x"), value);
        }
        _ => _ = members.insert(key.to_owned(), replacement),
    }
}

/// Where we are stricter: name, code, and what the message or pointer has in it.
const STRICTER: &[(&str, &str, &str)] = &[
    ("schema-type", "E0105", "schema/document"),
    ("required-keys", "E0106", "authority"),
    ("required-keys", "E0106", "grant"),
    ("required-keys", "E0106", "emit/event` lacks the key `with`"),
    ("unknown-keys", "E0107", "is no key of"),
    ("known-values", "E0108", "language"),
    ("known-values", "E0108", "HTTP method"),
    ("names", "E0112", ""),
    ("names", "E0113", ""),
    ("task-names", "E0114", ""),
    ("flow", "E0115", ""),
    ("flow", "E0131", ""),
    ("flow", "E0135", ""),
    ("references", "E0117", ""),
    ("references", "E0118", ""),
    ("references", "E0119", ""),
    ("references", "E0120", ""),
    ("references", "E0121", ""),
    ("references", "E0122", ""),
    ("references", "E0130", ""),
    ("expressions", "E0123", ""),
    ("expressions", "E0124", ""),
    ("expressions", "E0125", ""),
    ("expressions", "E0136", ""),
    ("ranges", "E0110", "status"),
    ("ranges", "E0110", "count"),
    ("ranges", "E0110", "jitter"),
    ("durations", "E0126", ""),
    ("uris", "E0127", ""),
    ("schemas", "E0128", ""),
    ("schemas", "E0129", ""),
    ("schedules", "E0134", ""),
    ("limits", "E0103", ""),
    ("language-version", "E0111", ""),
];

#[test]
fn every_difference_from_the_official_schema_is_explained() {
    let Some(spec) = spec_dir() else {
        skip("the specification is not beside the repository");
        return;
    };
    let yaml = std::fs::read_to_string(spec.join("schema/workflow.yaml")).expect("the schema");
    let schema = official(&yaml);
    let official = jsonschema::validator_for(&schema).expect("a JSON Schema");
    let widened = jsonschema::validator_for(&widened(&schema)).expect("a JSON Schema");
    let mut unexplained = String::new();
    let mut counts = [0_u32; 3];
    for (seed, (name, text)) in (1..).zip(documents(&spec.join("examples"))) {
        let workflow = parse(&text).workflow.expect("a valid example");
        let document = Value::from(&workflow.definition);
        assert!(official.is_valid(&document), "{name}");
        let mut chance = Chance(seed);
        for _ in 0..MUTATIONS {
            let mutated = mutate(&document, &mut chance);
            let (counted, told) = compare(&mutated, &official, &widened);
            counts[counted] += 1;
            if let Some(told) = told {
                unexplained.extend([&name, ": ", &told, "\n", &mutated.to_string(), "\n"]);
            }
        }
    }
    assert!(counts.iter().sum::<u32>() >= 2_000);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(unexplained.is_empty(), "\n{unexplained}");
}

/// Which of agreed, stricter and looser a document is, and what about it no class explains.
fn compare(
    document: &Value,
    official: &jsonschema::Validator,
    widened: &jsonschema::Validator,
) -> (usize, Option<String>) {
    let parsed = parse(&document.to_string());
    let errors: Vec<_> =
        parsed.diagnostics.iter().filter(|found| found.severity() == Severity::Error).collect();
    match (errors.is_empty(), official.is_valid(document)) {
        (false, true) => {
            let explained = errors.iter().all(|found| {
                STRICTER.iter().any(|(_, code, part)| {
                    *code == found.code.as_str()
                        && (found.message.contains(part) || found.pointer.contains(part))
                })
            });
            let told = errors.iter().map(|found| format!("{} {}", found.code, found.message));
            (1, (!explained).then(|| format!("stricter: {}", told.collect::<Vec<_>>().join("; "))))
        }
        (true, false) => {
            let error = widened.iter_errors(document).next();
            (2, error.map(|error| format!("looser: {}", error.instance_path())))
        }
        _ => (0, None),
    }
}

#[test]
fn every_class_of_differences_is_documented() {
    let text = include_str!("../../../../docs/reference/differences.md");
    let stricter = STRICTER.iter().map(|(name, ..)| *name);
    for name in looser().into_iter().map(|(name, ..)| name).chain(stricter) {
        assert!(text.contains(&format!("| `{name}` |")), "{name}");
    }
}
