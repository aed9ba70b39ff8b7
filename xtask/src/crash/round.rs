//! One round: the binary is started, killed at random moments and resumed until it completes; then every side effect is
//! counted.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{chance::Chance, recorder::Recorder};

/// How often a round kills at the most before it lets the binary finish.
const KILLS: u64 = 4;
/// Starts of the binary after which a round that does not complete has failed.
const MOST_STARTS: u32 = 60;
/// `once` calls over HTTP, `once` commands, and idempotent calls side by side.
const CHARGES: usize = 8;
const NOTES: usize = 4;
const STATES: usize = 16;
/// Sales that are taken back, newest first, by `once` calls.
const SALES: usize = 4;
/// How often a task that always fails is tried, and another once: what is put around them happens each time anew.
const WATCHES: usize = 4;
/// What the listeners await; given at every start, and received once.
const EVENTS: &str = r#"[
  { "specversion": "1.0", "source": "/crash", "id": "first", "type": "crash.heard" },
  { "specversion": "1.0", "source": "/crash", "id": "second", "type": "crash.heard" },
  { "specversion": "1.0", "source": "/crash", "id": "one", "type": "crash.side" },
  { "specversion": "1.0", "source": "/crash", "id": "two", "type": "crash.side" },
  { "specversion": "1.0", "source": "/crash", "id": "three", "type": "crash.side" },
  { "specversion": "1.0", "source": "/crash", "id": "four", "type": "crash.next" }
]"#;
/// Must be found in no file.
const CANARY: &str = "canary-7f3a9c51d2";

/// What a round found out.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) kills: u32,
    /// Kills that left a call behind of which nobody knew whether it was made.
    pub(crate) unknown: u32,
}

/// A round's folder, recorder and random moments.
pub(crate) struct Round<'a> {
    binary: &'a Path,
    folder: PathBuf,
    recorder: Recorder,
    chance: Chance,
    tally: Tally,
}

impl<'a> Round<'a> {
    pub(crate) fn new(binary: &'a Path, folder: PathBuf, seed: u64) -> Result<Self> {
        let mut chance = Chance::new(seed);
        let recorder = Recorder::start(Duration::from_millis(chance.below(20)))?;
        fs::write(folder.join("round.yaml"), WORKFLOW).context("cannot write the workflow")?;
        fs::write(folder.join("events.json"), EVENTS).context("cannot write the events")?;
        Ok(Self { binary, folder, recorder, chance, tally: Tally::default() })
    }

    /// Runs the round to its end and checks its invariants.
    pub(crate) fn run(mut self) -> Result<Tally> {
        let mut kills = 1 + self.chance.below(KILLS);
        let mut resume: Option<Vec<String>> = None;
        for _ in 0..MOST_STARTS {
            let mut child = self.start(resume.as_deref())?;
            let killed = if kills > 0 { self.kill_or_let_end(&mut child)? } else { false };
            let output = child.wait_with_output().context("cannot wait for the binary")?;
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            if killed {
                kills -= 1;
                self.tally.kills += 1;
                self.check_no_canary()?;
                resume = Some(Vec::new());
                continue;
            }
            match (output.status.code(), &resume) {
                (Some(0), _) => return self.check(&String::from_utf8_lossy(&output.stdout)),
                (Some(4), _) => {
                    self.tally.unknown += 1;
                    resume = Some(self.settle(&errors)?);
                }
                (Some(2), Some(_)) if self.nothing_happened()? => resume = None,
                _ => bail!("the binary ended with {}:\n{errors}", describe(output.status)),
            }
        }
        bail!("the execution did not complete in {MOST_STARTS} starts")
    }

