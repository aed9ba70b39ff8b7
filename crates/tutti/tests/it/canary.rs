//! A secret goes every way a workflow can send it, and is seen nowhere: not on disk, not in what is said, not in exports.

use std::{fs, path::Path, process::Command};

use crate::world::{World, document, output};

const CANARY: &str = "c4nary/Of \"Tutti\" ü-77";

/// Each way with the tasks that go it; `CHILD` stands for a child workflow that gives back what it gets.
const WAYS: [(&str, &str); 10] = [
    ("an expression", "  - a: { set: { x: '${ $secrets.TOKEN }' } }\n"),
    (
        "parts and other forms",
        "  - a: { set: { x: '${ $secrets.TOKEN | [., .[2:], @base64, @uri, @json, ascii_upcase, explode] }' } }\n",
    ),
    ("a name of a member", "  - a: { set: { x: '${ {($secrets.TOKEN): 1} }' } }\n"),
    (
        "the context",
        "  - a: { set: { x: '${ $secrets.TOKEN }' }, export: { as: '${ {kept: .x} }' } }\n  - b: { set: { y: '${ $context.kept }' } }\n",
    ),
    (
        "a condition and a loop",
        "  - a: { if: '${ ($secrets.TOKEN | length) > 3 }', for: { each: c, in: '${ [$secrets.TOKEN, \"x\"] }' }, do: [ { b: { set: { y: '${ $c }' } } } ] }\n",
    ),
    (
        "an error that is caught",
        "  - a: { try: [ { b: { raise: { error: { type: 'x:y', status: 500, detail: '${ $secrets.TOKEN }' } } } } ], catch: { as: e, do: [ { c: { set: { y: '${ $e.detail }' } } } ] } }\n",
    ),
    (
        "an error that is not",
        "  - a: { raise: { error: { type: 'x:y', status: 500, title: '${ \"no: \" + $secrets.TOKEN }' } } }\n",
    ),
    (
        "a command that prints it",
        "  - a: { run: { shell: { command: 'printf \"%s\\n\" \"$1\"; printf %s \"$1\" | base64; printf %s \"$1\" | od -An -tx1 | tr -d \" \\n\"; echo; echo \"$1\" >&2', arguments: ['${ $secrets.TOKEN }'] }, return: all } }\n",
    ),
    (
        "a child workflow",
        "  - a: { run: { workflow: { namespace: test, name: child, version: '1.0.0', input: { t: '${ $secrets.TOKEN }' } } } }\n",
    ),
    ("a fault of an expression", "  - a: { set: { x: '${ $secrets.TOKEN | tonumber }' } }\n"),
];

#[test]
fn a_secret_is_seen_nowhere_whichever_way_it_goes() {
    for (way, tasks) in WAYS {
        for stopped in [false, true] {
            check(way, tasks, stopped);
        }
    }
}

/// Runs the tasks to the end, or so that the state is left as it is after them.
fn check(way: &str, tasks: &str, stopped: bool) {
    let wait = if stopped { "  - z: { wait: PT1H }\n" } else { "" };
    let world = World::with_tasks(&format!("{tasks}{wait}"));
    world.write("child.yaml", &document("child", "  - a: { set: { got: '${ .t }' } }\n"));
    let mut arguments = vec!["run", "w.yaml", "--store", "s", "--secret", "TOKEN", "--logs", "all"];
    if stopped {
        arguments.extend(["--timeout", "300ms"]);
    }
    let mut command: Command = world.command(&arguments);
    let said = output(command.env("TOKEN", CANARY));
    assert!(matches!(said.code, Some(0 | 1 | 4)), "{way}: {}", said.stderr);
    let exported = world.tutti(&["export", "--store", "s", "-o", "-"]);
    assert_eq!(exported.code, Some(0), "{way}: {}", exported.stderr);
    let verified = world.tutti_reading(&["audit", "verify", "-"], &exported.stdout);
    fs::remove_file(world.path().join("stdin")).expect("the export is not left");
    let mut seen = vec![
        ("stdout", said.stdout.into_bytes()),
        ("stderr", said.stderr.into_bytes()),
        ("the export", decoded(&exported.stdout)),
        ("the export's lines", exported.stdout.into_bytes()),
        ("what is said of it", [verified.stdout, verified.stderr].concat().into_bytes()),
    ];
    // What commands print is kept as it is until their execution has ended.
    let scratch = world.path().join("s/scratch");
    if stopped {
        fs::remove_dir_all(scratch).ok();
    }
    files(&world.path().join("s"), &mut seen);
    for (place, bytes) in &seen {
        for form in forms() {
            let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!found, "{way}, stopped {stopped}: {place} shows {form}");
        }
    }
}

/// What the text fields of an export hold, as bytes.
fn decoded(export: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in export.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        for field in ["structure", "values", "bytes"] {
            if let Some(text) = line[field].as_str() {
                bytes.extend(from_base64(text));
            }
        }
    }
    bytes
}

fn from_base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter_map(|c| digits.iter().position(|digit| *digit == c)) {
        bits = bits << 6 | u32::try_from(digit).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).expect("eight bits"));
        }
    }
    bytes
}

fn files(directory: &Path, seen: &mut Vec<(&'static str, Vec<u8>)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), seen);
        } else {
            seen.push(("a file of the store", fs::read(entry.path()).expect("a file")));
        }
    }
}

/// The canary as it is, without the end that quotes may hide, and as base64, hexadecimal, URL-encoded and JSON text.
fn forms() -> Vec<String> {
    let hexadecimal = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let percent = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            return c.to_string();
        }
        c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
    };
    vec![
        CANARY.to_owned(),
        CANARY[2..].to_owned(),
        "c4nary".to_owned(),
        "C4NARY".to_owned(),
        "YzRuYXJ5L09m".to_owned(),
        hexadecimal.to_uppercase(),
        hexadecimal,
        CANARY.chars().map(percent).collect(),
        CANARY.replace('"', "\\\""),
    ]
}
