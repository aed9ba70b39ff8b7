//! Starting executions, looking at them, laying hands on them.

use std::io::{BufRead as _, BufReader};

use super::client::Server;

#[test]
fn a_start_that_waits_answers_with_the_output_or_the_error() {
    let server = Server::open();
    server.publish("double", "do: [{ a: { set: { n: '${ .n * 2 }' } } }]");
    let done = server.begin("double", "?wait=10s", r#"{"n": 21}"#);
    assert_eq!((done.status, done.body.as_str()), (200, r#"{"n":42}"#));
    let id = done.header("tutti-execution").expect("its name");
    assert_eq!(done.header("location"), Some(format!("/api/v1/executions/{id}").as_str()));

    server.publish("fails", "do: [{ a: { raise: { error: { type: 'https://x.example/broke', status: 409, title: broke } } } }]");
    let failed = server.begin("fails", "?wait=10s", "");
    assert_eq!(failed.header("content-type"), Some("application/problem+json"));
    assert_eq!(failed.expect(409)["title"], "broke");

    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    let waiting = server.begin("waits", "?wait=50ms", "").expect(202);
    assert_eq!(waiting["status"], "waiting");
    for (query, input) in [("?wait=soon", ""), ("?wait=1h", ""), ("", "{"), ("?version=9.9.9", "")]
    {
        let refused = server.begin("double", query, input);
        assert!([400, 404].contains(&refused.status), "{query} {input}: {}", refused.body);
    }
}

#[test]
fn a_start_under_an_idempotency_key_happens_once_also_after_a_crash() {
    let mut server = Server::open();
    server.publish("w", "do: [{ a: { set: { n: 1 } } }]");
    let path = "/api/v1/namespaces/test/workflows/w/executions";
    let start = |server: &Server, key: &str, body: &str| {
        server.ask("POST", path, &[("idempotency-key", key)], body)
    };
    let first = start(&server, "k", "{}").expect(201)["id"].clone();
    assert_eq!(start(&server, "k", "{}").expect(201)["id"], first);
    let reused = start(&server, "k", r#"{"other": true}"#);
    assert_eq!((reused.status, reused.code().as_str()), (422, "E0309"));
    assert_ne!(start(&server, "l", "{}").expect(201)["id"], first);
    // Many at once, one execution.
    let ids: Vec<_> = std::thread::scope(|scope| {
        let ask = || start(&server, "m", "{}").expect(201)["id"].to_string();
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().filter_map(|it| it.join().ok()).collect()
    });
    assert_eq!((ids.len(), ids.windows(2).all(|pair| pair[0] == pair[1])), (8, true));
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    assert_eq!(start(&server, "k", "{}").expect(201)["id"], first);
    let all = server.get("/api/v1/namespaces/test/executions").expect(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(3));
}

#[test]
fn executions_are_listed_by_what_is_asked_for() {
    let server = Server::open();
    server.publish("good", "do: [{ a: { set: { n: 1 } } }]");
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    server.begin("good", "?wait=10s&key=order-7", "").expect(200);
    let waiting = server.start_one("waits", "");
    server.begin("good", "?wait=10s&key=order-8", "").expect(200);
    let count = |query: &str| {
        let page = server.get(&format!("/api/v1/namespaces/test/executions{query}")).expect(200);
        page["items"].as_array().map_or(0, Vec::len)
    };
    server.until(&waiting, "waiting");
    let expected = [
        ("", 3),
        ("?status=waiting", 1),
        ("?status=completed", 2),
        ("?workflow=waits", 1),
        ("?workflow=waits&status=completed", 0),
        ("?key=order-7", 1),
        ("?since=2100-01-01T00:00:00Z", 0),
        ("?limit=1", 1),
    ];
    for (query, expected) in expected {
        assert_eq!(count(query), expected, "{query}");
    }
    for query in ["?status=paused", "?limit=0", "?limit=1001", "?cursor=x", "?since=never"] {
        let refused = server.get(&format!("/api/v1/namespaces/test/executions{query}"));
        assert_eq!((refused.status, refused.code().as_str()), (400, "E0304"), "{query}");
    }
    let page = server.get("/api/v1/namespaces/test/executions?limit=2").expect(200);
    let cursor = page["next"].as_str().expect("there is more");
    let rest =
        server.get(&format!("/api/v1/namespaces/test/executions?cursor={cursor}")).expect(200);
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next"]), (Some(1), &().into()));
}

#[test]
fn what_an_execution_did_is_told_task_by_task() {
    let server = Server::open();
    server.publish(
        "loops",
        "do:\n  - each: { for: { in: '${ [1, 2] }' }, do: [{ add: { set: { n: '${ $item }' } } }] }\n  - skipped: { if: '${ false }', set: { n: 0 } }",
    );
    let id = server
        .begin("loops", "?wait=10s", "")
        .header("tutti-execution")
        .expect("its name")
        .to_owned();
    let page = server.get(&format!("/api/v1/executions/{id}/tasks?values=true")).expect(200);
    let told: Vec<String> = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            format!("{} {} {} {}", it["reference"], it["iterations"], it["status"], it["output"])
        })
        .collect();
    let expected = [
        r#""/do/0/each" null "completed" null"#,
        r#""/do/0/each/do/0/add" [0] "completed" {"n":1}"#,
        r#""/do/0/each/do/0/add" [1] "completed" {"n":2}"#,
        r#""/do/1/skipped" null "skipped" null"#,
    ];
    assert_eq!(told, expected);
    let journal = server.get(&format!("/api/v1/executions/{id}/journal?limit=2")).expect(200);
    assert_eq!(journal["items"][0]["kind"], "ExecutionStarted");
    let next = journal["next"].as_str().expect("there is more");
    let rest = server.get(&format!("/api/v1/executions/{id}/journal?cursor={next}")).expect(200);
    let last = rest["items"].as_array().and_then(|items| items.last()).expect("an entry");
    assert_eq!(last["kind"], "ExecutionCompleted");
}

#[test]
fn an_execution_says_what_it_waits_for_and_does_what_it_is_told() {
    let server = Server::open();
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    let id = server.start_one("waits", "");
    server.until(&id, "waiting");
    let path = format!("/api/v1/executions/{id}");
    let waiting = server.get(&format!("{path}/waiting")).expect(200);
    let of = &waiting["waits"][0];
    assert_eq!((&of["what"], &of["reference"]), (&"time".into(), &"/do/0/a".into()), "{waiting}");
    assert!(of["until"].is_string() && of["since"].is_string());
    let suspended = server.post(&format!("{path}/suspend"), r#"{"reason":"lunch"}"#).expect(200);
    assert_eq!(suspended["status"], "suspended");
    let waiting = server.get(&format!("{path}/waiting")).expect(200);
    assert_eq!(waiting["waits"][0]["what"], "resume");
    let again = server.post(&format!("{path}/resolve"), r#"{"resolution":"retry"}"#);
    assert_eq!((again.status, again.code().as_str()), (409, "E0307"));
    server.post(&format!("{path}/resume"), "").expect(200);
    assert_eq!(server.post(&format!("{path}/cancel"), "").expect(200)["status"], "cancelled");
    assert_eq!(server.post(&format!("{path}/resume"), "").code(), "E0307");
    let back = server.post(&format!("{path}/retry"), r#"{"from":"/do/0/a"}"#).expect(200);
    assert_eq!(back["status"], "waiting");
    let audit = server.get("/api/v1/audit").expect(200);
    let told: Vec<String> = audit["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            format!(
                "{}{}",
                it["action"].as_str().unwrap_or(""),
                it["reason"].as_str().map_or(String::new(), |why| format!(" ({why})"))
            )
        })
        .collect();
    let expected = [
        "workflow.publish",
        "execution.start",
        "execution.suspend (lunch)",
        "execution.resume",
        "execution.cancel",
        "execution.retry",
    ];
    assert_eq!(told, expected, "what was refused changed nothing, so nothing is told");
}

#[test]
fn events_reach_who_listens_once_in_every_form() {
    let server = Server::open();
    server.publish("listens", "do: [{ a: { listen: { to: { any: [{ with: { type: 'paid' } }], until: '${ length == 3 }' } } } }]");
    let id = server.start_one("listens", "");
    server.until(&id, "waiting");
    let path = "/api/v1/namespaces/test/events";
    let event = |id: u8| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"paid","data":{id}}}"#)
    };
    let structured = [("content-type", "application/cloudevents+json")];
    let first = server.ask("POST", path, &structured, &event(1)).expect(202);
    assert_eq!(first["events"][0]["duplicate"], false);
    let again = server.ask("POST", path, &structured, &event(1)).expect(202);
    assert_eq!(again["events"][0]["duplicate"], true);
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "shop"),
        ("ce-type", "paid"),
        ("content-type", "application/json"),
    ];
    server.ask("POST", path, &binary, "2").expect(202);
    let batch = [("content-type", "application/cloudevents-batch+json")];
    let both =
        server.ask("POST", path, &batch, &format!("[{},{}]", event(2), event(3))).expect(202);
    assert_eq!(
        (&both["events"][0]["duplicate"], &both["events"][1]["duplicate"]),
        (&true.into(), &false.into())
    );
    assert_eq!(server.until(&id, "completed")["output"], serde_json::json!([1, 2, 3]));
    let bad = server.ask("POST", path, &batch, &format!("[{},{{}}]", event(4)));
    assert_eq!(bad.status, 400);
    assert!(bad.body.contains("event 1"), "{}", bad.body);
}

