//! `cargo xtask crash --server`: the real server under load from concurrent clients, killed at random moments and started
//! again, with an independent recorder of its side effects. What was acknowledged must be there, end, and have had each
//! `once` effect once.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;

use super::{chance::Chance, client, recorder::Recorder, round::Tally};

/// How often a round kills.
const KILLS: u64 = 3;
/// Clients that start executions side by side, and how many each starts.
const CLIENTS: usize = 4;
const STARTS: usize = 12;
/// How long everything that was acknowledged may take to end once nobody kills any more.
const PATIENCE: Duration = Duration::from_mins(1);
/// What every execution does: a call that may be repeated, one that must not be, a wait, an event of its own.
const WORKFLOW: &str = include_str!("server.yaml");
/// The same, of which only so many go on at once.
const LIMIT: usize = 3;
const WORKFLOWS: &str = "/api/v1/namespaces/crash/workflows";

/// A round's folder, recorder and random moments.
pub(crate) struct ServerRound<'a> {
    binary: &'a Path,
    folder: PathBuf,
    recorder: Recorder,
    chance: Chance,
    /// Where the server listens now.
    address: Mutex<Option<SocketAddr>>,
    /// The execution that was acknowledged for each request.
    acknowledged: Mutex<BTreeMap<String, String>>,
    gave_up: AtomicBool,
}

impl<'a> ServerRound<'a> {
    pub(crate) fn new(binary: &'a Path, folder: PathBuf, seed: u64) -> Result<Self> {
        let mut chance = Chance::new(seed);
        let recorder = Recorder::start(Duration::from_millis(chance.below(15)))?;
        Ok(Self {
            binary,
            folder,
            recorder,
            chance,
            address: Mutex::default(),
            acknowledged: Mutex::default(),
            gave_up: AtomicBool::new(false),
        })
    }

    /// Runs the round to its end and checks its invariants.
    pub(crate) fn run(mut self) -> Result<Tally> {
        let mut server = self.start()?;
        for text in [WORKFLOW, &limited()] {
            let published = client::ask(self.listens()?, "POST", WORKFLOWS, None, text)?;
            ensure!(published.status == 201, "the workflow was not published: {}", published.body);
        }
        let kills = 1 + self.chance.below(KILLS);
        let pauses: Vec<u64> = (0..kills).map(|_| self.chance.below(400_000)).collect();
        let tally = Tally { kills: u32::try_from(kills).unwrap_or(u32::MAX), unknown: 0 };
        let round = &self;
        thread::scope(|scope| -> Result<()> {
            let clients: Vec<_> =
                (0..CLIENTS).map(|number| scope.spawn(move || round.load(number))).collect();
            let killed = round.kill_again_and_again(&mut server, &pauses);
            round.gave_up.store(killed.is_err(), Ordering::Relaxed);
            for client in clients {
                client.join().map_err(|_panic| anyhow::anyhow!("a client panicked"))??;
            }
            killed
        })?;
        let unknown = self.settle_and_await()?;
        self.check()?;
        end(&mut server)?;
        self.verify()?;
        Ok(Tally { unknown, ..tally })
    }

    fn kill_again_and_again(&self, server: &mut Child, pauses: &[u64]) -> Result<()> {
        for pause in pauses {
            thread::sleep(Duration::from_micros(*pause));
            *lock(&self.address) = None;
            server.kill().context("cannot kill the server")?;
            server.wait().context("cannot wait for the server")?;
            *server = self.start()?;
            self.check_limit()?;
        }
        Ok(())
    }

    /// Starts the server, and waits until it listens.
    fn start(&self) -> Result<Child> {
        let mut server = Command::new(self.binary)
            .args(["server", "--no-login", "--listen", "127.0.0.1:0", "--store"])
            .arg(self.store())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stderr = server.stderr.take().context("stderr is piped")?;
        let mut said = String::new();
        for line in BufReader::new(stderr).lines() {
            let line = line.context("cannot read what the server says")?;
            if let Some((_, address)) = line.split_once("listening on http://") {
                let ends = |c: char| c.is_whitespace() || c == '"';
                let address = address.split(ends).next().unwrap_or_default();
                *lock(&self.address) = Some(address.parse().context("no address")?);
                return Ok(server);
            }
            said.push_str(&line);
        }
        bail!("the server ended: {said}")
    }

