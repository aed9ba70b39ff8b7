//! The commands on every page but the tutorials, typed as they stand there.
//!
//! An `sh` block is executed, or its `$` lines where it is `console`, in the repository's top directory; or, on a page that has
//! files to save, where those are. A `text` block after it is what it prints: JSON is compared as data, `…` stands for whatever
//! else there is. A comment before a block says otherwise: `<!-- not executed: REASON -->`, or before an output
//! `<!-- values differ: REASON -->`, which compares members and types only.
//!
//! Commands are changed in three ways: `tutti` is the program under test; `/tmp` is a scratch directory; the shop has ports of
//! its own, and so does `tutti server`, which the commands after it ask.

use std::fs;

use serde_json::Value;

use crate::{
    blocks::{Block, blocks, lines, matches},
    program::{Scratch, repository},
    serving::Serving,
    shop::Shop,
    tutorials::{execute_in, is_yaml},
};

const RUN: &str = "cargo run --release -p tutti -- ";
const SERVER: &str = "tutti server ";
const SHOP: &str = "cargo run --release -p tutti-examples --bin shop";
/// What stands for `…` in JSON.
const REST: &str = "\"…\"";

#[test]
fn commands_of_the_first_page_go_as_written() {
    follow("README.md", 1);
}

#[test]
fn commands_of_host_report_go_as_written() {
    follow("examples/host-report.md", 1);
}

#[test]
fn commands_of_checkout_go_as_written() {
    follow("examples/checkout.md", 3);
}

#[test]
fn commands_of_nightly_backup_go_as_written() {
    follow("examples/nightly-backup.md", 1);
}

#[test]
fn commands_of_patch_fleet_go_as_written() {
    follow("examples/patch-fleet.md", 1);
}

#[test]
fn commands_of_batch_billing_go_as_written() {
    follow("examples/batch-billing.md", 1);
}

#[test]
fn commands_of_provision_go_as_written() {
    follow("examples/provision.md", 5);
}

#[test]
fn commands_of_use_a_server_go_as_written() {
    follow("docs/guides/use-a-server.md", 3);
}

/// Pages whose commands a test above, or a tutorial's own, types.
const FOLLOWED: [&str; 13] = [
    "README.md",
    "docs/guides/use-a-server.md",
    "docs/tutorials/errors-and-retries.md",
    "docs/tutorials/first-workflow.md",
    "docs/tutorials/secrets.md",
    "docs/tutorials/undo.md",
    "docs/tutorials/waiting-for-events.md",
    "examples/batch-billing.md",
    "examples/checkout.md",
    "examples/host-report.md",
    "examples/nightly-backup.md",
    "examples/patch-fleet.md",
    "examples/provision.md",
];

#[test]
fn every_page_with_commands_is_followed() {
    let mut left = vec![
        repository().join("README.md"),
        repository().join("examples"),
        repository().join("docs"),
    ];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            left.extend(entries.flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).expect("a page");
            let has_commands =
                blocks(&text).iter().any(|block| is_command(block) && why_not(block).is_none());
            let known = FOLLOWED.iter().any(|page| path == repository().join(page));
            assert!(known || !has_commands, "nobody types the commands of {}", path.display());
            seen += usize::from(has_commands);
        }
    }
    assert_eq!(seen, FOLLOWED.len(), "pages with commands");
}

#[track_caller]
fn follow(page: &str, outputs: usize) {
    let text = fs::read_to_string(repository().join(page)).expect("the page");
    let scratch = Scratch::new();
    let mut directory = repository();
    let (mut shop, mut server, mut printed, mut compared) = (None, None, None, 0);
    for block in blocks(&text) {
        let place = format!("{page}:{}", block.line);
        if let Some(file) = file_of(&block) {
            fs::write(scratch.path(file), &block.text).expect("the file can be written");
            directory = scratch.path("").into();
        } else if is_command(&block) {
            printed = None;
            if let Some(_reason) = why_not(&block) {
                continue;
            }
            if let Some(arguments) = block.text.trim().strip_prefix(SHOP) {
                let arguments = arguments.replace("/tmp", scratch.path("").trim_end_matches('/'));
                let arguments: Vec<&str> =
                    arguments.split_whitespace().filter(|it| *it != "--").collect();
                shop = Some(Shop::with(&arguments));
                continue;
            }
            if let Some(arguments) = block.text.trim().strip_prefix(SERVER) {
                server = Some(Serving::with(&scratch, arguments));
                continue;
            }
            let (commands, shown) = split(&block);
            let mut commands = adapted(&commands, &scratch, shop.as_ref());
            if let Some(server) = &server {
                commands.insert_str(0, &format!("export TUTTI_URL={}\n", server.url));
            }
            let output = execute_in(&scratch, &directory, &commands, &place);
            compared += usize::from(!shown.is_empty());
            compare(&shown, &output, block.mark, &place);
            printed = Some(output);
        } else if let ("text", Some(printed)) = (block.language, &printed) {
            compare(&block.text, printed, block.mark, &place);
            compared += 1;
        }
    }
    assert_eq!(compared, outputs, "outputs that {page} shows");
}

