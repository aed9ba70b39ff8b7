//! What services answer becomes data by its media type, in the whole program.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use crate::world::World;

/// A server that gives one answer, and where it is.
fn answering(media_type: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nX-Tag: a\r\nx-tag: b\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    thread::spawn(move || {
        let Ok((stream, _)) = listener.accept() else { return };
        let mut reader = BufReader::new(&stream);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            line.clear();
        }
        // Whether it is read is what the test finds out.
        (&stream).write_all(answer.as_bytes()).ok();
    });
    format!("http://{address}/")
}

/// The output of a call of a service that answers so, or the detail of its error.
fn told(media_type: &str, body: &str, output: &str) -> String {
    let uri = answering(media_type, body);
    let world = World::with_tasks(&format!(
        "  - a: {{ call: http, with: {{ method: get, endpoint: '{uri}', output: {output} }} }}\n"
    ));
    let said = world.tutti(&["run", "w.yaml", "--quiet"]);
    if said.code == Some(0) { said.stdout.trim_end().to_owned() } else { said.stderr }
}

#[test]
fn content_is_what_its_media_type_says() {
    let check = |media_type: &str, body: &str, expected: &str| {
        assert_eq!(told(media_type, body, "content"), expected, "{media_type} {body}");
    };
    let yaml = "hosts:\n  - web-1\n  - { name: db-1, up: yes }\n";
    let data = r#"{"hosts":["web-1",{"name":"db-1","up":"yes"}]}"#;
    check("application/yaml", yaml, data);
    check("application/x-yaml; charset=utf-8", yaml, data);
    check("text/yaml", yaml, data);
    check("application/vnd.example+yaml", yaml, data);
    check("application/yaml", "\n", "null");
    check("application/vnd.example+json", "[1]", "[1]");
    check("application/x-www-form-urlencoded", "a=1&b=x+y&a=2", r#"{"a":["1","2"],"b":"x y"}"#);
    check("text/csv", "a,b", r#""a,b""#);
    check("application/xml", "<a/>", r#""<a/>""#);
    check("application/pdf", "hi", r#""aGk=""#);
}

#[test]
fn yaml_past_its_limits_is_an_error_that_does_not_quote_it() {
    let check = |body: &str, expected: &str| {
        let told = told("application/yaml", body, "content");
        assert!(told.contains(&format!("the response is not YAML: {expected}")), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    };
    check("a: 1\nhunter2: [", "line ");
    check("hunter2: 1\nhunter2: 2", "line 2, column 1: A key stands twice");
    let bomb = "a: &a [hunter2, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
                c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
                e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n";
    check(bomb, "line ");
    check(&"[".repeat(100_000), "line ");
    check(
        &format!("hunter2: {}", "x".repeat(600 * 1024)),
        "line 1, column 1: The document is larger",
    );
}

#[test]
fn headers_of_a_response_have_lower_case_names_and_joined_values() {
    let told = told("text/plain", "x", "response");
    assert!(told.contains(r#""content-type":"text/plain","x-tag":"a, b""#), "{told}");
}
