//! What is found out about a command after the process that ran it was killed.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
};

use tutti_connectors::{Connector, LogStream, shell::Shell, still_running};
use tutti_journal::Effect;

use crate::world::{Directory, World, call, eventually, shown, shown_probe};

/// A command under way in another process.
struct Scene {
    directory: Directory,
    other: Child,
    arguments: String,
}

impl Scene {
    /// Starts `command`, which knows its directory as `$D` and must write `up` there.
    async fn begin(command: &str) -> Self {
        let directory = Directory::new();
        let command = command.replace("$D", directory.path().to_str().expect("UTF-8"));
        let arguments = format!(r#"{{"command":"{command}"}}"#);
        let other = Command::new(example())
            .arg(directory.path().join("scratch"))
            .arg(&arguments)
            .spawn()
            .expect("the example, which the test command builds");
        let scene = Self { directory, other, arguments };
        scene.file("up").await;
        scene
    }

    /// Kills the process that made the call, not the command.
    fn crash(&mut self) {
        self.other.kill().expect("a process");
        self.other.wait().expect("a process");
    }

    fn scratch(&self) -> PathBuf {
        self.directory.path().join("scratch")
    }

    /// The directory of the only record.
    fn record(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.scratch()).expect("a directory");
        entries.next().expect("a record").expect("an entry").path()
    }

    /// Waits until a file has whole lines in it.
    async fn file(&self, name: &str) -> String {
        let path = self.directory.join(name);
        eventually(name, || std::fs::read_to_string(&path).ok().filter(|it| it.ends_with('\n')))
            .await
    }

    async fn exit(&self) -> String {
        let path = self.record().join("exit");
        eventually("exit", || std::fs::read_to_string(&path).ok().filter(|it| it.ends_with('\n')))
            .await
    }

    async fn probe(&self) -> String {
        let (_world, context) = World::new(Some(&self.scratch()));
        shown_probe(&Shell.probe(call(&self.arguments), context).await)
    }

    async fn call(&self, effect: Effect, attempt: u32) -> String {
        let (_world, context) = World::new(Some(&self.scratch()));
        let mut call = call(&self.arguments);
        call.effect = effect;
        call.attempt = attempt;
        shown(&Shell.call(call, context).await)
    }

    fn made(&self) -> usize {
        std::fs::read_to_string(self.directory.join("made")).unwrap_or_default().lines().count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.other.kill().ok();
        self.other.wait().ok();
    }
}

fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(Path::parent).expect("a build directory");
    profile.join("examples").join("shell_call")
}

const WAITS: &str = "mkfifo $D/fifo; echo one; echo up > $D/up; read -r line < $D/fifo; echo $line; echo x >> $D/made";
const ENDS: &str = "echo one; echo x >> $D/made; echo two >&2; echo up > $D/up; exit 3";

