//! Workflows that wait for events.

use crate::world::{Said, World};

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
