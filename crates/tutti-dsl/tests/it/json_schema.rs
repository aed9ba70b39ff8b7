//! The JSON Schema that editors use.

use std::path::Path;

use serde_json::Value;
use tutti_dsl::{json_schema, parse};

use crate::specification::{documents, skip, spec_dir};

#[test]
fn the_file_is_fresh() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/workflow.schema.json");
    let mut fresh = serde_json::to_string_pretty(&json_schema()).expect("JSON");
    fresh.push('\n');
    if std::env::var_os("TUTTI_UPDATE").is_some() {
        std::fs::write(&file, &fresh).expect("a writable file");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == fresh, "run the tests once with TUTTI_UPDATE=1 to write it anew");
}

#[test]
fn every_key_has_a_description() {
    fn check(schema: &Value, at: &str, bare: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, property) in properties {
                if property.get("description").is_none() && property.get("const").is_none() {
                    bare.push(format!("{at}/{key}"));
                }
            }
        }
    }
    let schema = json_schema();
    let mut bare = Vec::new();
    check(&schema, "", &mut bare);
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        check(definition, name, &mut bare);
    }
    bare.retain(|key| !key.starts_with("duration"));
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn it_accepts_what_we_accept() {
    let validator = jsonschema::validator_for(&json_schema()).expect("a JSON Schema");
    let check = |name: &str, text: &str| {
        let workflow = parse(text).workflow.expect("a valid document");
        let document = Value::from(&workflow.definition);
        let told: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(told.is_empty(), "{name}: {told:#?}");
    };
    for code in tutti_dsl::Code::ALL {
        let fix = code.page().split("```yaml\n").nth(2).and_then(|rest| rest.split("```").next());
        check(code.as_str(), fix.expect("a fix"));
    }
    let Some(spec) = spec_dir() else {
        skip("the specification is not beside the repository");
        return;
    };
    for (name, text) in documents(&spec.join("examples")) {
        check(&name, &text);
    }
}

#[test]
fn it_refuses_unknown_keys_and_kinds() {
    let validator = jsonschema::validator_for(&json_schema()).expect("a JSON Schema");
    let document = |task: &str| -> Value {
        let text = format!(
            r#"{{"document":{{"dsl":"1.0.3","namespace":"a","name":"b","version":"1.0.0"}},"do":[{{"t":{task}}}]}}"#
        );
        serde_json::from_str(&text).expect("JSON")
    };
    assert!(validator.is_valid(&document(r#"{"set":{"x":1}}"#)));
    for task in [
        r#"{"set":{"x":1},"thn":"end"}"#,
        r#"{"sett":{"x":1}}"#,
        r#"{"set":{"x":1},"wait":"PT1S"}"#,
        r#"{"call":"http","with":{"method":"get"}}"#,
        r#"{"call":"http"}"#,
        r#"{"set":{"x":1},"metadata":{"tutti":{"pools":{"db":1}}}}"#,
        r#"{"run":{"shell":{"command":"x"},"script":{"language":"js","code":"x"}}}"#,
    ] {
        assert!(!validator.is_valid(&document(task)), "{task}");
    }
}
