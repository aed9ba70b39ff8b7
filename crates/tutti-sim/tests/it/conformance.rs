//! The language's own conformance features, where they are present: with scripted answers in every way that must not make
//! a difference, and with the real connector, runtime and store against servers that stand in for the two public services.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tutti_connectors::LogLine;
use tutti_dsl::Workflow;
use tutti_engine::{Limits, Outcome};
use tutti_expr::Value;
use tutti_journal::{Entry, Turn};
use tutti_runtime::{Library, Observer, Options, Runtime, Settlement, SystemClock};
use tutti_sim::{
    Feature, FeatureScenario, FixedSecrets, PlainSealer, Scenario, check_scenario, differs,
};
use tutti_store::SqliteStore;

use crate::public_services::PublicServices;

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

/// What is left out, in order: each asks for a protocol that this version does not speak.
const UNSUPPORTED: [&str; 2] =
    ["Call OpenAPI With Content Output", "Call OpenAPI With Response Output"];

/// A scenario of a feature, read.
struct Conformance {
    name: String,
    document: String,
    input: Option<Value>,
    status: &'static str,
    /// What the output must look like, all sentences about it taken together.
    output: Option<Value>,
    error: Option<Value>,
    /// Of these tasks the first is started before the second.
    order: Vec<(String, String)>,
    first: Option<String>,
    last: Option<String>,
}

#[test]
fn conformance_features_end_as_they_say() {
    check_all("with scripted answers", |conformance| check_scenario(&scripted(conformance)));
}

#[test]
fn conformance_features_end_as_they_say_over_the_network_and_on_disk() {
    let tokio = tokio::runtime::Runtime::new().expect("a runtime");
    tokio.block_on(async {
        let services = PublicServices::open().await;
        // Within, each scenario is waited for by blocking this thread; the others serve.
        tokio::task::block_in_place(|| {
            check_all("over the network", |conformance| {
                tokio::runtime::Handle::current().block_on(execute(conformance, &services))
            });
        });
    });
}

/// Checks every scenario whose keywords are all executed, and names the others.
fn check_all(how: &str, check: impl Fn(&Conformance) -> Vec<String>) {
    let specification = env::var_os("TUTTI_SPEC_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec"),
        PathBuf::from,
    );
    let Ok(files) = fs::read_dir(specification.join("ctk/features")) else {
        return say("SKIPPED: the conformance features are not here");
    };
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    let (mut passed, mut failed, mut left) = (0, Vec::new(), Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("a feature is text");
        for scenario in Feature::parse(&text).scenarios {
            let conformance = Conformance::read(&scenario);
            if let Some(part) = conformance.unsupported() {
                say(&format!("SKIPPED: {}: {part}", scenario.name));
                left.push(scenario.name);
                continue;
            }
            let problems = check(&conformance);
            match problems.first() {
                None => passed += 1,
                Some(problem) => failed.push(format!("{}: {problem}", scenario.name)),
            }
        }
    }
    say(&format!("{passed} conformance scenarios passed {how}"));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed > 0, "there are features and none of them is executed");
    assert_eq!(left, UNSUPPORTED, "what is left out");
}

impl Conformance {
    fn read(feature: &FeatureScenario) -> Self {
        let mut read = Self {
            name: feature.name.clone(),
            document: String::new(),
            input: None,
            status: "",
            output: None,
            error: None,
            order: Vec::new(),
            first: None,
            last: None,
        };
        for (sentence, text) in &feature.steps {
            read.sentence(sentence, &unindented(text));
        }
        read
    }

    fn sentence(&mut self, sentence: &str, text: &str) {
        let words: Vec<&str> = sentence.split('\'').collect();
        let value = || tutti_dsl::parse_value(text).expect("the text is YAML");
        let before = |end: &str| sentence.strip_suffix(end).map(str::to_owned);
        if sentence.starts_with("a workflow") {
            text.clone_into(&mut self.document);
        } else if sentence.starts_with("the workflow input") {
            self.input = Some(value());
        } else if sentence.starts_with("the workflow should complete") {
            self.status = "completed";
            self.output = sentence.ends_with("output:").then(value);
        } else if sentence.starts_with("the workflow should fault") {
            self.status = "faulted";
            self.error = sentence.ends_with("error:").then(value);
        } else if sentence.contains("property with value") {
            self.expect(nested(words[1], value()));
        } else if let Some((_, count)) = sentence.split_once(" property containing ") {
            let count = count.split(' ').next().and_then(|count| count.parse().ok());
            let items = vec![Value::from("«any»"); count.expect("a count")];
            self.expect(nested(words[1], Value::array(items)));
        } else if sentence.contains("have propert") {
            for name in words.iter().skip(1).step_by(2) {
                self.expect(nested(name, Value::from("«any»")));
            }
        } else if let Some((later, earlier)) = sentence.split_once(" should run after ") {
            self.order.push((earlier.to_owned(), later.to_owned()));
        } else if let Some(name) = before(" should run first") {
            self.first = Some(name);
        } else if let Some(name) = before(" should run last") {
            self.last = Some(name);
        } else {
            assert_eq!(sentence, "the workflow is executed", "a sentence nobody understands");
        }
    }

