//! One round: the binary is started, killed at random moments and resumed until it completes; then every side effect is
//! counted.

use std::{
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
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut chance = Chance::new(seed);
        let recorder = Recorder::start(Duration::from_millis(chance.below(20)))?;
        fs::write(folder.join("round.yaml"), WORKFLOW).context("cannot write the workflow")?;
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
        thread::sleep(Duration::from_micros(self.chance.below(250_000)));
        if child.try_wait().context("cannot look after the binary")?.is_some() {
            return Ok(false);
        }
        child.kill().context("cannot kill the binary")?;
        Ok(true)
    }

    /// What a person would do about an unknown outcome: look whether it happened, and say so.
    fn settle(&self, errors: &str) -> Result<Vec<String>> {
        let task = ["charge", "note"].into_iter().find(|task| errors.contains(&format!("/{task}")));
        let task = task.with_context(|| {
            format!("the binary needs a person, but does not say for which task:\n{errors}")
        })?;
        let (made, ended) = match task {
            "charge" => (self.posts().len(), index_of(errors)),
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
        let posts = self.posts();
        for index in 0..CHARGES {
            let path = format!("/charge/{index}");
            let times = posts.iter().filter(|post| **post == path).count();
            ensure!(times == 1, "charge {index} was made {times} times");
        }
        for index in 0..NOTES {
            let times = self.ledger()?.iter().filter(|line| **line == index.to_string()).count();
            ensure!(times == 1, "note {index} was written {times} times");
        }
        for index in 0..STATES {
            let path = format!("/state/{index}");
            let effects = self.recorder.effects();
            let mut keys: Vec<_> = effects
                .iter()
                .filter(|effect| effect.path == path)
                .map(|effect| &effect.key)
                .collect();
            ensure!(!keys.is_empty(), "state {index} was lost");
            keys.dedup();
            ensure!(
                keys.len() == 1 && !keys[0].is_empty(),
                "state {index} was set under different keys: {keys:?}"
            );
        }
        self.check_no_canary()?;
        Ok(self.tally)
    }

    fn posts(&self) -> Vec<String> {
        self.recorder
            .effects()
            .into_iter()
            .filter(|effect| effect.method == "POST")
            .map(|effect| effect.path)
            .collect()
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

/// `once` calls and commands in loops, idempotent ones side by side, a wait, a retried error, a secret.
const WORKFLOW: &str = r#"document:
  dsl: '1.0.3'
  namespace: crash
  name: round
  version: '1.0.0'
use:
  secrets: [ canary ]
input:
  from: '${ . + { password: $secrets.canary } }'
do:
  - charges:
      for: { each: number, in: '[range(8)]' }
      do:
        - charge:
            call: http
            with:
              method: post
              endpoint: '${ "\($workflow.input.url)/charge/\($number)" }'
              headers: { Authorization: '${ $workflow.input.url | $secrets.canary }' }
              body: { number: '${ $number }' }
            output: { as: '$input' }
            metadata: { tutti: { idempotencyKey: '${ "round-\($number)" }' } }
  - notes:
      for: { each: number, in: '[range(4)]' }
      do:
        - note:
            run:
              shell:
                command: 'sleep 0.02; echo "$1" >> "$LEDGER"'
                arguments: [ '${ $number | tostring }' ]
                environment: { LEDGER: '${ $workflow.input.ledger }' }
            output: { as: '$input' }
            metadata: { tutti: { effect: once, idempotencyKey: '${ "round-\($number)" }' } }
  - pause:
      wait: { milliseconds: 20 }
  - states:
      call: each
      with:
        in: '${ [range(16)] }'
        as: number
        limit: 4
        do:
          - state:
              call: http
              with:
                method: put
                endpoint: '${ "\($workflow.input.url)/state/\($number)" }'
                body: { number: '${ $number }' }
  - flaky:
      try:
        - fail:
            raise: { error: { type: 'https://example.com/errors/flaky', status: 503 } }
      catch:
        retry: { delay: { milliseconds: 5 }, limit: { attempt: { count: 2 } } }
        do:
          - give-up: { set: { done: true } }
"#;
