//! What the server says of itself.

use serde_json::Value as Json;

use super::client::Server;

const CANARY: &str = "c4nary-in-a-fault";

fn lines(said: &str) -> Vec<Json> {
    said.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic_with(line)))
        .collect()
}

#[track_caller]
fn panic_with(line: &str) -> Json {
    assert_eq!(line, "", "it is no JSON");
    Json::Null
}

fn find<'a>(lines: &'a [Json], message: &str) -> &'a Json {
    let found = lines
        .iter()
        .find(|line| line["message"].as_str().is_some_and(|it| it.starts_with(message)));
    found.unwrap_or_else(|| {
        assert_eq!(lines, &[] as &[Json], "nobody said: {message}");
        &Json::Null
    })
}

#[test]
fn where_no_person_looks_every_line_is_an_object_with_time_level_and_message() {
    let mut server = Server::open();
    let before = server.said.join("\n");
    let (code, said) = server.stop();
    let lines = lines(&format!("{before}\n{said}"));
    assert_eq!(code, Some(0));
    for line in &lines {
        let time: Option<jiff::Timestamp> = line["time"].as_str().and_then(|it| it.parse().ok());
        assert!(time.is_some(), "{line}");
        assert!(["info", "warn"].iter().any(|level| line["level"] == *level), "{line}");
    }
    let starting = find(&lines, "starting");
    assert_eq!(starting["store"], server.directory.display().to_string());
    let version = starting["version"].as_str().unwrap_or_default();
    assert!(version.starts_with(env!("CARGO_PKG_VERSION")), "{starting}");
    assert_eq!(find(&lines, "listening on http://")["address"], server.address.to_string());
    assert_eq!(find(&lines, "whoever reaches this address")["level"], "warn");
    assert_eq!(find(&lines, "stopping")["signal"], "SIGTERM");
    assert_eq!(find(&lines, "draining")["connections"], 0);
    find(&lines, "stopped: what was acknowledged is stored");
}

#[test]
fn text_is_written_where_it_is_asked_for() {
    let mut server = Server::start(&["--no-login", "--log-format", "text", "--log-level", "debug"]);
    server.get("/livez").expect(200);
    let (_, said) = server.stop();
    let answered =
        said.lines().find(|line| line.contains("request answered")).expect("it is logged");
    assert!(answered.contains(" debug request answered operation="), "{answered}");
    assert!(answered.contains(" status=200 request=req_"), "{answered}");
    assert!(answered.contains(" address=127.0.0.1"), "{answered}");
    assert!(!said.contains('{') && !said.contains('\x1b'), "{said}");
}

#[test]
fn a_refusal_has_one_id_in_the_answer_the_log_and_the_audit_trail() {
    let mut server = Server::with_admin();
    let secret = server.token.clone().expect("an administrator");
    let refused = server.as_somebody(&format!("{secret}x"), "GET", "/api/v1/server", "");
    let request = refused.header("tutti-request").expect("it has an id").to_owned();
    let audit = server.get("/api/v1/audit").expect(200);
    let (_, said) = server.stop();
    let lines = lines(&said);
    let line = find(&lines, "request refused");
    assert_eq!((&line["level"], &line["reason"]), (&"warn".into(), &"token-unknown".into()));
    assert_eq!(
        (&line["request"], &line["address"]),
        (&request.as_str().into(), &"127.0.0.1".into())
    );
    let is_it = |entry: &&Json| entry["request"] == request.as_str();
    let entry = audit["items"].as_array().and_then(|items| items.iter().find(is_it));
    assert_eq!(entry.map(|entry| &entry["action"]), Some(&"token.use-failed".into()), "{audit}");
    assert!(!said.contains(&secret[..40]), "a token is in the log");
}

#[test]
fn a_fault_is_told_with_its_execution_and_without_what_it_worked_with() {
    let mut server = Server::open();
    server.publish(
        "faults",
        &format!(
            "do: [{{ a: {{ raise: {{ error: {{ type: 'https://example.com/bad', status: 418, title: '{CANARY}', detail: '{CANARY}' }} }} }} }}]"
        ),
    );
    let id = server.start_one("faults", &format!(r#"{{"password":"{CANARY}"}}"#));
    server.until(&id, "faulted");
    let path = format!("/api/v1/executions/{id}/nothing?token={CANARY}");
    server.get(&path).expect(404);
    let (_, said) = server.stop();
    let lines = lines(&said);
    let line = find(&lines, "execution faulted");
    assert_eq!((&line["level"], &line["execution"]), (&"warn".into(), &id.as_str().into()));
    assert_eq!((&line["namespace"], &line["workflow"]), (&"test".into(), &"faults".into()));
    assert_eq!(
        (&line["errorType"], &line["status"]),
        (&"https://example.com/bad".into(), &418.into())
    );
    assert_eq!(line["task"], "/do/0/a");
    assert!(!said.contains(CANARY), "{said}");
}

#[test]
fn what_kept_a_server_from_starting_is_a_line_as_well() {
    let server = Server::open();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["server", "--listen", "127.0.0.1:0", "--no-login", "--store"])
        .arg(&server.directory)
        .output()
        .expect("it runs");
    let lines = lines(&String::from_utf8_lossy(&second.stderr));
    let last = lines.last().expect("a line");
    assert_eq!((second.status.code(), &last["level"]), (Some(2), &"error".into()), "{last}");
}
