//! Processes that a command started and that left its group.

use std::process::Command;

use tutti_connectors::{Connector, shell::Shell};

use crate::world::{Directory, World, call, eventually, shown};

/// Each writes its id to a file when it is up: one in a session of its own, one that lost its parent as well, and one that
/// threw its environment away.
const STRAYS: &str = "\
    setsid sh -c 'echo $$ > $D/a; exec sleep 779' & \
    (setsid sh -c 'echo $$ > $D/b; exec sleep 779' &) & \
    env -i PATH=$PATH setsid sh -c 'echo $$ > $D/c; exec sleep 779' & ";

fn is_gone(id: &str) -> bool {
    let line = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    line.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

async fn strays(directory: &Directory) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let path = directory.join(name);
        let id = || std::fs::read_to_string(&path).ok().filter(|id| id.ends_with('\n'));
        ids.push(eventually(name, id).await);
    }
    ids
}

#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn is_missing() -> bool {
    let missing =
        !cfg!(target_os = "linux") || Command::new("setsid").arg("true").status().is_err();
    if missing {
        println!("SKIPPED: there is no setsid, or no /proc");
    }
    missing
}

#[tokio::test]
async fn cancelling_ends_what_left_the_group_too() {
    for recorded in [false, true] {
        if is_missing() {
            return;
        }
        let directory = Directory::new();
        let scratch = recorded.then(|| directory.path().join("scratch"));
        let (world, context) = World::new(scratch.as_deref());
        let command = STRAYS.replace("$D", &directory.join("")) + "sleep 779";
        let calling =
            tokio::spawn(Shell.call(call(&format!(r#"{{"command":"{command}"}}"#)), context));
        let ids = strays(&directory).await;
        world.canceller.cancel();
        let outcome = shown(&calling.await.expect("no panic"));
        assert!(outcome.starts_with("unknown outcome-unknown"), "{outcome}");
        // The call is over only when they are.
        let left: Vec<_> = ids.iter().filter(|id| !is_gone(id)).collect();
        assert!(left.is_empty(), "{recorded}: {left:?} of {ids:?}");
    }
}

#[tokio::test]
async fn what_left_the_group_outlives_a_command_that_ended_by_itself() {
    if is_missing() {
        return;
    }
    let directory = Directory::new();
    let (_world, context) = World::new(None);
    let until_up = "until test -s $D/a -a -s $D/b -a -s $D/c; do sleep 0.01; done; echo done";
    let command = (STRAYS.to_owned() + until_up)
        .replace("sleep 779'", "sleep 779 >/dev/null 2>&1'")
        .replace("$D", &directory.join(""));
    let outcome = Shell.call(call(&format!(r#"{{"command":"{command}"}}"#)), context).await;
    assert_eq!(shown(&outcome), r#""done""#);
    for id in strays(&directory).await {
        assert!(!is_gone(&id));
        Command::new("kill").args(["-KILL", id.trim()]).status().expect("a command");
    }
}
