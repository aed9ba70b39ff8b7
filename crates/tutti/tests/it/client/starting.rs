//! `tutti start`.

use super::place::{Place, STUCK, WAITS};
use crate::world::wait;

#[test]
fn the_end_is_told_as_tutti_run_tells_it() {
    let place = Place::open();
    place.publish("double", "do: [{ a: { set: { n: '${ .n * 2 }' } } }]");
    place.publish("fails", "do: [{ a: { raise: { error: { type: 'https://x.example/broke', status: 409, title: broke } } } }]");
    place.publish("stuck", STUCK);
    place.publish("waits", WAITS);
    let check = |arguments: &[&str], code: i32, stdout: &str, stderr: &str| {
        let said = place.tutti(arguments);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (Some(code), stdout),
            "{arguments:?}: {said:?}"
        );
        assert!(said.stderr.contains(stderr), "{arguments:?}: {}", said.stderr);
    };
    check(&["start", "double", "--set", "n:=21", "--wait"], 0, "{\"n\":42}\n", "");
    check(
        &["start", "double", "--input", "{\"n\": 1}", "--wait", "1m", "-o", "yaml"],
        0,
        "\"n\": 2\n",
        "",
    );
    check(&["start", "fails", "--wait"], 1, "", "error: /do/0/a broke: broke\n");
    check(&["start", "waits", "--wait", "50ms"], 4, "", "go on with: tutti watch exec_");
    check(
        &["start", "stuck", "--wait"],
        4,
        "",
        "incident: /do/0/a needs a person: compensation-failed",
    );
    check(&["start", "nothing", "--wait"], 2, "", "error[E0303]: ");
    check(&["start", "double", "--version", "9.9.9"], 2, "", "error[E0303]: ");
    check(&["start", "double", "--input", "{"], 2, "", "--input is not JSON");
    let fault = place.tutti(&["start", "fails", "--wait"]).stderr;
    let last = fault.lines().last().expect("a line");
    let error: serde_json::Value = serde_json::from_str(last).expect("the last line is JSON");
    assert_eq!((&error["status"], &error["title"]), (&409.into(), &"broke".into()));
}

#[test]
fn what_is_cancelled_while_it_is_waited_for_ends_with_its_own_code() {
    let place = Place::open();
    place.publish("waits", WAITS);
    let waiting = place.begin(&["start", "waits", "--key", "k", "--wait"]);
    let execution = loop {
        let found = place.good(&["list", "executions", "--key", "k", "-o", "json"]);
        let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
        if let Some(id) = found[0]["id"].as_str() {
            break id.to_owned();
        }
    };
    let told = place.good(&["cancel", &execution, "--reason", "ordered twice"]);
    assert_eq!(told, format!("{execution} cancelled"));
    let said = wait(waiting);
    assert_eq!((said.code, said.stdout.as_str()), (Some(3), ""), "{}", said.stderr);
}

#[test]
fn one_key_starts_one_execution() {
    let place = Place::open();
    place.publish("waits", WAITS);
    let start = |key: &str| place.good(&["start", "waits", "--idempotency-key", key]);
    let first = start("a");
    assert!(first.starts_with("exec_"), "{first}");
    assert_eq!(start("a"), first);
    assert_ne!(start("b"), first);
    let other = place.bad(&["start", "waits", "--idempotency-key", "a", "--set", "x=1"], 2);
    assert!(other.starts_with("error[E0309]: "), "{other}");
}
