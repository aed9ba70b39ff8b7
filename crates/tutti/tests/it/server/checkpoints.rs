//! Signed heads of the history, outside of the data directory.

use std::{fs, path::Path, process::Command};

use super::client::Server;

/// What `tutti` says, and how it ends.
fn tutti(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
    let output = command.current_dir(directory).args(arguments).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A server that has done something, and was stopped: its directory, and where its checkpoints are.
fn served(root: &Path, token: &str) -> String {
    let file = root.join("checkpoints");
    let file = file.to_str().expect("UTF-8");
    let mut server = Server::start_on(&root.join("data"), &["--no-login", "--checkpoints", file]);
    let secret = format!(r#"{{"value":"{token}"}}"#);
    let path = "/api/v1/namespaces/test/secrets/TOKEN";
    server.ask("PUT", path, &[("content-type", "application/json")], &secret).expect(204);
    let told = server.said.iter().find(|line| line.contains("writing signed checkpoints"));
    let told: serde_json::Value = serde_json::from_str(told.expect("it says so")).expect("JSON");
    server.stop();
    told["key"].as_str().expect("the key").to_owned()
}

#[test]
fn a_history_is_proved_by_checkpoints_outside_of_it() {
    let root = tempfile::tempdir().expect("a directory");
    let key = served(root.path(), "one");
    assert_eq!(served(root.path(), "two"), key, "the key stays");
    let check = |arguments: &[&str], code, expected: &str| {
        let (ended, said) = tutti(root.path(), arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    };
    let verify = ["audit", "verify", "all.jsonl", "--checkpoints", "checkpoints"];
    check(&["export", "--store", "data", "-o", "all.jsonl"], 0, "");
    check(&verify, 0, "checkpoints 2, the newest of commit");
    check(&[&verify[..], &["--checkpoint-key", &key]].concat(), 0, &key);
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    check(&[&verify[..], &["--checkpoint-key", other]].concat(), 4, "signed by another key");

    // Another history, as whole as the first: only what was kept outside tells.
    fs::rename(root.path().join("data"), root.path().join("first")).expect("moved");
    fs::create_dir(root.path().join("data")).expect("a directory");
    let copy = |from: &str, to: &str| fs::copy(root.path().join(from), root.path().join(to));
    copy("checkpoints", "kept").expect("copied");
    copy("first/checkpoint.key", "data/checkpoint.key").expect("copied");
    assert_eq!(served(root.path(), "three"), key);
    check(&["export", "--store", "data", "-o", "other.jsonl"], 0, "");
    check(&["audit", "verify", "other.jsonl"], 0, "everything holds");
    check(
        &["audit", "verify", "other.jsonl", "--checkpoints", "kept"],
        4,
        "has another head than its checkpoint: the history was changed",
    );

    // A checkpoint that was changed is not believed.
    let lines = fs::read_to_string(root.path().join("kept")).expect("read");
    let mut line: serde_json::Value =
        serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    line["at"] = (line["at"].as_i64().expect("a time") + 1).into();
    fs::write(root.path().join("kept"), format!("{line}\n")).expect("written");
    check(
        &["audit", "verify", "all.jsonl", "--checkpoints", "kept"],
        4,
        "line 1: the checkpoint is not signed by its key",
    );
}
