//! Other programs: started in the repository, shown while they run, and heard to the end.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context as _, Result, bail};

use crate::{console::say, repository::Repository};

/// The one development build: every target of the workspace, so that no stage builds anything a second time.
pub(crate) const DEVELOPMENT_BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--workspace", "--all-targets"];

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it exited with 0.
    pub(crate) success: bool,
    /// Everything it said on both streams, in the order it was heard.
    pub(crate) text: String,
}

/// A `cargo` command in the repository; the same cargo that started us.
pub(crate) fn cargo(repository: &Repository, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(&repository.root).env("CARGO_TERM_COLOR", "never");
    // A changed snapshot is a failed test here, never a file left behind.
    command.env("INSTA_UPDATE", "no");
    // What cargo told us about ourselves is not true of what we start.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
    command
}

/// Runs a program to its end, showing and keeping every line it prints.
pub(crate) fn listen(command: &mut Command) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let (lines, heard) = mpsc::channel();
    let out = forward(child.stdout.take().context("invariant: stdout is piped")?, lines.clone());
    let err = forward(child.stderr.take().context("invariant: stderr is piped")?, lines);
    let mut text = String::new();
    for line in heard {
        say(&line);
        text.push_str(&line);
        text.push('\n');
    }
    for reader in [out, err] {
        if reader.join().is_err() {
            bail!("a reader of {name} broke off");
        }
    }
    let status = child.wait().with_context(|| format!("cannot wait for {name}"))?;
    Ok(Finished { success: status.success(), text })
}

/// Runs a program whose end is all that matters; it owns the terminal meanwhile.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// Runs a program quietly and returns what it printed on stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{shown} ended with {}: {said}", output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{shown} printed something else than text"))
}

fn forward(
    stream: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if lines.send(line).is_err() {
                return;
            }
        }
    })
}
