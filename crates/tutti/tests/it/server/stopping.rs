//! Ends, orderly and not.

use super::client::Server;

#[test]
fn a_server_that_is_told_to_stop_says_so_and_ends_well() {
    let mut server = Server::open();
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    let id = server.start_one("waits", "");
    server.until(&id, "waiting");
    let (code, said) = server.stop();
    assert_eq!((code, said.contains("stopped")), (Some(0), true), "{said}");
    let server = Server::start_on(&server.directory, &["--no-login"]);
    assert_eq!(server.get(&format!("/api/v1/executions/{id}")).expect(200)["status"], "waiting");
}

#[test]
fn what_was_acknowledged_goes_on_after_a_kill() {
    let mut server = Server::open();
    server.publish("waits", "do: [{ a: { wait: PT2S } }, { b: { set: { done: true } } }]");
    let ids: Vec<String> = (0..20).map(|_| server.start_one("waits", "")).collect();
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    for id in ids {
        assert_eq!(server.until(&id, "completed")["output"]["done"], true);
    }
}

#[test]
fn a_second_server_on_the_directory_is_refused() {
    let server = Server::open();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["server", "--listen", "127.0.0.1:0", "--no-login", "--store"])
        .arg(&server.directory)
        .output()
        .expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another process"), "{said}");
}

#[test]
fn a_second_signal_does_not_wait_for_requests_under_way() {
    let mut server = Server::open();
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    // The answer is not read: the request is under way for as long as the server lets it be.
    let path = "/api/v1/namespaces/test/workflows/waits/executions?wait=5m";
    let under_way = server.send(&format!("POST {path} HTTP/1.1\r\nhost: test\r\n\r\n"));
    let started = "/api/v1/namespaces/test/executions?status=waiting";
    while server.get(started).expect(200)["items"].as_array().is_none_or(Vec::is_empty) {
        std::thread::yield_now();
    }
    server.terminate();
    let draining = server.line_with("draining");
    assert!(draining.contains("\"connections\":1"), "{draining}");
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!((code, said.contains("by a second signal")), (Some(143), true), "{said}");
    drop(under_way);
    let server = Server::start_on(&server.directory, &["--no-login"]);
    assert_eq!(server.get(started).expect(200)["items"].as_array().map(Vec::len), Some(1));
}