fn is_command(block: &Block<'_>) -> bool {
    matches!(block.language, "sh" | "console" | "bash" | "shell")
}

/// Why a block is not executed, where it says so.
fn why_not<'t>(block: &Block<'t>) -> Option<&'t str> {
    block.mark?.strip_prefix("not executed: ").filter(|reason| reason.len() > 10)
}

fn file_of<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    let head = block.text.lines().next().filter(|_| block.language == "yaml")?;
    head.strip_prefix("# ").filter(|file| is_yaml(file))
}

/// The commands of a block, and the output that stands among them.
fn split(block: &Block<'_>) -> (String, String) {
    if block.language != "console" {
        return (block.text.clone(), String::new());
    }
    let (mut commands, mut shown) = (String::new(), String::new());
    for line in block.text.lines() {
        let (to, line) = match line.strip_prefix("$ ") {
            Some(command) => (&mut commands, command),
            None => (&mut shown, line),
        };
        to.push_str(line);
        to.push('\n');
    }
    (commands, shown)
}

fn adapted(commands: &str, scratch: &Scratch, shop: Option<&Shop>) -> String {
    let mut text = commands.replace(RUN, "tutti ");
    text = text.replace("/tmp", scratch.path("").trim_end_matches('/'));
    if let Some(shop) = shop {
        let places = shop.places().as_object().expect("the places are an object");
        let sets: Vec<String> = places
            .iter()
            .map(|(service, place)| {
                format!("--set {service}={} ", place.as_str().unwrap_or_default())
            })
            .collect();
        text =
            text.replace("tutti run examples/", &format!("tutti run {}examples/", sets.concat()));
        let machines = shop.place("machines").trim_start_matches("http://");
        text = text.replace("127.0.0.1:4804", machines);
    }
    text
}

#[track_caller]
fn compare(shown: &str, printed: &str, mark: Option<&str>, place: &str) {
    if shown.is_empty() {
        return;
    }
    let last = printed.lines().last().unwrap_or_default();
    let problem = match (data(shown), serde_json::from_str::<Value>(last)) {
        (Some(shown), Ok(found)) => {
            let values = mark.is_none_or(|mark| !mark.starts_with("values differ: "));
            difference("", &shown, &found, values)
        }
        _ if matches(&lines(shown), &lines(printed)) => None,
        _ => Some("other lines".to_owned()),
    };
    assert!(problem.is_none(), "{place}: {problem:?}; shown is\n{shown}\nprinted is\n{printed}");
}

/// What is shown as data, with `…` for the rest of a list.
fn data(shown: &str) -> Option<Value> {
    let text = shown.replace(", …", &format!(", {REST}"));
    let lines: Vec<&str> =
        text.lines().map(|line| if line.trim() == "…" { REST } else { line }).collect();
    serde_json::from_str(&lines.join("\n")).ok()
}

/// Where what was found is not what is shown.
fn difference(place: &str, shown: &Value, found: &Value, values: bool) -> Option<String> {
    match (shown, found) {
        (Value::Object(shown), Value::Object(found)) => {
            if !shown.keys().eq(found.keys()) {
                return Some(format!("{place} has other members"));
            }
            let mut members = shown.iter().zip(found.values());
            members.find_map(|((key, shown), found)| {
                difference(&format!("{place}/{key}"), shown, found, values)
            })
        }
        (Value::Array(shown), Value::Array(found)) => {
            let rest = Value::from("…");
            let open = shown.last() == Some(&rest);
            let shown: Vec<&Value> = shown.iter().filter(|item| **item != rest).collect();
            if values && !open && shown.len() != found.len() {
                return Some(format!("{place} has {} items", found.len()));
            }
            let mut items = shown.iter().zip(found).enumerate();
            items.find_map(|(n, (shown, found))| {
                difference(&format!("{place}/{n}"), shown, found, values)
            })
        }
        _ if values => (shown != found).then(|| format!("{place} is {found}")),
        _ => {
            let same = std::mem::discriminant(shown) == std::mem::discriminant(found);
            (!same).then(|| format!("{place} is {found}"))
        }
    }
}

#[test]
fn outputs_are_compared_as_data() {
    let check = |shown: &str, found: &str, values: bool| {
        let found = serde_json::from_str(found).expect("JSON");
        difference("", &data(shown).expect("data"), &found, values)
    };
    assert_eq!(check(r#"{ "a": [1, …] }"#, r#"{"a":[1,2,3]}"#, true), None);
    assert_eq!(check(r#"{ "a": 1 }"#, r#"{"a":2}"#, false), None);
    assert_eq!(check(r#"{ "a": 1 }"#, r#"{"a":2}"#, true).as_deref(), Some("/a is 2"));
    assert_eq!(check(r#"{ "a": 1 }"#, r#"{"a":"1"}"#, false).as_deref(), Some("/a is \"1\""));
    assert_eq!(
        check(r#"{ "a": 1 }"#, r#"{"a":1,"b":1}"#, false).as_deref(),
        Some(" has other members")
    );
    assert_eq!(check("[1]", "[1,2]", true).as_deref(), Some(" has 2 items"));
}