#[tokio::test]
async fn a_command_that_is_still_going_on_is_waited_for() {
    for by_call in [false, true] {
        let mut scene = Scene::begin(WAITS).await;
        scene.crash();
        let (mut world, context) = World::new(Some(&scene.scratch()));
        let mut call = call(&scene.arguments);
        let finding = tokio::spawn(async move {
            if by_call {
                call.attempt = 2;
                shown(&Shell.call(call, context).await)
            } else {
                shown_probe(&Shell.probe(call, context).await)
            }
        });
        let line = world.lines.recv().await.expect("a line");
        assert_eq!((line.stream, line.text.as_str()), (LogStream::Stdout, "one"));
        assert!(!finding.is_finished());
        tokio::fs::write(scene.directory.join("fifo"), "go\n").await.expect("a reader");
        let found = finding.await.expect("no panic");
        assert!(found.ends_with(r#""one\ngo""#), "{found}");
        assert_eq!(scene.made(), 1);
    }
}

#[tokio::test]
async fn a_command_that_ended_meanwhile_gives_its_own_result() {
    let mut scene = Scene::begin(ENDS).await;
    scene.exit().await;
    scene.crash();
    let expected = "runtime 500: the command exited with code 3:\ntwo";
    assert_eq!(scene.probe().await, format!("finished {expected}"));
    // Asked for under the same key and attempt, it is not made again, but the next attempt is another matter.
    assert_eq!(scene.call(Effect::Once, 1).await, format!("known {expected}"));
    assert_eq!(scene.made(), 1);
    assert_eq!(scene.call(Effect::Once, 2).await, format!("known {expected}"));
    assert_eq!(scene.made(), 2);
}

#[tokio::test]
async fn a_command_that_was_killed_is_unknown() {
    let mut scene = Scene::begin(WAITS).await;
    scene.crash();
    let claim = std::fs::read_to_string(scene.record().join("claim")).expect("a claim");
    let id = claim.split(' ').next().expect("an id");
    let killed = Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).status();
    assert!(killed.expect("a command").success());
    assert_eq!(scene.probe().await, "unknown");
    let again = scene.call(Effect::Once, 1).await;
    assert!(again.starts_with("unknown outcome-unknown"), "{again}");
    assert_eq!(scene.made(), 0);
}

#[tokio::test]
async fn a_record_says_no_more_than_is_certain() {
    let mut scene = Scene::begin(ENDS).await;
    scene.exit().await;
    scene.crash();
    let record = scene.record();
    let claim = std::fs::read_to_string(record.join("claim")).expect("a claim");
    let (stat, boot) = claim.split_once('\n').expect("two lines");
    let other_boot = format!("{stat}\n{}\n", "0".repeat(36));
    let half = stat[..stat.len() / 2].to_owned();
    for (name, exit, claim, intention, expected) in [
        ("a reboot", None, Some(other_boot.as_str()), boot, "unknown"),
        ("a dead process", None, Some(claim.as_str()), boot, "unknown"),
        ("a claim half written", None, Some(half.as_str()), boot, "unknown"),
        ("a strange claim", None, Some("a\nb\n"), boot, "unknown"),
        ("a code half written", Some("3"), Some(claim.as_str()), boot, "unknown"),
        ("nothing begun, another boot", None, None, "0\n", "unknown"),
        ("nothing begun, no intention", None, None, "", "unknown"),
        ("nothing begun", None, None, boot, "not made"),
        ("given up", None, Some("given up\n"), boot, "not made"),
        ("ended", Some("0\n"), Some(claim.as_str()), boot, "finished \"one\""),
    ] {
        for (file, content) in [("exit", exit), ("claim", claim), ("intention", Some(intention))] {
            std::fs::remove_file(record.join(file)).ok();
            if let Some(content) = content {
                std::fs::write(record.join(file), content).expect("a file");
            }
        }
        assert_eq!(scene.probe().await, expected, "{name}");
    }
}

#[tokio::test]
async fn what_was_found_not_to_be_made_can_be_made() {
    let mut scene = Scene::begin(ENDS).await;
    scene.exit().await;
    scene.crash();
    for file in ["exit", "claim"] {
        std::fs::remove_file(scene.record().join(file)).expect("a file");
    }
    assert_eq!(scene.probe().await, "not made");
    assert!(scene.call(Effect::Once, 1).await.starts_with("known runtime 500"));
    assert_eq!(scene.made(), 2);
}

/// Records are durable before anything is started, so their absence tells, unless their place is gone too.
#[tokio::test]
async fn without_a_record_nothing_was_made_where_records_are_kept() {
    let directory = Directory::new();
    let kept = directory.path().join("execution");
    let gone = directory.path().join("gone").join("execution");
    for (scratch, expected) in
        [(None, "unknown"), (Some(kept), "not made"), (Some(gone), "unknown")]
    {
        let (_world, context) = World::new(scratch.as_deref());
        let probe = Shell.probe(call(r#"{"command":"true"}"#), context).await;
        assert_eq!(shown_probe(&probe), expected, "{scratch:?}");
    }
}

#[tokio::test]
async fn dropping_the_call_leaves_a_recorded_command_to_be_recognised() {
    let directory = Directory::new();
    let scratch = directory.path().join("scratch");
    let fifo = directory.join("fifo");
    let up = directory.join("up");
    let command = format!("mkfifo {fifo}; echo up > {up}; read -r line < {fifo}; echo $line");
    let call = call(&format!(r#"{{"command":"{command}"}}"#));
    let (_world, context) = World::new(Some(&scratch));
    let calling = tokio::spawn(Shell.call(call.clone(), context));
    eventually("up", || Path::new(&up).exists().then_some(())).await;
    assert_eq!(still_running(&scratch).len(), 1);
    calling.abort();
    assert!(calling.await.is_err());
    assert_eq!(still_running(&scratch).len(), 1);
    let (_world, context) = World::new(Some(&scratch));
    let finding = tokio::spawn(Shell.probe(call, context));
    tokio::fs::write(&fifo, "go\n").await.expect("a reader");
    assert_eq!(shown_probe(&finding.await.expect("no panic")), r#"finished "go""#);
    assert!(still_running(&scratch).is_empty());
}

#[tokio::test]
async fn cancelling_a_probe_ends_the_command() {
    let mut scene = Scene::begin(WAITS).await;
    scene.crash();
    let (world, context) = World::new(Some(&scene.scratch()));
    let finding = tokio::spawn(Shell.probe(call(&scene.arguments), context));
    world.canceller.cancel();
    assert_eq!(shown_probe(&finding.await.expect("no panic")), "unknown");
    assert_eq!(scene.probe().await, "unknown");
    assert_eq!(scene.made(), 0);
}

/// The id may belong to somebody else by now, who must not be waited for, let alone be killed.
#[tokio::test]
async fn another_process_with_the_same_id_is_left_alone() {
    let mut scene = Scene::begin(WAITS).await;
    scene.crash();
    let path = scene.record().join("claim");
    let claim = std::fs::read_to_string(&path).expect("a claim");
    let (stat, boot) = claim.split_once('\n').expect("two lines");
    let mut fields: Vec<_> = stat.split(' ').collect();
    fields[21] = "1";
    std::fs::write(&path, format!("{}\n{boot}", fields.join(" "))).expect("a file");
    let (world, context) = World::new(Some(&scene.scratch()));
    world.canceller.cancel();
    assert_eq!(shown_probe(&Shell.probe(call(&scene.arguments), context).await), "unknown");
    // It is still there, and ends when it is told to.
    tokio::fs::write(scene.directory.join("fifo"), "go\n").await.expect("a reader");
    assert_eq!(scene.file("made").await, "x\n");
}
