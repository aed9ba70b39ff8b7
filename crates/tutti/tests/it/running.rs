//! `tutti run`: inputs, outputs and exit codes.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{World, document, wait};

const ECHO: &str = "  - a: { set: { got: \"${ $workflow.input }\" } }\n";

#[test]
fn a_completed_execution_prints_its_output_and_leaves_nothing() {
    let world = World::with_tasks(ECHO);
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "{\"got\":{}}\n"), "{}", said.stderr);
    assert!(said.stderr.starts_with("completed /do/0/a "), "{}", said.stderr);
    assert!(world.kept().is_empty());
}

#[test]
fn inputs_come_from_everywhere() {
    let world = World::with_tasks(ECHO);
    world.write("in.json", "{\"f\": [1]}");
    let check = |arguments: &[&str], expected: &str| {
        let arguments = [&["run", "w.yaml", "--quiet"], arguments].concat();
        let said = world.tutti_reading(&arguments, "{\"s\": 1.50}");
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(said.stdout, format!("{{\"got\":{expected}}}\n"), "{arguments:?}");
    };
    check(&["--input", "null"], "null");
    check(&["--input", "-1"], "-1");
    check(&["--input", "@in.json"], "{\"f\":[1]}");
    check(&["--input", "-"], "{\"s\":1.5}");
    check(&["--set", "a.b=x", "--set", "a.c:=[1]"], "{\"a\":{\"b\":\"x\",\"c\":[1]}}");
    check(&["--input", "@in.json", "--set", "f.0=y"], "{\"f\":[\"y\"]}");
}

#[test]
fn outputs_come_in_three_formats() {
    let world = World::with_tasks("  - a: { set: { l: [1, { t: 'x: y' }] } }\n");
    let check = |format: &str, expected: &str| {
        assert_eq!(world.tutti(&["run", "w.yaml", "-o", format]).stdout, expected);
    };
    check("json", "{\"l\":[1,{\"t\":\"x: y\"}]}\n");
    check("pretty", "{\n  \"l\": [\n    1,\n    {\n      \"t\": \"x: y\"\n    }\n  ]\n}\n");
    check("yaml", "l:\n  - 1\n  - t: \"x: y\"\n");
}

#[test]
fn what_cannot_be_done_is_told_with_what_can() {
    let world = World::with_tasks(
        "  - a: { set: { got: '${ .n }' } }\ninput: { schema: { document: { properties: { n: { type: integer } } } } }\n",
    );
    world.write("secret.yaml", &document("s", "  - a: { set: { s: '${ $secrets.TOKEN }' } }\n"));
    let check = |arguments: &[&str], code: i32, expected: [&str; 2]| {
        let said = world.tutti(&[&["run", "-q"], arguments].concat());
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.stderr);
        for expected in expected {
            assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
        }
    };
    let given = [
        "--input JSON|@FILE or --set",
        "error: /input validation: the input does not fit its schema: /n:",
    ];
    check(&["w.yaml", "--set", "n=x"], 1, given);
    check(
        &["secret.yaml"],
        1,
        ["error: /do/0/a authorization: the secret `TOKEN`", "--secret NAME"],
    );
    check(&["none.yaml"], 2, ["cannot read none.yaml", "it was looked for in "]);
    check(&["./none.yaml"], 2, ["cannot read ./none.yaml", "look for its name in ."]);
    check(&["state"], 2, ["cannot read state", "name a file in it"]);
    check(
        &["--resume", "w.yaml"],
        2,
        ["is not an execution id", "without --resume: tutti run w.yaml"],
    );
    let id = "exec_01k3v9zrs6q5tt4q4mkb5e7kgr";
    world.tutti(&["run", "-q", "w.yaml", "--store", "kept"]);
    check(&["--store", "kept", "--resume", id], 2, ["is not in kept", "without an id"]);
}

