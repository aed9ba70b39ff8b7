//! Workflows that wait for events.

use std::{
    io::Write as _,
    process::{Child, ChildStdin, Stdio},
};

use crate::world::{Said, World, document, until, wait};

const ORDER: &str =
    r#"{"specversion":"1.0","id":"1","source":"shop","type":"order.placed","data":{"total":7}}"#;
const OTHER: &str = r#"{"specversion":"1.0","id":"2","source":"shop","type":"order.other"}"#;

const LISTEN: &str = "  - a: { listen: { to: { one: { with: { type: order.placed } } } } }\n";

fn check(said: &Said, code: i32, stdout: &str) {
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), stdout), "{}", said.stderr);
}

#[test]
fn an_event_given_with_the_command_is_consumed() {
    let world = World::with_tasks(LISTEN);
    let events = format!("[{OTHER},{ORDER}]");
    world.write("events.json", &events);
    let said = world.tutti(&["run", "w.yaml", "--event", "@events.json"]);
    check(&said, 0, "[{\"total\":7}]\n");
    let said = world.tutti_reading(&["run", "w.yaml", "--event", "-"], &events);
    check(&said, 0, "[{\"total\":7}]\n");
    let said = world.tutti(&["run", "w.yaml", "--event", OTHER, "--event", ORDER]);
    check(&said, 0, "[{\"total\":7}]\n");
}

#[test]
fn a_run_that_only_waits_for_an_event_says_so_and_goes_on_with_one() {
    let world = World::with_tasks(LISTEN);
    let said = world.tutti(&["run", "w.yaml", "--store", "s", "--event", OTHER]);
    check(&said, 4, "");
    assert!(said.stderr.contains("awaits an event of type `order.placed`"), "{}", said.stderr);
    assert!(said.stderr.contains("--resume"), "{}", said.stderr);
    let said = world.tutti(&["run", "--store", "s", "--resume", "--event", OTHER]);
    check(&said, 4, "");
    let said = world.tutti(&["run", "--store", "s", "--resume", "--event", ORDER]);
    check(&said, 0, "[{\"total\":7}]\n");
}

#[test]
fn an_event_given_twice_is_consumed_once() {
    let twice = "  - a: { listen: { to: { one: { with: { type: order.placed } } } } }\n  - b: { listen: { to: { one: { with: { type: order.placed } } } } }\n";
    let world = World::with_tasks(twice);
    let said = world.tutti(&["run", "w.yaml", "--store", "s", "--event", ORDER, "--event", ORDER]);
    check(&said, 4, "");
    assert!(said.stderr.contains("/do/1/b awaits"), "{}", said.stderr);
    let said = world.tutti(&["run", "--store", "s", "--resume", "--event", ORDER]);
    check(&said, 4, "");
}

#[test]
fn what_is_emitted_is_heard_beside_it() {
    let world = World::with_tasks(
        "  - f:\n      fork:\n        branches:\n          - x: { listen: { to: { one: { with: { type: t } } } } }\n          - y: { emit: { event: { with: { type: t, source: s, id: '1', data: { n: 1 } } } } }\n          - z: { listen: { to: { one: { with: { type: t } } } } }\n  - g: { set: { heard: '${ [.[0], .[2]] }' } }\n",
    );
    let said = world.tutti(&["run", "w.yaml"]);
    check(&said, 0, "{\"heard\":[[{\"n\":1}],[{\"n\":1}]]}\n");
}

/// A parent that ends with `tasks`, after a child was started that nobody waits for and that does `child`.
fn with_detached_child(tasks: &str, child: &str) -> World {
    let detached = "  - d: { run: { await: false, workflow: { namespace: test, name: child, version: '1.0.0' } } }\n";
    let world = World::with_tasks(&format!("{detached}{tasks}"));
    let head = "document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }\ndo:\n";
    world.write("child.yaml", &format!("{head}{child}"));
    world
}

const EMITS_LATER: &str = "  - p: { wait: { milliseconds: 30 } }\n  - e: { emit: { event: { with: { type: order.placed, source: s, id: '1', data: { n: 1 } } } } }\n";

#[test]
fn an_execution_that_listens_is_left_waiting_only_once_its_children_stand() {
    let world = with_detached_child(LISTEN, EMITS_LATER);
    let said = world.tutti(&["run", "w.yaml"]);
    check(&said, 0, "[{\"n\":1}]\n");
    let world = with_detached_child(EMITS_LATER, LISTEN);
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let world = with_detached_child(LISTEN, "  - e: { set: { a: 1 } }\n");
    let said = world.tutti(&["run", "w.yaml"]);
    check(&said, 4, "");
}

