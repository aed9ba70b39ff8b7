//! Limits among executions: who waits, who is admitted next, and that neither a crash nor a retry passes a limit.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::client::{Server, document};

const PATH: &str = "/api/v1/namespaces/test/workflows";
const LISTENS: &str = "do: [{ a: { listen: { to: { one: { with: { type: go } } } } } }]";

fn limited(name: &str, settings: &str, rest: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0', metadata: {{ tutti: {{ {settings} }} }} }}\n{rest}\n"
    )
}

fn waits(server: &Server, execution: &str) -> Json {
    server.get(&format!("/api/v1/executions/{execution}/waiting")).expect(200)["waits"].clone()
}

fn control(server: &Server, execution: &str, what: &str) {
    server.post(&format!("/api/v1/executions/{execution}/{what}"), "").expect(200);
}

/// The ids of a workflow's executions that stand so.
fn standing(server: &Server, name: &str, status: &str) -> BTreeSet<String> {
    let path = format!("/api/v1/namespaces/test/executions?workflow={name}&status={status}");
    let page = server.get(&path).expect(200);
    let items = page["items"].as_array().expect("a list");
    items.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)).collect()
}

/// Asks until what an execution waits for is as wanted.
#[track_caller]
fn until_waits(server: &Server, execution: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        let found = waits(server, execution);
        if wanted(&found) {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "never: {found}");
        std::thread::yield_now();
    }
}