#[test]
fn a_task_that_could_not_be_undone_asks_with_its_cause() {
    let undo = "metadata: { tutti: { undo: [ { b: { raise: { error: { type: 'https://e.example/b', status: 500, title: No way } } } } ] } }";
    let tasks = format!(
        "  - a: {{ set: {{ a: 1 }}, {undo} }}\n  - c: {{ raise: {{ error: {{ type: 'https://e.example/c', status: 500 }} }} }}\n"
    );
    let world = World::with_tasks(&tasks);
    let said = world.tutti(&["run", "w.yaml", "--store", "kept"]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    for expected in [
        "reversing /\nundoing /do/0/a\n",
        "incident: /do/0/a needs a person: compensation-failed: what `/do/0/a` did could not be undone: b: No way\n",
        "--unknown retry  # undo it again\n",
        "--unknown complete={}  # it is undone by hand\n",
    ] {
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
    assert!(!said.stderr.contains("find out whether the call was made"), "{}", said.stderr);
    let by_hand = ["run", "--store", "kept", "--resume", "--unknown", "complete={}"];
    let said = world.tutti(&by_hand);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("undone /do/0/a by hand\n"), "{}", said.stderr);
}

#[test]
fn a_fault_ends_with_problem_details_on_one_line() {
    let world = World::with_tasks(
        "  - a: { raise: { error: { type: 'https://e.example/x', status: 418, title: Teapot } } }\n",
    );
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert_eq!(
        lines.last().copied(),
        Some(
            r#"{"type":"https://e.example/x","status":418,"title":"Teapot","instance":"/do/0/a"}"#
        )
    );
    assert!(said.stderr.contains("see the outcome again with: tutti run --resume exec_"));
    assert_eq!(world.kept().len(), 1);
}

#[test]
fn the_outcome_of_an_ended_execution_is_told_again() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n");
    let first = world.tutti(&["run", "w.yaml", "--store", "s"]);
    let again = world.tutti(&["run", "--store", "s", "--resume"]);
    assert_eq!((again.code, again.stdout), (Some(0), first.stdout), "{}", again.stderr);

    let world = World::with_tasks("  - a: { raise: { error: { type: 'x:y', status: 400 } } }\n");
    let first = world.tutti(&["run", "w.yaml", "-q"]);
    let kept = world.kept();
    let name = kept[0].file_name().and_then(|name| name.to_str()).expect("a name");
    let again = world.tutti(&["run", "-q", "--resume", name]);
    assert_eq!((again.code, again.stderr), (Some(1), first.stderr));
}

#[test]
fn time_that_is_up_leaves_the_state() {
    let world = World::with_tasks("  - a: { wait: PT1H }\n");
    let said = world.tutti(&["run", "w.yaml", "--timeout", "50ms"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(4), ""));
    assert!(said.stderr.contains("the time of --timeout is up"), "{}", said.stderr);
    let resume =
        said.stderr.lines().last().and_then(|line| line.strip_prefix("go on with: tutti "));
    let mut arguments: Vec<&str> = resume.expect("how to go on").split(' ').collect();
    arguments.extend(["--timeout", "PT0.05S"]);
    assert_eq!(world.tutti(&arguments).code, Some(4));
}

#[test]
fn signals_end_the_process_and_keep_the_state() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::with_tasks("  - a: { set: { x: 1 } }\n  - b: { wait: PT1H }\n");
        let mut child = world.start(&["run", "w.yaml"]);
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        assert!(line.starts_with("completed /do/0/a"), "{line}");
        let id = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("an id");
        kill_process(id, signal).expect("a signal");
        let rest: Vec<String> = stderr.lines().map_while(Result::ok).collect();
        assert_eq!(wait(child).code, Some(code));
        assert!(rest.last().is_some_and(|line| line.contains("--resume exec_")), "{rest:?}");
        assert_eq!(world.kept().len(), 1);
    }
}

#[test]
fn children_are_found_in_the_same_directory() {
    let world = World::with_tasks(
        "  - a: { run: { workflow: { namespace: test, name: child, version: '1.0.0', input: { n: 2 } } } }\n",
    );
    world.write("child.yml", &document("child", "  - c: { set: { twice: '${ .n * 2 }' } }\n"));
    world.write("broken.yaml", "do: [");
    world.write("notes.json", "[]");
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "{\"twice\":4}\n"), "{}", said.stderr);
    assert!(said.stderr.contains("completed /do/0/a > /do/0/c "), "{}", said.stderr);
}

#[test]
fn a_child_that_is_missing_is_told_before_it_is_missed() {
    let world = World::with_tasks(
        "  - a: { run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }\n",
    );
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(1));
    let warning = "warning: the workflow test/child:1.0.0, which it runs, was not found";
    assert!(said.stderr.starts_with(warning), "{}", said.stderr);
}

