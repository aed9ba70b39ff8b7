//! What every connector promises, asked of each in the same words. A new connector adds a [`Subject`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tutti_connectors::{Connector, Failure, Registry, http::HttpOptions, shell::Shell};
use tutti_expr::Value;
use tutti_journal::Effect;

use crate::{
    server::{Act, Server, answer, response},
    world::{Directory, PATIENCE, World, call_with, eventually, http, http_with, shown},
};

const SECRET: &str = "hunter2-hunter2";

/// One connector and calls that show how it behaves.
struct Subject {
    name: &'static str,
    keys: AtomicU32,
    connector: Arc<dyn Connector>,
    directory: Option<Directory>,
    recorded: bool,
    server: Option<Server>,
    /// Other servers to keep.
    _others: Vec<Server>,
    /// Ends at once.
    quick: Value,
    /// Never ends.
    endless: Value,
    /// Has more output than is allowed.
    oversized: Value,
    /// Gives the secret in its arguments back in every way it can.
    echo: Value,
}

impl Subject {
    async fn http() -> Self {
        let server = Server::always(Act::Hang).await;
        let quick = Server::always(answer("200 OK", &[], b"hi")).await;
        let big = Server::always(answer("200 OK", &[], &vec![b'x'; 8 * 1024 * 1024 + 1])).await;
        let text = format!("say {SECRET} again");
        let header = format!("x-echo: {SECRET}");
        let echo = Server::always(answer("418 No", &[&header], text.as_bytes())).await;
        let post = |server: &Server, body: Value| {
            Value::object([
                ("method", Value::from("post")),
                ("uri", Value::from(server.uri("/"))),
                ("body", body),
            ])
        };
        Self {
            name: "http",
            keys: AtomicU32::new(0),
            connector: Arc::new(http()),
            directory: None,
            recorded: false,
            quick: post(&quick, Value::NULL),
            endless: post(&server, Value::NULL),
            oversized: post(&big, Value::NULL),
            echo: post(&echo, Value::from(SECRET).tainted()),
            server: Some(server),
            _others: vec![quick, big, echo],
        }
    }

    fn shell(recorded: bool) -> Self {
        let directory = Directory::new();
        let up = directory.join("up");
        let command = |text: &str| Value::object([("command", Value::from(text))]);
        Self {
            name: if recorded { "shell, recorded" } else { "shell" },
            keys: AtomicU32::new(0),
            connector: Arc::new(Shell),
            server: None,
            _others: Vec::new(),
            quick: command("echo hi"),
            endless: command(&format!("echo up > {up}; while :; do sleep 60; done")),
            oversized: command("head -c 8388609 /dev/zero"),
            echo: Value::object([
                ("command", Value::from("echo $S; echo say $S again >&2; exit 1")),
                ("environment", Value::object([("S", Value::from(SECRET).tainted())])),
            ]),
            directory: Some(directory),
            recorded,
        }
    }

    async fn all() -> [Self; 3] {
        [Self::http().await, Self::shell(false), Self::shell(true)]
    }

    fn world(&self) -> (World, tutti_connectors::CallContext) {
        let scratch = self
            .directory
            .as_ref()
            .filter(|_| self.recorded)
            .map(|directory| directory.path().join("scratch"));
        World::new(scratch.as_deref())
    }

    async fn outcome(&self, arguments: &Value) -> (Result<Value, Failure>, Vec<String>) {
        let (mut world, context) = self.world();
        let mut call = call_with(arguments.clone());
        // A record under the same key would answer for another call.
        call.key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed)).into();
        let outcome = tokio::time::timeout(PATIENCE, self.connector.call(call, context)).await;
        let mut lines = Vec::new();
        while let Ok(line) = world.lines.try_recv() {
            lines.push(line.text);
        }
        (outcome.expect("an end"), lines)
    }

    /// Waits until the endless call is under way.
    async fn under_way(&self, requests: usize) {
        if let Some(server) = &self.server {
            return server.wait_for(requests).await;
        }
        let up = self.endless.get("command").and_then(Value::as_str).expect("a command");
        let path = up.split(['>', ';']).nth(1).expect("a path").trim().to_owned();
        eventually("the start", || std::fs::read(&path).ok().filter(|it| !it.is_empty())).await;
        std::fs::remove_file(&path).expect("a file");
    }
}

