//! The variables of a document reach its program, and nothing that stands before it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use tutti_connectors::{Connector, script::ScriptLimits, shell::Shell};
use tutti_expr::Value;

use crate::{
    script::script,
    world::{Directory, World, call_with, shown},
};

/// Says in which program it is loaded.
const PRELOADED: &str = r#"
#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) {
    char name[4096] = "";
    if (readlink("/proc/self/exe", name, sizeof name - 1) < 0) return;
    FILE *told = fopen(TOLD, "a");
    if (told) { fprintf(told, "%s\n", name); fclose(told); }
}
"#;

/// Makes a program or script call with these variables, as a child that ends with us and as one that outlives us.
async fn check(connector: &dyn Connector, what: &[(&str, &str)], variables: &[(&str, &str)]) {
    let directory = Directory::new();
    let scratch = directory.path().join("scratch");
    for scratch in [None, Some(scratch.as_path())] {
        let text = |(name, text): &(&str, &str)| (name.to_string(), Value::from(*text));
        let environment = Value::object(variables.iter().map(text));
        let members = what.iter().map(text).chain([("environment".to_owned(), environment)]);
        let (_world, context) = World::new(scratch);
        let call = call_with(Value::object(members));
        assert_eq!(shown(&connector.call(call, context).await), r#""done""#, "{variables:?}");
    }
}

/// A directory with an `sh`, and other programs, that tell when somebody starts them.
fn evil_programs(directory: &Directory) -> String {
    for name in ["sh", "cat", "env", "tutti"] {
        let path = directory.path().join(name);
        let text = format!("#!/bin/sh\n: >{}\nexec /bin/{name} \"$@\"\n", directory.join("told"));
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    directory.join("")
}

#[tokio::test]
async fn a_path_of_the_document_chooses_nothing_that_stands_before_its_program() {
    let directory = Directory::new();
    let path = evil_programs(&directory);
    let code = [("language", "js"), ("code", "console.log('done')")];
    for path in [path.as_str(), "/nowhere", ""] {
        check(&script(ScriptLimits::default()), &code, &[("PATH", path)]).await;
        check(&Shell, &[("command", "echo done")], &[("PATH", path)]).await;
    }
    assert!(!directory.path().join("told").exists(), "a program of the document was started");
}

#[tokio::test]
async fn variables_arrive_as_they_are_whatever_they_are_called() {
    let variables =
        [("tutti_ended", "1"), ("IFS", "n"), ("TUTTI_CARRIED_X", "$(exit 1)"), ("B", "'\"\n`$B")];
    let code = "const is = (name, text) => require('assert').strictEqual(process.env[name], text);\nis('tutti_ended', '1'); is('IFS', 'n'); is('TUTTI_CARRIED_X', '$(exit 1)'); is('B', '\\'\"\\n`$B');\nis('TUTTI_CARRIED_B', undefined); console.log('done')";
    let code = [("language", "js"), ("code", code)];
    check(&script(ScriptLimits::default()), &code, &variables).await;
    let command = r#"[ "$tutti_ended" = 1 ] && [ "$TUTTI_CARRIED_X" = '$(exit 1)' ] && [ -z "$TUTTI_CARRIED_B" ] && [ ${#B} = 6 ] && echo done"#;
    check(&Shell, &[("command", command)], &variables).await;
}

#[tokio::test]
async fn what_the_document_preloads_is_loaded_into_its_program_only() {
    let directory = Directory::new();
    let Some(library) = library(&directory) else {
        println!("SKIPPED: a library to preload cannot be compiled here");
        return;
    };
    let code = [("language", "js"), ("code", "console.log('done')")];
    check(&script(ScriptLimits::default()), &code, &[("LD_PRELOAD", &library)]).await;
    let told = fs::read_to_string(directory.path().join("told")).expect("it was loaded");
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.lines().all(|program| program.contains("node")), "{told}");
}

/// Compiles it; nothing where there is no compiler.
fn library(directory: &Directory) -> Option<String> {
    let source = directory.path().join("preloaded.c");
    let told = Value::from(directory.join("told")).to_json();
    fs::write(&source, format!("#define TOLD {told}\n{PRELOADED}")).expect("a file");
    let library = directory.join("preloaded.so");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o", &library]).arg(&source).status();
    (compiled.is_ok_and(|status| status.success()) && Path::new(&library).is_file())
        .then_some(library)
}
