//! Secrets are seen nowhere: not in what is said, not in what is printed, not in what is stored.

use std::{fs, path::Path};

use crate::world::{Said, World, output};

const CANARY: &str = "c4nary-Of-Tutti-77";
const CANARY_BASE64: &str = "YzRuYXJ5LU9mLVR1dHRpLTc3";

/// Every file below a directory.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn assert_secret(world: &World, said: &Said) {
    for form in [CANARY, CANARY_BASE64] {
        assert!(!said.stdout.contains(form), "{}", said.stdout);
        assert!(!said.stderr.contains(form), "{}", said.stderr);
        let stored = files(&world.path().join("s"));
        assert!(!stored.is_empty(), "nothing is stored");
        assert!(!stored.iter().any(|file| holds(file, form)), "the store shows {form}");
    }
}

fn run(tasks: &str) -> Said {
    let world = World::with_tasks(tasks);
    let mut command = world.command(&["run", "w.yaml", "--store", "s", "--secret", "TOKEN"]);
    let said = output(command.env("TOKEN", CANARY));
    assert_secret(&world, &said);
    said
}

#[test]
fn an_output_made_of_a_secret_is_redacted() {
    let said = run(
        "  - a: { set: { got: '${ $secrets.TOKEN }', as: '${ $secrets.TOKEN | @base64 }' } }\n",
    );
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "{\"got\":\"«secret»\",\"as\":\"«secret»\"}\n")
    );
}

#[test]
fn a_command_that_prints_a_secret_is_redacted() {
    let said = run(
        "  - a: { run: { shell: { command: 'echo \"got $1\"; echo \"$1\" >&2', arguments: ['${ $secrets.TOKEN }'] }, return: all } }\n",
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("| got «secret»"), "{}", said.stderr);
}

#[test]
fn an_error_that_tells_a_secret_is_redacted() {
    let said = run(
        "  - a: { raise: { error: { type: 'x:y', status: 500, detail: '${ \"it is \" + $secrets.TOKEN }' } } }\n",
    );
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.lines().last().is_some_and(|line| line.contains("«secret»")),
        "{}",
        said.stderr
    );
}

#[test]
fn secrets_come_from_everywhere() {
    let world = World::with_tasks(
        "  - a: { run: { shell: { command: 'printf %s \"$1\" > got', arguments: ['${ $secrets.TOKEN }'] } } }\n",
    );
    world.write("token", &format!("{CANARY}\n"));
    world.write("secrets", &format!("# one\nexport TOKEN='{CANARY}'\n"));
    world.write("secrets.json", &format!("{{\"TOKEN\": \"{CANARY}\"}}"));
    let check = |arguments: &[&str], stderr: &str| {
        world.write("got", "");
        let arguments = [&["run", "-q", "w.yaml"], arguments].concat();
        let mut command = world.command(&arguments);
        let stdin = fs::File::open(world.path().join("token")).expect("a file");
        let said = output(command.env("MY_TOKEN", CANARY).env("TOKEN", CANARY).stdin(stdin));
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
        assert_eq!(world.read("got"), CANARY, "{arguments:?}");
        assert!(said.stderr.starts_with(stderr), "{arguments:?}: {}", said.stderr);
        assert!(!said.stderr.contains(CANARY), "{arguments:?}: {}", said.stderr);
    };
    check(&["--secret", "TOKEN"], "");
    check(&["--secret", "TOKEN=@token"], "");
    check(&["--secret", "TOKEN=-"], "");
    check(&["--secrets-file", "secrets"], "");
    check(&["--secrets-file", "secrets.json"], "");
    check(&["--env-secrets", "MY_"], "");
    let open = format!("TOKEN={CANARY}");
    let warning = "warning: the secret `TOKEN` stands on the command line, where others see it";
    check(&["--secret", &open], warning);
}

#[test]
fn a_secret_that_is_json_has_members() {
    let world = World::with_tasks(
        "  - a: { run: { shell: { command: 'printf %s \"$1\" > got', arguments: ['${ $secrets.TOKEN.user }'] } } }\n",
    );
    world.write("token", "{\"user\": \"ada\", \"password\": \"pw\"}");
    let said = world.tutti(&["run", "-q", "w.yaml", "--secret", "TOKEN=@token"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(world.read("got"), "ada");
}

#[test]
fn a_secret_that_is_not_given_may_not_be_used() {
    let world = World::with_tasks("  - a: { set: { t: '${ $secrets.TOKEN }' } }\n");
    let said = world.tutti(&["run", "w.yaml"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.starts_with("warning: the secret `TOKEN` is declared and not given\n"));
    let error: serde_json::Value =
        serde_json::from_str(said.stderr.lines().last().expect("a line")).expect("JSON");
    assert_eq!(error["status"], 403);
}

#[test]
fn a_secret_that_is_too_short_to_be_redacted_is_pointed_out() {
    let world = World::with_tasks("  - a: { set: { t: '${ $secrets.TOKEN | length }' } }\n");
    for (token, warned) in [("abc", true), ("a", true), ("abcd", false)] {
        let mut command = world.command(&["run", "-q", "w.yaml", "--secret", "TOKEN"]);
        let said = output(command.env("TOKEN", token));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let warning = "warning: the secret `TOKEN` is too short to be kept out of what is shown";
        assert_eq!(said.stderr.contains(warning), warned, "{token}: {}", said.stderr);
    }
}

#[test]
fn a_file_of_a_secret_that_is_not_there_is_named() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n");
    let said = world.tutti(&["run", "-q", "w.yaml", "--secret", "TOKEN=@none"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("cannot take none for --secret TOKEN: "), "{}", said.stderr);
}

#[test]
fn a_secret_nothing_declares_is_pointed_out() {
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n");
    let said = world.tutti(&["run", "-q", "w.yaml", "--secret", "TOKEM=@w.yaml"]);
    assert_eq!(said.code, Some(0));
    assert!(said.stderr.contains("does not declare the secret `TOKEM`"), "{}", said.stderr);
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::with_tasks("  - a: { set: { x: 1 } }\n");
    world.tutti(&["run", "-q", "w.yaml", "--store", "s"]);
    let mode = |name: &str| {
        fs::metadata(world.path().join(name)).expect("a file").permissions().mode() & 0o777
    };
    assert_eq!((mode("s"), mode("s/master.key")), (0o700, 0o600));
}
