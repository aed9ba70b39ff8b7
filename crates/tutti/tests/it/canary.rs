//! A secret goes every way a workflow can send it, and is seen nowhere: not on disk, not in what is said, not in exports.

use std::{fs, path::Path, process::Command};

use crate::world::{World, document, output};

const CANARY: &str = "c4nary/Of \"Tutti\" ü-77";

/// Each way with the exit code and the tasks that go it.
const WAYS: [(&str, i32, &str); 26] = [
    ("an expression", 0, "  - a: { set: { x: '${ $secrets.TOKEN }' } }\n"),
    (
        "parts and other forms",
        0,
        "  - a: { set: { x: '${ $secrets.TOKEN | [., .[2:], @base64, @uri, @json, ascii_upcase, explode] }' } }\n",
    ),
    ("a name of a member", 0, "  - a: { set: { x: '${ {($secrets.TOKEN): 1} }' } }\n"),
    (
        "the context",
        0,
        "  - a: { set: { x: '${ $secrets.TOKEN }' }, export: { as: '${ {kept: .x} }' } }\n  - b: { set: { y: '${ $context.kept }' } }\n",
    ),
    (
        "a condition and a loop",
        0,
        "  - a: { if: '${ ($secrets.TOKEN | length) > 3 }', for: { each: c, in: '${ [$secrets.TOKEN, \"x\"] }' }, do: [ { b: { set: { y: '${ $c }' } } } ] }\n",
    ),
    (
        "an error that is caught",
        0,
        "  - a: { try: [ { b: { raise: { error: { type: 'x:y', status: 500, detail: '${ $secrets.TOKEN }' } } } } ], catch: { as: e, do: [ { c: { set: { y: '${ $e.detail }' } } } ] } }\n",
    ),
    (
        "an error that is not",
        1,
        "  - a: { raise: { error: { type: 'x:y', status: 500, title: '${ \"no: \" + $secrets.TOKEN }' } } }\n",
    ),
    (
        "a command that prints it",
        0,
        "  - a: { run: { shell: { command: 'printf \"%s\\n\" \"$1\"; printf %s \"$1\" | base64; printf %s \"$1\" | od -An -tx1 | tr -d \" \\n\"; echo; echo \"$1\" >&2', arguments: ['${ $secrets.TOKEN }'] }, return: all } }\n",
    ),
    (
        "a child workflow",
        0,
        "  - a: { run: { workflow: { namespace: test, name: child, version: '1.0.0', input: { t: '${ $secrets.TOKEN }' } } } }\n",
    ),
    ("a fault of an expression", 1, "  - a: { set: { x: '${ $secrets.TOKEN | tonumber }' } }\n"),
    (
        "the host of a URI",
        1,
        "  - a: { call: http, with: { method: get, endpoint: '${ \"http://\" + ($secrets.TOKEN | split(\"/\")[0] | ascii_upcase) + \".invalid/x\" }' } }\n",
    ),
    (
        "a value that is kept apart",
        0,
        "  - a: { set: { x: '${ [range(3000)] | map($secrets.TOKEN) }' } }\n",
    ),
    (
        "a script that gets and prints it every way",
        0,
        "  - a:\n      run:\n        script:\n          language: python\n          code: |\n            import base64, json, os, sys, urllib.parse\n            word = sys.argv[1]\n            assert sys.stdin.read() == os.environ['WORD'] == word\n            raw = word.encode()\n            for out in (sys.stdout, sys.stderr):\n              print(word, base64.b64encode(raw).decode(), raw.hex(), raw.hex().upper(), file=out)\n              print(urllib.parse.quote(word, safe=''), json.dumps(word), json.dumps(word, ensure_ascii=False), file=out)\n              print('x' * 100 + word + 'y', base64.b64encode(b'user:' + raw).decode(), file=out)\n          stdin: '${ $secrets.TOKEN }'\n          arguments: ['${ $secrets.TOKEN }']\n          environment: { WORD: '${ $secrets.TOKEN }' }\n        return: all\n",
    ),
    (
        "a script that fails with it",
        1,
        "  - a: { run: { script: { language: python, code: 'raise Exception(word)', arguments: { word: '${ $secrets.TOKEN }' } } } }\n",
    ),
    (
        "a command that is put together with it",
        0,
        "  - a: { run: { shell: { command: '${ \"echo \" + ($secrets.TOKEN | @sh) + \" | tee /dev/stderr\" }' } } }\n",
    ),
    (
        "a header of which a script shows the end",
        1,
        "  - a: { set: { kept: '${ $secrets.TOKEN }' }, export: { as: '${ . }' } }\n  - b: { run: { script: { language: python, code: 'print(word[7:]); raise Exception(word[7:])', arguments: { word: '${ \"Bearer \" + $context.kept }' } } } }\n",
    ),
    (
        "a script in JavaScript",
        1,
        "  - a: { run: { script: { language: js, code: 'console.log(word, [word], encodeURIComponent(word)); throw new Error(word)', arguments: { word: '${ $secrets.TOKEN }' } } } }\n",
    ),
    (
        "an event that is heard",
        0,
        "  - a: { emit: { event: { with: { type: t, subject: '${ $secrets.TOKEN }', data: { t: '${ $secrets.TOKEN }' } } } } }\n  - b: { listen: { to: { one: { with: { type: t } } }, read: envelope } }\n  - c: { set: { y: '${ .[0].data.t }', z: '${ .[0].subject }' } }\n",
    ),
    (
        "an event whose source and id are secret",
        0,
        "  - a: { emit: { event: { with: { type: t, id: '${ $secrets.TOKEN }', source: '${ $secrets.TOKEN | @uri }' } } } }\n",
    ),
    (
        "an event that is not heard yet",
        4,
        "  - a: { emit: { event: { with: { type: t, data: '${ $secrets.TOKEN }' } } } }\n  - b: { listen: { to: { one: { with: { type: u, subject: '${ $secrets.TOKEN }' } } } } }\n",
    ),
    (
        "what an event is expected to have",
        0,
        "  - a: { emit: { event: { with: { type: t, data: { t: '${ $secrets.TOKEN }' } } } } }\n  - b: { listen: { to: { one: { with: { type: t }, correlate: { c: { from: '${ .data.t }', expect: '${ $secrets.TOKEN }' } } } } } }\n",
    ),
    (
        "a child workflow that fails with it",
        1,
        "  - a: { run: { workflow: { namespace: test, name: failing, version: '1.0.0', input: { t: '${ $secrets.TOKEN }' } } } }\n",
    ),
    (
        "what a task says is sensitive",
        0,
        "  - a: { run: { script: { language: python, code: 'print(word[::-1])', arguments: { word: '77-ü \"ittuT\" fO/yran4c' } } }, metadata: { tutti: { sensitive: [''] } } }\n  - b: { set: { y: '${ . }' } }\n",
    ),
    (
        "what is sensitive in an output made anew",
        0,
        "  - a: { run: { shell: { command: 'echo \"$1\" | rev | tee /dev/stderr', arguments: ['77-ü \"ittuT\" fO/yran4c'] }, return: all }, output: { as: '${ {card: .stdout, code} }' }, metadata: { tutti: { sensitive: [/card] } } }\n",
    ),
    (
        "what a function's caller says is sensitive",
        0,
        "  - a: { call: turn, metadata: { tutti: { sensitive: [/stdout, /stderr] } } }\n",
    ),
    (
        "a failure of a task with something sensitive",
        1,
        "  - a: { run: { script: { language: python, code: 'raise Exception(word[::-1])', arguments: { word: '77-ü \"ittuT\" fO/yran4c' } } }, metadata: { tutti: { sensitive: [''] } } }\n",
    ),
];

