//! A directory of its own for each test, and the binary in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest a test waits for something.
const PATIENCE: Duration = Duration::from_mins(1);

/// A directory with files, in which `tutti` runs.
pub(crate) struct World {
    directory: tempfile::TempDir,
}

/// What a process said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A world with one workflow, `w.yaml`, that has these tasks.
    pub(crate) fn with_tasks(tasks: &str) -> Self {
        let world = Self::new();
        world.write("w.yaml", &document("w", tasks));
        world
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// The command, in this directory and with a state of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        for name in ["TUTTI_URL", "TUTTI_TOKEN", "TUTTI_NAMESPACE", "TUTTI_CONTEXT"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn tutti(&self, arguments: &[&str]) -> Said {
        output(&mut self.command(arguments))
    }

    /// The same with a text on standard input.
    pub(crate) fn tutti_reading(&self, arguments: &[&str], stdin: &str) -> Said {
        self.write("stdin", stdin);
        let file = fs::File::open(self.path().join("stdin")).expect("a file");
        output(self.command(arguments).stdin(file))
    }

    /// Starts the command and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    }

    /// The executions whose state is kept in the usual place.
    pub(crate) fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("state/tutti/runs"));
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }
}

pub(crate) fn output(command: &mut Command) -> Said {
    said(command.output().expect("the binary runs"))
}

/// Waits for a process that was left running.
pub(crate) fn wait(child: Child) -> Said {
    said(child.wait_with_output().expect("the binary ends"))
}

fn said(output: std::process::Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// A workflow with these tasks, which declares the secret `TOKEN` if they use secrets.
pub(crate) fn document(name: &str, tasks: &str) -> String {
    let secrets = if tasks.contains("$secrets") { "[TOKEN]" } else { "[]" };
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         use: {{ secrets: {secrets} }}\n\
         do:\n{tasks}"
    )
}
