//! The server that a page starts, on a port of its own.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use crate::program::{Scratch, tutti};

/// A server that serves until it is dropped.
pub(crate) struct Serving {
    process: Child,
    /// Where it listens.
    pub(crate) url: String,
}

impl Serving {
    /// Starts one with these arguments; `/tmp` is the scratch directory.
    pub(crate) fn with(scratch: &Scratch, arguments: &str) -> Self {
        let arguments = arguments.replace("/tmp", scratch.path("").trim_end_matches('/'));
        let mut process = scratch
            .command(tutti(), &["server", "--listen", "127.0.0.1:0"])
            .args(arguments.split_whitespace())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stderr = BufReader::new(process.stderr.take().expect("stderr is piped"));
        let said = |line: std::io::Result<String>| {
            let line = line.ok()?;
            let (_, rest) = line.split_once("listening on ")?;
            rest.split(['"', ' ']).next().map(str::to_owned)
        };
        let url = stderr.lines().find_map(said).expect("the server says where it listens");
        Self { process, url }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended before.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
