//! The tutorials, done as they are written.
//!
//! In a tutorial, a `yaml` block whose first line is a comment with a file's name becomes that file; an `sh` block is
//! executed; a `text` block is what the commands before it print. In it `…` stands for anything, within a line or, alone on
//! a line, for any lines.

use std::{fs, path::Path};

use crate::program::{Scratch, repository, tutti};

/// A fenced block: its language, its text, and the line it begins at.
struct Block<'t> {
    language: &'t str,
    text: String,
    line: usize,
}

#[test]
fn the_first_workflow_goes_as_written() {
    follow("first-workflow.md");
}

#[test]
fn errors_and_retries_go_as_written() {
    follow("errors-and-retries.md");
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

fn is_yaml(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "yaml")
}

fn execute(scratch: &Scratch, commands: &str, place: &str) -> String {
    let tutti = tutti();
    let mut path = tutti.parent().map(Path::as_os_str).unwrap_or_default().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = scratch.command("/bin/sh", &["-c", commands]);
    let output =
        shell.current_dir(scratch.path("")).env("PATH", path).output().expect("sh is everywhere");
    assert!(output.status.success(), "{place}: {output:?}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block { language, text: String::new(), line: number + 1 });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

/// Whether what was printed is what was expected, line by line.
fn matches(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others)),
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let Some((start, end)) = expected.split_once('…') else { return expected == printed };
    let Some(rest) = printed.strip_prefix(start) else { return false };
    (0..=rest.len())
        .filter(|skipped| rest.is_char_boundary(*skipped))
        .any(|skipped| line_matches(end, &rest[skipped..]))
}

#[test]
fn an_output_is_compared_line_by_line() {
    let check = |expected: &str, printed: &str| matches(&lines(expected), &lines(printed));
    assert!(check("a\nb", "a\nb\n"));
    assert!(check("a … c", "a b c"));
    assert!(check("a\n…\nd", "a\nb\nc\nd"));
    assert!(check("…", ""));
    assert!(!check("a", "a\nb"));
    assert!(!check("a\nb", "a"));
    assert!(!check("a … c", "a b d"));
    assert!(!check("a\n…\nd", "a\nb\nc"));
}
