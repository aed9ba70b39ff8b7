//! A server, and a directory from which it is asked.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use crate::{
    server::client::{Server, document},
    world::{Said, World, output},
};

/// A server, and a directory from which it is asked.
pub(super) struct Place {
    pub(super) server: Server,
    pub(super) world: World,
}

impl Place {
    /// With a server that lets everybody in.
    pub(super) fn open() -> Self {
        Self { server: Server::open(), world: World::new() }
    }

    /// With a server that asks for tokens, and its administrator.
    pub(super) fn with_admin() -> Self {
        Self { server: Server::with_admin(), world: World::new() }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The command, which asks this server in the namespace `test`.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("TUTTI_URL", self.url()).env("TUTTI_NAMESPACE", "test");
        if let Some(token) = &self.server.token {
            command.env("TUTTI_TOKEN", token);
        }
        command
    }

    pub(super) fn tutti(&self, arguments: &[&str]) -> Said {
        output(&mut self.command(arguments))
    }

    /// The same with a text on standard input.
    pub(super) fn tutti_reading(&self, arguments: &[&str], stdin: &str) -> Said {
        self.world.write("stdin", stdin);
        let file = fs::File::open(self.world.path().join("stdin")).expect("a file");
        output(self.command(arguments).stdin(file))
    }

    /// Starts the command and leaves it running.
    pub(super) fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    }

    /// What it prints where it does what it is asked.
    #[track_caller]
    pub(super) fn good(&self, arguments: &[&str]) -> String {
        let said = self.tutti(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
        said.stdout.trim_end().to_owned()
    }

    /// How it refuses, with this exit code.
    #[track_caller]
    pub(super) fn bad(&self, arguments: &[&str], code: i32) -> String {
        let said = self.tutti(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{arguments:?}: {said:?}");
        said.stderr
    }

    /// Publishes a workflow from a file, and says which file.
    #[track_caller]
    pub(super) fn publish(&self, name: &str, rest: &str) -> String {
        let file = format!("{name}.yaml");
        self.world.write(&file, &document(name, "1.0.0", rest));
        self.good(&["apply", &file]);
        file
    }

    /// An execution that waits for an event of type `go`.
    #[track_caller]
    pub(super) fn waiting(&self) -> String {
        self.publish("waits", WAITS);
        let execution = self.good(&["start", "waits"]);
        self.server.until(&execution, "waiting");
        execution
    }
}

/// Waits for an event of type `go`.
pub(super) const WAITS: &str = "do: [{ w: { listen: { to: { one: { with: { type: go } } } } } }]";

/// Ends in an incident: what was done cannot be undone.
pub(super) const STUCK: &str = "do:\n  - a: { set: { n: 1 }, metadata: { tutti: { undo: [{ b: { raise: { error: { type: 'https://e.example/b', status: 500, title: No way } } } }] } } }\n  - c: { raise: { error: { type: 'https://e.example/c', status: 500, title: Broken } } }";
