//! Schemas, scripts and functions from files and from the web.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::world::{Said, World};

const HEADER: &str = "document: { dsl: '1.0.3', namespace: test, name: w, version: '1.0.0' }\n";

fn world(rest: &str) -> World {
    let world = World::new();
    fs::create_dir_all(world.path().join("functions")).expect("a directory");
    world.write("w.yaml", &format!("{HEADER}{rest}"));
    world.write("functions/greet.yaml", "set: { greeting: '${ \"hello \" + .name }' }\n");
    world
}

/// Answers every request below `/open`, and others only with the password of Ada, from now on to the end of the process.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
}

impl Server {
    fn open(content: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                answer(stream, content);
            }
        });
        Self { port, asked, closing }
    }

    /// Answers nothing any more, and waits until that is so.
    fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        crate::world::until("nobody listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_err()
        });
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, content: &str) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
    let path = lines.next().and_then(Result::ok).unwrap_or_default();
    let headers: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    // `ada:lovelace`
    let allowed = headers.iter().any(|header| header.ends_with("Basic YWRhOmxvdmVsYWNl"));
    let status = if allowed || path.contains("/open/") { "200 OK" } else { "401 Unauthorized" };
    let length = content.len();
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{content}"
    );
    stream.write_all(text.as_bytes()).ok();
}

#[track_caller]
fn ends(said: &Said, code: i32, part: &str) {
    assert_eq!(said.code, Some(code), "{said:?}");
    assert!(said.stdout.contains(part) || said.stderr.contains(part), "{part}: {said:?}");
}

#[test]
fn what_was_loaded_is_not_needed_any_more_on_resume() {
    let world = world(
        "input: { schema: { resource: { endpoint: 'file:in.json' } } }\n\
         do:\n\
         \x20 - pause: { wait: { seconds: 2 } }\n\
         \x20 - greet: { call: 'file:functions/greet.yaml', with: { name: Ada } }\n",
    );
    world.write("in.json", "{ \"type\": \"object\" }");
    ends(&world.tutti(&["run", "w.yaml", "--store", "kept", "--timeout", "500ms"]), 4, "--resume");
    for file in ["in.json", "functions/greet.yaml", "w.yaml"] {
        fs::remove_file(world.path().join(file)).expect("it is there");
    }
    ends(&world.tutti(&["run", "--store", "kept", "--resume"]), 0, "hello Ada");
}

#[test]
fn a_child_is_kept_with_what_was_loaded_for_it() {
    let child = "{ namespace: test, name: child, version: '1.0.0' }";
    let world = world(&format!(
        "do:\n  - pause: {{ wait: {{ seconds: 2 }} }}\n  - child: {{ run: {{ workflow: {child} }} }}\n"
    ));
    world.write(
        "child.yaml",
        "document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }\n\
         do: [ { greet: { call: 'file:functions/greet.yaml', with: { name: Ada } } } ]\n",
    );
    ends(&world.tutti(&["run", "w.yaml", "--store", "kept", "--timeout", "500ms"]), 4, "--resume");
    for file in ["child.yaml", "functions/greet.yaml", "w.yaml"] {
        fs::remove_file(world.path().join(file)).expect("it is there");
    }
    ends(&world.tutti(&["run", "--store", "kept", "--resume"]), 0, "hello Ada");
}

#[test]
fn a_catalog_on_the_web_is_asked_as_whom_the_document_says() {
    let server = Server::open("set: { greeting: '${ \"hello \" + .name }' }\n");
    let document = |password: &str| {
        format!(
            "use:\n\
             \x20 secrets: [ PASSWORD ]\n\
             \x20 authentications: {{ ada: {{ basic: {{ username: ada, password: '{password}' }} }} }}\n\
             \x20 catalogs: {{ own: {{ endpoint: {{ uri: 'http://127.0.0.1:{}/c', authentication: {{ use: ada }} }} }} }}\n\
             do: [ {{ greet: {{ call: 'greet:1.0.0@own', with: {{ name: Ada }} }} }} ]\n",
            server.port
        )
    };
    let world = world(&document("${ $secrets.PASSWORD }"));
    let run = |password: &str| {
        crate::world::output(
            world.command(&["run", "w.yaml", "--secret", "PASSWORD"]).env("PASSWORD", password),
        )
    };
    ends(&run("lovelace"), 0, "hello Ada");
    // Loaded as Ada, it is nobody else's to have a copy of.
    assert!(!world.path().join("cache").exists());
    let refused = run("another-password");
    ends(&refused, 2, "error[E0138]");
    assert!(refused.stderr.contains("401") && !refused.stderr.contains("another-password"));
}

