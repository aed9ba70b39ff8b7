//! The shop on ports of its own, and what its ledger says.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// The longest that an answer of the shop is waited for before a test fails.
const PATIENCE: Duration = Duration::from_mins(2);

/// A shop that is open until it is dropped.
pub(crate) struct Shop {
    process: Child,
    places: Value,
}

impl Shop {
    /// Opens a shop that keeps its ledger in memory.
    pub(crate) fn open() -> Self {
        Self::with(&[])
    }

    /// Opens a shop with more arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shop"))
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the shop starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the shop says where it is");
        let places = serde_json::from_str(&line).expect("the shop's places are JSON");
        Self { process, places }
    }

    /// Where the three services are, as members of a workflow's input.
    pub(crate) fn places(&self) -> &Value {
        &self.places
    }

    /// Where a service is.
    pub(crate) fn place(&self, service: &str) -> &str {
        self.places[service].as_str().expect("the shop has this service")
    }

    /// The effects of a kind, once there are at least `count` of them.
    pub(crate) fn wait_for(&self, kind: &str, count: usize) -> Vec<Value> {
        let all = self.get("payment", &format!("/ledger?{kind}={count}"));
        let all = all.as_array().expect("the ledger is a list");
        all.iter().filter(|effect| effect["kind"] == kind).cloned().collect()
    }

    /// The effects of a kind.
    pub(crate) fn effects(&self, kind: &str) -> Vec<Value> {
        self.wait_for(kind, 0)
    }

    /// What a service answers to a GET.
    pub(crate) fn get(&self, service: &str, path: &str) -> Value {
        self.ask("GET", service, path)
    }

    /// What a service answers to a DELETE.
    pub(crate) fn delete(&self, service: &str, path: &str) -> Value {
        self.ask("DELETE", service, path)
    }

    fn ask(&self, method: &str, service: &str, path: &str) -> Value {
        let address = self.place(service).strip_prefix("http://").expect("a plain address");
        let mut stream = TcpStream::connect(address).expect("the shop is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the shop listens");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("the shop answers");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a whole answer");
        serde_json::from_slice(&body).expect("the answer is JSON")
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
