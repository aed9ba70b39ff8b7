//! The directory an execution's state is kept in.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::runtime::Handle;
use tutti_ids::{Digest, ExecutionId};
use tutti_runtime::{Clock as _, Library, SystemClock};
use tutti_secrets::{KeyFiles, Keyring};
use tutti_store::{DefinitionText, Lookup as _, OpenExecution, SqliteStore, Store as _};

use super::{
    definitions,
    subject::{Place, Subject, What},
};
use crate::{
    exit::{Exit, Failure, causes},
    store,
};

/// The directory, open and locked for this process.
#[derive(Debug)]
pub(super) struct State {
    pub(super) directory: PathBuf,
    pub(super) store: Arc<SqliteStore>,
    /// The execution it is about.
    pub(super) execution: ExecutionId,
    /// Whether it is the execution's own and goes when it completes.
    pub(super) is_own: bool,
    /// The secrets that going on takes.
    pub(super) secrets: Vec<Arc<str>>,
}

impl State {
    /// Opens the directory; makes it where an execution is to be started.
    pub(super) fn open(subject: &Subject) -> Result<Self, Failure> {
        let (directory, execution, is_own) = match &subject.place {
            Place::Own(execution) => {
                (own_directories()?.join(execution.to_string()), *execution, true)
            }
            Place::Given(directory) => (directory.clone(), draw_id()?, false),
        };
        let is_there = directory.join("journal.sqlite").is_file() || store::has_lost(&directory);
        if matches!(subject.what, What::Resume { .. }) && !is_there {
            return Err(nothing_there(&directory, is_own.then_some(execution)));
        }
        let store = SqliteStore::open(&directory).map_err(|error| {
            let failure = cannot_open(&directory, &error);
            if directory.is_file() { failure.hint("--store takes a directory") } else { failure }
        })?;
        let secrets = match &subject.what {
            What::Start { workflow, .. } => workflow.secrets.clone(),
            What::Resume { .. } => Vec::new(),
        };
        Ok(Self { directory, store: Arc::new(store), execution, is_own, secrets })
    }

    /// The keys of this state; made where an execution is to be started and nothing was stored yet. Must be called
    /// within tokio, not from a task.
    pub(super) fn keyring(&self, what: &What) -> Result<Keyring, Failure> {
        let files = KeyFiles::in_directory(&self.directory);
        let is_used = Handle::current().block_on(self.store.head());
        let is_used = is_used.map_err(|error| Failure::unread(&error))?.number > 0;
        match what {
            // Others would seal beside what they cannot open.
            What::Start { .. } if !is_used => {
                files.open_or_create().map_err(|error| Failure::usage(causes(&error)))
            }
            // It died before it had keys: nothing can have been sealed.
            What::Resume { .. } if !is_used => {
                files.open().map_err(|_missing| nothing_there(&self.directory, None))
            }
            What::Start { .. } | What::Resume { .. } => {
                files.open().map_err(|error| store::without_keys(&error))
            }
        }
    }

    /// What is said where the store turns out to be damaged.
    pub(super) async fn damage(&self) -> Option<Failure> {
        store::damage_in(&self.directory, &self.store).await
    }

    /// Where connectors keep what has to survive.
    pub(super) fn scratch(&self) -> PathBuf {
        self.directory.join("scratch")
    }

    /// The process groups of commands and scripts that go on without us.
    pub(super) fn still_running(&self) -> Vec<i32> {
        let executions = fs::read_dir(self.scratch()).into_iter().flatten().flatten();
        executions.flat_map(|entry| tutti_connectors::still_running(&entry.path())).collect()
    }

