//! `nightly-backup.yaml`, on a real SQLite database.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::program::{Ended, Scratch, repository};

/// A scratch directory with a sample database; none where nothing on this machine can make one.
#[expect(clippy::print_stdout, reason = "a test that cannot run here says so")]
fn with_database() -> Option<Scratch> {
    let scratch = Scratch::new();
    let script = repository().join("examples/services/sqlite.sh");
    let made = scratch.command(script, &["sample", &scratch.path("shop.db")]).output();
    let made = made.expect("sh is everywhere");
    if made.status.code() == Some(69) {
        println!("SKIPPED: {}", String::from_utf8_lossy(&made.stderr));
        return None;
    }
    assert!(made.status.success(), "{made:?}");
    Some(scratch)
}

fn back_up(scratch: &Scratch, stamp: &str, more: &Value) -> Ended {
    let mut input = json!({
        "database": scratch.path("shop.db"), "directory": scratch.path("dumps"), "stamp": stamp, "retryAfter": "PT0S",
    });
    for (name, value) in more.as_object().expect("members of the input") {
        input[name] = value.clone();
    }
    scratch.run(&["examples/nightly-backup.yaml", "--input", &input.to_string()])
}

#[test]
fn a_dump_is_verified_by_restoring_it() {
    let Some(scratch) = with_database() else { return };
    let report = back_up(&scratch, "monday", &json!({})).output();
    assert_eq!(report["status"], "verified");
    assert_eq!(report["rows"], json!({ "customer": 500, "invoice": 2000 }));
    let dump = fs::metadata(scratch.path("dumps/shop.db-monday.sql")).expect("the dump");
    assert_eq!(report["bytes"], dump.len());
}

#[test]
fn only_the_newest_dumps_stay() {
    let Some(scratch) = with_database() else { return };
    let pruned: Vec<_> = ["day-1", "day-2", "day-3", "day-4"]
        .map(|stamp| back_up(&scratch, stamp, &json!({ "keep": 2 })).output()["pruned"].clone())
        .to_vec();
    let expected =
        [json!([]), json!([]), json!(["shop.db-day-1.sql"]), json!(["shop.db-day-2.sql"])];
    assert_eq!(pruned, expected);
    let left = fs::read_dir(scratch.path("dumps")).expect("the dumps").count();
    assert_eq!(left, 2);
}

#[test]
fn a_busy_database_is_tried_again_up_to_a_limit() {
    let Some(scratch) = with_database() else { return };
    let ended = back_up(&scratch, "monday", &json!({ "failFirst": 4 }));
    assert_eq!(ended.output()["status"], "verified");
    assert_eq!(ended.stderr.matches("retrying ").count(), 4, "{ended:?}");
    let problem = back_up(&scratch, "tuesday", &json!({ "failFirst": 5 })).problem();
    assert_eq!(problem["exitCode"], 75, "{problem}");
}

#[test]
fn a_missing_or_damaged_database_faults_without_a_retry() {
    let Some(scratch) = with_database() else { return };
    let missing = back_up(&scratch, "monday", &json!({ "database": scratch.path("none.db") }));
    assert_eq!(missing.problem()["exitCode"], 66);
    fs::write(scratch.path("shop.db"), "this is no database").expect("the file can be written");
    let damaged = back_up(&scratch, "monday", &json!({}));
    assert_eq!(damaged.problem()["instance"], "/do/0/dump/try/0/writeDump");
    for ended in [missing, damaged] {
        assert!(!ended.stderr.contains("retrying "), "{ended:?}");
    }
}

#[test]
fn a_dump_that_does_not_give_the_database_back_is_refused() {
    let Some(scratch) = with_database() else { return };
    // A dump in which every row of one table is missing.
    let script = scratch.path("lossy.sh");
    let real = repository().join("examples/services/sqlite.sh");
    let text = format!(
        "#!/bin/sh\n'{real}' \"$@\" || exit\n[ \"$1\" != dump ] || sed -i '/INSERT INTO \"*invoice/d' \"$3\"\n",
        real = real.display()
    );
    fs::write(&script, text).expect("the script can be written");
    let made = Command::new("chmod").args(["+x", &script]).status().expect("chmod is everywhere");
    assert!(made.success());
    let problem = back_up(&scratch, "monday", &json!({ "script": script })).problem();
    assert_eq!(problem["type"], "https://tutti.example/errors/backup-not-restorable");
}

#[test]
fn python_does_what_the_command_does() {
    let Some(scratch) = with_database() else { return };
    // A directory with everything the script needs, but without the command sqlite3.
    let tools = scratch.path("tools");
    fs::create_dir(&tools).expect("a directory");
    let find = "for tool in sh mkdir wc tail mv rm tr head mktemp ls grep sort sed cat; do
        ln -s \"$(command -v $tool)\" \"$1/$tool\"; done
        ln -s \"$(python3 -c 'import sqlite3, sys; print(sys.executable)')\" \"$1/python3\"";
    let made =
        Command::new("sh").args(["-c", find, "sh", &tools]).output().expect("sh is everywhere");
    if !made.status.success() {
        println!("SKIPPED: there is no Python with SQLite");
        return;
    }
    let input = json!({ "database": scratch.path("shop.db"), "directory": scratch.path("dumps") });
    let mut command = scratch.command(
        crate::program::tutti(),
        &["run", "-q", "examples/nightly-backup.yaml", "--input", &input.to_string()],
    );
    let output = command.env("PATH", &tools).output().expect("tutti starts");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(report["rows"], json!({ "customer": 500, "invoice": 2000 }), "{output:?}");
}
