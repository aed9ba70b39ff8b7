//! `tutti emit` to a server.

use super::place::Place;

#[test]
fn events_reach_who_waits_in_every_form_and_once() {
    let place = Place::open();
    let execution = place.waiting();
    let event = r#"{"specversion":"1.0","id":"1","source":"shop","type":"other"}"#;
    let said = place.tutti(&["emit", event]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{}", said.stderr);
    assert!(said.stderr.starts_with("received: event 1 of shop, at "), "{}", said.stderr);
    let again = place.tutti_reading(&["emit", "-"], &format!("{event}\n"));
    assert!(again.stderr.starts_with("known: event 1 of shop"), "{}", again.stderr);
    place.good(&["emit", "go", "--data", "{\"n\": 7}", "--source", "shop", "--id", "2"]);
    let done = place.server.until(&execution, "completed");
    assert_eq!(done["output"], serde_json::json!([{ "n": 7 }]));
}

#[test]
fn an_event_for_one_execution_is_for_no_other() {
    let place = Place::open();
    let one = place.waiting();
    let other = place.good(&["start", "waits"]);
    place.server.until(&other, "waiting");
    place.good(&["emit", "go", "--to", &one]);
    place.server.until(&one, "completed");
    assert_eq!(place.server.until(&other, "waiting")["status"], "waiting");
}

#[test]
fn what_makes_no_event_is_refused() {
    let place = Place::open();
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let told = place.bad(arguments, code);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    };
    check(&["emit"], 2, "no event is given");
    check(&["emit", "go", "also", "--data", "1"], 2, "--data goes with the type of one event");
    check(&["emit", "go", "--data", "{"], 2, "--data is not JSON");
    check(&["emit", "{}"], 2, "no valid event");
    check(&["emit", "go", "--url", "http://127.0.0.1:1"], 5, "cannot reach the server");
    check(&["emit", "go", "--store", "s"], 2, "--to");
    // Without a server that is named, an execution is looked for here, as before.
    let to = ["emit", "go", "--to", "exec_01k3v9zrs6q5tt4q4mkb5e7kgr"];
    let said = place.world.tutti(&to);
    assert!(said.stderr.contains("there is no store in "), "{}", said.stderr);
}
