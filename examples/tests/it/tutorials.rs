//! The tutorials, done as they are written.
//!
//! In a tutorial, a `yaml` block whose first line is a comment with a file's name becomes that file; an `sh` block is
//! executed; a `text` block is what the commands before it print. In it `…` stands for anything, within a line or, alone on
//! a line, for any lines.

use std::{fs, path::Path};

use crate::{
    blocks::{blocks, lines, matches},
    program::{Scratch, repository, tutti},
};

#[test]
fn the_first_workflow_goes_as_written() {
    follow("first-workflow.md");
}

#[test]
fn errors_and_retries_go_as_written() {
    follow("errors-and-retries.md");
}

#[test]
fn secrets_go_as_written() {
    follow("secrets.md");
}

#[test]
fn undo_goes_as_written() {
    follow("undo.md");
}

#[test]
fn waiting_for_events_goes_as_written() {
    follow("waiting-for-events.md");
}

#[track_caller]
fn follow(name: &str) {
    let text =
        fs::read_to_string(repository().join("docs/tutorials").join(name)).expect("the tutorial");
    let scratch = Scratch::new();
    let (mut printed, mut compared) = (String::new(), 0);
    for block in blocks(&text) {
        let place = format!("{name}:{}", block.line);
        match block.language {
            "yaml" => {
                let head = block.text.lines().next().unwrap_or_default();
                if let Some(file) = head.strip_prefix("# ").filter(|file| is_yaml(file)) {
                    fs::write(scratch.path(file), &block.text).expect("the file can be written");
                }
            }
            "sh" => printed = execute(&scratch, &block.text, &place),
            "text" => {
                assert!(
                    matches(&lines(&block.text), &lines(&printed)),
                    "{place}: expected\n{}\nbut the commands before it print\n{printed}",
                    block.text
                );
                compared += 1;
            }
            _ => {}
        }
    }
    assert!(compared >= 5, "{name} shows only {compared} outputs");
}

pub(crate) fn is_yaml(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "yaml")
}

fn execute(scratch: &Scratch, commands: &str, place: &str) -> String {
    execute_in(scratch, Path::new(&scratch.path("")), commands, place)
}

/// What `commands` print in `directory`, with the program under test on the path.
pub(crate) fn execute_in(
    scratch: &Scratch,
    directory: &Path,
    commands: &str,
    place: &str,
) -> String {
    let tutti = tutti();
    let mut path = tutti.parent().map(Path::as_os_str).unwrap_or_default().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = scratch.command("/bin/sh", &["-c", commands]);
    let output = shell.current_dir(directory).env("PATH", path).output().expect("sh is everywhere");
    assert!(output.status.success(), "{place}: {output:?}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}
