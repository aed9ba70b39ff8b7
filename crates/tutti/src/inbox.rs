//! Events that are handed to the process that uses a store, as files in its directory.
//!
//! A letter is whole or not there: it is written beside, synced and renamed. Whoever holds the store publishes it, answers
//! with a file of receipts, and then removes it; where that is interrupted it is published again, which changes nothing.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::{Value as Json, json};
use tutti_ids::ExecutionId;
use tutti_journal::CloudEvent;
use tutti_store::{Receipt, Store};

use crate::exit::{Failure, causes};

const LETTER: &str = "events";
const RECEIPTS: &str = "receipts";
const DRAFT: &str = "draft";
/// The largest letter that is read, in bytes.
const MAX_LETTER: u64 = 64 * 1024 * 1024;
/// Receipts and drafts that nobody came back for are removed after this long.
const STALE: Duration = Duration::from_hours(1);

/// The inbox of a store.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    directory: PathBuf,
}

/// Events that were left for the store.
#[derive(Debug)]
pub(crate) struct Letter {
    path: PathBuf,
    /// What it holds, or why it cannot be read.
    pub(crate) events: Result<Vec<CloudEvent>, Failure>,
}

/// What the holder of the store says of a letter: how each event was received, or why none was.
pub(crate) type Answer = Result<Vec<Receipt>, String>;

impl Inbox {
    /// The inbox of the store in `directory`.
    pub(crate) fn of(directory: &Path) -> Self {
        Self { directory: directory.join("inbox") }
    }

    /// Leaves events for whoever holds the store, durably; `name` must be new. Gives the letter's path.
    pub(crate) fn leave(&self, name: &str, events: &[CloudEvent]) -> io::Result<PathBuf> {
        match private_directory().create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let lines: Vec<String> = events.iter().map(|event| event.envelope().to_json()).collect();
        let draft = self.directory.join(name).with_extension(DRAFT);
        let mut file = private_file(&draft)?;
        file.write_all(lines.join("\n").as_bytes())?;
        file.sync_all()?;
        let letter = draft.with_extension(LETTER);
        fs::rename(&draft, &letter)?;
        sync_directory(&self.directory)?;
        Ok(letter)
    }

    /// The letters that are there, oldest first.
    pub(crate) fn letters(&self) -> Vec<PathBuf> {
        let mut letters: Vec<PathBuf> = self.files(LETTER).collect();
        letters.sort();
        letters
    }

    /// Removes what was left behind by those that did not come back for an answer.
    pub(crate) fn clear(&self) {
        let old = |path: &PathBuf| {
            let written = fs::metadata(path).and_then(|about| about.modified());
            written
                .is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > STALE))
        };
        for path in self.files(RECEIPTS).chain(self.files(DRAFT)).filter(old) {
            // Whoever comes next tries again.
            fs::remove_file(path).ok();
        }
    }

    fn files(&self, extension: &'static str) -> impl Iterator<Item = PathBuf> {
        let files = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        files
            .map(|file| file.path())
            .filter(move |path| path.extension().is_some_and(|found| found == extension))
    }
}

impl Letter {
    /// Reads a letter.
    pub(crate) fn read(path: PathBuf) -> Self {
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(MAX_LETTER).read_to_string(&mut text))
            .map_err(|error| Failure::of("cannot read the letter", &error));
        let events = read.and_then(|_length| crate::event_text::events(&text, "the letter"));
        Self { path, events }
    }

    /// Answers whoever left it, and removes it.
    pub(crate) fn answer(self, answer: &Answer) -> io::Result<()> {
        let draft = self.path.with_extension(DRAFT);
        private_file(&draft)?.write_all(as_json(answer).to_string().as_bytes())?;
        fs::rename(&draft, self.path.with_extension(RECEIPTS))?;
        fs::remove_file(&self.path)
    }
}

/// The answer to a letter, once there is one; it is taken away with that.
pub(crate) fn answer_to(letter: &Path) -> Option<Answer> {
    let path = letter.with_extension(RECEIPTS);
    let text = fs::read_to_string(&path).ok()?;
    fs::remove_file(&path).ok();
    of_json(&serde_json::from_str(&text).ok()?)
}

/// Why an execution can receive no event, if it cannot.
pub(crate) async fn refusal(store: &dyn Store, execution: ExecutionId) -> Result<(), Failure> {
    let history = store.load_tail(execution).await.map_err(|error| Failure::unread(&error))?;
    match history.map(|history| history.projection.status) {
        None => Err(Failure::usage(format!("there is no execution {execution} in this store"))),
        Some(status) if status.is_terminal() => {
            Err(Failure::usage(format!("{execution} has ended: it is {}", status.as_str()))
                .hint("events are received by executions that go on"))
        }
        Some(_) => Ok(()),
    }
}

/// The same for all that events are addressed to.
pub(crate) async fn refusal_of_any(store: &dyn Store, events: &[CloudEvent]) -> Result<(), String> {
    let mut addresses: Vec<&str> = events.iter().filter_map(CloudEvent::address).collect();
    addresses.dedup();
    for address in addresses {
        if let Ok(execution) = address.parse() {
            refusal(store, execution).await.map_err(|failure| failure.message)?;
        }
    }
    Ok(())
}

fn as_json(answer: &Answer) -> Json {
    match answer {
        Ok(receipts) => receipts
            .iter()
            .map(|receipt| match receipt {
                Receipt::Logged(position) => json!({ "logged": position.0 }),
                Receipt::Duplicate(position) => json!({ "known": position.0 }),
            })
            .collect(),
        Err(refusal) => json!({ "refused": refusal }),
    }
}

fn of_json(json: &Json) -> Option<Answer> {
    if let Some(refusal) = json.get("refused") {
        return Some(Err(refusal.as_str()?.to_owned()));
    }
    let receipt = |json: &Json| {
        let position =
            |name| json.get(name).and_then(Json::as_u64).map(tutti_journal::EventPosition);
        position("logged")
            .map(Receipt::Logged)
            .or_else(|| position("known").map(Receipt::Duplicate))
    };
    json.as_array()?.iter().map(receipt).collect::<Option<_>>().map(Ok)
}

/// What is said where events cannot be left.
pub(crate) fn cannot_leave(error: &io::Error) -> Failure {
    Failure::usage(format!(
        "cannot leave events for the process that uses the store: {}",
        causes(error)
    ))
}

#[cfg(unix)]
fn private_directory() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_directory() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Directories cannot be opened as files here, and their entries are durable with the files.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_were_written() {
        let position = tutti_journal::EventPosition;
        for answer in [
            Ok(vec![Receipt::Logged(position(3)), Receipt::Duplicate(position(1))]),
            Ok(vec![]),
            Err("there is no such execution".to_owned()),
        ] {
            assert_eq!(of_json(&as_json(&answer)), Some(answer));
        }
        assert_eq!(of_json(&json!([{ "else": 1 }])), None);
    }
}