    /// Removes what connectors kept for executions that have ended: it holds what commands printed, as they printed it.
    pub(super) async fn discard_scratch(&self) -> Result<(), Failure> {
        let Ok(entries) = fs::read_dir(self.scratch()) else { return Ok(()) };
        let open = self.store.open_executions(None, usize::MAX).await;
        let open = open.map_err(|error| Failure::unread(&error))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let execution = name.to_str().and_then(|name| name.parse::<ExecutionId>().ok());
            let goes_on = |execution| open.iter().any(|open| open.execution == execution);
            if execution.is_some_and(|execution| !goes_on(execution)) {
                let removed = fs::remove_dir_all(entry.path());
                removed
                    .map_err(|error| Failure::of("cannot remove the output of calls", &error))?;
            }
        }
        Ok(())
    }

    /// Writes down what going on will need, before the execution starts.
    pub(super) fn prepare(&self, children: &[DefinitionText]) -> Result<(), Failure> {
        let fail = |error: io::Error| {
            Failure::of(&format!("cannot write to {}", self.directory.display()), &error)
        };
        // Connectors take it as a promise: while this is there, what they once wrote below it is, too.
        fs::create_dir_all(self.scratch()).map_err(fail)?;
        if !self.is_own {
            fs::write(self.latest(), self.execution.to_string()).map_err(fail)?;
        }
        if children.is_empty() {
            return Ok(());
        }
        let kept = self.kept_definitions();
        fs::create_dir_all(&kept).map_err(fail)?;
        for child in children {
            let mut file =
                File::create(kept.join(format!("{}.yaml", child.digest))).map_err(fail)?;
            file.write_all(child.text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
        }
        [&kept, &self.directory]
            .into_iter()
            .try_for_each(|at| File::open(at)?.sync_all())
            .map_err(fail)
    }

    /// Publishes the children that were written down.
    pub(super) fn publish_children(&self, library: &Library) -> Result<(), Failure> {
        definitions::publish_kept(&self.kept_definitions(), library)
    }

    /// The execution to go on with: the one named, the only one that is open, or else the latest.
    pub(super) async fn find(
        &mut self,
        named: Option<ExecutionId>,
    ) -> Result<ExecutionId, Failure> {
        let execution = match named {
            Some(execution) => execution,
            None => self.only_one().await?,
        };
        self.execution = execution;
        Ok(execution)
    }

    /// Finds out which secrets going on takes: those that the definitions declare of the execution, unless it has ended, and
    /// of the open ones that it may have started. Gives the digest of its own definition.
    pub(super) async fn learn_secrets(&mut self, library: &Library) -> Result<Digest, Failure> {
        let own = self.store.load_tail(self.execution).await;
        let own = own.map_err(|error| Failure::unread(&error))?;
        let own = own.ok_or_else(|| not_in(&self.directory, self.execution))?.projection.digest;
        let open = self.store.open_executions(None, usize::MAX).await;
        let open = open.map_err(|error| Failure::unread(&error))?;
        let goes_on = |open: &&OpenExecution| {
            open.execution == self.execution || open.projection.parent.is_some()
        };
        let digests: BTreeSet<Digest> =
            open.iter().filter(goes_on).map(|open| open.projection.digest).collect();
        let mut secrets = BTreeSet::new();
        for digest in digests {
            let text = self.store.definition(digest).await;
            let text = text.map_err(|error| Failure::unread(&error))?;
            // What is missing or not taken any more is told where it is taken up.
            let workflow = text.and_then(|text| library.adopt(&text).ok());
            secrets.extend(workflow.iter().flat_map(|workflow| workflow.secrets.clone()));
        }
        self.secrets = secrets.into_iter().collect();
        Ok(own)
    }

    async fn only_one(&self) -> Result<ExecutionId, Failure> {
        let open = self.store.open_executions(None, 1_000).await;
        let open = open.map_err(|error| Failure::unread(&error))?;
        let roots: Vec<ExecutionId> = open
            .iter()
            .filter(|open| open.projection.parent.is_none())
            .map(|open| open.execution)
            .collect();
        match roots[..] {
            [only] => Ok(only),
            [] => {
                let latest = self.latest_ended().await;
                latest.ok_or_else(|| nothing_there(&self.directory, None))
            }
            _ => {
                let names: Vec<String> = roots.iter().map(ToString::to_string).collect();
                let message = format!("{} executions are open here", roots.len());
                let hint = format!("name one: --resume {}", names.join(", or "));
                Err(Failure::usage(message).hint(hint))
            }
        }
    }

    /// The one begun last, unless the process died before anything of it was stored.
    async fn latest_ended(&self) -> Option<ExecutionId> {
        let latest = fs::read_to_string(self.latest()).ok()?.trim().parse().ok()?;
        // One that cannot be read is there; why it cannot be read is found out where it is taken up.
        let is_missing = matches!(self.store.load_tail(latest).await, Ok(None));
        (!is_missing).then_some(latest)
    }

    fn latest(&self) -> PathBuf {
        self.directory.join("latest")
    }

    fn kept_definitions(&self) -> PathBuf {
        self.directory.join("definitions").join(self.execution.to_string())
    }

    /// How to see again what is kept here.
    pub(super) fn how_to_see(&self) -> String {
        if self.is_own {
            format!("tutti run --resume {}", self.execution)
        } else {
            format!("tutti run --store {} --resume {}", quoted(&self.directory), self.execution)
        }
    }

    /// How to go on with what is kept here: with the secrets that it takes.
    pub(super) fn how_to_resume(&self) -> String {
        let secrets = self.secrets.iter().map(|name| format!(" --secret {name}"));
        secrets.fold(self.how_to_see(), |command, secret| command + &secret)
    }

    /// Removes the directory if it is the execution's own.
    pub(super) fn discard(&self) -> io::Result<()> {
        if self.is_own { fs::remove_dir_all(&self.directory) } else { Ok(()) }
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+@%:=,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Draws the id of an execution that is going to be started.
pub(crate) fn draw_id() -> Result<ExecutionId, Failure> {
    tutti_runtime::draw_id(SystemClock.now())
        .map_err(|error| Failure::of("cannot draw an id", &error))
}

/// Where executions keep their state if nothing else is said.
pub(crate) fn own_directories() -> Result<PathBuf, Failure> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        .or_else(|| variable("LOCALAPPDATA"));
    match state {
        Some(state) => Ok(state.join("tutti").join("runs")),
        None => Err(Failure::usage(
            "there is no place for the state: neither XDG_STATE_HOME nor HOME is set",
        )
        .hint("give one with --store DIR")),
    }
}

/// Which executions can be gone on with, for a `--resume` that does not say.
pub(super) fn which_one() -> Failure {
    let failure = Failure::usage("`--resume` needs to know which execution");
    let mut known: Vec<String> = own_directories()
        .ok()
        .and_then(|directory| fs::read_dir(directory).ok())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.parse::<ExecutionId>().is_ok())
        .collect();
    known.sort();
    match known.last() {
        Some(latest) if known.len() == 1 => {
            failure.hint(format!("there is one: --resume {latest}"))
        }
        Some(latest) => {
            failure.hint(format!("of {} the latest is: --resume {latest}", known.len()))
        }
        None => failure.hint("none is kept in the usual place; give --store DIR"),
    }
}

fn nothing_there(directory: &Path, execution: Option<ExecutionId>) -> Failure {
    match execution {
        Some(execution) => Failure::usage(format!("no state of {execution} is kept"))
            .hint("the state of an execution that completed is removed; one kept elsewhere needs --store DIR"),
        None => Failure::usage(format!("there is no execution to go on with in {}", directory.display())),
    }
}

fn not_in(directory: &Path, execution: ExecutionId) -> Failure {
    Failure::usage(format!("{execution} is not in {}", directory.display()))
        .hint("`--resume` without an id goes on with the only one in --store, or the latest")
}

/// What is said where a store cannot be opened.
pub(crate) fn cannot_open(directory: &Path, error: &tutti_store::Error) -> Failure {
    let failure = Failure::usage(causes(error));
    match error {
        tutti_store::Error::Damaged(_) | tutti_store::Error::Corrupt { .. } => {
            store::damage(directory).unwrap_or_else(|| failure.exit(Exit::Unfinished))
        }
        _ => failure,
    }
}
