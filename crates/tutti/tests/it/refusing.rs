//! Going on is refused before anything is decided, where it could only do harm.

use std::fs;

use crate::world::{Said, World, document, output};

/// A command that ends once there is a file `go`, and what its output is then put together with.
const WAITS: &str = "  - a: { run: { shell: { command: 'until test -e go || ! test -e w.yaml; do sleep 0.01; done; echo x' } }, metadata: { tutti: { effect: once } } }\n";

/// An event that never comes.
const LISTENS: &str = "  - a: { listen: { to: { one: { with: { type: go } } } } }\n";

/// A world with an execution that was stopped.
fn stopped(tasks: &str) -> World {
    let world = World::with_tasks(tasks);
    let mut command = world.command(&["run", "w.yaml", "--store", "s", "--timeout", "300ms"]);
    if tasks.contains("$secrets") {
        command.args(["--secret", "TOKEN"]).env("TOKEN", "a-token");
    }
    let said = output(&mut command);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    world
}

fn resume(world: &World, more: &[&str]) -> Said {
    world.tutti(&[&["run", "--store", "s", "--resume"], more].concat())
}

#[test]
fn without_a_declared_secret_nothing_is_decided() {
    let world =
        stopped(&format!("{WAITS}  - b: {{ set: {{ n: '${{ $secrets.TOKEN | length }}' }} }}\n"));
    world.write("go", "");
    let said = resume(&world, &[]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("the secret `TOKEN` is declared and not given"),
        "{}",
        said.stderr
    );
    let command = said.stderr.lines().find_map(|line| line.split_once("go on with: tutti "));
    let (_, words) = command.expect("a command to go on with");
    assert!(words.ends_with(" --secret TOKEN"), "{words}");
    let words: Vec<&str> = words.split(' ').collect();
    let said = output(world.command(&words).env("TOKEN", "a-token"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    // It has ended: to see how takes no secret.
    assert_eq!(resume(&world, &[]).code, Some(0));
}

#[test]
fn a_stop_names_the_secrets_that_going_on_takes() {
    let world =
        World::with_tasks(&format!("{WAITS}  - b: {{ set: {{ n: '${{ $secrets.TOKEN }}' }} }}\n"));
    let arguments = ["run", "w.yaml", "--store", "s", "--timeout", "300ms", "--secret", "TOKEN"];
    let said = output(world.command(&arguments).env("TOKEN", "a-token"));
    assert!(said.stderr.ends_with(" --secret TOKEN\n"), "{}", said.stderr);
    world.write("go", "");
}

#[test]
fn a_database_that_is_missing_is_damage() {
    for also in [None, Some("journal.sqlite-wal"), Some("high-water")] {
        let world = stopped("  - a: { wait: PT1H }\n");
        for name in [Some("journal.sqlite"), also].into_iter().flatten() {
            fs::remove_file(world.path().join("s").join(name)).expect("a file");
        }
        let run: &[&str] = &["run", "w.yaml", "--store", "s"];
        for arguments in [&[run, &["--resume"]].concat(), run, &["store", "verify", "s"]] {
            let said = world.tutti(arguments);
            assert_eq!(said.code, Some(4), "{arguments:?} {also:?}: {}", said.stderr);
            assert!(said.stderr.starts_with("error[E0201]: "), "{arguments:?}: {}", said.stderr);
        }
        assert!(!world.path().join("s/journal.sqlite").exists());
    }
}

#[test]
fn keys_that_cannot_be_used_are_damage() {
    let check = |spoil: &dyn Fn(&str)| {
        let world = stopped("  - a: { wait: PT1H }\n");
        let at = world.path().join("s");
        assert_eq!(world.tutti(&["store", "verify", "s"]).code, Some(0));
        spoil(at.to_str().expect("UTF-8"));
        let kept = || ["master.key", "data.keys"].map(|name| fs::read(at.join(name)).ok());
        let before = kept();
        let said = world.tutti(&["store", "verify", "s"]);
        assert_eq!(said.code, Some(4), "{}", said.stderr);
        assert!(said.stdout.contains("damaged  keys: "), "{}", said.stdout);
        assert_eq!(resume(&world, &[]).code, Some(4));
        let said = world.tutti(&["run", "w.yaml", "--store", "s", "--timeout", "20ms"]);
        assert_eq!(said.code, Some(4));
        assert!(said.stderr.starts_with("error[E0201]: "), "{}", said.stderr);
        assert_eq!(kept(), before);
    };
    let remove = |at: &str, name: &str| fs::remove_file(format!("{at}/{name}")).expect("a file");
    check(&|at| remove(at, "master.key"));
    check(&|at| remove(at, "data.keys"));
    check(&|at| fs::write(format!("{at}/data.keys"), "tutti-data-key-1 AAAA\n").expect("a file"));
    check(&|at| fs::write(format!("{at}/master.key"), "nothing\n").expect("a file"));
    check(&|at| {
        remove(at, "master.key");
        remove(at, "data.keys");
    });
}

#[test]
fn an_execution_keeps_its_input_and_its_definition() {
    let world = stopped(LISTENS);
    for more in [["--input", "{}"], ["--set", "a=b"]] {
        let said = resume(&world, &more);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(said.stderr.contains("takes neither --input nor --set"), "{}", said.stderr);
    }
    let go_on = ["run", "w.yaml", "--store", "s", "--resume"];
    let warning = "warning: FILE is not the definition that the execution was started with";
    assert!(!world.tutti(&go_on).stderr.contains(warning));
    world.write("w.yaml", &document("w", "  - b: { wait: PT2H }\n"));
    let said = world.tutti(&go_on);
    assert!(said.stderr.contains(warning), "{}", said.stderr);
}

#[test]
fn an_execution_of_another_store_is_not_there() {
    let world = stopped("  - a: { wait: PT1H }\n");
    let said = resume(&world, &["exec_01m85p4w82n6f0yrz4etaqev1g"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("hint: `--resume` without an id"), "{}", said.stderr);
}
