//! Every route, asked by everybody, in every form of its path: against the table that people read.

use std::{env, fmt::Write as _, fs, path::Path};

use tutti_api::Operation;

use super::client::{Reply, Server};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/access.md");
const HEAD: &str = "\
# Who may do what

*Generated* by asking a server for everything as everybody; `TUTTI_UPDATE=1 cargo test -p tutti routes` rewrites it.

A role holds in a namespace, or everywhere (`*`). ✔ is let in, ✘ is told that it may not (403), · is not told that there is such a
thing (404), – is asked who it is (401). What a token may is never more than what its principal may.

";

/// A role, and the namespace it holds in.
type Role = (&'static str, Option<&'static str>);

/// Who asks: what it is called in the table, and its grant.
const WHO: [(&str, Option<Role>); 8] = [
    ("no role", None),
    ("viewer", Some(("viewer", Some("test")))),
    ("operator", Some(("operator", Some("test")))),
    ("author", Some(("author", Some("test")))),
    ("admin", Some(("admin", Some("test")))),
    ("admin elsewhere", Some(("admin", Some("other")))),
    ("viewer *", Some(("viewer", None))),
    ("admin *", Some(("admin", None))),
];

/// A server with somebody of every kind, and an execution that has ended.
struct Walk {
    server: Server,
    execution: String,
    tokens: Vec<String>,
}

impl Walk {
    fn new() -> Self {
        let server = Server::with_admin();
        server.publish("w", "do: [{ a: { set: { n: 1 } } }]");
        let done = server.begin("w", "?wait=10s", "");
        let execution = done.header("tutti-execution").expect("its name").to_owned();
        let tokens = WHO.iter().map(|(_, grant)| token(&server, *grant)).collect();
        Self { server, execution, tokens }
    }

    fn path(&self, operation: Operation) -> String {
        let id =
            if operation.path().contains("/executions/{id}") { &self.execution } else { "none" };
        let path = operation.path().replace("{namespace}", "test").replace("{id}", id);
        path.replace("{name}", "w").replace("{version}", "9.9.9")
    }

    fn ask(&self, token: Option<&str>, method: &str, path: &str) -> Reply {
        let header = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = header.iter().map(|it| ("authorization", it.as_str())).collect();
        let stranger = [("authorization", "")];
        let headers = if headers.is_empty() { &stranger[..] } else { &headers };
        self.server.ask(method, path, headers, "")
    }
}

fn token(server: &Server, grant: Option<(&str, Option<&str>)>) -> String {
    let grants = grant.map_or(
        serde_json::json!([]),
        |(role, namespace)| serde_json::json!([{ "role": role, "namespace": namespace }]),
    );
    let principal = serde_json::json!({ "name": "somebody", "grants": grants }).to_string();
    let id = server.post("/api/v1/principals", &principal).expect(201)["id"].clone();
    let token = serde_json::json!({ "name": "t", "principal": id }).to_string();
    let made = server.post("/api/v1/tokens", &token).expect(201);
    made["text"].as_str().expect("a token").to_owned()
}

fn mark(operation: Operation, reply: &Reply) -> &'static str {
    let detail = reply.json()["detail"].as_str().unwrap_or("").to_owned();
    let hides = ["there is no namespace", "there is no execution", "there is no such path"];
    match reply.status {
        401 => "–",
        403 => "✘",
        404 if hides.iter().any(|hidden| detail.starts_with(hidden)) => "·",
        409 if operation == Operation::Setup => "✘",
        _ => "✔",
    }
}

#[test]
fn everybody_is_let_in_where_the_table_says_and_nowhere_else() {
    let walk = Walk::new();
    let names = WHO.map(|(name, _)| name).join(" | ");
    let mut page = format!("{HEAD}| | nobody | {names} |\n|---|{}\n", ":-:|".repeat(WHO.len() + 1));
    for operation in Operation::ALL {
        let (method, path) = (operation.method().as_str(), walk.path(*operation));
        let mut row = vec![mark(*operation, &walk.ask(None, method, &path))];
        for token in &walk.tokens {
            row.push(mark(*operation, &walk.ask(Some(token), method, &path)));
        }
        writeln!(page, "| `{method} {}` | {} |", operation.path(), row.join(" | "))
            .expect("memory takes it");
    }
    if env::var_os("TUTTI_UPDATE").is_some() {
        fs::write(PAGE, &page).expect("the page can be written");
    }
    let known = fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
    assert_eq!(known, page, "the table of access changed");
}

#[test]
fn no_form_of_a_path_gets_around_the_gate() {
    let walk = Walk::new();
    let outsider =
        WHO.iter().position(|(name, _)| *name == "admin elsewhere").map(|at| &walk.tokens[at]);
    let public = [Operation::Live, Operation::Ready, Operation::OpenApi];
    for operation in Operation::ALL.iter().filter(|operation| !public.contains(operation)) {
        let path = walk.path(*operation);
        let inner = path.trim_start_matches('/');
        let forms = [
            format!("//{inner}"),
            format!("/x/../{inner}"),
            format!("/./{inner}"),
            format!("{path}/"),
            format!("{path};x=1"),
            format!("{path}%00"),
            format!("/{}", inner.replacen('/', "%2f", 1)),
            path.to_uppercase(),
            format!("http://elsewhere.example{path}"),
            path.replace("test", "test%2f..%2fother"),
        ];
        let known =
            matches!(operation, Operation::Server | Operation::ListTokens | Operation::CreateToken);
        for form in &forms {
            for method in [operation.method().as_str(), "HEAD", "OPTIONS", "PATCH", "get"] {
                let anonymous = walk.ask(None, method, form);
                assert!(
                    !(200..300).contains(&anonymous.status),
                    "{method} {form}: {}",
                    anonymous.status
                );
                let other = walk.ask(outsider.map(String::as_str), method, form);
                let fine = known || !(200..300).contains(&other.status);
                assert!(fine, "{method} {form}: {}", other.status);
            }
        }
        let overridden = walk.server.ask(
            "GET",
            &path,
            &[("x-http-method-override", "DELETE"), ("authorization", "")],
            "",
        );
        assert!(!(200..300).contains(&overridden.status), "{path}");
    }
}
