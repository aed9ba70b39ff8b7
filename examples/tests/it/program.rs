//! The built `tutti`, in a scratch directory of its own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The repository's top directory.
pub(crate) fn repository() -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR"));
    examples.parent().expect("the examples stand in the repository").to_owned()
}

/// The program under test: it is built into the same directory as our own.
pub(crate) fn tutti() -> PathBuf {
    let tutti = Path::new(env!("CARGO_BIN_EXE_shop")).with_file_name("tutti");
    assert!(tutti.is_file(), "{} is missing; hint: cargo build -p tutti", tutti.display());
    tutti
}

/// A scratch directory that holds the state of what is run in it.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a scratch directory"))
    }

    /// A path in the scratch directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// A command that keeps its state here and is started in the repository's top directory.
    pub(crate) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .args(arguments)
            .current_dir(repository())
            .env("XDG_STATE_HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path())
            .env("PAYMENT_TOKEN", "token-of-the-tests")
            .stdin(Stdio::null());
        command
    }

    /// `tutti run` with these arguments, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.tutti_run(arguments).output().expect("tutti starts");
        Ended::of(output)
    }

    /// `tutti run` with these arguments; it is to be killed by the caller.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.tutti_run(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("tutti starts")
    }

    fn tutti_run(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(tutti(), &["run"]);
        command.args(arguments);
        command
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// The output of a run that completed.
    #[track_caller]
    pub(crate) fn output(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).expect("the output is JSON")
    }

    /// The error of a run that faulted.
    #[track_caller]
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.code, Some(1), "{self:?}");
        let line = self.stderr.lines().last().expect("the error is the last line on stderr");
        serde_json::from_str(line).expect("the error is JSON")
    }
}
