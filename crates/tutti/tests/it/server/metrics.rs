//! What Prometheus is told, and that its page and the documentation are the same.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use tutti_server::{METRICS, MetricKind};

use super::client::{Server, document};

const HEAD: &str = "\
# Metrics

*Generated* from the catalog of the server; `TUTTI_UPDATE=1 cargo test -p tutti` rewrites it.

`GET /metrics` gives the figures of a server in the text exposition format of Prometheus, to whoever may read the server: a token of a `viewer` on all
namespaces. Every label has few values, known when the server starts: a route is the template of its path, `none` where no route took the request. Figures
begin with 0 when a server starts. Counting costs a few atomic additions; `tutti_executions_open` is asked of the store when the page is read, and costs the same however many there are.

Histograms have the bounds 0.0005 to 60 seconds.

| metric | kind | labels | meaning |
|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "—".to_owned() } else { labels.join(", ") };
        let kind = metric.kind.as_str();
        writeln!(page, "| `{}` | {kind} | {labels} | {} |", metric.name, metric.help).ok();
    }
    page
}

/// Every sample by what stands before its value.
fn samples(server: &Server) -> BTreeMap<String, f64> {
    let told = server.get("/metrics");
    told.expect(200);
    assert_eq!(told.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let lines = told.body.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        (series.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_exposed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    if env::var_os("TUTTI_UPDATE").is_some() {
        fs::write(&path, page()).expect("the page can be written");
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == page(),
        "docs/reference/metrics.md is out of date; hint: TUTTI_UPDATE=1 rewrites it"
    );
    let documented: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `tutti_")?.split('`').next()).collect();
    let told = Server::open().get("/metrics").body;
    let mut exposed = Vec::new();
    for line in told.lines().filter_map(|line| line.strip_prefix("# TYPE tutti_")) {
        let (name, kind) = line.split_once(' ').expect("a kind");
        assert!(told.contains(&format!("# HELP tutti_{name} ")), "{name} has no help");
        let known = METRICS.iter().find(|metric| metric.name.ends_with(name)).expect("it is known");
        assert_eq!(known.kind.as_str(), kind, "{name}");
        if known.kind == MetricKind::Histogram && known.labels.is_empty() {
            assert!(told.contains(&format!("\ntutti_{name}_bucket{{le=\"+Inf\"}} ")), "{name}");
        }
        exposed.push(name);
    }
    assert_eq!(exposed, documented);
}

#[test]
fn what_executions_do_is_counted() {
    let server = Server::open();
    server.publish("sets", "do: [{ a: { set: { n: 1 } } }]");
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    server.publish("naps", "do: [{ a: { wait: { milliseconds: 1 } } }]");
    server.publish("runs", "do: [{ a: { run: { shell: { command: 'true' } } } }]");
    let raises =
        "do: [{ a: { raise: { error: { type: 'https://example.com/x', status: 500 } } } }]";
    server.publish("raises", raises);
    let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
    for _ in 0..2 {
        server.post("/api/v1/namespaces/test/events", event).expect(202);
    }
    let ticks =
        document("ticks", "1.0.0", "schedule: { every: PT1H }\ndo: [{ a: { set: { n: 1 } } }]");
    server.post("/api/v1/namespaces/test/workflows", &ticks).expect(201);
    for name in ["sets", "naps", "runs"] {
        assert_eq!(server.begin(name, "?wait=30s", "").status, 200, "{name}");
    }
    assert_eq!(server.begin("raises", "?wait=30s", "").status, 500);
    let id = server.start_one("waits", "");
    server.until(&id, "waiting");
    let told = samples(&server);
    let check = |series: &str, expected: f64| {
        let found = told.get(series).copied();
        assert_eq!(found, Some(expected), "{series}: {told:#?}");
    };
    check("tutti_executions_open", 1.0);
    check("tutti_executions_started_total", 5.0);
    check("tutti_executions_ended_total{status=\"completed\"}", 3.0);
    check("tutti_executions_ended_total{status=\"faulted\"}", 1.0);
    check("tutti_calls_total{connector=\"shell\",outcome=\"completed\"}", 1.0);
    check("tutti_calls_in_flight{connector=\"shell\"}", 0.0);
    check("tutti_call_duration_seconds_count{connector=\"shell\"}", 1.0);
    check("tutti_calls_limit", 256.0);
    check("tutti_events_received_total{outcome=\"logged\"}", 1.0);
    check("tutti_events_received_total{outcome=\"duplicate\"}", 1.0);
    check("tutti_events_behind", 0.0);
    check("tutti_schedules", 1.0);
    check("tutti_timer_lag_seconds_count", 1.0);
    check("tutti_commits_total{outcome=\"failed\"}", 0.0);
    let (turns, rows) = (told["tutti_turns_total"], told["tutti_commit_rows_total{kind=\"turn\"}"]);
    assert!(turns >= 5.0 && rows >= turns, "{turns} of {rows}");
    assert!(told["tutti_commits_total{outcome=\"stored\"}"] >= 10.0);
    assert!(told["tutti_journal_entries_total"] > turns);
    let faulted = "tutti_http_requests_total{route=\"/api/v1/namespaces/{namespace}/workflows/{name}/executions\",method=\"POST\",status=\"5xx\"}";
    check(faulted, 1.0);
}

#[test]
fn labels_are_templates_and_words_whatever_is_asked_for() {
    let mut server = Server::with_admin();
    for path in ["/api/v1/secret-of-mine", "/wp-admin", "/api/v1/executions/exec_nonsense"] {
        assert_eq!(server.get(path).status, 404);
    }
    assert_eq!(server.ask("BREW", "/coffee-pot", &[], "").status, 404);
    assert_eq!(server.ask("PUT", "/livez", &[], "").status, 405);
    assert_eq!(server.as_somebody("x", "GET", "/api/v1/server", "").status, 401);
    let token = server.token.take();
    assert_eq!(server.get("/api/v1/server").status, 401);
    server.token = token;
    let told = samples(&server);
    let requests = |route: &str, method: &str, status: &str| {
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        told.get(&format!("tutti_http_requests_total{{{labels}}}")).copied()
    };
    assert_eq!(requests("none", "GET", "4xx"), Some(2.0), "{told:#?}");
    assert_eq!(requests("none", "other", "4xx"), Some(1.0));
    assert_eq!(requests("none", "PUT", "4xx"), Some(1.0));
    assert_eq!(requests("/api/v1/executions/{id}", "GET", "4xx"), Some(1.0));
    assert_eq!(requests("/api/v1/server", "GET", "4xx"), Some(2.0));
    let refused =
        |reason: &str| told.get(&format!("tutti_refusals_total{{reason=\"{reason}\"}}")).copied();
    assert_eq!((refused("token-unknown"), refused("anonymous")), (Some(1.0), Some(1.0)));
    let said = told.keys().cloned().collect::<String>();
    for raw in ["secret-of-mine", "wp-admin", "coffee", "BREW", "exec_"] {
        assert!(!said.contains(raw), "{raw} is in a label");
    }
}

#[test]
fn refusals_beyond_those_that_are_written_down_are_counted() {
    let server = Server::with_admin();
    let (refusals, in_a_minute) = (70, 60);
    for _ in 0..refusals {
        assert_eq!(server.as_somebody("tutti_x", "GET", "/api/v1/server", "").status, 401);
    }
    let told = samples(&server);
    let refused = told.get("tutti_refusals_total{reason=\"token-unknown\"}").copied();
    let unrecorded = told["tutti_refusals_unrecorded_total"];
    assert_eq!(refused, Some(f64::from(refusals)), "{told:#?}");
    // A minute may have ended meanwhile.
    assert!(unrecorded <= f64::from(refusals - in_a_minute), "{unrecorded}");
}
