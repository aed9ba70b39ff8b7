//! Checkpoints: signed heads of the chain of commits, kept where whoever changes the database does not reach.
//!
//! One line of JSON each, and each with all that checking it needs but trust in the key.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tutti_ids::Digest;
use tutti_journal::Timestamp;
use tutti_secrets::{KeyFileError, PublicKey, Signature, SigningKey};
use tutti_store::{ChainHead, export::KnownHead};

use crate::exit::{Exit, Failure};

/// The file of the key in a data directory.
const KEY: &str = "checkpoint.key";

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// When it was written, in milliseconds since the Unix epoch.
    at: i64,
    /// The number of the commit.
    commit: i64,
    /// Its head.
    head: String,
    /// The public key, in base64.
    key: String,
    /// The signature, in base64.
    signature: String,
}

/// Writes checkpoints at the end of a file.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    key: SigningKey,
    path: PathBuf,
    file: File,
    /// The commit of the last one written since the file was opened.
    written: i64,
}

impl Checkpoints {
    /// Into `path`, signed with the key of the data directory, which is drawn if there is none.
    ///
    /// # Errors
    /// If the file cannot be opened, or the key cannot be read.
    pub(crate) fn open(directory: &Path, path: &Path) -> Result<Self, Failure> {
        let fail = |error: KeyFileError| Failure::of("cannot sign checkpoints", &error);
        let key = SigningKey::open_or_create(&directory.join(KEY)).map_err(fail)?;
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { key, path: path.to_owned(), file, written: 0 })
    }

    /// What its signatures are checked with, in base64.
    pub(crate) fn public(&self) -> String {
        STANDARD.encode(self.key.public().0)
    }

    /// Writes down where the chain stands, unless it stands where it stood.
    ///
    /// # Errors
    /// If the line is not durable.
    pub(crate) fn write(&mut self, head: ChainHead, at: Timestamp) -> Result<(), Failure> {
        if head.number == self.written || head.number == 0 {
            return Ok(());
        }
        let signature = self.key.sign(&message(head.number, head.head, at));
        let line = Line {
            at: at.0,
            commit: head.number,
            head: head.head.to_string(),
            key: self.public(),
            signature: STANDARD.encode(signature.0),
        };
        let mut text =
            serde_json::to_vec(&line).map_err(|error| cannot_write(&self.path, &error))?;
        text.push(b'\n');
        self.file
            .write_all(&text)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| cannot_write(&self.path, &error))?;
        self.written = head.number;
        Ok(())
    }
}

/// Checkpoints that hold, as they stand in a file.
#[derive(Debug)]
pub(crate) struct Known {
    /// The heads, by the number of their commit.
    pub(crate) heads: BTreeMap<i64, KnownHead>,
    /// The key that signed them all, in base64.
    pub(crate) key: String,
}

/// Reads checkpoints, each of which must be signed by `key`, or by that of the first.
///
/// # Errors
/// If the file cannot be read, a line is none, is not signed, or two tell different heads of one commit.
pub(crate) fn read(path: &Path, key: Option<&str>) -> Result<Known, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::of(&format!("cannot read {}", path.display()), &error))?;
    let mut heads = BTreeMap::new();
    let mut key = key.map(str::to_owned);
    for (number, line) in (1..).zip(text.lines()) {
        let refused = |what: &str| {
            Failure::usage(format!("{}: line {number}: {what}", path.display()))
                .exit(Exit::Unfinished)
        };
        let line: Line =
            serde_json::from_str(line).map_err(|_error| refused("it is no checkpoint"))?;
        let (commit, known) =
            checked(&line).ok_or_else(|| refused("the checkpoint is not signed by its key"))?;
        if *key.get_or_insert_with(|| line.key.clone()) != line.key {
            return Err(refused("the checkpoint was signed by another key"));
        }
        match heads.insert(commit, known) {
            Some(before) if before.head != known.head => {
                return Err(refused("another checkpoint tells another head of this commit"));
            }
            _ => {}
        }
    }
    let none =
        || Failure::usage(format!("{} has no checkpoints", path.display())).exit(Exit::Unfinished);
    Ok(Known { key: key.filter(|_| !heads.is_empty()).ok_or_else(none)?, heads })
}

/// What a line says, if its key signed it.
fn checked(line: &Line) -> Option<(i64, KnownHead)> {
    let key = PublicKey(STANDARD.decode(&line.key).ok()?.try_into().ok()?);
    let known = KnownHead { head: line.head.parse().ok()?, at: Timestamp(line.at) };
    let signature = Signature(STANDARD.decode(&line.signature).ok()?.try_into().ok()?);
    let message = message(line.commit, known.head, known.at);
    key.signed(&message, &signature).then_some((line.commit, known))
}

/// What is signed.
fn message(commit: i64, head: Digest, at: Timestamp) -> Vec<u8> {
    let parts: [&[u8]; 4] =
        [b"tutti checkpoint 1\0", &commit.to_be_bytes(), &head.0, &at.0.to_be_bytes()];
    parts.concat()
}

fn cannot_write(path: &Path, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::of(&format!("cannot write the checkpoint file {}", path.display()), error)
}
