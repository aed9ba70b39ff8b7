//! The page of the command line, made from its definition, and the test that holds it fresh.

use std::{env, fmt::Write as _, fs, path::Path};

use clap::{Arg, Command, CommandFactory as _};

use crate::{command_line::Arguments, exit::Exit};

const HEAD: &str = "\
# Command line

*Generated* from the program's own definition; `TUTTI_UPDATE=1 cargo test -p tutti` rewrites it. stdout carries what was asked for
and nothing else; everything said beside it goes to stderr. `tutti COMMAND --help` says the same as this page.
";

/// Every environment variable the program looks at.
const VARIABLES: [(&str, &str); 13] = [
    ("NO_COLOR", "If set and not empty: no colors, as with `--no-color`."),
    ("TERM", "If `dumb`: no tree and no colors, as if stderr were no terminal."),
    (
        "XDG_STATE_HOME",
        "State is kept in `tutti/runs` under it, unless `--store` says where. Must be absolute.",
    ),
    (
        "XDG_CACHE_HOME",
        "Copies of what was loaded from the web are kept in `tutti/resources` under it. Must be absolute.",
    ),
    (
        "HOME",
        "Without the two, state is kept in `.local/state/tutti/runs` under it, and copies in `.cache/tutti/resources`.",
    ),
    (
        "LOCALAPPDATA",
        "Without `XDG_STATE_HOME` and `HOME`, state is kept in `tutti\\runs` under it (Windows).",
    ),
    ("TUTTI_URL", "The server that is asked, unless `--url` or `--context` says another."),
    (
        "TUTTI_TOKEN",
        "The token that is shown to it, unless `--token-file` gives another; it goes to `TUTTI_URL` only, where that is set.",
    ),
    ("TUTTI_NAMESPACE", "The namespace, unless `--namespace` says another."),
    ("TUTTI_CONTEXT", "The context of the configuration file, unless `--context` names another."),
    (
        "XDG_CONFIG_HOME",
        "Contexts are read from `tutti/config.toml` under it. Must be absolute. Without it, from `.config/tutti/config.toml` under `HOME`.",
    ),
    (
        "TUTTI_BOOTSTRAP_TOKEN_FILE",
        "The file with the token of the first administrator of a server, who is made with it where there is none yet.",
    ),
    ("APPDATA", "Without both, from `tutti\\config.toml` under it (Windows)."),
];

const EXITS: [Exit; 8] = [
    Exit::Completed,
    Exit::Faulted,
    Exit::Invalid,
    Exit::Cancelled,
    Exit::Unfinished,
    Exit::Unreachable,
    Exit::Interrupted,
    Exit::Terminated,
];

fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Completed => {
            "What was asked for is done: the execution completed, all documents are valid."
        }
        Exit::Faulted => {
            "The execution faulted; the last line on stderr is the error as one line of JSON."
        }
        Exit::Invalid => {
            "The document or the command line is invalid, or nothing could be started."
        }
        Exit::Cancelled => "The execution was cancelled.",
        Exit::Unfinished => {
            "The execution has not ended and needs a hand (an unknown outcome, `--timeout`); stderr says how to go on."
        }
        Exit::Unreachable => {
            "The server cannot be reached, does not take requests now, or denies access."
        }
        Exit::Interrupted => "Interrupted (SIGINT, Ctrl-C); the state is kept.",
        Exit::Terminated => "Terminated (SIGTERM); the state is kept.",
    }
}

fn page() -> String {
    let mut program = Arguments::command().term_width(0);
    program.build();
    let mut page = HEAD.to_owned();
    section(&mut page, &program, "tutti");
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("tutti {}", command.get_name());
        section(&mut page, command, &name);
        for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
            section(&mut page, part, &format!("{name} {}", part.get_name()));
        }
    }
    which_server(&mut page, &program);
    page.push_str("\n## Exit codes\n\n| code | means |\n|---|---|\n");
    for exit in EXITS {
        writeln!(page, "| {} | {} |", exit.code(), meaning(exit)).ok();
    }
    page.push_str("\n## Environment\n\n| variable | means |\n|---|---|\n");
    for (name, meaning) in VARIABLES {
        writeln!(page, "| `{name}` | {meaning} |").ok();
    }
    page.push_str("\nSecrets come from the variables that `--secret` and `--env-secrets` name, and from no other. Every setting of a server has a variable `TUTTI_SERVER__…`: [configuration](configuration.md).\n");
    page
}

