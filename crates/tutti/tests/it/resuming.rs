//! Death, and what comes after.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use tutti_connectors::Registry;
use tutti_engine::{Control, Limits, Outcome, Secrets};
use tutti_runtime::{Observer, Options, RowSealer, Runtime, Settlement, SystemClock};
use tutti_secrets::KeyFiles;
use tutti_store::{SqliteStore, Store as _};

use crate::world::{Said, World, document, until, wait};

#[test]
fn a_command_that_outlives_the_process_completes_exactly_once() {
    let world = World::with_tasks(
        "  - a: { run: { shell: { command: 'echo x >> count; until test -e go; do sleep 0.01; done; echo done' } }, metadata: { tutti: { effect: once } } }\n  - b: { set: { said: '${ . }' } }\n",
    );
    let mut child = world.start(&["run", "w.yaml", "--store", "s"]);
    until("the command runs", || world.read("count") == "x\n");
    child.kill().expect("SIGKILL");
    wait(child);
    let again = world.start(&["run", "--store", "s", "--resume"]);
    world.write("go", "");
    let said = wait(again);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "{\"said\":\"done\"}\n"),
        "{}",
        said.stderr
    );
    assert_eq!(world.read("count"), "x\n");
}

#[test]
fn children_that_had_not_started_are_found_after_a_crash() {
    let world = World::with_tasks(
        "  - a: { run: { shell: { command: 'echo x >> count; until test -e go; do sleep 0.01; done' } }, metadata: { tutti: { effect: once } } }\n  - b: { run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }\n",
    );
    world.write("child.yaml", &document("child", "  - c: { set: { found: true } }\n"));
    let mut child = world.start(&["run", "w.yaml", "--store", "s"]);
    until("the command runs", || world.read("count") == "x\n");
    child.kill().expect("SIGKILL");
    wait(child);
    std::fs::remove_file(world.path().join("child.yaml")).expect("a file");
    world.write("go", "");
    let said = world.tutti(&["run", "--store", "s", "--resume"]);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "{\"found\":true}\n"),
        "{}",
        said.stderr
    );
}

#[test]
fn one_that_died_before_anything_was_stored_is_not_there_to_go_on_with() {
    let world = World::with_tasks("  - a: { set: { n: 1 } }\n");
    let said = world.tutti(&["run", "w.yaml", "--store", "s"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    // What is written down before an execution starts.
    world.write("s/latest", "exec_01m85p4w82n6f0yrz4etaqev1g");
    let said = world.tutti(&["run", "--store", "s", "--resume"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("no execution to go on with"), "{}", said.stderr);
}

/// A server that reads each request and answers none but those after the first.
struct Charges {
    port: u16,
    received: Arc<AtomicUsize>,
}

impl Charges {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(AtomicUsize::new(0));
        let count = received.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                read_request(&stream);
                if count.fetch_add(1, Ordering::SeqCst) > 0 {
                    answer(stream);
                }
            }
        });
        Self { port, received }
    }

    fn received(&self) -> usize {
        self.received.load(Ordering::SeqCst)
    }
}

fn read_request(mut stream: &TcpStream) {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while !bytes.ends_with(b"{\"order\":7}") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend(&piece[..length]),
        }
    }
}

fn answer(mut stream: TcpStream) {
    let body = "{\"charged\":7}";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).ok();
}

/// A charge whose answer never came: the execution stands still with exit code 4.
fn uncertain() -> (World, Charges) {
    let charges = Charges::start();
    let world = World::with_tasks(&format!(
        "  - charge: {{ call: http, with: {{ method: post, endpoint: 'http://127.0.0.1:{}/charges', body: {{ order: 7 }} }}, metadata: {{ tutti: {{ effect: once }} }} }}\n",
        charges.port
    ));
    let said = world.tutti(&["run", "w.yaml", "--store", "s"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(4), ""), "{}", said.stderr);
    assert!(said.stderr.contains("incident: /do/0/charge needs a person: "), "{}", said.stderr);
    for choice in ["retry", "fault", "complete=JSON"] {
        let line = format!("--unknown {choice}  # ");
        assert!(said.stderr.contains(&line), "{}", said.stderr);
    }
    assert_eq!(charges.received(), 1);
    (world, charges)
}

fn resume(world: &World, unknown: &[&str]) -> Said {
    world.tutti(&[&["run", "--store", "s", "--resume"], unknown].concat())
}

#[test]
fn an_unknown_outcome_is_never_repeated_silently() {
    let (world, charges) = uncertain();
    assert_eq!(resume(&world, &[]).code, Some(4));
    assert_eq!(charges.received(), 1);
}

#[test]
fn a_person_may_have_it_made_again() {
    let (world, charges) = uncertain();
    let said = resume(&world, &["--unknown", "retry"]);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "{\"charged\":7}\n"),
        "{}",
        said.stderr
    );
    assert_eq!(charges.received(), 2);
}

#[test]
fn a_person_may_say_what_it_gave() {
    let (world, charges) = uncertain();
    let said = resume(&world, &["--unknown", "complete={\"charged\": 8}"]);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "{\"charged\":8}\n"),
        "{}",
        said.stderr
    );
    assert_eq!(charges.received(), 1);
}

