//! What starts executions by itself, and what every start is held to.

use std::collections::BTreeSet;

use super::client::{Server, document};

const PATH: &str = "/api/v1/namespaces/test/workflows";

fn keyed(name: &str, settings: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0', metadata: {{ tutti: {{ key: '${{ .order }}', {settings} }} }} }}\ndo: [{{ a: {{ wait: PT1H }} }}]\n"
    )
}

#[test]
fn of_starts_under_one_business_key_one_has_it() {
    let server = Server::open();
    for (name, settings) in [("rejects", ""), ("finds", "onConflict: existing")] {
        server.post(PATH, &keyed(name, settings)).expect(201);
    }
    let at_once = |name: &str| -> Vec<(u16, String)> {
        std::thread::scope(|scope| {
            let start = || {
                let reply = server.begin(name, "", r#"{"order": 7}"#);
                (reply.status, reply.header("tutti-execution").unwrap_or("").to_owned())
            };
            let starting: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
            starting.into_iter().filter_map(|it| it.join().ok()).collect()
        })
    };
    for (name, status) in [("rejects", 409), ("finds", 200)] {
        let answers = at_once(name);
        let new = answers.iter().filter(|(status, _)| *status == 201).count();
        let others = answers.iter().filter(|(found, _)| *found == status).count();
        let ids: BTreeSet<_> = answers.iter().map(|(_, id)| id).collect();
        assert_eq!((new, others, ids.len()), (1, 5, 1), "{name}: {answers:?}");
    }
    let listed = server.get("/api/v1/namespaces/test/executions?key=7&workflow=finds").expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id").to_owned();
    server.post(&format!("/api/v1/executions/{id}/cancel"), "").expect(200);
    server.begin("finds", "", r#"{"order": 7}"#).expect(201);
    let back = server.post(&format!("/api/v1/executions/{id}/retry"), r#"{"from":"/do/0/a"}"#);
    assert_eq!(back.code(), "E0315", "its key is taken by now");
    assert_eq!(server.begin("finds", "", r#"{"order": null}"#).code(), "E0304");
    assert_eq!(server.begin("finds", "?key=x", r#"{"order": 8}"#).code(), "E0304");
}

#[test]
fn a_key_is_held_after_the_end_as_long_as_the_workflow_says() {
    let server = Server::open();
    server.post(PATH, &keyed("w", "keyFor: PT1H")).expect(201);
    let id = server.start_one("w", r#"{"order": "a"}"#);
    server.post(&format!("/api/v1/executions/{id}/cancel"), "").expect(200);
    assert_eq!(server.begin("w", "", r#"{"order": "a"}"#).code(), "E0315");
    server.begin("w", "", r#"{"order": "b"}"#).expect(201);
}

#[test]
fn what_is_not_kept_is_refused_by_name() {
    let server = Server::open();
    let check = |text: &str, what: &str| {
        let refused = server.post(PATH, text);
        assert_eq!((refused.status, refused.code().as_str()), (422, "E0305"), "{text}");
        assert!(refused.body.contains(what), "{what}: {}", refused.body);
    };
    check(&keyed("w", "warnAfter: PT10M"), "metadata.tutti.warnAfter");
    let on = "schedule: { on: { one: { with: { type: x } } } }\ndo: [{ a: { set: { n: 1 } } }]";
    check(&document("w", "1.0.0", on), "schedule.on");
    let zone = "document: { dsl: '1.0.3', namespace: test, name: w, version: '1.0.0', metadata: { tutti: { schedule: { timezone: Europe/Berlim } } } }\nschedule: { cron: '0 2 * * *' }\ndo: [{ a: { set: { n: 1 } } }]";
    check(zone, "Europe/Berlim");
}

#[test]
fn a_schedule_starts_each_of_its_times_once_through_a_crash() {
    let mut server = Server::open();
    let text =
        document("ticks", "1.0.0", "schedule: { every: PT1S }\ndo: [{ a: { set: { n: 1 } } }]");
    server.post(PATH, &text).expect(201);
    let started = |server: &Server| {
        let page = server.get("/api/v1/namespaces/test/executions?workflow=ticks").expect(200);
        page["items"].as_array().map_or(0, Vec::len)
    };
    let wait_for = |server: &Server, count: usize| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while started(server) < count {
            assert!(std::time::Instant::now() < deadline, "{} were started", started(server));
            std::thread::yield_now();
        }
    };
    wait_for(&server, 2);
    let shown = server.get("/api/v1/namespaces/test/schedules").expect(200);
    let schedule = &shown["items"][0];
    assert_eq!((&schedule["workflow"], &schedule["trigger"]), (&"ticks".into(), &"every".into()));
    assert_eq!(schedule["next"].as_array().map(Vec::len), Some(5), "{shown}");
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    wait_for(&server, 4);
    let now = started(&server);
    let schedule = server.get("/api/v1/namespaces/test/schedules").expect(200)["items"][0].clone();
    let last: jiff::Timestamp =
        schedule["last"].as_str().and_then(|it| it.parse().ok()).expect("a moment");
    let page = server.get("/api/v1/namespaces/test/executions?workflow=ticks").expect(200);
    let first = page["items"].as_array().and_then(|items| items.last()).expect("one");
    let first: jiff::Timestamp =
        first["startedAt"].as_str().and_then(|it| it.parse().ok()).expect("a moment");
    let passed = usize::try_from((last - first).as_secs()).unwrap_or(0) + 2;
    assert!(now <= passed, "{now} were started in {passed} seconds");
    assert_eq!(server.ask("DELETE", &format!("{PATH}/ticks/1.0.0"), &[], "").status, 204);
    let gone = server.get("/api/v1/namespaces/test/schedules").expect(200);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let mut left = gone["items"].as_array().map_or(0, Vec::len);
    while left > 0 && std::time::Instant::now() < deadline {
        let page = server.get("/api/v1/namespaces/test/schedules").expect(200);
        left = page["items"].as_array().map_or(0, Vec::len);
    }
    assert_eq!(left, 0);
}

#[test]
fn a_start_that_is_refused_holds_no_other_schedule_up() {
    let server = Server::open();
    let refused = keyed("refused", "").replace("do: [", "schedule: { every: PT1S }\ndo: [");
    server.post(PATH, &refused).expect(201);
    let text = "schedule: { every: PT1S }\ndo: [{ a: { set: { n: 1 } } }]";
    server.post(PATH, &document("ticks", "1.0.0", text)).expect(201);
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let is_told = |server: &Server| {
        let page = server.get("/api/v1/namespaces/test/executions?workflow=ticks").expect(200);
        let count = page["items"].as_array().map_or(0, Vec::len);
        let audit = server.get("/api/v1/audit?limit=1000").expect(200).to_string();
        count >= 3 && audit.contains("\"refused\"")
    };
    while !is_told(&server) {
        assert!(std::time::Instant::now() < deadline, "{}", server.get("/api/v1/audit").body);
        std::thread::yield_now();
    }
}

#[test]
fn events_of_one_namespace_start_and_wake_nothing_in_another() {
    let server = Server::open();
    server.publish("listens", "do: [{ a: { listen: { to: { one: { with: { type: 'go' } } } } } }]");
    let id = server.start_one("listens", "");
    server.until(&id, "waiting");
    let event = r#"{"specversion":"1.0","id":"1","source":"s","type":"go"}"#;
    server.post("/api/v1/namespaces/other/events", event).expect(202);
    let here = server.post("/api/v1/namespaces/test/events", event).expect(202);
    assert_eq!(here["events"][0]["duplicate"], false, "another namespace's event is another event");
    let journal =
        |server: &Server| server.get(&format!("/api/v1/executions/{id}/journal")).expect(200);
    server.until(&id, "completed");
    let consumed = journal(&server);
    let positions: Vec<_> = consumed["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["kind"] == "EventConsumed")
        .map(|it| it["facts"]["position"].clone())
        .collect();
    assert_eq!(positions, [2]);
}
