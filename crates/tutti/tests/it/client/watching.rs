//! `tutti watch`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use super::place::{Place, STUCK};
use crate::world::wait;

#[test]
fn an_execution_is_watched_to_its_end() {
    let place = Place::open();
    let execution = place.waiting();
    let watching = place.begin(&["watch", &execution]);
    place.good(&["emit", "go", "--data", "7"]);
    let said = wait(watching);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "[7]\n"), "{}", said.stderr);
    assert!(said.stderr.starts_with("waiting /do/0/w for events\n"), "{}", said.stderr);
    assert!(said.stderr.contains("completed /do/0/w "), "{}", said.stderr);
    let again = place.tutti(&["watch", &execution, "--quiet", "-o", "yaml"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (Some(0), "- 7\n", ""));
}

#[test]
fn the_exit_code_says_how_it_stands() {
    let place = Place::open();
    let execution = place.waiting();
    place.good(&["cancel", &execution]);
    assert!(place.bad(&["watch", &execution], 3).contains("the execution was cancelled"));
    place.publish("stuck", STUCK);
    let stuck = place.good(&["start", "stuck"]);
    let told = place.bad(&["watch", &stuck], 4);
    assert!(told.contains(&format!("tutti resolve {stuck} --task ")), "{told}");
    let paused = place.good(&["start", "waits"]);
    place.server.until(&paused, "waiting");
    place.good(&["suspend", &paused]);
    assert!(
        place.bad(&["watch", &paused], 4).contains(&format!("go on with: tutti resume {paused}"))
    );
    place.bad(&["watch", "exec_01k3v9zrs6q5tt4q4mkb5e7kgr"], 2);
}

/// Stands before a server, ends the first stream once it has told that something is waited for, and says what was asked.
fn cutting(server: SocketAddr) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut cuts = 1;
        for client in listener.incoming().flatten() {
            let (head, upstream) = forwarded(&client, server);
            let is_stream = head.contains("/stream ");
            sender.send(head).ok();
            if is_stream && cuts > 0 {
                cuts -= 1;
                cut(upstream, client);
            } else {
                thread::spawn(move || pass(upstream, client));
            }
        }
    });
    (format!("http://{address}"), receiver)
}

/// The head of a request without a body, which the server gets too.
fn forwarded(client: &TcpStream, server: SocketAddr) -> (String, TcpStream) {
    let mut head = String::new();
    let mut reader = BufReader::new(client);
    while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
    let mut upstream = TcpStream::connect(server).expect("it listens");
    upstream.write_all(head.as_bytes()).expect("it reads");
    (head, upstream)
}

fn cut(upstream: TcpStream, mut client: TcpStream) {
    let mut reader = BufReader::new(upstream);
    let mut line = String::new();
    while !line.contains("ListenStarted") {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        client.write_all(line.as_bytes()).ok();
    }
}

fn pass(mut upstream: TcpStream, mut client: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = upstream.read(&mut buffer) {
        if client.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

#[test]
fn a_connection_that_breaks_is_opened_again_where_it_was() {
    let place = Place::open();
    let execution = place.waiting();
    let (url, asked) = cutting(place.server.address);
    let watching = place.begin(&["watch", &execution, "--url", &url]);
    let mut streams = asked.iter().filter(|head| head.contains("/stream "));
    let first = streams.next().expect("a stream");
    assert!(!first.contains("last-event-id"), "{first}");
    let second = streams.next().expect("another");
    assert!(second.contains("last-event-id: "), "{second}");
    place.good(&["emit", "go"]);
    let said = wait(watching);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "[null]\n"), "{}", said.stderr);
    let told = |word: &str| said.stderr.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((told("waiting"), told("completed")), (1, 1), "{}", said.stderr);
    assert!(told("the connection ended") >= 1, "{}", said.stderr);
}