    fn start(&self, resume: Option<&[String]>) -> Result<Child> {
        let mut command = Command::new(self.binary);
        command.arg("run").arg("--store").arg(self.store()).args(["--quiet", "--secret", "canary"]);
        command.arg("--event").arg(format!("@{}", self.folder.join("events.json").display()));
        if let Some(how) = resume {
            command.arg("--resume").args(how);
        } else {
            let (url, ledger) = (self.recorder.url(), self.folder.join("ledger"));
            let input = format!(r#"{{"url":"{url}","ledger":"{}"}}"#, ledger.display());
            command.arg(self.folder.join("round.yaml")).arg("--input").arg(input);
        }
        command
            .env("canary", CANARY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().context("cannot start the binary")
    }

    /// Kills the binary after a random time, unless it ends before.
    fn kill_or_let_end(&mut self, child: &mut Child) -> Result<bool> {
        // Some of the first lives are long: their end meets what stands late in the workflow.
        let is_late = self.tally.kills == 0 && self.chance.below(3) == 0;
        let longest = if is_late { 900_000 } else { 250_000 };
        thread::sleep(Duration::from_micros(self.chance.below(longest)));
        if child.try_wait().context("cannot look after the binary")?.is_some() {
            return Ok(false);
        }
        child.kill().context("cannot kill the binary")?;
        Ok(true)
    }

    /// What a person would do about an unknown outcome: look whether it happened, and say so.
    fn settle(&self, errors: &str) -> Result<Vec<String>> {
        let tasks = ["charge", "note", "refund"];
        let task = tasks.into_iter().find(|task| errors.contains(&format!("/{task}")));
        let task = task.with_context(|| {
            format!("the binary needs a person, but does not say for which task:\n{errors}")
        })?;
        let (made, ended) = match task {
            "charge" => (self.posts("/charge/").len(), index_of(errors)),
            // The newest first.
            "refund" => (
                self.posts("/refund/").len(),
                index_of(errors).and_then(|index| (SALES - 1).checked_sub(index)),
            ),
            _ => (self.ledger()?.len(), index_of(errors)),
        };
        let happened = made > ended.with_context(|| format!("no index in:\n{errors}"))?;
        let answer = if happened { "complete={\"ok\":true}" } else { "retry" };
        Ok(vec!["--unknown".to_owned(), answer.to_owned()])
    }

    /// A kill before the start was durable leaves nothing behind: no effect, no execution.
    fn nothing_happened(&self) -> Result<bool> {
        Ok(self.recorder.effects().is_empty() && self.ledger()?.is_empty())
    }

    fn check(self, output: &str) -> Result<Tally> {
        ensure!(output.contains(r#""done":true"#), "the output is not the expected one: {output}");
        let charges: Vec<_> = (0..CHARGES).map(|index| format!("/charge/{index}")).collect();
        let made = self.posts("/charge/");
        ensure!(made == charges, "the charges made are {made:?}");
        let refunds: Vec<_> = (0..SALES).rev().map(|index| format!("/refund/{index}")).collect();
        let made = self.posts("/refund/");
        ensure!(made == refunds, "the refunds made are {made:?}");
        for index in 0..NOTES {
            let times = self.ledger()?.iter().filter(|line| **line == index.to_string()).count();
            ensure!(times == 1, "note {index} was written {times} times");
        }
        for index in 0..STATES {
            self.check_keys(&format!("/state/{index}"), 1)?;
        }
        for index in 0..SALES {
            self.check_keys(&format!("/sale/{index}"), 1)?;
        }
        self.check_heard()?;
        self.check_keys("/ahead", 1)?;
        self.check_keys("/behind", 1)?;
        self.check_keys("/watch", WATCHES)?;
        self.check_no_canary()?;
        Ok(self.tally)
    }

    /// Every listener got what it awaited, once and in order: those beside each other each of it, the one after them none
    /// of what they consumed.
    fn check_heard(&self) -> Result<()> {
        for path in ["/heard/first-second", "/left/one-two-three", "/told/left", "/next/four"] {
            self.check_keys(path, 1)?;
        }
        for event in ["one", "two", "three"] {
            self.check_keys(&format!("/right/{event}"), 1)?;
        }
        for (to, paths) in
            [("/heard/", 1), ("/left/", 1), ("/right/", 3), ("/told/", 1), ("/next/", 1)]
        {
            let effects = self.recorder.effects();
            let reached = effects.iter().filter(|effect| effect.path.starts_with(to));
            let reached: BTreeSet<_> = reached.map(|effect| &effect.path).collect();
            ensure!(reached.len() == paths, "what listeners heard is told at {reached:?}");
        }
        Ok(())
    }

    /// An idempotent call may have been sent again, but every time it was to be made under a key of its own.
    fn check_keys(&self, path: &str, times: usize) -> Result<()> {
        let effects = self.recorder.effects();
        let keys = effects.iter().filter(|effect| effect.path == path).map(|effect| &effect.key);
        let keys: BTreeSet<_> = keys.collect();
        let named = keys.iter().all(|key| !key.is_empty());
        ensure!(
            keys.len() == times && named,
            "{path} was to be called {times} times, and was under {keys:?}"
        );
        Ok(())
    }

    /// The calls that must not be repeated, in the order they came.
    fn posts(&self, to: &str) -> Vec<String> {
        let effects = self.recorder.effects().into_iter();
        let posts = effects.filter(|effect| effect.method == "POST" && effect.path.starts_with(to));
        posts.map(|effect| effect.path).collect()
    }

    fn ledger(&self) -> Result<Vec<String>> {
        match fs::read_to_string(self.folder.join("ledger")) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).context("cannot read the ledger"),
        }
    }

    fn check_no_canary(&self) -> Result<()> {
        for file in files_below(&self.store())? {
            // The store may remove its files meanwhile.
            let Ok(bytes) = fs::read(&file) else { continue };
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            ensure!(!found, "the secret stands in {}", file.display());
        }
        Ok(())
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store")
    }
}

/// Which call of a loop is unknown: it carries its index in its key.
fn index_of(errors: &str) -> Option<usize> {
    let rest = errors.split_once("round-")?.1;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.context("cannot list the store")?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn describe(status: ExitStatus) -> String {
    status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// What is executed.
const WORKFLOW: &str = include_str!("round.yaml");