    /// One client: each start is asked for until it is acknowledged, always under its own key.
    fn load(&self, client: usize) -> Result<()> {
        for number in 0..STARTS {
            let key = format!("{client}-{number}");
            let body = format!(r#"{{"url":"{}","key":"{key}"}}"#, self.recorder.url());
            let workflow = if number % 2 == 0 { "effects" } else { "limited" };
            let path = format!("{WORKFLOWS}/{workflow}/executions");
            let started = self.insist(|address| {
                let reply = client::ask(address, "POST", &path, Some(&key), &body)?;
                ensure!(reply.status == 201, "not started: {} {}", reply.status, reply.body);
                Ok(reply)
            })?;
            let id = started.body["id"].as_str().context("no id")?.to_owned();
            let before = lock(&self.acknowledged).insert(key, id);
            ensure!(before.is_none(), "a key was acknowledged twice");
            let event = format!(
                r#"{{"specversion":"1.0","source":"/crash","id":"{client}-{number}","type":"crash.go","subject":"{client}-{number}"}}"#
            );
            let events = "/api/v1/namespaces/crash/events";
            self.insist(|address| {
                let reply = client::ask(address, "POST", events, None, &event)?;
                ensure!(reply.status == 202, "not received: {} {}", reply.status, reply.body);
                Ok(reply)
            })?;
        }
        Ok(())
    }

    /// Asks until somebody answers: a server that was killed is started again.
    fn insist<T>(&self, ask: impl Fn(SocketAddr) -> Result<T>) -> Result<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            let address = *lock(&self.address);
            let refused = match address.map(&ask) {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(error)) => error,
                None => anyhow::anyhow!("no server listens"),
            };
            ensure!(!self.gave_up.load(Ordering::Relaxed), "the round has failed already");
            if Instant::now() > until {
                return Err(refused.context("nobody answers"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Settles what needs a person, as a person would: by looking whether it happened. Says how often that was needed.
    fn settle_and_await(&self) -> Result<u32> {
        let (until, mut settled) = (Instant::now() + PATIENCE, 0);
        let mut open = lock(&self.acknowledged).clone();
        while !open.is_empty() {
            self.check_limit()?;
            // One that waits for room has it only when others were settled.
            for (key, id) in open.clone() {
                let path = format!("/api/v1/executions/{id}");
                let found = client::ask(self.listens()?, "GET", &path, None, "")?;
                ensure!(found.status == 200, "{id} was acknowledged and is lost: {}", found.body);
                match found.body["status"].as_str() {
                    Some("completed") => drop(open.remove(&key)),
                    Some("suspended") => settled += self.settle(&id, &key)?,
                    Some("faulted" | "cancelled") => bail!("{id} ended badly: {}", found.body),
                    _ => {}
                }
                ensure!(Instant::now() < until, "{id} is stuck: {}", found.body);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(settled)
    }

    /// No more executions go on than may.
    fn check_limit(&self) -> Result<()> {
        let path = "/api/v1/namespaces/crash/executions?workflow=limited&limit=1000";
        let page = client::ask(self.listens()?, "GET", path, None, "")?;
        let items = page.body["items"].as_array().context("no list")?;
        let goes_on = |item: &&Json| {
            matches!(item["status"].as_str(), Some("running" | "waiting" | "suspended"))
        };
        let count = items.iter().filter(goes_on).count();
        ensure!(count <= LIMIT, "{count} executions go on, but only {LIMIT} may");
        Ok(())
    }

    fn settle(&self, id: &str, key: &str) -> Result<u32> {
        let answer = if self.times(&format!("/charge/{key}")) > 0 {
            r#"{"resolution":"complete","output":{"ok":true},"reason":"the recorder has it"}"#
        } else {
            r#"{"resolution":"retry","reason":"the recorder has nothing"}"#
        };
        let path = format!("/api/v1/executions/{id}/resolve");
        let done = client::ask(self.listens()?, "POST", &path, None, answer)?;
        // Another look may find it settled already.
        Ok(u32::from(done.status == 200))
    }

    fn check(&self) -> Result<()> {
        let acknowledged = lock(&self.acknowledged).clone();
        ensure!(acknowledged.len() == CLIENTS * STARTS, "not all starts were acknowledged");
        let ids: BTreeSet<&String> = acknowledged.values().collect();
        ensure!(ids.len() == acknowledged.len(), "two requests got one execution");
        for key in acknowledged.keys() {
            let charged = self.times(&format!("/charge/{key}"));
            ensure!(charged == 1, "{key} was charged {charged} times");
            ensure!(self.times(&format!("/state/{key}")) >= 1, "{key} was never put");
        }
        let listed = self.listed()?;
        ensure!(listed == acknowledged.len(), "{listed} executions are there, not {}", ids.len());
        Ok(())
    }

    /// How many executions the server knows: none was started twice.
    fn listed(&self) -> Result<usize> {
        let path = "/api/v1/namespaces/crash/executions?limit=1000";
        let page = client::ask(self.listens()?, "GET", path, None, "")?;
        page.body["items"].as_array().map(Vec::len).context("no list")
    }

    /// How often an effect reached the recorder.
    fn times(&self, path: &str) -> usize {
        self.recorder.effects().iter().filter(|effect| effect.path == path).count()
    }

    /// Every journal replays to what is stored, and every chain holds.
    fn verify(&self) -> Result<()> {
        let mut verify = Command::new(self.binary);
        let output = verify.args(["store", "verify", "-o", "json"]).arg(self.store()).output();
        let output = output.context("cannot verify the store")?;
        let report: Json = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
        ensure!(output.status.success(), "the store does not hold: {report}");
        Ok(())
    }

    fn listens(&self) -> Result<SocketAddr> {
        (*lock(&self.address)).context("no server listens")
    }

    fn store(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// [`WORKFLOW`] with a limit.
fn limited() -> String {
    let metadata = format!("metadata: {{ tutti: {{ concurrency: {{ limit: {LIMIT} }} }} }}");
    WORKFLOW.replacen("name: effects", &format!("name: limited, {metadata}"), 1)
}

/// Ends the server as nothing else does: the store must hold after that, too.
fn end(server: &mut Child) -> Result<()> {
    server.kill().context("cannot end the server")?;
    server.wait().context("cannot wait for the server").map(|_status| ())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
