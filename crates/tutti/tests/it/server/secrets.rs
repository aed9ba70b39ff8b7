//! Secrets go in and do not come out.

use std::{fs, path::Path};

use super::client::Server;

const CANARY: &str = "c4nary-of-a-secret";

#[test]
fn a_secret_is_used_by_executions_of_its_namespace_and_shown_to_nobody() {
    let mut server = Server::with_admin();
    let path = "/api/v1/namespaces/test/secrets/TOKEN";
    let written = server.ask("PUT", path, &[], &format!(r#"{{"value":"{CANARY}"}}"#));
    assert_eq!(written.status, 204, "{}", written.body);
    server.publish(
        "uses",
        "use: { secrets: [TOKEN] }\ndo: [{ a: { set: { length: '${ $secrets.TOKEN | length }', it: '${ $secrets.TOKEN }' } } }]",
    );
    let done = server.begin("uses", "?wait=10s", "");
    assert_eq!(
        (done.status, done.body.as_str()),
        (200, r#"{"length":"«secret»","it":"«secret»"}"#)
    );
    let id = done.header("tutti-execution").expect("its name").to_owned();
    let token = server.token.clone();
    server.kill();
    let mut server = Server::start_on(&server.directory, &[]);
    server.token = token;
    assert_eq!(server.begin("uses", "?wait=10s", "").status, 200, "it is there after a start");
    let paths = ["", "/tasks?values=true", "/journal", "/waiting"]
        .map(|it| format!("/api/v1/executions/{id}{it}"));
    let others = [
        "/api/v1/namespaces/test/secrets",
        "/api/v1/audit",
        "/api/v1/namespaces/test/executions",
        "/metrics",
    ];
    for path in paths.iter().map(String::as_str).chain(others) {
        let told = server.get(path);
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        assert!(!told.body.contains(CANARY), "{path} tells the secret: {}", told.body);
    }
    let elsewhere =
        server.ask("PUT", "/api/v1/namespaces/other/secrets/TOKEN", &[], r#"{"value":"x"}"#);
    assert_eq!(elsewhere.status, 204);
    assert_eq!(server.ask("DELETE", path, &[], "").status, 204);
    assert_eq!(server.ask("DELETE", path, &[], "").status, 404);
    let missing = server.begin("uses", "?wait=10s", "").expect(403);
    assert!(missing["detail"].as_str().unwrap_or("").contains("TOKEN"), "{missing}");
    assert!(!files_hold(&server.directory), "a file holds the secret");
}

fn files_hold(directory: &Path) -> bool {
    let files = fs::read_dir(directory).expect("it can be listed").flatten();
    let mut read = files.map(|file| fs::read(file.path()).unwrap_or_default());
    read.any(|bytes| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()))
}

#[test]
fn a_server_does_not_start_without_the_keys_of_its_directory() {
    let mut server = Server::open();
    server.publish("w", "do: [{ a: { set: { n: 1 } } }]");
    server.kill();
    fs::remove_file(server.directory.join("master.key")).expect("it is there");
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["server", "--listen", "127.0.0.1:0", "--store"])
        .arg(&server.directory)
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(4));
    assert!(!server.directory.join("master.key").exists(), "no key is made over what was sealed");
}
