//! `tutti validate`

use crate::world::{World, document};

fn broken() -> World {
    let world = World::with_tasks("  - a: { set: { x: 1 }, then: c }\n  - b: { call: nothing }\n");
    world.write("good.yaml", &document("good", "  - a: { set: { x: 1 } }\n"));
    world
}

#[test]
fn people_see_where_and_what_to_do() {
    let said = broken().tutti(&["validate", "good.yaml", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!("validate_text", said.stderr);
}

#[test]
fn machines_get_json() {
    let said = broken().tutti(&["validate", "w.yaml", "-o", "json"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(2), ""));
    insta::assert_snapshot!("validate_json", said.stdout);
}

#[test]
fn actions_get_commands() {
    let said = broken().tutti(&["validate", "w.yaml", "-o", "github"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(2), ""));
    insta::assert_snapshot!("validate_github", said.stdout);
}

#[test]
fn scanners_get_sarif() {
    let said = broken().tutti(&["validate", "w.yaml", "-o", "sarif"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(2), ""));
    let log: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"];
    assert_eq!(region["artifactLocation"]["uri"], "w.yaml");
    assert_eq!(region["region"]["startLine"], 4);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
}

#[test]
fn a_valid_document_is_valid_in_every_format() {
    let world = broken();
    for format in ["text", "json", "sarif", "github"] {
        assert_eq!(world.tutti(&["validate", "good.yaml", "-o", format]).code, Some(0), "{format}");
    }
    let text = world.read("good.yaml");
    assert_eq!(world.tutti_reading(&["validate", "-"], &text).code, Some(0));
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let world = broken();
    let said = world.tutti(&["validate", ".", "none.yaml", "good.yaml"]);
    assert_eq!(said.code, Some(2));
    for expected in
        ["error[E0401]: . is a directory", "error[E0401]: cannot read none.yaml", "valid good.yaml"]
    {
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_diagnostic_in_every_format() {
    let world = broken();
    std::fs::write(world.path().join("latin1.yaml"), b"# caf\xe9\n").expect("a file");
    for name in ["latin1.yaml", "none.yaml"] {
        let stdout = |format| {
            let said = world.tutti(&["validate", "good.yaml", name, "-o", format]);
            assert_eq!(said.code, Some(2), "{format}");
            said.stdout
        };
        let json = |format| serde_json::from_str::<serde_json::Value>(&stdout(format));
        let found = &json("json").expect("JSON")[0];
        assert_eq!((&found["file"], &found["code"]), (&name.into(), &"E0401".into()));
        let sarif = json("sarif").expect("JSON");
        let run = &sarif["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        assert_eq!(run["results"][0]["ruleId"], run["tool"]["driver"]["rules"][0]["id"]);
        let location = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], name);
        let github = stdout("github");
        assert!(github.starts_with(&format!("::error file={name},title=E0401::")), "{github}");
    }
    assert!(world.tutti(&["explain", "E0401"]).stdout.starts_with("# E0401"));
}

#[test]
fn an_invalid_document_is_not_run() {
    let world = broken();
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("error[E0115]"), "{}", said.stderr);
    assert!(world.kept().is_empty());
}

/// A document of this name with these settings and tasks.
fn with_settings(name: &str, settings: &str, rest: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0', metadata: {{ tutti: {{ {settings} }} }} }}\n{rest}"
    )
}

#[test]
fn what_only_a_server_honours_is_valid_and_is_not_run() {
    let tasks = "do: [ { a: { set: { x: 1 } } } ]\n";
    let runs = "do: [ { a: { run: { workflow: { namespace: test, name: child, version: '1.0.0' } } } } ]\n";
    let world = World::new();
    world.write("keyed.yaml", &with_settings("keyed", "key: .id, priority: 3", tasks));
    world.write("child.yaml", &with_settings("child", "concurrency: { limit: 1 }", tasks));
    world.write("parent.yaml", &with_settings("parent", "owner: us", runs));
    let said = world.tutti(&["validate", "keyed.yaml", "child.yaml", "parent.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let check = |file: &str, expected: &str| {
        let said = world.tutti(&["run", file]);
        assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{file}");
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
        assert!(said.stderr.contains("hint: `tutti validate` checks"), "{}", said.stderr);
    };
    check(
        "keyed.yaml",
        "error: keyed.yaml uses what only a server honours: `key`, `priority` of `metadata.tutti`\n",
    );
    check(
        "parent.yaml",
        "error: the workflow test/child:1.0.0 uses what only a server honours: `concurrency` of",
    );
    assert!(world.kept().is_empty());
}

#[test]
fn a_workflow_with_a_schedule_runs_once_and_says_so() {
    let world = World::new();
    let rest = "schedule: { every: PT1M }\ndo: [ { a: { set: { x: 1 } } } ]\n";
    world.write("w.yaml", &with_settings("w", "schedule: { overlap: skip }", rest));
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "{\"x\":1}\n"), "{}", said.stderr);
    let expected = "warning: w.yaml has a schedule, which is not kept here\n";
    assert!(said.stderr.starts_with(expected), "{}", said.stderr);
}