#[test]
fn what_is_no_event_is_refused_before_anything_starts() {
    let world = World::with_tasks(LISTEN);
    for event in ["{", "7", "{}", r#"{"specversion":"1.0","id":"1","source":"s"}"#] {
        let said = world.tutti(&["run", "w.yaml", "--event", event]);
        check(&said, 2, "");
    }
}

const TWO: &str = "  - a: { listen: { to: { one: { with: { type: order.placed } } } } }\n  - b: { listen: { to: { one: { with: { type: order.paid } } } } }\n";
const PAID: &str =
    r#"{"specversion":"1.0","id":"3","source":"bank","type":"order.paid","data":"yes"}"#;

/// A process that reads what is written to it.
fn listening(world: &World, arguments: &[&str]) -> (Child, ChildStdin) {
    let mut command = world.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let stdin = child.stdin.take().expect("it is piped");
    (child, stdin)
}

fn execution(world: &World) -> String {
    until("it has begun", || !world.read("s/latest").is_empty());
    world.read("s/latest")
}

#[test]
fn events_are_taken_from_stdin_while_the_execution_goes_on() {
    let world = World::with_tasks(TWO);
    let (child, mut stdin) = listening(&world, &["run", "w.yaml", "--store", "s", "--event", "-"]);
    writeln!(stdin, "{ORDER}").expect("it reads");
    writeln!(stdin, "\n[{OTHER},{PAID}]").expect("it reads");
    // It does not wait for the end of what it reads.
    check(&wait(child), 0, "[\"yes\"]\n");
    drop(stdin);
}

#[test]
fn a_run_that_waits_for_an_event_ends_when_stdin_ends_and_goes_on_later() {
    let world = World::with_tasks(TWO);
    let (child, mut stdin) = listening(&world, &["run", "w.yaml", "--store", "s", "--event", "-"]);
    writeln!(stdin, "{ORDER}").expect("it reads");
    drop(stdin);
    let said = wait(child);
    check(&said, 4, "");
    assert!(
        said.stderr.contains("/do/1/b awaits an event of type `order.paid`"),
        "{}",
        said.stderr
    );
    let (child, mut stdin) =
        listening(&world, &["run", "--store", "s", "--resume", "--event", "-"]);
    writeln!(stdin, "{ORDER}\n{PAID}").expect("it reads");
    let said = wait(child);
    check(&said, 0, "[\"yes\"]\n");
    assert!(said.stderr.contains("known: event 1 of shop was received before"), "{}", said.stderr);
}