#[test]
fn a_limit_admits_by_priority_and_arrival_and_says_why_others_wait() {
    let server = Server::open();
    let by = "concurrency: { by: '${ .host }', limit: 1 }";
    server.post(PATH, &limited("w", by, LISTENS)).expect(201);
    let urgent = limited("w", &format!("{by}, priority: 90"), LISTENS).replace("1.0.0", "1.1.0");
    let first = server.start_one("w", r#"{"host": "a"}"#);
    server.until(&first, "waiting");
    let second = server.start_one("w", r#"{"host": "a"}"#);
    let third = server.start_one("w", r#"{"host": "a"}"#);
    server.post(PATH, &urgent).expect(201);
    let fourth = server.start_one("w", r#"{"host": "a"}"#);
    let other = server.start_one("w", r#"{"host": "b"}"#);
    server.until(&other, "waiting");
    let found = until_waits(&server, &third, |found| found[0]["place"] == 3);
    assert_eq!((&found[0]["what"], &found[0]["limit"]), (&"limit".into(), &1.into()));
    let detail = found[0]["detail"].as_str().unwrap_or("");
    assert!(detail.contains("1 of 1 executions of test/w in group \"a\" go on"), "{detail}");
    assert!(found[0]["since"].is_string(), "{found}");
    let pending = [&second, &third, &fourth].map(Clone::clone).into();
    assert_eq!(standing(&server, "w", "pending"), pending);
    control(&server, &second, "cancel");
    server.until(&second, "cancelled");
    control(&server, &first, "cancel");
    server.until(&fourth, "waiting");
    assert_eq!(standing(&server, "w", "pending"), [third.clone()].into());
    control(&server, &fourth, "cancel");
    server.until(&third, "waiting");
    let journal = server.get(&format!("/api/v1/executions/{third}/journal")).expect(200);
    let kinds: Vec<_> = journal["items"]
        .as_array()
        .into_iter()
        .flatten()
        .take(4)
        .map(|it| it["kind"].clone())
        .collect();
    assert_eq!(kinds, ["ExecutionStarted", "ExecutionHeld", "ExecutionAdmitted", "InputAccepted"]);
}

#[test]
fn those_that_wait_are_as_they_were_after_a_crash() {
    let mut server = Server::open();
    let text = limited("w", "concurrency: { by: .host, limit: 2 }", LISTENS);
    server.post(PATH, &text).expect(201);
    let begin = |_| server.start_one("w", r#"{"host": {"name": "a"}}"#);
    let ids: Vec<String> = (0..6).map(begin).collect();
    let (admitted, held) = ids.split_at(2);
    for id in admitted {
        server.until(id, "waiting");
    }
    control(&server, &held[2], "suspend");
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    let found = until_waits(&server, &held[3], |found| found[0]["place"] == 4);
    assert_eq!(found[0]["limit"], 2);
    assert_eq!(standing(&server, "w", "waiting"), admitted.iter().cloned().collect());
    control(&server, &admitted[0], "cancel");
    server.until(&held[0], "waiting");
    assert_eq!(standing(&server, "w", "waiting").len(), 2);
    // One that ended has given its room away: it waits again.
    let retried = format!("/api/v1/executions/{}/retry", admitted[0]);
    let retried = server.post(&retried, r#"{"from": "/do/0/a"}"#).expect(200);
    assert_eq!(retried["status"], "pending");
    until_waits(&server, &admitted[0], |found| found[0]["place"] == 4);
    control(&server, &held[0], "cancel");
    server.until(&held[1], "waiting");
    control(&server, &held[1], "cancel");
    // Its turn has come, and it has its room, though somebody paused it.
    until_waits(&server, &held[2], |found| {
        found.as_array().is_some_and(|waits| waits.iter().all(|it| it["what"] != "limit"))
    });
    control(&server, &held[2], "resume");
    server.until(&held[2], "waiting");
    control(&server, &held[2], "cancel");
    server.until(&held[3], "waiting");
    control(&server, &held[3], "cancel");
    server.until(&admitted[0], "waiting");
}

#[test]
fn children_are_held_to_the_limit_of_their_workflow() {
    let server = Server::open();
    server.post(PATH, &limited("child", "concurrency: { limit: 1 }", LISTENS)).expect(201);
    let run = "run: { workflow: { namespace: test, name: child, version: '1.0.0' } }";
    server.publish("parent", &format!("do: [{{ a: {{ {run} }} }}]"));
    let (one, other) = (server.start_one("parent", ""), server.start_one("parent", ""));
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while standing(&server, "child", "pending").len() + standing(&server, "child", "waiting").len()
        < 2
        || standing(&server, "child", "waiting").is_empty()
    {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    assert_eq!(standing(&server, "child", "pending").len(), 1);
    let event = r#"{"specversion":"1.0","id":"1","source":"s","type":"go"}"#;
    server.post("/api/v1/namespaces/test/events", event).expect(202);
    // The other was started before the event, and has not seen it yet.
    server.until(&one, "completed");
    server.until(&other, "completed");
}

#[test]
fn what_gives_no_group_is_refused() {
    let server = Server::open();
    let text = limited("w", "concurrency: { by: '${ .host | error }', limit: 1 }", LISTENS);
    server.post(PATH, &text).expect(201);
    assert_eq!(server.begin("w", "", r#"{"host": "a"}"#).code(), "E0304");
    let text = limited("v", "concurrency: { by: .host, limit: 1 }", LISTENS);
    server.post(PATH, &text).expect(201);
    let long = format!(r#"{{"host": "{}"}}"#, "x".repeat(511));
    assert_eq!(server.begin("v", "", &long).code(), "E0304");
}

#[test]
fn starts_queue_for_a_business_key_through_a_crash() {
    let mut server = Server::open();
    let text = limited("w", "key: .order, onConflict: queue", LISTENS);
    server.post(PATH, &text).expect(201);
    let begin = |server: &Server| server.start_one("w", r#"{"order": "7"}"#);
    let [first, second, third] = [(); 3].map(|()| begin(&server));
    server.until(&first, "waiting");
    let found = until_waits(&server, &third, |found| found[0]["place"] == 2);
    assert_eq!(found[0]["what"], "key");
    assert!(found[0]["detail"].as_str().is_some_and(|it| it.contains(&first)), "{found}");
    let another = server.start_one("w", r#"{"order": "8"}"#);
    server.until(&another, "waiting");
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    until_waits(&server, &third, |found| found[0]["place"] == 2);
    // The newest has ended, but the key is not free.
    control(&server, &third, "cancel");
    let rejects = limited("w", "key: .order", LISTENS).replace("1.0.0", "1.1.0");
    server.post(PATH, &rejects).expect(201);
    assert_eq!(server.begin("w", "", r#"{"order": "7"}"#).code(), "E0315");
    control(&server, &first, "cancel");
    server.until(&second, "waiting");
    control(&server, &second, "cancel");
    server.begin("w", "", r#"{"order": "7"}"#).expect(201);
}

#[test]
fn a_start_replaces_what_has_its_business_key() {
    let server = Server::open();
    let text = limited("w", "key: .order, onConflict: replace, keyFor: PT1H", LISTENS);
    server.post(PATH, &text).expect(201);
    let begin = || server.start_one("w", r#"{"order": "7"}"#);
    let first = begin();
    server.until(&first, "waiting");
    let second = begin();
    server.until(&first, "cancelled");
    server.until(&second, "waiting");
    // Going back to an older one does not replace the newer.
    let path = format!("/api/v1/executions/{first}/retry");
    server.post(&path, r#"{"from": "/do/0/a"}"#).expect(200);
    until_waits(&server, &first, |found| found[0]["what"] == "key");
    assert_eq!(standing(&server, "w", "waiting"), [second.clone()].into());
    let third = begin();
    server.until(&first, "cancelled");
    server.until(&second, "cancelled");
    server.until(&third, "waiting");
}

#[test]
fn a_queued_start_waits_as_long_as_the_key_is_held() {
    let server = Server::open();
    let text = limited("w", "key: .order, onConflict: queue, keyFor: PT1H", LISTENS);
    server.post(PATH, &text).expect(201);
    let begin = || server.start_one("w", r#"{"order": "7"}"#);
    let first = begin();
    server.until(&first, "waiting");
    control(&server, &first, "cancel");
    let second = begin();
    let found = until_waits(&server, &second, |found| found[0]["until"].is_string());
    assert_eq!(found[0]["what"], "key");
    server.until(&second, "pending");
}

fn calls(per: &str) -> String {
    format!(
        "do: [{{ a: {{ run: {{ shell: {{ command: 'true' }} }}, metadata: {{ tutti: {{ effect: idempotent, cooldown: {{ by: .host, per: {per} }} }} }} }} }}]"
    )
}

/// When the call of an execution was let go.
fn let_go(server: &Server, execution: &str) -> jiff::Timestamp {
    let journal = server.get(&format!("/api/v1/executions/{execution}/journal")).expect(200);
    let items = journal["items"].as_array().expect("a list");
    let found = items.iter().find(|it| it["kind"] == "CallAdmitted").expect("it was let go");
    found["at"].as_str().and_then(|at| at.parse().ok()).expect("a moment")
}

#[test]
fn a_call_waits_until_few_enough_were_made_lately_also_after_a_crash() {
    let mut server = Server::open();
    server.publish("w", &calls("PT1H"));
    let first = server.start_one("w", r#"{"host": "a"}"#);
    server.until(&first, "completed");
    let second = server.start_one("w", r#"{"host": "a"}"#);
    let third = server.start_one("w", r#"{"host": "a"}"#);
    let other = server.start_one("w", r#"{"host": "b"}"#);
    server.until(&other, "completed");
    let check = |server: &Server| {
        let found = until_waits(server, &second, |found| found[0]["until"].is_string());
        assert_eq!((&found[0]["what"], &found[0]["limit"]), (&"cooldown".into(), &1.into()));
        assert_eq!((&found[0]["place"], &found[0]["reference"]), (&1.into(), &"/do/0/a".into()));
        let found = until_waits(server, &third, |found| found[0]["place"] == 2);
        assert!(
            found[0]["detail"].as_str().is_some_and(|it| it.contains("group \"a\"")),
            "{found}"
        );
        server.until(&second, "waiting");
    };
    check(&server);
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    check(&server);
    // A new version of the workflow, and a task that goes back, wait as well.
    let later = calls("PT1H").replacen("do: [", "do: [{ b: { set: '${ . }' } }, ", 1);
    server.post(PATH, &document("w", "1.1.0", &later)).expect(201);
    let fourth = server.start_one("w", r#"{"host": "a"}"#);
    until_waits(&server, &fourth, |found| found[0]["place"] == 3);
    server.post(&format!("/api/v1/executions/{first}/retry"), r#"{"from": "/do/0/a"}"#).expect(200);
    until_waits(&server, &first, |found| found[0]["place"] == 4);
    control(&server, &second, "cancel");
    server.until(&second, "cancelled");
    until_waits(&server, &third, |found| found[0]["place"] == 1);
}

#[test]
fn calls_of_a_cool_down_are_as_far_apart_as_it_says() {
    let server = Server::open();
    server.publish("w", &calls("PT1S"));
    let ids: Vec<String> = (0..4).map(|_| server.start_one("w", r#"{"host": "a"}"#)).collect();
    // What is suspended is passed over, and waits again when it goes on.
    control(&server, &ids[2], "suspend");
    for id in [&ids[0], &ids[1], &ids[3]] {
        server.until(id, "completed");
    }
    control(&server, &ids[2], "resume");
    server.until(&ids[2], "completed");
    let mut moments: Vec<_> = ids.iter().map(|id| let_go(&server, id)).collect();
    moments.sort_unstable();
    for pair in moments.windows(2) {
        assert!(pair[1].duration_since(pair[0]).as_millis() >= 1_000);
    }
}
