//! What is found out about a script after the process that ran it was killed.

use std::{
    fs,
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tutti_connectors::{Connector, script::ScriptLimits};
use tutti_expr::Value;

use crate::{
    script::{launcher, script},
    world::{Directory, World, call, eventually, shown, shown_probe},
};

/// Waits for a line of `fifo`, and notes that it did what it is for.
const WAITS: &str = "import os\nos.mkfifo(d + '/fifo')\nprint('one')\nopen(d + '/up', 'w').write('up\\n')\nprint(open(d + '/fifo').readline().strip())\nopen(d + '/made', 'a').write('x\\n')";

/// A script under way in another process.
struct Scene {
    directory: Directory,
    other: Child,
    arguments: String,
}

impl Scene {
    async fn begin() -> Self {
        let directory = Directory::new();
        let arguments = Value::object([
            ("language", Value::from("python")),
            ("code", Value::from(WAITS)),
            ("arguments", Value::object([("d", Value::from(directory.join("")))])),
        ]);
        let arguments = arguments.to_json();
        let other = Command::new(launcher())
            .args([directory.join("scratch"), arguments.clone()])
            .spawn()
            .expect("the example, which the test command builds");
        let scene = Self { directory, other, arguments };
        scene.file("up").await;
        scene
    }

    fn crash(&mut self) {
        self.other.kill().expect("a process");
        self.other.wait().expect("a process");
    }

    async fn file(&self, name: &str) -> String {
        let path = self.directory.join(name);
        eventually(name, || fs::read_to_string(&path).ok().filter(|it| it.ends_with('\n'))).await
    }

    /// The process id of what recorded the script.
    fn recorder(&self) -> Pid {
        let mut entries = fs::read_dir(self.directory.join("scratch")).expect("a directory");
        let record = entries.next().expect("a record").expect("an entry").path();
        let claim = fs::read_to_string(record.join("claim")).expect("a claim");
        let id = claim.split(' ').next().and_then(|id| id.parse().ok()).expect("an id");
        Pid::from_raw(id).expect("an id")
    }

    async fn again(&self, by_call: bool) -> String {
        let (_world, context) = World::new(Some(&self.directory.path().join("scratch")));
        let (script, call) = (script(ScriptLimits::default()), call(&self.arguments));
        if by_call {
            shown(&script.call(call, context).await)
        } else {
            shown_probe(&script.probe(call, context).await)
        }
    }

    fn made(&self) -> usize {
        fs::read_to_string(self.directory.join("made")).unwrap_or_default().lines().count()
    }
}

#[tokio::test]
async fn a_script_that_is_still_going_on_is_waited_for() {
    for (by_call, expected) in [(false, r#"finished "one\ntwo""#), (true, r#""one\ntwo""#)] {
        let mut scene = Scene::begin().await;
        scene.crash();
        let fifo = scene.directory.join("fifo");
        let writer = std::thread::spawn(move || fs::write(fifo, "two\n"));
        assert_eq!(scene.again(by_call).await, expected);
        writer.join().expect("no panic").expect("a write");
        assert_eq!(scene.made(), 1);
    }
}

#[tokio::test]
async fn a_script_that_ended_meanwhile_is_not_started_again() {
    let mut scene = Scene::begin().await;
    scene.crash();
    fs::write(scene.directory.join("fifo"), "two\n").expect("a write");
    scene.file("made").await;
    for _again in 0..2 {
        assert_eq!(scene.again(true).await, r#""one\ntwo""#);
    }
    assert_eq!(scene.made(), 1);
}

#[tokio::test]
async fn a_script_that_was_killed_is_unknown() {
    let mut scene = Scene::begin().await;
    scene.crash();
    kill_process_group(scene.recorder(), Signal::KILL).expect("a group");
    assert_eq!(scene.again(false).await, "unknown");
    assert!(scene.again(true).await.contains("outcome-unknown"));
    assert_eq!(scene.made(), 0);
}
