//! Scripts in the interpreters of this machine.

use std::path::{Path, PathBuf};

use tutti_connectors::{
    Connector, LogStream,
    script::{Script, ScriptLimits, ScriptOptions},
};
use tutti_expr::Value;

use crate::world::{Directory, World, call, call_with, eventually, shown};

/// The program that is its own launcher.
pub(crate) fn launcher() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(Path::parent).expect("a build directory");
    profile.join("examples").join("script_call")
}

/// A connector with these limits.
pub(crate) fn script(limits: ScriptLimits) -> Script {
    Script::new(ScriptOptions { launcher: Some(launcher()), limits })
}

fn arguments(language: &str, code: &str, rest: &str) -> String {
    let code = Value::from(code).to_json();
    format!(r#"{{"language":"{language}","code":{code}{rest}}}"#)
}

/// Checks what a script gives, as a child that ends with us and as one that outlives us.
async fn check_with(limits: ScriptLimits, arguments: &str, expected: impl Fn(&str) -> bool) {
    let directory = Directory::new();
    let scratch = directory.path().join("scratch");
    for scratch in [None, Some(scratch.as_path())] {
        let (_world, context) = World::new(scratch);
        let shown = shown(&script(limits).call(call(arguments), context).await);
        assert!(expected(&shown), "{arguments}\n{shown}");
    }
}

async fn check(arguments: &str, expected: &str) {
    check_with(ScriptLimits::default(), arguments, |shown| {
        assert_eq!(shown, expected);
        true
    })
    .await;
}

#[tokio::test]
async fn a_list_becomes_the_scripts_arguments() {
    let rest = r#","arguments":["a",1,null,{"b":2}]"#;
    let expected = r#""[\"a\",\"1\",\"\",\"{\\\"b\\\":2}\"]""#;
    let code = "import json, sys; print(json.dumps(sys.argv[1:], separators=(',', ':')))";
    check(&arguments("python", code, rest), expected).await;
    let code = "console.log(JSON.stringify(process.argv.slice(2)))";
    check(&arguments("js", code, rest), expected).await;
}

#[tokio::test]
async fn a_map_becomes_variables_of_the_script() {
    let rest = r#","arguments":{"rows":[1,2],"text":"a\"; exit('","none":null}"#;
    let code = "print(sum(rows), text, none, __name__)";
    check(&arguments("python", code, rest), r#""3 a\"; exit(' None __main__""#).await;
    let code = "console.log(rows[0] + rows[1], text, none)";
    check(&arguments("javascript", code, rest), r#""3 a\"; exit(' null""#).await;
}

#[tokio::test]
async fn a_script_reads_its_own_input_and_environment_and_no_more() {
    let rest = r#","stdin":"ä rest\n","environment":{"OWN":"x"}"#;
    let code = "import os, sys\nprint(sys.stdin.read().strip(), os.environ['OWN'], 'CARGO_MANIFEST_DIR' in os.environ)";
    check(&arguments("python", code, rest), r#""ä rest x False""#).await;
    let code = "const text = require('fs').readFileSync(process.stdin.fd, 'utf8');\nconsole.log(text.trim(), process.env.OWN, 'CARGO_MANIFEST_DIR' in process.env)";
    check(&arguments("js", code, rest), r#""ä rest x false""#).await;
    let code = "console.log('nothing:', require('fs').readFileSync(0, 'utf8'))";
    check(&arguments("js", code, ""), r#""nothing: ""#).await;
}

#[tokio::test]
async fn a_script_with_imports_is_a_module() {
    let code = "import { sep } from 'node:path';\nconst { EOL } = await import('node:os');\nconsole.log(sep + EOL.length + word)";
    let rest = r#","arguments":{"word":"w"}"#;
    let expected = r#"{"code":0,"stdout":"/1w","stderr":""}"#;
    check(&arguments("js", code, &format!(r#"{rest},"return":"all""#)), expected).await;
}

#[tokio::test]
async fn what_is_returned_is_what_was_asked_for() {
    let code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)";
    for (returned, expected) in [
        ("stderr", r#""err""#),
        ("code", "3"),
        ("all", r#"{"code":3,"stdout":"out","stderr":"err"}"#),
        ("stdout", "known runtime 500: the script exited with code 3:\nerr"),
        ("none", "known runtime 500: the script exited with code 3:\nerr"),
    ] {
        check(&arguments("python", code, &format!(r#","return":"{returned}""#)), expected).await;
    }
    check(&arguments("python", "print(1)", r#","return":"none""#), "null").await;
}

#[tokio::test]
async fn a_mistake_in_a_script_is_told_with_its_line() {
    for (language, code, place, what) in [
        ("python", "\n1 +\n", "script.py\", line 2", "SyntaxError"),
        ("python", "\n\nnothing\n", "script.py\", line 3", "NameError"),
        ("js", "\n\nnothing()\n", "script.js:3", "ReferenceError"),
        ("js", "const a = ;", "script.js:1", "SyntaxError"),
        ("js", "import 'node:fs';\nnothing()", "script.js:2", "ReferenceError"),
    ] {
        let arguments = arguments(language, code, r#","return":"all""#);
        check_with(ScriptLimits::default(), &arguments, |shown| {
            shown.starts_with(r#"{"code":1"#)
                && shown.contains(&place.replace('"', "\\\""))
                && shown.contains(what)
        })
        .await;
    }
}

#[tokio::test]
async fn a_source_is_a_file_of_this_machine() {
    let directory = Directory::new();
    std::fs::write(directory.path().join("a.py"), "print('loaded')").expect("a file");
    let given = |uri: &str| format!(r#"{{"language":"python","source":"{uri}"}}"#);
    check(&given(&format!("file://{}", directory.join("a.py"))), r#""loaded""#).await;
    let absent = format!("file://{}", directory.join("b.py"));
    let expected = format!(
        "known configuration 400: the script at `{absent}` cannot be opened: No such file or directory (os error 2)"
    );
    check(&given(&absent), &expected).await;
    check_with(ScriptLimits::default(), &given("ftp://host/a.py"), |shown| {
        shown.starts_with("known configuration 400") && shown.contains("not loaded by this version")
    })
    .await;
}

#[tokio::test]
async fn a_large_script_with_large_arguments_arrives_whole() {
    let code = format!("{}print(len(text))", "# filler\n".repeat(100_000));
    let rest = format!(r#","arguments":{{"text":"{}"}}"#, "x".repeat(1_000_000));
    check(&arguments("python", &code, &rest), r#""1000000""#).await;
}

#[tokio::test]
async fn too_much_memory_is_refused() {
    let limits = ScriptLimits { memory: 256 << 20, ..ScriptLimits::default() };
    let code = "a = bytearray(300 << 20)";
    check_with(limits, &arguments("python", code, ""), |shown| shown.contains("MemoryError")).await;
    let code = "const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))";
    check_with(limits, &arguments("js", code, ""), |shown| shown.starts_with("known runtime 500"))
        .await;
}

#[tokio::test]
async fn memory_that_processes_share_counts_too() {
    let limits = ScriptLimits { memory_in_all: 128 << 20, ..ScriptLimits::default() };
    let code = "import mmap, time\na = mmap.mmap(-1, 200 << 20)\na.write(b'x' * (200 << 20))\ntime.sleep(60)";
    check_with(limits, &arguments("python", code, ""), |shown| {
        shown.contains("its processes held more than 128 MiB together")
    })
    .await;
}

#[tokio::test]
async fn more_processes_than_allowed_end_the_script() {
    let limits = ScriptLimits { processes: 16, ..ScriptLimits::default() };
    let code = "import os, time\nfor _ in range(40):\n  if os.fork() == 0:\n    time.sleep(60)\ntime.sleep(60)";
    check_with(limits, &arguments("python", code, ""), |shown| {
        shown.contains("it had more than 16 processes")
            || shown.contains("Resource temporarily unavailable")
    })
    .await;
}

#[tokio::test]
async fn files_and_processor_time_are_limited() {
    let limits = ScriptLimits {
        file_size: 1 << 20,
        open_files: 32,
        processor_time: 1,
        ..ScriptLimits::default()
    };
    let cases = [
        ("import tempfile\ntempfile.TemporaryFile().write(b'x' * (2 << 20))", "File too large"),
        ("a = [open('/dev/null') for _ in range(64)]", "Too many open files"),
        ("while True: pass", "exited with code"),
    ];
    for (code, expected) in cases {
        check_with(limits, &arguments("python", code, ""), |shown| shown.contains(expected)).await;
    }
}

#[tokio::test]
async fn a_flood_of_output_is_bounded() {
    let limits = ScriptLimits { file_size: 16 << 20, ..ScriptLimits::default() };
    let code = "import sys\nfor _ in range(20): sys.stdout.write('x' * (1 << 20))";
    check_with(limits, &arguments("python", code, ""), |shown| {
        shown.contains("larger than 8388608 bytes") || shown.contains("File too large")
    })
    .await;
}

#[tokio::test]
async fn the_network_is_there_only_where_it_is_granted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let code = "import socket\ntry:\n  socket.create_connection(('127.0.0.1', port)).close()\n  print('in')\nexcept OSError:\n  print('out')";
    let (mut world, context) = World::new(None);
    for (network, expected) in [(true, r#""in""#), (false, r#""out""#)] {
        let rest = format!(r#","network":{network},"arguments":{{"port":{port}}}"#);
        let given = call(&arguments("python", code, &rest));
        let context = context.clone();
        let shown = shown(&script(ScriptLimits::default()).call(given, context).await);
        let said = world.texts(LogStream::Connector).join("\n");
        if said.is_empty() {
            assert_eq!(shown, expected);
        } else {
            assert!(said.contains("has the network of this machine"), "{said}");
            println!("skip: this system does not let a process leave the network");
        }
    }
}

#[tokio::test]
async fn a_cancelled_script_ends_with_what_it_started() {
    let directory = Directory::new();
    let code = "import os, time\nif os.fork():\n  open(path, 'w').write(f'{os.getpid()}\\n')\ntime.sleep(60)";
    let path = directory.join("up");
    let rest = format!(r#","arguments":{{"path":"{path}"}}"#);
    let (world, context) = World::new(Some(&directory.path().join("scratch")));
    let connector = script(ScriptLimits::default());
    let call = tokio::spawn(async move {
        shown(&connector.call(call(&arguments("python", code, &rest)), context).await)
    });
    eventually("the script", || {
        std::fs::read_to_string(&path).ok().filter(|it| it.ends_with('\n'))
    })
    .await;
    world.canceller.cancel();
    assert!(call.await.expect("no panic").contains("outcome-unknown"));
}

#[tokio::test]
async fn lines_come_redacted_while_the_script_goes_on() {
    let code = "import time\nprint('say', word)\ntime.sleep(60)";
    let given = Value::object([
        ("language", Value::from("python")),
        ("code", Value::from(code)),
        ("arguments", Value::object([("word", Value::from("hunter2").tainted())])),
    ]);
    let (mut world, context) = World::new(None);
    let connector = script(ScriptLimits::default());
    let call = tokio::spawn(async move { shown(&connector.call(call_with(given), context).await) });
    let line = world.lines.recv().await.expect("a line");
    assert_eq!(line.text, "say «secret»");
    world.canceller.cancel();
    assert!(call.await.expect("no panic").contains("outcome-unknown"));
}

#[tokio::test]
async fn without_its_launcher_no_script_is_started() {
    let connector = Script::new(ScriptOptions { launcher: None, limits: ScriptLimits::default() });
    let (_world, context) = World::new(None);
    let shown = shown(&connector.call(call(&arguments("python", "1", "")), context).await);
    assert!(shown.starts_with("known configuration 400: scripts cannot be started"), "{shown}");
}