#[test]
fn a_person_may_let_it_fault() {
    let (world, charges) = uncertain();
    let said = resume(&world, &["--unknown", "fault"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let last = said.stderr.lines().last().expect("a line");
    assert!(last.contains("tutti://errors/outcome-unknown"), "{last}");
    assert_eq!(charges.received(), 1);
}

#[test]
fn an_execution_that_was_cancelled_ends_with_a_code_of_its_own() {
    let world = World::with_tasks("  - a: { wait: PT1H }\n");
    assert_eq!(world.tutti(&["run", "w.yaml", "--store", "s", "--timeout", "20ms"]).code, Some(4));
    cancel_in(&world.path().join("s"));
    let said = resume(&world, &[]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(3), ""), "{}", said.stderr);
    assert!(said.stderr.contains("the execution was cancelled"), "{}", said.stderr);
}

/// Cancels the only execution of a store, as an operator would.
fn cancel_in(directory: &Path) {
    let tokio =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    tokio.block_on(async {
        let store = Arc::new(SqliteStore::open(directory).expect("a store"));
        let open = store.open_executions(None, 2).await.expect("executions");
        let options = Options {
            store,
            connectors: Registry::default(),
            library: Arc::default(),
            secrets: Arc::new(NoSecrets),
            sealer: Arc::new(RowSealer::new(
                KeyFiles::in_directory(directory).open().expect("keys"),
            )),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Nobody),
            limits: Limits::default(),
            max_calls: 1,
            loops: None,
            max_residents: 2,
            events_kept: tutti_runtime::EventsKept::default(),
            scratch: None,
        };
        let handle = Runtime::start(options).expect("a runtime");
        let cancel = Control::Cancel { reason: None };
        handle.control(open[0].execution, cancel).await.expect("cancelled");
        let settlement = handle.settled(open[0].execution).await.expect("an end");
        assert_eq!(settlement, Settlement::Ended(Outcome::Cancelled));
    });
}

#[derive(Debug)]
struct NoSecrets;

impl Secrets for NoSecrets {
    fn secret(&self, _: &str, _: &str) -> Option<tutti_expr::Value> {
        None
    }
}

#[derive(Debug)]
struct Nobody;

impl Observer for Nobody {
    fn on_turn(&self, _: &tutti_journal::Turn, _: &Arc<tutti_dsl::Workflow>) {}

    fn on_log(&self, _: &tutti_connectors::LogLine) {}

    fn on_unreadable(&self, _: tutti_ids::ExecutionId, _: &str) {}
}

/// Stops a run whose command waits for the file `go`, and goes on.
fn check_stopped(effect: &str, timeout: &[&str], signal: Option<Signal>, code: i32) {
    let world = World::with_tasks(&format!(
        "  - a: {{ run: {{ shell: {{ command: 'echo x >> count; until test -e go; do sleep 0.01; done; echo y >> count; echo done' }} }}, metadata: {{ tutti: {{ effect: {effect} }} }} }}\n",
    ));
    let child = world.start(&[&["run", "w.yaml", "--store", "s"], timeout].concat());
    until("the command runs", || world.read("count") == "x\n");
    if let Some(signal) = signal {
        let id = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("an id");
        kill_process(id, signal).expect("a signal");
    }
    let said = wait(child);
    assert_eq!(said.code, Some(code), "{}", said.stderr);
    assert!(said.stderr.contains("a command still runs, in process group "), "{}", said.stderr);
    world.write("go", "");
    let said = resume(&world, &[]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "\"done\"\n"), "{}", said.stderr);
    assert_eq!(world.read("count"), "x\ny\n");
}

#[test]
fn a_stop_leaves_commands_running_to_be_recognised() {
    for effect in ["once", "idempotent"] {
        check_stopped(effect, &[], Some(Signal::INT), 130);
        check_stopped(effect, &[], Some(Signal::TERM), 143);
        check_stopped(effect, &["--timeout", "2s"], None, 4);
    }
}

#[test]
fn a_damaged_state_is_told_with_all_that_is_damaged_and_not_touched() {
    let world = World::with_tasks("  - a: { wait: PT1H }\n");
    assert_eq!(world.tutti(&["run", "w.yaml", "--store", "s", "--timeout", "500ms"]).code, Some(4));
    let whole = world.tutti(&["store", "verify", "s"]);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    assert!(whole.stdout.ends_with("\nwhole\n"), "{}", whole.stdout);
    for name in ["journal.sqlite-wal", "journal.sqlite-shm"] {
        std::fs::remove_file(world.path().join("s").join(name)).ok();
    }
    let before = std::fs::read(world.path().join("s/high-water")).expect("a file");
    let said = resume(&world, &[]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stderr.contains("error[E0201]: the store in s is damaged: "), "{}", said.stderr);
    assert!(said.stderr.contains("hint: keep a copy"), "{}", said.stderr);
    assert_eq!(std::fs::read(world.path().join("s/high-water")).expect("a file"), before);
    let report = world.tutti(&["store", "verify", "s", "-o", "json"]);
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    assert!(report.stdout.contains("\"whole\":false"), "{}", report.stdout);
    assert!(world.tutti(&["explain", "E0201"]).stdout.starts_with("# E0201"));
    assert_eq!(world.tutti(&["store", "verify", "none"]).code, Some(2));
}

#[test]
fn without_its_key_a_state_is_not_touched() {
    let world = World::with_tasks("  - a: { wait: PT1H }\n");
    assert_eq!(world.tutti(&["run", "w.yaml", "--store", "s", "--timeout", "20ms"]).code, Some(4));
    std::fs::remove_file(world.path().join("s/master.key")).expect("a file");
    let said = resume(&world, &[]);
    assert_eq!(said.code, Some(4));
    assert!(said.stderr.contains("cannot read the key file s/master.key"), "{}", said.stderr);
    assert!(!world.path().join("s/master.key").exists());
}