#[tokio::test]
async fn a_quick_call_gives_its_output_and_shows_progress() {
    for subject in Subject::all().await {
        let (outcome, lines) = subject.outcome(&subject.quick).await;
        let output = shown(&outcome);
        assert!(["\"hi\"", "\"aGk=\""].contains(&output.as_str()), "{}: {output}", subject.name);
        assert!(!lines.is_empty(), "{}", subject.name);
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_and_says_what_is_known() {
    for subject in Subject::all().await {
        for (number, (effect, expected)) in [
            (Effect::Once, "unknown outcome-unknown"),
            (Effect::Idempotent, "known "),
            (Effect::Read, "known "),
        ]
        .into_iter()
        .enumerate()
        {
            let (world, context) = subject.world();
            let mut call = call_with(subject.endless.clone());
            call.effect = effect;
            call.key = format!("cancel-{number}").into();
            let connector = Arc::clone(&subject.connector);
            let calling = tokio::spawn(async move { connector.call(call, context).await });
            subject.under_way(number + 1).await;
            world.canceller.cancel();
            let outcome = tokio::time::timeout(PATIENCE, calling).await.expect("an end");
            let shown = shown(&outcome.expect("no panic"));
            assert!(shown.starts_with(expected), "{} {effect}: {shown}", subject.name);
        }
    }
}

#[tokio::test]
async fn a_call_cancelled_before_it_began_does_nothing() {
    for subject in Subject::all().await {
        let (world, context) = subject.world();
        world.canceller.cancel();
        let outcome = subject.connector.call(call_with(subject.endless.clone()), context).await;
        assert_eq!(shown(&outcome), "cancelled", "{}", subject.name);
    }
}

#[tokio::test]
async fn output_over_the_limit_is_refused_by_name() {
    for subject in Subject::all().await {
        let (outcome, _) = subject.outcome(&subject.oversized).await;
        let shown = shown(&outcome);
        assert!(shown.starts_with("known "), "{}: {shown}", subject.name);
        assert!(shown.contains("larger than 8388608 bytes"), "{}: {shown}", subject.name);
    }
}

#[tokio::test]
async fn no_secret_comes_back_unmarked() {
    for subject in Subject::all().await {
        let (outcome, lines) = subject.outcome(&subject.echo).await;
        let text = format!("{outcome:?} {lines:?}");
        assert!(text.contains("«secret»"), "{}: {text}", subject.name);
        assert!(!text.contains(SECRET), "{}: {text}", subject.name);
    }
}

const CANARY: &str = r#"canary "x" 2+2"#;

/// As it is, base64, hexadecimal, URL-encoded, JSON-escaped.
const CANARY_FORMS: [&str; 5] = [
    r#"canary "x" 2+2"#,
    "Y2FuYXJ5ICJ4IiAyKzI=",
    "63616e6172792022782220322b32",
    "canary%20%22x%22%202%2B2",
    r#"canary \"x\" 2+2"#,
];

/// Whatever `outcome` and `lines` say, it is none of the forms; the outcome says that there was a secret.
#[track_caller]
fn check_hidden(form: &str, outcome: &Result<Value, Failure>, lines: &[String]) {
    let text = format!("{outcome:?} {lines:?}");
    assert!(format!("{outcome:?}").contains("«secret»"), "{form}: {text}");
    let escaped = form.escape_debug().to_string();
    assert!(!text.contains(form) && !text.contains(&escaped), "{form}: {text}");
    if let Ok(output) = outcome {
        let journaled = output.to_redacted_json();
        assert!(!journaled.contains(form) && !journaled.contains(&escaped), "{form}: {journaled}");
    }
}

#[tokio::test]
async fn a_secret_that_a_command_prints_in_any_form_is_hidden() {
    for form in CANARY_FORMS {
        for recorded in [false, true] {
            for code in [0, 1] {
                // In two writes, so that a border may fall into it.
                let command = format!(
                    "printf %s \"$A\"; printf '%s\\n' \"$B\"; printf '%s\\n' \"$A$B\" >&2; exit {code}"
                );
                let (first, second) = form.split_at(form.len() / 2);
                let environment = Value::object([
                    ("A", Value::from(first)),
                    ("B", Value::from(second)),
                    ("SECRET", Value::from(CANARY).tainted()),
                ]);
                let arguments = Value::object([
                    ("command", Value::from(command)),
                    ("environment", environment),
                ]);
                let (outcome, lines) = Subject::shell(recorded).outcome(&arguments).await;
                check_hidden(form, &outcome, &lines);
                assert_eq!(lines, ["«secret»", "«secret»"], "{form}");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_that_a_server_sends_back_in_any_form_is_hidden() {
    for form in CANARY_FORMS {
        for (status, output) in [("200 OK", "content"), ("200 OK", "raw"), ("418 No", "response")] {
            let header = format!("x-echo: {form}");
            let act = answer(status, &[&header, "content-type: text/plain"], form.as_bytes());
            let server = Server::always(act).await;
            let arguments = Value::object([
                ("method", Value::from("post")),
                ("uri", Value::from(server.uri("/"))),
                ("query", Value::object([("q", Value::from(CANARY).tainted())])),
                ("output", Value::from(output)),
            ]);
            let (outcome, lines) = Subject::http().await.outcome(&arguments).await;
            check_hidden(form, &outcome, &lines);
        }
    }
}

#[tokio::test]
async fn arguments_of_the_wrong_shape_are_known_errors() {
    for subject in Subject::all().await {
        for arguments in
            ["null", "1", "[]", "{}", r#"{"bogus":1}"#, r#"{"command":[],"method":1,"uri":2}"#]
        {
            let arguments = Value::from_json(arguments).expect("JSON");
            let (outcome, _) = subject.outcome(&arguments).await;
            let shown = shown(&outcome);
            assert!(shown.starts_with("known validation 400: "), "{}: {shown}", subject.name);
        }
    }
}

#[tokio::test]
async fn the_key_and_the_attempt_are_passed_on() {
    let server = Server::always(Act::Answer(response("200 OK", &[], b""))).await;
    let arguments = format!(r#"{{"method":"post","uri":"{}"}}"#, server.uri("/"));
    let command = r#"{"command":"echo $TUTTI_IDEMPOTENCY_KEY $TUTTI_ATTEMPT"}"#;
    let registry = Registry::builder().with(http()).with(Shell).build();
    assert_eq!(registry.functions().collect::<Vec<_>>(), ["http", "shell"]);
    for (function, arguments) in [("http", arguments.as_str()), ("shell", command)] {
        let (_world, context) = World::new(None);
        let mut call = call_with(Value::from_json(arguments).expect("JSON"));
        call.key = "key-7".into();
        call.attempt = 5;
        let connector = registry.get(function).expect("a connector");
        let output = shown(&connector.call(call, context).await);
        assert!(["null", "\"key-7 5\""].contains(&output.as_str()), "{output}");
    }
    let request = server.received().remove(0);
    assert_eq!(request.header("idempotency-key"), Some("key-7"));
    assert_eq!(request.header("tutti-attempt"), Some("5"));
}

/// Shell has no time-out of its own: the task's reaches it as a cancellation.
#[tokio::test]
async fn a_call_that_takes_too_long_ends_by_itself() {
    let server = Server::always(Act::Hang).await;
    let options = HttpOptions { timeout: Duration::from_millis(50), ..HttpOptions::default() };
    let arguments = format!(r#"{{"method":"get","uri":"{}"}}"#, server.uri("/"));
    let mut call = call_with(Value::from_json(&arguments).expect("JSON"));
    call.effect = Effect::Read;
    let (_world, context) = World::new(None);
    assert_eq!(
        shown(&http_with(options).call(call, context).await),
        "known timeout 408: no complete response within 0.05 s"
    );
}