#[test]
fn what_is_missing_on_the_web_is_told_as_that() {
    let server = Server::open("set: { x: 1 }\n");
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let function = |uri: &str, with: &str| {
        format!(
            "use: {{ secrets: [ TOK ], catalogs: {{ own: {{ endpoint: {{ uri: '{uri}'{with} }} }} }} }}\ndo: [ {{ a: {{ call: 'f:1.0.0@own' }} }} ]\n"
        )
    };
    let check = |uri: &str, with: &str, what: &str, hint: &str| {
        let said = world(&function(uri, with)).tutti(&["run", "w.yaml"]);
        ends(&said, 2, "error[E0138]");
        ends(
            &said,
            2,
            &format!(
                "error: w.yaml needs what is not to be had: {uri}/functions/f/1.0.0/function.yaml {what}"
            ),
        );
        ends(&said, 2, hint);
        assert!(!said.stderr.contains("is not a valid workflow"), "{}", said.stderr);
    };
    let (held, lost) = (format!("http://127.0.0.1:{}/c", server.port), format!("http://{gone}/c"));
    check(&held, "", "cannot be loaded: ", "hint: nothing was started: see as whom");
    check(&lost, "", "cannot be loaded: ", "hint: nothing was started, and it may pass");
    let bearer = ", authentication: { bearer: { token: '${ $secrets.TOK }' } }";
    let basic = ", authentication: { basic: { use: TOK } }";
    for with in [bearer, basic] {
        check(&held, with, "needs the secret `TOK`", "hint: give it with --secret TOK");
    }
}

#[test]
fn a_copy_does_where_the_web_is_out_of_reach() {
    let server = Server::open("set: { x: 1 }\n");
    let port = server.port;
    let text = format!("do: [ {{ a: {{ call: 'http://127.0.0.1:{port}/open/f' }} }} ]\n");
    let world = world(&text);
    ends(&world.tutti(&["run", "w.yaml"]), 0, "\"x\"");
    server.close();
    let said = world.tutti(&["run", "w.yaml"]);
    ends(&said, 0, "\"x\"");
    ends(&said, 0, &format!("warning: http://127.0.0.1:{port}/open/f cannot be reached ("));
    let copies = fs::read_dir(world.path().join("cache/tutti/resources")).expect("a directory");
    for copy in copies.flatten() {
        let mut bytes = fs::read(copy.path()).expect("a file");
        *bytes.last_mut().expect("a byte") ^= 1;
        fs::write(copy.path(), bytes).expect("a file");
    }
    ends(&world.tutti(&["run", "w.yaml"]), 2, "needs what is not to be had");
}

#[test]
fn checking_a_document_asks_nobody() {
    let server = Server::open("set: { x: 1 }\n");
    let world =
        world(&format!("do: [ {{ a: {{ call: 'http://127.0.0.1:{}/open/f' }} }} ]\n", server.port));
    ends(&world.tutti(&["validate", "w.yaml"]), 0, "warning[W0109]");
    assert_eq!(server.asked(), 0);
    ends(&world.tutti(&["run", "w.yaml"]), 0, "\"x\"");
    assert_eq!(server.asked(), 1);
}

#[test]
fn files_are_checked_and_told_about() {
    let call = |uri: &str| format!("do: [ {{ a: {{ call: '{uri}', with: {{ name: x }} }} }} ]\n");
    let check = |uri: &str, code: i32, part: &str| {
        let world = world(&call(uri));
        world.write("functions/broken.yaml", "sett: { x: 1 }\n");
        fs::write(world.path().join("functions/bytes.yaml"), [0xff, 0xfe]).expect("a file");
        world.write("functions/large.yaml", &" ".repeat(600 * 1024));
        ends(&world.tutti(&["validate", "w.yaml"]), code, part);
    };
    check("file:functions/greet.yaml", 0, "valid w.yaml");
    check("file:functions/none.yaml", 2, "error[E0138]");
    check("file:../none.yaml", 2, "error[E0138]");
    check("file:functions", 2, "error[E0138]");
    check("file:functions/broken.yaml", 2, "error[E0139]");
    check("file:functions/bytes.yaml", 2, "error[E0140]");
    check("file:functions/large.yaml", 2, "error[E0141]");
}

#[test]
fn the_examples_of_the_specification_that_run_programs_do() {
    let specification = env::var_os("TUTTI_SPEC_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec"),
        PathBuf::from,
    );
    let world = World::new();
    for (name, program, lines) in [
        ("run-shell-stdin-and-arguments", "sh", "STDIN was: Hello World\\nARGS are Foo Bar"),
        (
            "run-script-with-stdin-and-arguments",
            "node",
            "stdin >  Hello Workflow\\narg >  hello\\nenv >  bar",
        ),
    ] {
        let file = specification.join("examples").join(format!("{name}.yaml"));
        if !file.is_file() {
            writeln!(std::io::stderr(), "SKIPPED: {name}: the specification is not here").ok();
            continue;
        }
        let path = env::var_os("PATH").unwrap_or_default();
        if !env::split_paths(&path).any(|directory| directory.join(program).is_file()) {
            writeln!(std::io::stderr(), "SKIPPED: {name}: there is no {program} here").ok();
            continue;
        }
        let text = fs::read_to_string(file).expect("an example is text");
        world.write("example.yaml", &text);
        ends(&world.tutti(&["run", "example.yaml"]), 0, lines);
    }
}