#[test]
fn a_stream_tells_every_fact_once_and_goes_on_where_it_was() {
    let server = Server::open();
    server.publish("listens", "do: [{ a: { listen: { to: { one: { with: { type: 'go' } } } } } }]");
    let id = server.start_one("listens", "");
    server.until(&id, "waiting");
    let follow = |after: u64| {
        let head = format!(
            "GET /api/v1/executions/{id}/stream HTTP/1.1\r\nhost: test\r\nlast-event-id: {after}\r\nconnection: close\r\n\r\n"
        );
        BufReader::new(server.send(&head))
    };
    let mut stream = follow(0);
    let mut line = String::new();
    while !line.contains("ListenStarted") {
        line.clear();
        assert!(stream.read_line(&mut line).expect("it can be read") > 0, "the stream ended");
    }
    server
        .post(
            "/api/v1/namespaces/test/events",
            r#"{"specversion":"1.0","id":"1","source":"s","type":"go"}"#,
        )
        .expect(202);
    let ids = |stream: BufReader<std::net::TcpStream>| -> Vec<u64> {
        let lines = stream.lines().map_while(Result::ok);
        lines.filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
    };
    let rest = ids(stream);
    server.until(&id, "completed");
    let all = ids(follow(0));
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    assert!(all.ends_with(&rest) && !rest.is_empty(), "{rest:?} of {all:?}");
    assert_eq!(ids(follow(3)), all[3..]);
}
