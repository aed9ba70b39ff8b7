//! The examples of the specification, where it is present: each is executed without any network, with what it would meet
//! outside scripted beside its name.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tutti_expr::{Object, Value};
use tutti_sim::{Scenario, check_scenario};

#[test]
fn every_example_of_the_specification_ends_as_it_describes() {
    let specification = env::var_os("TUTTI_SPEC_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec"),
        PathBuf::from,
    );
    let directory = specification.join("examples");
    let Ok(files) = fs::read_dir(&directory) else {
        return say("SKIPPED: the examples of the specification are not here");
    };
    let present: BTreeSet<String> = files.flatten().filter_map(|file| name(&file.path())).collect();
    let table = tutti_dsl::parse_value(include_str!("../examples.yaml")).expect("a table");
    let table = table.as_object().expect("a table by name");
    let known: BTreeSet<String> = table.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(present, known, "the table has exactly the examples there are");
    let mut failed = Vec::new();
    for (name, entry) in table.iter() {
        if let Some(reason) = entry.get("skip") {
            say(&format!("SKIPPED: {name}: {}", reason.as_str().unwrap_or_default()));
            continue;
        }
        let file = directory.join(format!("{name}.yaml"));
        let document = fs::read_to_string(file).expect("an example is text");
        for case in entry.as_array().map_or_else(|| vec![entry.clone()], <[Value]>::to_vec) {
            failed.extend(check(name, &document, &case));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn check(name: &str, document: &str, case: &Value) -> Option<String> {
    let members = case.as_object().into_iter().flat_map(Object::iter);
    let case = Value::object(members.map(|(key, value)| (key.clone(), value.clone())));
    let mut scenario = match Scenario::parse(name, &case.to_json()) {
        Ok(scenario) => scenario,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    scenario.workflows.insert(0, document.to_owned());
    let problems = check_scenario(&scenario);
    (!problems.is_empty()).then(|| format!("{name}\n  {}", problems.join("\n  ")))
}

fn name(path: &Path) -> Option<String> {
    let is_document = path.extension().is_some_and(|extension| extension == "yaml");
    is_document.then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
}

fn say(what: &str) {
    // A test that cannot be heard is still a test.
    writeln!(io::stderr(), "{what}").ok();
}
