//! The contract as an OpenAPI 3.1 document, made from the operations and their types.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{Input, Method, Operation, Output, PROBLEM_JSON, Problem};

/// The whole document. Pure: the same for every server of this version.
pub fn document(version: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>().to_value();
    let mut paths = Map::new();
    for operation in Operation::ALL {
        let path = paths.entry(operation.path()).or_insert_with(|| json!({}));
        path[method(operation.method())] = describe(*operation, &mut generator, &problem);
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tutti",
            "version": version,
            "description": "Runs workflows of the Serverless Workflow DSL, durably. What goes wrong is told as problem details with a stable code.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Delete => "delete",
    }
}

fn describe(operation: Operation, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let parameters: Vec<Value> = path_parameters(operation.path())
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .chain(operation.query().iter().map(|query| {
            let schema = match query.name {
                "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 1_000 }),
                "values" => json!({ "type": "boolean" }),
                _ => json!({ "type": "string" }),
            };
            json!({ "name": query.name, "in": "query", "description": query.about, "schema": schema })
        }))
        .collect();
    let mut answers = Map::new();
    answers.insert(operation.status().to_string(), success(operation, generator));
    let failed = json!({ "description": "What went wrong", "content": { PROBLEM_JSON: { "schema": problem } } });
    answers.insert("default".to_owned(), failed);
    for status in other_successes(operation) {
        answers.insert(status.to_string(), success(operation, generator));
    }
    let mut described = json!({
        "operationId": operation.name(),
        "summary": operation.summary(),
        "parameters": parameters,
        "responses": answers,
    });
    if let Some(body) = request(operation, generator) {
        described["requestBody"] = body;
    }
    described
}

/// The statuses beside the usual one with which an operation ends well.
fn other_successes(operation: Operation) -> &'static [u16] {
    match operation {
        Operation::PublishWorkflow | Operation::StartExecution => &[200, 202],
        _ => &[],
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.split_once('}').map(|it| it.0))
}

fn success(operation: Operation, generator: &mut SchemaGenerator) -> Value {
    let content = match operation.output() {
        Output::Nothing => return json!({ "description": "Done" }),
        Output::Json(body) => ("application/json", body(generator).to_value()),
        Output::Stream => ("text/event-stream", json!({ "type": "string" })),
        Output::Metrics => ("text/plain", json!({ "type": "string" })),
        Output::OpenApi => ("application/json", json!({ "type": "object" })),
    };
    json!({ "description": "Done", "content": { content.0: { "schema": content.1 } } })
}

fn request(operation: Operation, generator: &mut SchemaGenerator) -> Option<Value> {
    let any = json!({ "type": "string" });
    let event = json!({ "type": "object" });
    let (required, content) = match operation.input() {
        Input::Nothing => return None,
        Input::Document => (
            true,
            json!({ "application/yaml": { "schema": any }, "application/json": { "schema": {} } }),
        ),
        Input::Events => (
            true,
            json!({
                "application/cloudevents+json": { "schema": event },
                "application/cloudevents-batch+json": { "schema": { "type": "array", "items": event } },
                "application/json": { "schema": {} },
            }),
        ),
        Input::Optional(body) => {
            (false, json!({ "application/json": { "schema": body(generator).to_value() } }))
        }
        Input::Json(body) => {
            (true, json!({ "application/json": { "schema": body(generator).to_value() } }))
        }
    };
    Some(json!({ "required": required, "content": content }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_there_once_and_every_reference_is_defined() {
        let document = document("0.0.0");
        let mut ids = BTreeSet::new();
        for path in document["paths"].as_object().expect("paths").values() {
            for operation in path.as_object().expect("operations").values() {
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id.to_owned()), "{id} comes twice");
            }
        }
        assert_eq!(ids.len(), Operation::ALL.len());
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap_or("");
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