#[test]
fn a_run_that_waits_for_an_event_says_for_which_when_its_time_is_up() {
    let world = World::with_tasks(LISTEN);
    let arguments = ["run", "w.yaml", "--store", "s", "--event", "-", "--timeout", "300ms"];
    let (child, stdin) = listening(&world, &arguments);
    let said = wait(child);
    drop(stdin);
    check(&said, 4, "");
    assert!(
        said.stderr.contains("time of --timeout is up, and it waits for events"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("awaits an event of type `order.placed`"), "{}", said.stderr);
}

#[test]
fn a_line_that_is_no_event_ends_the_run_and_the_state_is_kept() {
    let world = World::with_tasks(TWO);
    let lines = format!("{ORDER}\n{{}}\n");
    let said = world.tutti_reading(&["run", "w.yaml", "--store", "s", "--event", "-"], &lines);
    check(&said, 2, "");
    assert!(said.stderr.contains("line 2 of standard input has no valid event"), "{}", said.stderr);
    let said = world.tutti(&["run", "--store", "s", "--resume", "--event", PAID]);
    check(&said, 0, "[\"yes\"]\n");
}

#[test]
fn what_is_emitted_into_a_store_is_received_when_the_execution_goes_on() {
    let world = World::with_tasks(LISTEN);
    check(&world.tutti(&["run", "w.yaml", "--store", "s"]), 4, "");
    let execution = execution(&world);
    world.write("order.json", ORDER);
    let emit = |event: &str| world.tutti(&["emit", event, "--to", &execution, "--store", "s"]);
    let said = emit("@order.json");
    check(&said, 0, "");
    assert!(said.stderr.contains("received: event 1 of shop, at 1"), "{}", said.stderr);
    let said = emit(ORDER);
    check(&said, 0, "");
    assert!(
        said.stderr.contains("known: event 1 of shop was received before, at 1"),
        "{}",
        said.stderr
    );
    check(&world.tutti(&["run", "--store", "s", "--resume"]), 0, "[{\"total\":7}]\n");
    let said = emit(PAID);
    check(&said, 2, "");
    assert!(said.stderr.contains("has ended: it is completed"), "{}", said.stderr);
}

#[test]
fn what_is_emitted_while_a_run_uses_the_store_is_received_at_once() {
    let world = World::with_tasks(TWO);
    let child = world.start(&["run", "w.yaml", "--store", "s", "--timeout", "1m"]);
    let execution = execution(&world);
    until("it listens", || world.path().join("s/journal.sqlite").is_file());
    let emit = |to: &str, event: &str| {
        world.tutti(&["emit", "--event", event, "--to", to, "--store", "s"])
    };
    let said = emit(&execution, ORDER);
    check(&said, 0, "");
    assert!(said.stderr.contains("received: event 1 of shop"), "{}", said.stderr);
    assert!(emit(&execution, ORDER).stderr.contains("known: event 1 of shop"), "it is told");
    let missing = "exec_01k3v9zrs6q5tt4q4mkb5e7kgr";
    let said = emit(missing, ORDER);
    check(&said, 2, "");
    assert!(said.stderr.contains("there is no execution"), "{}", said.stderr);
    check(&emit(&execution, PAID), 0, "");
    check(&wait(child), 0, "[\"yes\"]\n");
    let left = std::fs::read_dir(world.path().join("s/inbox")).expect("a directory").count();
    assert_eq!(left, 0, "letters and answers are taken away");
}

#[test]
fn an_event_for_one_execution_is_received_by_it_and_what_it_started_only() {
    let world = World::with_tasks(
        "  - a: { run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }\n",
    );
    world.write("child.yaml", &document("child", LISTEN));
    world.write("other.yaml", &document("other", LISTEN));
    check(&world.tutti(&["run", "other.yaml", "--store", "s"]), 4, "");
    let other = world.read("s/latest");
    check(&world.tutti(&["run", "w.yaml", "--store", "s"]), 4, "");
    let parent = world.read("s/latest");
    check(&world.tutti(&["emit", ORDER, "--to", &parent, "--store", "s"]), 0, "");
    check(&world.tutti(&["run", "--store", "s", "--resume", &other]), 4, "");
    check(&world.tutti(&["run", "--store", "s", "--resume", &parent]), 0, "[{\"total\":7}]\n");
}

#[test]
fn what_cannot_be_emitted_is_refused() {
    let world = World::with_tasks(LISTEN);
    check(&world.tutti(&["run", "w.yaml", "--store", "s"]), 4, "");
    let execution = execution(&world);
    let refused = |arguments: &[&str], expected: &str| {
        let said = world.tutti(&[&["emit"], arguments].concat());
        check(&said, 2, "");
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    };
    let addressed = ORDER.replace("\"id\"", "\"tuttiexecution\":\"other\",\"id\"");
    let to = ["--to", &execution, "--store", "s"];
    refused(&to, "no event is given");
    refused(&[&["{}"], &to[..]].concat(), "has no valid event");
    refused(&[&["@none"], &to[..]].concat(), "cannot read none");
    refused(&[&[addressed.as_str()], &to[..]].concat(), "is addressed to other");
    refused(&[ORDER, "--to", &execution, "--store", "none"], "there is no store in none");
    refused(&[ORDER, "--to", "exec_1"], "is not an execution id");
    refused(
        &[ORDER, "--to", "exec_01k3v9zrs6q5tt4q4mkb5e7kgr", "--store", "s"],
        "there is no execution",
    );
}

#[test]
fn what_an_erased_execution_heard_and_said_is_gone_from_the_log() {
    let world = World::with_tasks(
        "  - a: { listen: { to: { one: { with: { type: order.placed } } } } }\n  - b: { emit: { event: { with: { type: t, data: '${ \"c4\" + \"nary said\" }' } } } }\n",
    );
    let heard = ORDER.replace("7}", "7,\"note\":\"c4nary heard\"}");
    let said = world.tutti(&["run", "-q", "w.yaml", "--store", "s", "--event", &heard]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(holds(&world, "c4nary heard") && holds(&world, "c4nary said"));
    let execution = execution(&world);
    let said = world.tutti(&["erase", &execution, "--store", "s"]);
    check(&said, 0, "");
    assert!(said.stderr.contains("events 2"), "{}", said.stderr);
    assert!(!holds(&world, "c4nary"));
}

/// Whether a file of the store holds a text.
fn holds(world: &World, text: &str) -> bool {
    let files = std::fs::read_dir(world.path().join("s")).expect("a directory").flatten();
    let mut read = files.map(|file| std::fs::read(file.path()).unwrap_or_default());
    read.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}
