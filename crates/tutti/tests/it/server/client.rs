//! A server of one's own for a test, and a client that says exactly what it is told to say.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use serde_json::Value as Json;
use tempfile::TempDir;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server on a directory and a port of its own.
pub(crate) struct Server {
    /// Kept so that it is removed at the end, not before.
    root: Option<TempDir>,
    pub(crate) directory: PathBuf,
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) address: SocketAddr,
    /// What it said until it listened, line by line.
    pub(crate) said: Vec<String>,
    /// Shown with every request that shows none.
    pub(crate) token: Option<String>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| Json::String(self.body.clone()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    /// Asserts the status, and gives the body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

impl Server {
    /// One that lets everybody in.
    pub(crate) fn open() -> Self {
        Self::start(&["--no-login"])
    }

    /// One with these arguments, on a directory of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a directory can be made");
        let directory = root.path().join("data");
        let mut server = Self::start_on(&directory, arguments);
        server.root = Some(root);
        server
    }

    /// One on a directory that is there, or is made.
    pub(crate) fn start_on(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
        command.args(["server", "--listen", "127.0.0.1:0", "--store"]).arg(directory);
        command.args(arguments);
        Self::start_by(directory, &mut command)
    }

    /// One by this command, which says what it is told, on this directory.
    pub(crate) fn start_by(directory: &Path, command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut said = Vec::new();
        let address = loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "the server ended: {said:?}");
            said.push(line.trim().to_owned());
            if let Some((_, rest)) = line.split_once("listening on http://") {
                let ends = |c: char| c.is_whitespace() || c == '"';
                break rest.split(ends).next().and_then(|it| it.parse().ok()).expect("an address");
            }
        };
        let directory = directory.to_owned();
        Self { root: None, directory, child, stderr, address, said, token: None }
    }

    /// One that asks for tokens, with its first administrator, whose token it goes on with.
    pub(crate) fn with_admin() -> Self {
        let mut server = Self::start(&[]);
        let setup = server.setup_token();
        let made = server.as_somebody(&setup, "POST", "/api/v1/setup", r#"{"name":"ada"}"#);
        server.token = made.expect(201)["text"].as_str().map(str::to_owned);
        server
    }

    /// The token that was printed.
    pub(crate) fn setup_token(&self) -> String {
        let token = self.said.iter().find(|line| line.starts_with("tutti_"));
        token.expect("a token was printed").clone()
    }

    /// The process, as the operating system knows it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as nothing else does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Sends it SIGTERM.
    pub(crate) fn terminate(&self) {
        let kill = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    /// The next line it says that holds this.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "the server ended without a word of {text}");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Asks it to stop, and says its exit code and what it still said.
    pub(crate) fn stop(&mut self) -> (Option<i32>, String) {
        self.terminate();
        self.ended()
    }

    /// Waits for its end, and says its exit code and what it still said.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("it can be read");
        (self.child.wait().expect("it ends").code(), rest)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, &[], body)
    }

    /// A request with a token.
    pub(crate) fn as_somebody(&self, token: &str, method: &str, path: &str, body: &str) -> Reply {
        let header = format!("Bearer {token}");
        self.ask(method, path, &[("authorization", &header)], body)
    }

    /// A request, exactly so.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            "host: test".to_owned(),
            "connection: close".to_owned(),
        ];
        let shows_one = headers.iter().any(|(name, _)| *name == "authorization");
        if let Some(token) = self.token.as_ref().filter(|_| !shows_one) {
            lines.push(format!("authorization: Bearer {token}"));
        }
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            lines.push(format!("content-length: {}", body.len()));
        }
        read(&mut self.send(&format!("{}\r\n\r\n{body}", lines.join("\r\n"))))
    }

    /// Sends bytes, and gives the connection.
    pub(crate) fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit can be set");
        // A server may answer before all was sent, and close.
        stream.write_all(text.as_bytes()).ok();
        stream
    }

    /// Publishes a workflow of these tasks, called `name` in the namespace `test`.
    #[track_caller]
    pub(crate) fn publish(&self, name: &str, rest: &str) {
        let text = document(name, "1.0.0", rest);
        self.post("/api/v1/namespaces/test/workflows", &text).expect(201);
    }

    /// Starts an execution, and gives the answer.
    pub(crate) fn begin(&self, name: &str, query: &str, input: &str) -> Reply {
        self.post(&format!("/api/v1/namespaces/test/workflows/{name}/executions{query}"), input)
    }

    /// Starts an execution, and gives its id.
    #[track_caller]
    pub(crate) fn start_one(&self, name: &str, input: &str) -> String {
        let started = self.begin(name, "", input).expect(201);
        started["id"].as_str().expect("an id").to_owned()
    }

    /// Asks until an execution stands as is wanted.
    #[track_caller]
    pub(crate) fn until(&self, execution: &str, status: &str) -> Json {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let found = self.get(&format!("/api/v1/executions/{execution}")).expect(200);
            if found["status"] == status {
                return found;
            }
            assert!(std::time::Instant::now() < deadline, "never {status}: {found}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A document of these tasks.
pub(crate) fn document(name: &str, version: &str, rest: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '{version}' }}\n{rest}\n"
    )
}

fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A connection that is reset after the answer has been read is no matter.
    stream.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    });
    Reply { status, headers: headers.collect(), body: body.to_owned() }
}