    fn expect(&mut self, output: Value) {
        self.output = Some(match &self.output {
            Some(expected) => both(expected, &output),
            None => output,
        });
    }

    /// What of it this version does not execute.
    fn unsupported(&self) -> Option<Arc<str>> {
        let workflow = tutti_dsl::parse(&self.document).workflow?;
        workflow.tasks.iter().find_map(|task| task.unsupported.clone())
    }

    /// What is wrong with how it ended, and with the tasks it started, in their order.
    fn problems(&self, outcome: &Outcome, started: &[String]) -> Vec<String> {
        let place = |name: &String| started.iter().position(|started| started == name);
        let mut problems = Vec::new();
        match (outcome, self.status) {
            (Outcome::Completed(output), "completed") => {
                problems.extend(
                    self.output.as_ref().and_then(|wanted| differs("output", wanted, output)),
                );
            }
            (Outcome::Faulted(error), "faulted") => {
                let error = error.to_value();
                problems.extend(
                    self.error.as_ref().and_then(|wanted| differs("error", wanted, &error)),
                );
            }
            (other, wanted) => problems.push(format!("it did not end {wanted}: {other:?}")),
        }
        for (earlier, later) in &self.order {
            if place(earlier).is_none() || place(earlier) >= place(later) {
                problems.push(format!("{later} is not started after {earlier}: {started:?}"));
            }
        }
        for (wanted, found) in [(&self.first, started.first()), (&self.last, started.last())] {
            if wanted.is_some() && wanted.as_ref() != found {
                problems.push(format!("{wanted:?} is not where it should be in {started:?}"));
            }
        }
        problems
    }
}

/// The scenario with the services' answers in place of their servers.
fn scripted(conformance: &Conformance) -> Scenario {
    let mut scenario = Scenario::parse(&conformance.name, SERVICES).expect("it is scripted");
    scenario.workflows.push(conformance.document.clone());
    scenario.input.clone_from(&conformance.input);
    let order = conformance.order.iter().flat_map(|(earlier, later)| [earlier, later]);
    let order = order.map(|name| Value::from(format!("/{name}")));
    let mut expected =
        vec![("status", Value::from(conformance.status)), ("journal", Value::array(order))];
    expected.extend(conformance.output.clone().map(|output| ("output", output)));
    expected.extend(conformance.error.clone().map(|error| ("error", error)));
    scenario.expect = Value::object(expected);
    scenario
}

/// Executes the scenario on the real runtime, store and connector; says what is wrong.
async fn execute(conformance: &Conformance, services: &PublicServices) -> Vec<String> {
    let library = Arc::new(Library::default());
    let document = services.reachable(&conformance.document);
    let (text, workflow) = library.publish(&document).expect("a valid workflow");
    let directory = tempfile::tempdir().expect("a directory");
    let started = Arc::new(Started::default());
    let handle = Runtime::start(Options {
        store: Arc::new(SqliteStore::open(directory.path()).expect("a store")),
        connectors: PublicServices::connectors(),
        library,
        secrets: Arc::new(FixedSecrets::default()),
        sealer: Arc::new(PlainSealer::default()),
        clock: Arc::new(SystemClock),
        observer: started.clone(),
        limits: Limits::default(),
        max_calls: 8,
        max_residents: tutti_runtime::DEFAULT_MAX_RESIDENTS,
        loops: None,
        events_kept: tutti_runtime::EventsKept::default(),
        scratch: None,
    });
    let handle = handle.expect("a runtime");
    let input = conformance.input.clone();
    let execution = handle.start(text.name, text.digest, workflow, input).await;
    match handle.settled(execution.expect("it starts")).await {
        Ok(Settlement::Ended(outcome)) => {
            let started = started.0.lock().expect("nobody panicked");
            conformance.problems(&outcome, &started)
        }
        other => vec![format!("it did not end: {other:?}")],
    }
}

/// The names of tasks in the order they are started.
#[derive(Debug, Default)]
struct Started(Mutex<Vec<String>>);

impl Observer for Started {
    fn on_turn(&self, turn: &Turn, _workflow: &Arc<Workflow>) {
        let names = turn.entries.iter().filter_map(|entry| match entry {
            Entry::TaskStarted { reference, .. } => {
                reference.as_str().rsplit('/').next().map(str::to_owned)
            }
            _ => None,
        });
        self.0.lock().expect("nobody panicked").extend(names);
    }

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: tutti_ids::ExecutionId, _reason: &str) {}
}

/// What fits both: `«any»` says least, objects have the members of both.
fn both(one: &Value, other: &Value) -> Value {
    match (one.as_object(), other.as_object()) {
        (Some(left), Some(right)) => {
            let of_right = right.iter().filter(|(key, _)| left.get(key).is_none());
            let of_right = of_right.map(|(key, value)| (key.clone(), value.clone()));
            let members = left.iter().map(|(key, value)| {
                let value = right.get(key).map_or_else(|| value.clone(), |it| both(value, it));
                (key.clone(), value)
            });
            Value::object(members.chain(of_right))
        }
        _ if other.as_str() == Some("«any»") => one.clone(),
        _ => other.clone(),
    }
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
