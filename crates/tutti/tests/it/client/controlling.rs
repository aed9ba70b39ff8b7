//! Looking at an execution, and laying hands on it.

use super::place::{Place, STUCK};

#[test]
fn an_execution_is_described_with_its_tasks_and_what_it_waits_for() {
    let place = Place::open();
    place.publish("loops", "do:\n  - each: { for: { in: '${ [1, 2] }' }, do: [{ add: { set: { n: '${ $item }' } } }] }\n  - skipped: { if: '${ false }', set: { n: 0 } }\n  - w: { listen: { to: { one: { with: { type: go } } } } }");
    let execution = place.good(&["start", "loops", "--key", "order-7"]);
    place.server.until(&execution, "waiting");
    let told = place.good(&["describe", &execution]);
    let expected = [
        format!("execution  {execution}"),
        "workflow   test/loops 1.0.0".to_owned(),
        "status     waiting".to_owned(),
        "key        order-7".to_owned(),
        "  each  completed  ".to_owned(),
        "    add[0]  completed  ".to_owned(),
        "    add[1]  completed  ".to_owned(),
        "  skipped  skipped".to_owned(),
        "  w  waiting  ".to_owned(),
        "  /do/2/w  event (go)  since ".to_owned(),
    ];
    let mut lines = told.lines();
    for line in &expected {
        assert!(lines.any(|found| found.starts_with(line.as_str())), "{line:?} in\n{told}");
    }
    let all = place.good(&["describe", &execution, "-o", "json"]);
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!(all["tasks"].as_array().map(Vec::len), Some(5));
    assert_eq!(all["waiting"]["waits"][0]["what"], "event");
    let missing = place.bad(&["describe", "exec_01k3v9zrs6q5tt4q4mkb5e7kgr"], 2);
    assert!(missing.starts_with("error[E0303]: "), "{missing}");
}

#[test]
fn a_list_of_many_pages_is_told_whole() {
    let place = Place::open();
    place.publish(
        "many",
        "do: [{ each: { for: { in: '${ [range(1100)] }' }, do: [{ a: { set: { n: 1 } } }] } }]",
    );
    let execution = place.good(&["start", "many", "--key", "k"]);
    place.server.until(&execution, "completed");
    let all = place.good(&["describe", &execution, "-o", "json"]);
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    let sequences = all["tasks"].as_array().expect("a list").iter();
    let sequences: Vec<u64> = sequences.filter_map(|task| task["sequence"].as_u64()).collect();
    assert_eq!(sequences.len(), 1101);
    assert!(sequences.is_sorted_by(|one, next| one < next), "each once, in order");
}

#[test]
fn controls_do_what_they_say_and_are_audited_with_their_reasons() {
    let place = Place::open();
    let execution = place.waiting();
    let check = |arguments: &[&str], status: &str| {
        let told = place.good(&[arguments, &[&execution, "--reason", arguments[0]]].concat());
        assert_eq!(told, format!("{execution} {status}"), "{arguments:?}");
    };
    check(&["suspend"], "suspended");
    check(&["resume"], "waiting");
    check(&["cancel"], "cancelled");
    check(&["retry", "--from", "/do/0/w"], "waiting");
    let audit = place.good(&["list", "audit", "-o", "json"]);
    let audit: Vec<serde_json::Value> = serde_json::from_str(&audit).expect("JSON");
    let told: Vec<(&str, &str)> = audit
        .iter()
        .filter_map(|it| Some((it["action"].as_str()?, it["reason"].as_str()?)))
        .collect();
    let expected = ["suspend", "resume", "cancel", "retry"];
    let expected = expected.map(|word| (format!("execution.{word}"), word));
    let expected: Vec<(&str, &str)> =
        expected.iter().map(|(action, reason)| (action.as_str(), *reason)).collect();
    assert_eq!(told, expected);
    let refused = place.bad(&["resume", &execution], 2);
    assert!(refused.starts_with("error[E0307]: "), "{refused}");
}

#[test]
fn an_incident_is_settled_by_the_command_that_describes_it() {
    let place = Place::open();
    place.publish("stuck", STUCK);
    let execution = place.good(&["start", "stuck"]);
    place.server.until(&execution, "suspended");
    let described = place.good(&["describe", &execution]);
    let command = described.lines().find(|line| line.contains("--as fault")).expect("a command");
    let command = command.split('#').next().unwrap_or_default();
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    assert!(words.starts_with(&["resolve", &execution, "--task"]), "{described}");
    place.good(&words);
    assert_eq!(place.server.until(&execution, "faulted")["error"]["title"], "Compensation failed");
    let nothing = place.bad(&["resolve", &execution, "--as", "retry"], 2);
    assert!(nothing.starts_with("error[E0307]: "), "{nothing}");
    let odd = place.bad(&["resolve", &execution, "--as", "again"], 2);
    assert!(odd.contains("hint: --as takes retry, fault or complete=JSON"), "{odd}");
}
