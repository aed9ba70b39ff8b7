//! Help, versions, explanations and refusals.

use crate::world::{World, document};

const COMMANDS: [&str; 21] = [
    "",
    "run",
    "validate",
    "apply",
    "start",
    "list",
    "get",
    "describe",
    "watch",
    "retry",
    "resolve",
    "emit",
    "secrets set",
    "tokens create",
    "explain",
    "export",
    "erase",
    "audit",
    "store",
    "lsp",
    "completions",
];

/// Commands whose help says nothing that others do not.
const OTHERS: [&str; 22] = [
    "version",
    "server",
    "suspend",
    "resume",
    "cancel",
    "list workflows",
    "list executions",
    "list secrets",
    "list tokens",
    "list principals",
    "list audit",
    "get execution",
    "get workflow",
    "secrets",
    "secrets delete",
    "secrets list",
    "tokens",
    "tokens revoke",
    "principals",
    "principals create",
    "principals list",
    "principals delete",
];

#[test]
fn every_command_has_help_with_examples() {
    for command in COMMANDS {
        let world = World::new();
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let said = world.tutti(&arguments);
        assert_eq!(said.code, Some(0), "{command}");
        assert!(said.stdout.contains("Examples:"), "{command}: {}", said.stdout);
        insta::assert_snapshot!(format!("help_{}", command.replace(' ', "_")), said.stdout);
    }
    for command in OTHERS {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let said = World::new().tutti(&arguments);
        assert_eq!(said.code, Some(0), "{command}");
        assert!(said.stdout.contains("Examples:"), "{command}: {}", said.stdout);
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_with_advice() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n");
    let check = |arguments: &[&str], expected: &str| {
        let said = world.tutti(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(!said.stderr.contains("panicked"), "{arguments:?}: {}", said.stderr);
    };
    check(&["rum"], "run");
    check(&["run"], "<FILE>");
    check(&["run", "nowhere.yaml"], "cannot read nowhere.yaml: No such file");
    check(&["run", "nowhere.yaml"], "No such file or directory\n");
    check(&["run", "w.yaml", "--store", "w.yaml"], "hint: --store takes a directory");
    check(&["run", "."], "cannot read .: Is a directory");
    check(&["run", "w.yaml", "--input", "{"], "--input is not JSON");
    check(&["run", "w.yaml", "--input", "w.yaml"], "hint: a file is given as --input @w.yaml");
    check(&["run", "w.yaml", "--input", "@none"], "cannot read none");
    check(&["run", "w.yaml", "--set", "a"], "`--set` takes PATH=TEXT or PATH:=JSON");
    check(&["run", "w.yaml", "--set", "a:=x"], "--set a is not JSON");
    check(&["run", "w.yaml", "--secret", "UNSET_HERE"], "no environment variable `UNSET_HERE`");
    check(&["run", "w.yaml", "--secret", "A=@none"], "cannot read secret `A`");
    check(&["run", "w.yaml", "--secrets-file", "w.yaml"], "w.yaml:1 is not NAME=VALUE");
    check(&["run", "w.yaml", "--timeout", "5"], "such as 30s, 5m, 1h30m or PT15M");
    check(&["run", "w.yaml", "--event", "@none"], "cannot read none");
    check(&["run", "w.yaml", "--unknown", "retry"], "--resume");
    check(&["run", "--resume"], "hint: none is kept in the usual place; give --store DIR");
    check(&["run", "--resume", "exec_1"], "is not an execution id");
    check(&["run", "--resume", "exec_01k3v9zrs6q5tt4q4mkb5e7kgr"], "no state of exec_01k3v9");
    check(&["run", "--resume", "--store", "none"], "no execution to go on with in none");
    check(
        &["run", "--resume", "--store", "none", "--unknown", "x"],
        "retry, fault or complete=JSON",
    );
    check(
        &["run", "--resume", "--store", "none", "--unknown", "complete=x"],
        "not followed by JSON",
    );
    check(&["explain", "E0171"], "hint: did you mean E0");
    check(&["explain", "nonsense"], "hint: `tutti explain` lists all codes");
}

#[test]
fn standard_input_is_read_once() {
    let text = document("w", "  - a: { set: { x: 1 } }\n");
    let said = World::new().tutti_reading(&["run", "-", "--input", "-"], &text);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("both FILE and --input want standard input"), "{}", said.stderr);
}

#[test]
fn explanations_are_found_by_code() {
    let world = World::new();
    let said = world.tutti(&["explain", "e0117"]);
    assert_eq!(said.code, Some(0));
    assert!(said.stdout.contains("E0117"), "{}", said.stdout);
    let all = world.tutti(&["explain"]);
    assert!(all.stdout.lines().count() > 40);
    assert!(all.stdout.contains("E0117  A call names a function that nothing declares.\n"));
}

#[test]
fn shells_are_completed() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = world.tutti(&["completions", shell]);
        assert_eq!(said.code, Some(0), "{shell}");
        assert!(said.stdout.contains("validate"), "{shell}");
    }
}

#[test]
fn versions_are_told_in_both_ways() {
    let world = World::new();
    let said = world.tutti(&["version"]);
    assert!(said.stdout.starts_with(concat!("tutti ", env!("CARGO_PKG_VERSION"), " (")));
    assert_eq!(said.stdout, world.tutti(&["--version"]).stdout);
}
