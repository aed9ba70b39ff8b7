//! The language's own conformance features, where they are present, with scripted answers for the two public services.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tutti_expr::Value;
use tutti_sim::{Feature, FeatureScenario, Scenario, check_scenario};

/// What this version checks and does not execute.
const NOT_EXECUTED: [&str; 1] = ["call: openapi"];

const SERVICES: &str = r#"
calls:
  - { on: "https://petstore.swagger.io/v2/pet/findByStatus", answers: [ { output: [ { id: 1, name: Milou, status: available } ] } ] }
  - { on: "https://petstore.swagger.io/v2/pet/getPetByName", answers: [ { error: { type: communication, status: 404 } } ] }
  - { on: "https://petstore.swagger.io/v2/pet/2", answers: [ { output: { id: 2 } } ] }
  - { on: "https://petstore.swagger.io/v2/pet/3", answers: [ { output: { id: 3 } } ] }
  - on: "https://petstore.swagger.io/v2/pet/"
    answers:
      - output:
          id: 1
          request: { method: get, uri: "https://petstore.swagger.io/v2/pet/1", headers: {} }
          statusCode: 200
          headers: {}
          content: { id: 1, name: Milou, status: available }
  - { on: "https://httpbin.org/basic-auth", answers: [ { output: { authenticated: true } } ] }
expect: {}
"#;

#[test]
fn conformance_features_end_as_they_say() {
    let specification = env::var_os("TUTTI_SPEC_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec"),
        PathBuf::from,
    );
    let Ok(files) = fs::read_dir(specification.join("ctk/features")) else {
        return say("skipped: the conformance features are not here");
    };
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    let (mut passed, mut failed) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("a feature is text");
        for scenario in Feature::parse(&text).scenarios {
            let document = &scenario.steps[0].1;
            if let Some(part) = NOT_EXECUTED.iter().find(|part| document.contains(**part)) {
                say(&format!("skipped: {}: `{part}` is not executed yet", scenario.name));
                continue;
            }
            let problems = check_scenario(&read(&scenario));
            match problems.first() {
                None => passed += 1,
                Some(problem) => failed.push(format!("{}: {problem}", scenario.name)),
            }
        }
    }
    say(&format!("{passed} conformance scenarios passed"));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn read(feature: &FeatureScenario) -> Scenario {
    let mut scenario = Scenario::parse(&feature.name, SERVICES).expect("the services are scripted");
    let mut expected = Vec::new();
    let mut order = Vec::new();
    for (sentence, text) in &feature.steps {
        let words: Vec<&str> = sentence.split('\'').collect();
        let value = || tutti_dsl::parse_value(&unindented(text)).expect("the text is YAML");
        if sentence.starts_with("a workflow") {
            scenario.workflows.push(unindented(text));
        } else if sentence.starts_with("the workflow input") {
            scenario.input = Some(value());
        } else if sentence.starts_with("the workflow should complete") {
            expected.push(("status", Value::from("completed")));
            if sentence.ends_with("output:") {
                expected.push(("output", value()));
            }
        } else if sentence.starts_with("the workflow should fault") {
            expected.push(("status", Value::from("faulted")));
            if sentence.ends_with("error:") {
                expected.push(("error", value()));
            }
        } else if sentence.contains("property with value") {
            expected.push(("output", nested(words[1], value())));
        } else if sentence.contains("propert") {
            let names = words.iter().skip(1).step_by(2);
            expected.extend(names.map(|name| ("output", nested(name, Value::from("«any»")))));
        } else if let Some((later, earlier)) = sentence.split_once(" should run after ") {
            order.push((earlier.to_owned(), later.to_owned()));
        }
    }
    // One output is checked: the last sentence about it says most.
    let journal = order.iter().flat_map(|(earlier, later)| [earlier, later]);
    let journal = journal.map(|name| Value::from(format!("/{name}")));
    expected.push(("journal", Value::array(journal)));
    scenario.expect = Value::object(expected);
    scenario
}

/// `a.b` as `{a: {b: value}}`.
fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, name| Value::object([(name, value)]))
}

fn unindented(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    text.lines().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn say(what: &str) {
    // A test that cannot be heard is still a test.
    writeln!(io::stderr(), "{what}").ok();
}