/// A function that gives the canary, which stands nowhere as it is.
const FUNCTIONS: &str = r#"{ turn: { run: { shell: { command: 'echo "$1" | rev; echo "$1" | rev >&2', arguments: ['77-ü "ittuT" fO/yran4c'] }, return: all } } }"#;

#[test]
fn a_secret_is_seen_nowhere_whichever_way_it_goes() {
    for way in WAYS {
        for stopped in [false, true] {
            check(way, stopped);
        }
    }
}

/// Runs the tasks to the end, or so that the state is left as it is after them.
fn check((way, code, tasks): (&str, i32, &str), stopped: bool) {
    let never = "  - z: { listen: { to: { one: { with: { type: never } } } } }\n";
    let wait = if stopped { never } else { "" };
    let world = World::new();
    let text = document("w", &format!("{tasks}{wait}"));
    world.write("w.yaml", &text.replace("use: {", &format!("use: {{ functions: {FUNCTIONS},")));
    world.write("child.yaml", &document("child", "  - a: { set: { got: '${ .t }' } }\n"));
    let failing = "  - a: { raise: { error: { type: 'x:y', status: 500, detail: '${ .t }' } } }\n";
    world.write("failing.yaml", &document("failing", failing));
    let mut arguments = vec!["run", "w.yaml", "--store", "s", "--logs", "all"];
    if tasks.contains("$secrets") {
        arguments.extend(["--secret", "TOKEN"]);
    }
    let mut command: Command = world.command(&arguments);
    let said = output(command.env("TOKEN", CANARY));
    let expected = if stopped && code == 0 { 4 } else { code };
    assert_eq!(said.code, Some(expected), "{way}: {}", said.stderr);
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
