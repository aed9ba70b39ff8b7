//! Exports, what is found in them, erasing, and a new master key.

use std::fs;

use serde_json::Value as Json;

use crate::world::{Said, World, output};

const TASKS: &str = "  - a: { set: { customer: '${ .customer }', got: '${ $secrets.TOKEN }' } }\n  - b: { run: { shell: { command: 'echo \"$1\"', arguments: ['${ .customer }'] } } }\n";

fn ran() -> World {
    let world = World::with_tasks(TASKS);
    let input = "customer=c4nary of ada";
    let mut command = world
        .command(&["run", "-q", "w.yaml", "--store", "s", "--secret", "TOKEN", "--set", input]);
    assert_eq!(output(command.env("TOKEN", "t0ken-of-ada")).code, Some(0));
    world
}

fn good(world: &World, arguments: &[&str]) -> Said {
    let said = world.tutti(arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
    said
}

fn verified(world: &World, file: &str) -> Json {
    let said = good(world, &["audit", "verify", file, "-o", "json"]);
    serde_json::from_str(&said.stdout).expect("JSON")
}

fn execution(world: &World, file: &str) -> String {
    let line = world.read(file).lines().nth(2).expect("an execution").to_owned();
    let line: Json = serde_json::from_str(&line).expect("JSON");
    line["execution"].as_str().expect("an id").to_owned()
}

#[test]
fn an_export_holds_until_a_byte_is_changed() {
    let world = ran();
    good(&world, &["export", "--store", "s", "-o", "all.jsonl"]);
    let all = verified(&world, "all.jsonl");
    assert_eq!(
        (&all["holds"], &all["executions"], &all["scope"]),
        (&true.into(), &1.into(), &"all".into())
    );
    let execution = execution(&world, "all.jsonl");
    let said = good(&world, &["export", &execution, "--store", "s", "-o", "-"]);
    let one = world.tutti_reading(&["audit", "verify", "-"], &said.stdout);
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    assert!(one.stdout.starts_with("everything holds\n"), "{}", one.stdout);

    let mut bytes = fs::read(world.path().join("all.jsonl")).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(world.path().join("all.jsonl"), &bytes).expect("a file");
    let said = world.tutti(&["audit", "verify", "all.jsonl", "-o", "json"]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    let found: Json = serde_json::from_str(&said.stdout).expect("JSON");
    let line = bytes[..middle].split(|byte| *byte == b'\n').count();
    assert_eq!((&found["holds"], &found["line"]), (&false.into(), &line.into()));
    assert!(said.stderr.contains(&format!("all.jsonl: line {line}, byte ")), "{}", said.stderr);
}

#[test]
fn what_is_not_there_is_not_exported_erased_or_verified() {
    let world = ran();
    let check = |arguments: &[&str], expected: &str| {
        let said = world.tutti(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    };
    let missing = "exec_01k3v9zrs6q5tt4q4mkb5e7kgr";
    check(&["export", missing, "--store", "s", "-o", "x"], "there is no execution");
    check(&["export", missing, "-o", "x"], "there is no store in");
    check(&["export", "-o", "x"], "<EXECUTION>");
    check(&["export", "--store", "s", "-o", "w.yaml"], "cannot make w.yaml: File exists");
    check(&["erase", missing, "--store", "s"], "there is no execution");
    check(&["erase", missing], "there is no store in");
    check(&["erase", missing, "--store", "s", "--reason", &"x".repeat(1001)], "at most 1000 bytes");
    check(
        &["audit", "verify", "s"],
        "hint: export what is in it with `tutti export --store s -o FILE`",
    );
    check(&["export", "--store", "s", "-o", "none/x"], "cannot make none/x: No such file");
    check(&["audit", "verify", "none.jsonl"], "cannot read none.jsonl");
    check(&["store", "rekey", "--store", "none"], "there is no store in");
    assert!(!world.path().join("x").exists() && !world.path().join("none").exists());
    fs::remove_file(world.path().join("s/master.key")).expect("a key");
    check(&["store", "rekey", "--store", "s"], "hint: what is sealed does not open without it");
}

#[test]
fn what_is_erased_is_gone_and_told_in_exports() {
    let world = ran();
    good(&world, &["export", "--store", "s", "-o", "before.jsonl"]);
    let execution = execution(&world, "before.jsonl");
    assert!(files_hold_canary(&world), "it was never there");
    let reason = "she asked";
    let said = good(&world, &["erase", &execution, "--store", "s", "--reason", reason]);
    assert!(said.stderr.starts_with("erased: executions 1, rows "), "{}", said.stderr);
    assert!(!files_hold_canary(&world));
    good(&world, &["export", "--store", "s", "-o", "after.jsonl"]);
    let after = verified(&world, "after.jsonl");
    assert_eq!(after["erased_rows"], after["rows"]);
    assert_eq!(after["erasure_records"][0]["reason"], reason);
    assert_eq!(after["erased"][0]["execution"], execution.as_str());
    assert_eq!(verified(&world, "before.jsonl")["erased_rows"], 0);
}

fn files_hold_canary(world: &World) -> bool {
    let files = fs::read_dir(world.path().join("s")).expect("a directory").flatten();
    let mut read = files.map(|file| fs::read(file.path()).unwrap_or_default());
    read.any(|bytes| bytes.windows(6).any(|window| window == b"c4nary"))
}

#[test]
fn an_execution_that_goes_on_is_not_erased() {
    let world = World::with_tasks("  - a: { wait: PT1H }\n");
    let said = world.tutti(&["run", "-q", "w.yaml", "--store", "s", "--timeout", "100ms"]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    good(&world, &["export", "--store", "s", "-o", "open.jsonl"]);
    let execution = execution(&world, "open.jsonl");
    let said = world.tutti(&["erase", &execution, "--store", "s"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("has not ended"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: let it end first"), "{}", said.stderr);
}

#[test]
fn an_execution_goes_on_with_its_secrets_after_a_new_master_key() {
    let world = World::with_tasks(
        "  - a: { set: { got: '${ $secrets.TOKEN }' } }\n  - b: { wait: PT0.2S }\n  - c: { run: { shell: { command: 'printf %s \"$1\" > got', arguments: ['${ .got }'] } } }\n",
    );
    let mut command = world.command(&[
        "run",
        "-q",
        "w.yaml",
        "--store",
        "s",
        "--secret",
        "TOKEN",
        "--timeout",
        "100ms",
    ]);
    let said = output(command.env("TOKEN", "t0ken-of-ada"));
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    good(&world, &["export", "--store", "s", "-o", "before.jsonl"]);
    let key = world.read("s/master.key");
    good(&world, &["store", "rekey", "--store", "s"]);
    assert_ne!(world.read("s/master.key"), key);
    verified(&world, "before.jsonl");
    good(&world, &["export", "--store", "s", "-o", "after.jsonl"]);
    verified(&world, "after.jsonl");
    let facts = |file| world.read(file).matches(r#""kind":"audit""#).count();
    assert_eq!((facts("before.jsonl"), facts("after.jsonl")), (0, 1), "the change is on record");
    // What was made of the secret is taken from the store.
    good(&world, &["run", "-q", "--store", "s", "--resume", "--secret", "TOKEN=another"]);
    assert_eq!(world.read("got"), "t0ken-of-ada");
}

#[test]
fn a_store_that_lost_its_end_is_neither_exported_nor_erased_nor_given_a_new_key() {
    let world = ran();
    good(&world, &["export", "--store", "s", "-o", "whole.jsonl"]);
    let execution = execution(&world, "whole.jsonl");
    lose_the_end(&world);
    let key = world.read("s/master.key");
    let check = |arguments: &[&str]| {
        let said = world.tutti(arguments);
        assert_eq!(said.code, Some(4), "{arguments:?}: {}", said.stderr);
        let expected = "error[E0201]: the store in s is damaged: ";
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    };
    check(&["export", "--store", "s", "-o", "short.jsonl"]);
    check(&["export", &execution, "--store", "s", "-o", "short.jsonl"]);
    check(&["store", "rekey", "--store", "s"]);
    check(&["erase", &execution, "--store", "s"]);
    assert!(!world.path().join("short.jsonl").exists(), "half an export was left");
    assert_eq!(world.read("s/master.key"), key);
}

/// Takes the last commit away, so that what is left is a good database.
fn lose_the_end(world: &World) {
    let log = fs::File::options().write(true).open(world.path().join("s/journal.sqlite-wal"));
    let log = log.expect("commits are in the write-ahead log");
    let length = log.metadata().expect("a length").len();
    log.set_len(length.checked_sub(1).expect("the log has commits")).expect("it is cut");
}