#[test]
fn children_nobody_waits_for_are_run_to_their_end() {
    let world = World::with_tasks(
        "  - a: { run: { await: false, workflow: { namespace: test, name: child, version: '1.0.0' } } }\n",
    );
    world.write(
        "child.yaml",
        &document(
            "child",
            "  - w: { wait: { milliseconds: 50 } }\n  - c: { run: { shell: { command: 'echo ran > ran' } } }\n",
        ),
    );
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(world.read("ran"), "ran\n");
}

#[test]
fn two_processes_do_not_share_a_store() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n  - b: { wait: PT1H }\n");
    let mut child = world.start(&["run", "w.yaml", "--store", "s"]);
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    stderr.read_line(&mut String::new()).expect("a line");
    let said = world.tutti(&["run", "w.yaml", "--store", "s"]);
    child.kill().expect("a process");
    wait(child);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("is in use by another process"), "{}", said.stderr);
}

#[test]
fn a_schedule_is_told_as_not_followed() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\nschedule: { every: { hours: 1 } }\n");
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let expected = "warning: w.yaml has a schedule, which is not kept here";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
}

#[test]
fn a_workflow_that_takes_too_long_is_called_one() {
    let tasks = "  - a: { wait: PT1H }\ntimeout: { after: { milliseconds: 20 } }\n";
    let said = World::with_tasks(tasks).tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("the workflow took longer than its timeout"), "{}", said.stderr);
}

#[test]
fn children_may_be_named_behind_the_workflow_that_runs_them() {
    let run = "{ run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }";
    let world = World::with_tasks(&format!("  - a: {run}\n"));
    std::fs::create_dir(world.path().join("sub")).expect("a directory");
    world.write("sub/child.yaml", &document("child", "  - c: { set: { found: sub } }\n"));
    assert_eq!(world.tutti(&["run", "-q", "w.yaml"]).code, Some(1));
    // What is named goes before what is found.
    world.write("child.yaml", &document("child", "  - c: { set: { found: here } }\n"));
    let said = world.tutti(&["run", "-q", "w.yaml", "sub/child.yaml"]);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (Some(0), "{\"found\":\"sub\"}\n", "")
    );
    world.write("sub/child.yaml", "nothing");
    let said = world.tutti(&["run", "-q", "w.yaml", "sub/child.yaml"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("sub/child.yaml is not a valid workflow"), "{}", said.stderr);
}

#[test]
fn an_error_of_a_child_has_its_place_in_the_cause() {
    let run = "{ run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }";
    let world = World::with_tasks(&format!("  - a: {run}\n"));
    let schema = "input: { schema: { document: { type: object, required: [n] } } }\n";
    world.write("child.yaml", &(document("child", "  - c: { set: { x: 1 } }\n") + schema));
    let said = world.tutti(&["run", "-q", "w.yaml"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let error: serde_json::Value =
        serde_json::from_str(said.stderr.lines().last().expect("a line")).expect("JSON");
    assert_eq!(error["instance"], "/do/0/a");
    assert_eq!(error["cause"]["instance"], "/input");
    assert!(error["cause"]["execution"].as_str().is_some_and(|id| id.starts_with("exec_")));
    // The root's input is not what does not fit.
    assert!(!said.stderr.contains("--input"), "{}", said.stderr);
}

#[test]
fn an_input_that_is_too_large_is_not_blamed_on_its_schema() {
    let world = World::with_tasks(ECHO);
    world.write("input.json", &format!("\"{}\"", "x".repeat(9 * 1024 * 1024)));
    let said = world.tutti(&["run", "-q", "w.yaml", "--input", "@input.json"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("hint: put the data into a file"), "{}", said.stderr);
    assert!(!said.stderr.contains("input.schema"), "{}", said.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_nobody_takes_stays_in_the_state() {
    let world = World::with_tasks("  - a: { set: { n: 1 } }\n");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a device");
    let child = world.command(&["run", "-q", "w.yaml"]).stdout(full).stderr(Stdio::piped()).spawn();
    let said = wait(child.expect("the binary starts"));
    assert_eq!(said.code, Some(2));
    let (_, command) =
        said.stderr.rsplit_once("see the output again with: tutti ").expect("a hint");
    let words: Vec<&str> = command.split_whitespace().collect();
    assert_eq!(world.tutti(&words).stdout, "{\"n\":1}\n");
}