fn section(page: &mut String, command: &Command, name: &str) {
    writeln!(page, "\n## {name}").ok();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    writeln!(page, "\n{about}.").ok();
    let usage = command.clone().render_usage().to_string();
    writeln!(page, "\n```text\n{}\n```", usage.trim_start_matches("Usage: ")).ok();
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && (name == "tutti" || !is_everywhere(arg)))
        .filter(|arg| !says_which_server(arg))
        .collect();
    if !shown.is_empty() {
        page.push_str("\n| argument | default | meaning |\n|---|---|---|\n");
        for arg in shown {
            row(page, arg);
        }
    }
    if let Some(more) = command.get_after_help() {
        writeln!(page, "\n```text\n{}\n```", more.to_string().trim_end()).ok();
    }
}

/// What every command takes that asks a server.
fn which_server(page: &mut String, program: &Command) {
    page.push_str("\n## Which server\n\nEvery command that asks a server takes these too; [how to use a server](../guides/use-a-server.md) says more.\n");
    page.push_str("\n| argument | default | meaning |\n|---|---|---|\n");
    let asking = program.find_subcommand("start").expect("it is a command");
    for arg in asking.get_arguments().filter(|arg| says_which_server(arg)) {
        row(page, arg);
    }
}

fn says_which_server(arg: &Arg) -> bool {
    arg.get_help_heading() == Some("Server")
}

/// `--no-color`, `--help` and `--version` are told once.
fn is_everywhere(arg: &Arg) -> bool {
    arg.is_global_set() || ["help", "version"].contains(&arg.get_id().as_str())
}

fn row(page: &mut String, arg: &Arg) {
    let names = arg.get_value_names().unwrap_or_default();
    let values: Vec<&str> = names.iter().map(clap::builder::Str::as_str).collect();
    let takes = arg.get_action().takes_values();
    let value = if takes { values.join(" ") } else { String::new() };
    let mut forms: Vec<String> = Vec::new();
    forms.extend(arg.get_short().map(|short| format!("`-{short}`")));
    forms
        .extend(arg.get_long().map(|long| format!("`{}`", format!("--{long} {value}").trim_end())));
    if forms.is_empty() {
        forms.push(format!("`{value}`"));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
    let default = if takes { defaults.join(" ") } else { String::new() };
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = arg.get_possible_values();
    if takes && possible.len() > 1 {
        let each = possible.iter().map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        });
        write!(help, ": {}", each.collect::<Vec<_>>().join(", ")).ok();
    }
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let default = if default.is_empty() { "—".to_owned() } else { format!("`{default}`") };
    writeln!(page, "| {} | {default} | {} |", cell(&forms.join(", ")), cell(&help)).ok();
}

#[test]
fn the_page_of_the_command_line_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = page();
    if env::var_os("TUTTI_UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/cli.md is out of date; hint: TUTTI_UPDATE=1 rewrites it"
    );
}

#[test]
fn every_environment_variable_in_the_sources_is_on_the_page() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut left) = (0, vec![sources]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            left.extend(entries.flatten().map(|entry| entry.path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        for part in text.split("variable(\"").skip(1).filter(|_| !path.ends_with("reference.rs")) {
            let name = part.split('"').next().unwrap_or_default();
            assert!(VARIABLES.iter().any(|(known, _)| *known == name), "{name} in {path:?}");
            found += 1;
        }
    }
    assert!(found >= VARIABLES.len(), "only {found} are found");
}
