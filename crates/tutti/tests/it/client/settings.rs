//! Which server is asked, and as whom.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use super::place::{Place, WAITS};
use crate::world::{World, output};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn contexts_say_where_and_as_whom() {
    let place = Place::with_admin();
    let token = place.server.token.clone().expect("an administrator");
    let world = World::new();
    fs::create_dir_all(world.path().join("config/tutti")).expect("a directory");
    world.write("config/tutti/it.token", &token);
    world.write(
        "config/tutti/config.toml",
        &format!(
            "current = \"none\"\n[contexts.it]\nurl = \"{}\"\nnamespace = \"test\"\ntoken-file = \"it.token\"\n\
             [contexts.none]\nurl = \"{NOWHERE}\"\n",
            place.url()
        ),
    );
    let check = |arguments: &[&str], variables: &[(&str, &str)], code: i32| {
        let mut command = world.command(&[&["list", "workflows"], arguments].concat());
        let said = output(command.envs(variables.iter().copied()));
        assert_eq!(said.code, Some(code), "{arguments:?} {variables:?}: {}", said.stderr);
        assert!(!said.stderr.contains(&token), "{}", said.stderr);
    };
    let url = place.url();
    check(&[], &[], 5);
    check(&["--context", "it"], &[], 0);
    check(&[], &[("TUTTI_CONTEXT", "it")], 0);
    check(&["--context", "it"], &[("TUTTI_URL", NOWHERE)], 0);
    check(&["--url", &url], &[], 5);
    check(&["--url", &url], &[("TUTTI_TOKEN", &token)], 0);
    check(&["--url", &url, "--token-file", "config/tutti/it.token"], &[], 0);
    check(&["--context", "other"], &[], 2);
    check(&["--url", "nonsense"], &[], 2);
    check(&["--token-file", "none", "--url", &url], &[], 2);
}

#[test]
fn commands_that_are_told_ask_the_same_server() {
    let place = Place::open();
    place.publish("waits", WAITS);
    let url = place.url();
    let start = ["start", "waits", "-n", "test", "--url", &url, "--wait", "10ms"];
    let said = place.world.tutti(&start);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stderr.ends_with(&format!(" --url {url}\n")), "{}", said.stderr);
}

#[test]
fn who_is_not_let_in_is_told_how_to_be() {
    let place = Place::with_admin();
    let said = output(place.command(&["list", "workflows"]).env_remove("TUTTI_TOKEN"));
    assert_eq!((said.code, said.stdout.as_str()), (Some(5), ""));
    assert!(said.stderr.starts_with("error[E0301]: "), "{}", said.stderr);
    assert!(said.stderr.contains("--token-file FILE or TUTTI_TOKEN"), "{}", said.stderr);
    let said = place.world.tutti(&["list", "workflows", "--url", NOWHERE]);
    assert_eq!(said.code, Some(5));
    let expected =
        format!("error: cannot reach the server at {NOWHERE}: Connection refused\nhint: ");
    assert!(said.stderr.starts_with(&expected), "{}", said.stderr);
}

/// A server that gives one answer to each request and says what it was asked.
fn answering(answer: String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut reader = BufReader::new(&stream);
            while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
            sender.send(head).ok();
            (&stream).write_all(answer.as_bytes()).ok();
        }
    });
    (format!("http://{address}"), receiver)
}

#[test]
fn a_token_follows_no_redirect() {
    let (other, asked_other) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned());
    let (url, asked) =
        answering(format!("HTTP/1.1 302 Found\r\nlocation: {other}/\r\ncontent-length: 0\r\n\r\n"));
    let world = World::new();
    let said =
        output(world.command(&["list", "workflows", "--url", &url]).env("TUTTI_TOKEN", "t0ken"));
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("redirects are not followed"), "{}", said.stderr);
    assert!(asked.recv().expect("it was asked").contains("authorization: Bearer t0ken"));
    assert!(asked_other.try_recv().is_err(), "nobody asked the other");
}

#[test]
fn answers_of_something_else_are_told_in_plain_words() {
    let check = |answer: &str, code: i32, expected: &str| {
        let (url, _asked) = answering(answer.to_owned());
        let said = World::new().tutti(&["list", "workflows", "--url", &url]);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (Some(code), ""),
            "{answer}: {}",
            said.stderr
        );
        assert!(said.stderr.contains(expected), "{answer}: {}", said.stderr);
    };
    check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", 5, "what this program does not know");
    check("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nhi", 5, "answered 502 Bad Gateway");
    check(
        "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nhi",
        2,
        "is this the address of a Tutti",
    );
    check("SSH-2.0-OpenSSH\r\n\r\n", 5, "it does not speak HTTP");
    check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", 5, "the connection broke");
}
