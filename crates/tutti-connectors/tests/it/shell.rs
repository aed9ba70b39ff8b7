//! `run: shell` with real processes, as a child and recorded.

use std::path::Path;

use tokio::time::timeout;
use tutti_connectors::{Connector, LogStream, shell::Shell};
use tutti_expr::Value;
use tutti_journal::Effect;

use crate::world::{Directory, PATIENCE, World, call, call_with, eventually, shown, shown_probe};

async fn shell(scratch: Option<&Path>, arguments: &str) -> String {
    let (_world, context) = World::new(scratch);
    shown(&Shell.call(call(arguments), context).await)
}

/// Both ways to run a command come to the same.
#[track_caller]
fn check(table: &[(&str, &str)]) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for (arguments, expected) in table {
        let directory = Directory::new();
        for scratch in [None, Some(directory.path())] {
            let shown = runtime.block_on(shell(scratch, arguments));
            assert_eq!(shown, *expected, "{arguments} recorded: {}", scratch.is_some());
        }
    }
}

#[test]
fn output_is_what_return_asks_for() {
    check(&[
        (r#"{"command":"echo hi; echo"}"#, r#""hi\n""#),
        (r#"{"command":"printf hi"}"#, r#""hi""#),
        (r#"{"command":"true"}"#, r#""""#),
        (r#"{"command":"echo a; echo b >&2; exit 3","return":"stderr"}"#, r#""b""#),
        (r#"{"command":"exit 3","return":"code"}"#, "3"),
        (r#"{"command":"kill -KILL $$","return":"code"}"#, "137"),
        (
            r#"{"command":"echo a; echo b >&2; exit 3","return":"all"}"#,
            r#"{"code":3,"stdout":"a","stderr":"b"}"#,
        ),
        (r#"{"command":"echo a","return":"none"}"#, "null"),
        (r#"{"command":"printf '\\377'"}"#, "\"\u{fffd}\""),
        (r#"{"command":"exit 125","return":"code"}"#, "125"),
        (r#"{"command":"exit 124","return":"code"}"#, "124"),
    ]);
}

#[test]
fn a_failed_command_is_a_runtime_error() {
    check(&[
        (r#"{"command":"exit 3"}"#, "known runtime 500: the command exited with code 3"),
        (
            r#"{"command":"for i in 1 2 3 4 5 6 7; do echo $i >&2; done; exit 1","return":"none"}"#,
            "known runtime 500: the command exited with code 1:\n3\n4\n5\n6\n7",
        ),
        (
            r#"{"command":"tutti-no-such-command 2>/dev/null"}"#,
            "known runtime 500: the command exited with code 127",
        ),
    ]);
}

#[test]
fn input_reaches_the_command_as_data() {
    check(&[
        (
            r#"{"command":"echo \"$0 $1 $2 $#\"","arguments":["a b","$(id)"]}"#,
            r#""sh a b $(id) 2""#,
        ),
        (r#"{"command":"printf %s \"$1\"","arguments":["-n"]}"#, r#""-n""#),
        (
            r#"{"command":"echo \"$A $B\"","arguments":{"A":"x;y"},"environment":{"B":2}}"#,
            r#""x;y 2""#,
        ),
        (r#"{"command":"cat","stdin":"as it is\n\n"}"#, r#""as it is\n""#),
        (r#"{"command":"cat","stdin":{"a":[1]}}"#, r#""{\"a\":[1]}""#),
        (r#"{"command":"cat"}"#, r#""""#),
        (r#"{"command":"true","stdin":"nobody reads it"}"#, r#""""#),
        (
            r#"{"command":"-n"}"#,
            "known runtime 500: the command exited with code 127:\nsh: 1: -n: not found",
        ),
        (r#"{"command":"echo $TUTTI_IDEMPOTENCY_KEY $TUTTI_ATTEMPT"}"#, r#""key-1 1""#),
    ]);
}

#[test]
fn the_environment_is_clean() {
    check(&[(
        r#"{"command":"env | cut -d= -f1 | grep -vxE 'PATH|HOME|LANG|TZ|USER|TMPDIR|PWD|SHLVL|_|OLDPWD|TUTTI_IDEMPOTENCY_KEY|TUTTI_ATTEMPT|TUTTI_CALL'","return":"all"}"#,
        r#"{"code":1,"stdout":"","stderr":""}"#,
    )]);
}

/// Calls with `await: false` from a runtime that ends with the call; `$D` is the directory.
#[track_caller]
fn start(directory: &Directory, scratch: Option<&Path>, command: &str) {
    let command = command.replace("$D", directory.path().to_str().expect("UTF-8"));
    let arguments = format!(r#"{{"command":"{command}","await":false}}"#);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome =
        runtime.block_on(async { timeout(PATIENCE, shell(scratch, &arguments)).await.ok() });
    assert_eq!(outcome.as_deref(), Some("null"), "{command}");
}

#[tokio::test]
async fn a_command_nobody_waits_for_outlives_its_call() {
    let command = "echo out; while [ -d $D ] && [ ! -e $D/go ]; do sleep 0.01; done; (while [ -d $D ] && [ ! -e $D/on ]; do sleep 0.01; done; echo > $D/left) & echo > $D/done; exit 3";
    for recorded in [true, false] {
        let directory = Directory::new();
        let scratch = directory.path().join("scratch");
        let scratch = recorded.then_some(scratch.as_path());
        std::thread::scope(|scope| {
            scope.spawn(|| start(&directory, scratch, command));
        });
        // It waits for `go`, so it is still there when the call and all that belonged to it are gone.
        for (told, said) in [("go", "done"), ("on", "left")] {
            assert!(!Path::new(&directory.join(said)).exists(), "{said}");
            std::fs::write(directory.join(told), "").expect("a file");
            eventually(said, || Path::new(&directory.join(said)).exists().then_some(())).await;
        }
        if let Some(scratch) = scratch {
            let record = std::fs::read_dir(scratch).expect("a directory").next();
            let record = record.expect("a record").expect("an entry").path();
            let output = std::fs::read_to_string(record.join("stdout"));
            assert_eq!(output.expect("its output"), "out\n");
        }
    }
}

#[tokio::test]
async fn a_command_nobody_waits_for_gets_its_input() {
    for recorded in [true, false] {
        let directory = Directory::new();
        let scratch = directory.path().join("scratch");
        let got = directory.join("got");
        let arguments =
            format!(r#"{{"command":"cat > {got}; echo >> {got}","await":false,"stdin":"in"}}"#);
        let outcome = shell(recorded.then_some(scratch.as_path()), &arguments).await;
        assert_eq!(outcome, "null");
        let whole = || std::fs::read_to_string(&got).ok().filter(|text| text == "in\n");
        eventually("the input", whole).await;
    }
}

/// Whoever asks later hears that it was started, whatever became of it.
#[tokio::test]
async fn a_command_nobody_waits_for_is_finished_once_it_began() {
    let directory = Directory::new();
    let scratch = directory.path().join("scratch");
    let path = directory.path().display();
    let arguments = format!(
        r#"{{"command":"echo >> {path}/made; while [ -d {path} ] && [ ! -e {path}/go ]; do sleep 0.01; done; exit 3","await":false}}"#
    );
    let made = || std::fs::read_to_string(directory.join("made")).ok();
    assert_eq!(shell(Some(&scratch), &arguments).await, "null");
    eventually("made", made).await;
    let probe = async || {
        let (_world, context) = World::new(Some(&scratch));
        shown_probe(&Shell.probe(call(&arguments), context).await)
    };
    assert_eq!(probe().await, "finished null");
    assert_eq!(shell(Some(&scratch), &arguments).await, "null");
    std::fs::write(directory.join("go"), "").expect("a file");
    let record = std::fs::read_dir(&scratch).expect("a directory").next();
    let exit = record.expect("a record").expect("an entry").path().join("exit");
    eventually("exit", || std::fs::read_to_string(&exit).ok().filter(|it| it == "3\n")).await;
    assert_eq!(probe().await, "finished null");
    assert_eq!(made().as_deref(), Some("\n"));
}

#[test]
fn a_large_input_and_output_pass_through() {
    let text = "x".repeat(1_000_000);
    let arguments = format!(r#"{{"command":"cat","stdin":"{text}"}}"#);
    check(&[(&arguments, &format!("\"{text}\""))]);
}

#[test]
fn output_over_the_limit_is_an_error_only_where_it_is_wanted() {
    let more = "head -c 8388609 /dev/zero";
    let limit = "larger than 8388608 bytes";
    check(&[
        (
            &format!(r#"{{"command":"{more}"}}"#),
            &format!("known validation 400: the command's standard output is {limit}"),
        ),
        (
            &format!(r#"{{"command":"{more} >&2","return":"all"}}"#),
            &format!("known validation 400: the command's standard error is {limit}"),
        ),
        (&format!(r#"{{"command":"{more}","return":"code"}}"#), "0"),
        (&format!(r#"{{"command":"{more}; echo hi >&2","return":"stderr"}}"#), r#""hi""#),
    ]);
}

/// A process is gone when it has been killed, reaped or not.
fn is_gone(id: &str) -> Option<()> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map_or("X", |(_, rest)| &rest[..1]);
    matches!(state, "X" | "Z").then_some(())
}

/// Starts a tree of processes that write their ids down and wait for ever.
fn tree(directory: &Directory, trap: &str) -> String {
    let (child, grandchild) = (directory.join("child"), directory.join("grandchild"));
    let forever = "while :; do read -r line <&3; done";
    let inner = format!("{trap} echo \\$\\$ > {grandchild}; {forever}");
    let fifo = directory.join("fifo");
    format!(
        "mkfifo {fifo}; exec 3<>{fifo}; {trap} sh -c \\\"{}\\\" & echo $! > {child}; echo up; {trap} wait",
        inner.replace("\\$", "\\\\$")
    )
}

async fn id_in(path: &str) -> String {
    eventually(path, || {
        let text = std::fs::read_to_string(path).ok()?;
        text.strip_suffix('\n').filter(|id| !id.is_empty()).map(str::to_owned)
    })
    .await
}

async fn check_cancelled(recorded: bool, trap: &str, effect: Effect, expected: &str) {
    let directory = Directory::new();
    let scratch = recorded.then(|| directory.path().join("scratch"));
    let (world, context) = World::new(scratch.as_deref());
    let mut call = call(&format!(r#"{{"command":"{}"}}"#, tree(&directory, trap)));
    call.effect = effect;
    let calling = tokio::spawn(Shell.call(call, context));
    let child = id_in(&directory.join("child")).await;
    let grandchild = id_in(&directory.join("grandchild")).await;
    world.canceller.cancel();
    let shown = shown(&calling.await.expect("no panic"));
    assert!(shown.starts_with(expected), "{shown}");
    eventually("the child's end", || is_gone(&child)).await;
    eventually("the grandchild's end", || is_gone(&grandchild)).await;
}

#[tokio::test]
async fn cancelling_ends_the_whole_tree() {
    for recorded in [false, true] {
        check_cancelled(recorded, "", Effect::Once, "unknown outcome-unknown 500: the command was")
            .await;
        check_cancelled(recorded, "", Effect::Idempotent, "known timeout 408: the command was")
            .await;
    }
}

#[tokio::test]
async fn a_tree_that_does_not_listen_is_killed() {
    for recorded in [false, true] {
        check_cancelled(recorded, "trap : TERM;", Effect::Once, "unknown outcome-unknown").await;
    }
}

#[tokio::test]
async fn dropping_the_call_kills_a_tree_that_nobody_could_recognise() {
    let directory = Directory::new();
    let (_world, context) = World::new(None);
    let call = call(&format!(r#"{{"command":"{}"}}"#, tree(&directory, "trap : TERM;")));
    let calling = tokio::spawn(Shell.call(call, context));
    let child = id_in(&directory.join("child")).await;
    let grandchild = id_in(&directory.join("grandchild")).await;
    calling.abort();
    eventually("the child's end", || is_gone(&child)).await;
    eventually("the grandchild's end", || is_gone(&grandchild)).await;
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_it() {
    for recorded in [false, true] {
        let directory = Directory::new();
        let scratch = recorded.then(|| directory.path().join("scratch"));
        let path = directory.join("left");
        let command = format!("sh -c 'while :; do sleep 60; done' & echo $! > {path}; echo done");
        let shown = shell(scratch.as_deref(), &format!(r#"{{"command":"{command}"}}"#)).await;
        assert_eq!(shown, r#""done""#);
        let id = id_in(&path).await;
        eventually("its end", || is_gone(&id)).await;
    }
}

#[tokio::test]
async fn a_call_cancelled_before_it_began_does_nothing() {
    let directory = Directory::new();
    let path = directory.join("made");
    let (world, context) = World::new(None);
    world.canceller.cancel();
    let outcome = Shell.call(call(&format!(r#"{{"command":"touch {path}"}}"#)), context).await;
    assert_eq!(shown(&outcome), "cancelled");
    assert!(!Path::new(&path).exists());
}

#[tokio::test]
async fn lines_come_while_the_command_is_going_on() {
    for recorded in [false, true] {
        let directory = Directory::new();
        let scratch = recorded.then(|| directory.path().join("scratch"));
        let fifo = directory.join("fifo");
        let command = format!("mkfifo {fifo}; echo one; echo two >&2; cat {fifo}");
        let (mut world, context) = World::new(scratch.as_deref());
        let calling =
            tokio::spawn(Shell.call(call(&format!(r#"{{"command":"{command}"}}"#)), context));
        let mut lines = Vec::new();
        for _ in 0..2 {
            let line = world.lines.recv().await.expect("a line");
            lines.push((line.stream, line.text));
        }
        lines.sort_by(|left, right| left.1.cmp(&right.1));
        assert_eq!(
            lines,
            [(LogStream::Stdout, "one".to_owned()), (LogStream::Stderr, "two".to_owned())]
        );
        assert!(!calling.is_finished());
        tokio::fs::write(&fifo, "three").await.expect("a reader");
        assert_eq!(shown(&calling.await.expect("no panic")), r#""one\nthree""#);
        assert_eq!(world.texts(LogStream::Stdout), ["three"]);
    }
}

#[tokio::test]
async fn long_lines_and_too_many_lines_are_cut() {
    let (mut world, context) = World::new(None);
    let command = r#"{"command":"head -c 20000 /dev/zero | tr '\\0' x; echo","return":"code"}"#;
    assert_eq!(shown(&Shell.call(call(command), context).await), "0");
    let lines = world.texts(LogStream::Stdout);
    assert_eq!(lines, [format!("{}… [line cut at 16 KiB]", "x".repeat(16 * 1024))]);

    let (mut world, context) = World::new(None);
    let command = r#"{"command":"yes $(head -c 999 /dev/zero | tr '\\0' x) | head -c 4000000","return":"code"}"#;
    assert_eq!(shown(&Shell.call(call(command), context).await), "0");
    let mut shown_bytes = 0;
    let mut markers = Vec::new();
    while let Ok(line) = world.lines.try_recv() {
        match line.stream {
            LogStream::Connector => markers.push(line.text),
            _ => shown_bytes += line.text.len() + 1,
        }
    }
    assert!(shown_bytes < 4_000_000, "{shown_bytes}");
    assert!(markers.iter().any(|it| it.contains("output came too fast")));
}

#[tokio::test]
async fn secrets_are_redacted_in_lines_and_marked_in_output() {
    for (code, expected) in [(0, "Ok"), (1, "Err")] {
        let (mut world, context) = World::new(None);
        let arguments = Value::object([
            ("command", Value::from(format!("cat; echo \"pw $PW\" >&2; exit {code}"))),
            ("stdin", Value::from("hunter2 in\nstdin-secret").tainted()),
            ("environment", Value::object([("PW", Value::from("hunter2-env").tainted())])),
        ]);
        let outcome = Shell.call(call_with(arguments), context).await;
        let text = format!("{outcome:?}");
        assert!(text.starts_with(expected), "{text}");
        for secret in ["hunter2-env", "stdin-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
        let mut lines = Vec::new();
        while let Ok(line) = world.lines.try_recv() {
            lines.push(line.text);
        }
        lines.sort();
        // One secret of two lines is one mark.
        assert_eq!(lines, ["pw «secret»", "«secret»"]);
    }
}

#[tokio::test]
async fn output_on_disk_is_bounded_and_goes_once_the_outcome_is_durable() {
    let directory = Directory::new();
    let scratch = directory.path().join("scratch");
    let (_world, context) = World::new(Some(&scratch));
    let made = call(
        r#"{"command":"head -c 70000000 /dev/zero; head -c 70000000 /dev/zero >$BIG; wc -c <$BIG >&2; rm $BIG; exit 3","environment":{"BIG":"BIG_PATH"},"return":"stderr"}"#,
    );
    let text = made.arguments.to_json().replace("BIG_PATH", &directory.join("big"));
    let made = call(&text);
    let outcome = Shell.call(made.clone(), context).await;
    assert_eq!(shown(&outcome), "\"70000000\"", "the command's own files are not bounded");
    let record = std::fs::read_dir(&scratch).expect("a directory").next().expect("a record");
    let record = record.expect("a record").path();
    let kept = std::fs::metadata(record.join("stdout")).expect("a file").len();
    assert!((8 << 20..=128 << 20).contains(&kept), "{kept}");
    assert!(kept < 70_000_000 || kept == 128 << 20, "{kept}");
    Shell.settled(&made, &scratch);
    assert!(!record.join("stdout").exists() && !record.join("stderr").exists());
    let (_world, context) = World::new(Some(&scratch));
    let probed = Shell.probe(made, context).await;
    assert!(matches!(probed, tutti_connectors::Probe::Unknown), "never started again: {probed:?}");
}
