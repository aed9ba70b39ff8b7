//! The keys of a data directory: a master key in one file, and in another the data keys, sealed with it.
//!
//! What is sealed is sealed with a data key, which never changes; a new master key only seals the data keys anew. So
//! nothing that was written has to be written again, and digests over it stay as they are.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    KeyFileError, Keyring, MasterKey, OpenError,
    key_file::{self, Use},
};

/// What a line of the file of data keys begins with; the sealed key follows as base64 without padding.
const PREFIX: &str = "tutti-data-key-1 ";
/// How many bytes of data keys are read: more than 50,000 keys.
const LONGEST: usize = 8 * 1024 * 1024;

/// Where the keys of a data directory are.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    master: PathBuf,
    data: PathBuf,
    next: PathBuf,
}

/// A change of the master key, done step by step. It can be given up after any of them, also by a crash: all that was
/// sealed opens after each, and beginning anew ends it.
#[derive(Debug)]
pub struct Rekey {
    files: KeyFiles,
    /// The file of data keys as it was.
    before: Vec<String>,
    next: MasterKey,
    /// The data keys, sealed with the next master key; the first is new.
    lines: Vec<String>,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    WriteMaster,
    AddKeys,
    ChangeMaster,
    RemoveKeys,
    Done,
}

impl KeyFiles {
    /// Of this data directory.
    pub fn in_directory(directory: &Path) -> Self {
        let [master, data, next] =
            ["master.key", "data.keys", "master.key.next"].map(|name| directory.join(name));
        Self { master, data, next }
    }

    /// Reads the keys: a ring that opens all that was sealed here, and seals with the newest.
    ///
    /// # Errors
    /// If a file cannot be read, others may read it, or it holds no keys.
    pub fn open(&self) -> Result<Keyring, KeyFileError> {
        let (_, keys) = self.keys()?;
        let (first, others) =
            keys.split_first().ok_or_else(|| KeyFileError::Sealed { path: self.data.clone() })?;
        Ok(others.iter().fold(Keyring::new(first)?, Keyring::with_old))
    }

    /// The same; keys are drawn and written down if there is no master key. Whoever calls keeps others from calling at
    /// the same time.
    ///
    /// # Errors
    /// As [`KeyFiles::open`], and if a file cannot be written.
    pub fn open_or_create(&self) -> Result<Keyring, KeyFileError> {
        if !self.master.exists() {
            let master = MasterKey::generate()?;
            // What is there may be needed once its master key is found again.
            let lines = [vec![sealed(&MasterKey::generate()?, &master)?], self.lines()?].concat();
            self.write_lines(&lines)?;
            key_file::write(&self.master, &key_file::text_of(&master, Use::SealsKeys))?;
        }
        self.open()
    }

    /// Begins to change the master key. Whoever calls keeps others from using the keys meanwhile.
    ///
    /// # Errors
    /// As [`KeyFiles::open`].
    pub fn rekey(&self) -> Result<Rekey, KeyFileError> {
        let (before, keys) = self.keys()?;
        let next = MasterKey::generate()?;
        // What is sealed from now on does not open with what may have become known.
        let first = [MasterKey::generate()?];
        let lines = first.iter().chain(&keys).map(|key| sealed(key, &next));
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(Rekey { files: self.clone(), before, next, lines, step: Step::WriteMaster })
    }

    /// The lines of the file of data keys, and the keys that open.
    fn keys(&self) -> Result<(Vec<String>, Vec<MasterKey>), KeyFileError> {
        let (master, used) = key_file::read_key(&self.master, &[Use::Seals, Use::SealsKeys])?;
        let lines = self.lines()?;
        if used == Use::Seals {
            return Ok((lines, vec![master]));
        }
        let ring = Keyring::new(&master)?;
        let mut keys = Vec::new();
        for line in &lines {
            let bytes = parse(line).ok_or_else(|| self.not_keys())?;
            match ring.open(&bytes).map(Zeroizing::new) {
                Ok(key) => {
                    let key = key[..].try_into().map_err(|_length| self.not_keys())?;
                    keys.push(MasterKey::from_bytes(key));
                }
                // Of the master key before or after this one.
                Err(OpenError::UnknownKey) => {}
                Err(OpenError::Altered) => {
                    return Err(KeyFileError::Sealed { path: self.data.clone() });
                }
            }
        }
        Ok((lines, keys))
    }

    fn lines(&self) -> Result<Vec<String>, KeyFileError> {
        if !self.data.exists() {
            return Ok(Vec::new());
        }
        let text = key_file::read(&self.data, LONGEST)?;
        let text = std::str::from_utf8(&text).map_err(|_not_text| self.not_keys())?;
        match text.strip_suffix('\n') {
            Some(lines) if text.len() <= LONGEST => Ok(lines.lines().map(str::to_owned).collect()),
            _ => Err(self.not_keys()),
        }
    }

    fn write_lines(&self, lines: &[String]) -> Result<(), KeyFileError> {
        key_file::write(&self.data, &format!("{}\n", lines.join("\n")))
    }

    fn not_keys(&self) -> KeyFileError {
        KeyFileError::NotAKey { path: self.data.clone() }
    }
}

impl Rekey {
    /// Does the next step; gives whether there are more.
    ///
    /// # Errors
    /// If a file cannot be written; the keys are then as after the step before.
    pub fn step(&mut self) -> Result<bool, KeyFileError> {
        let files = &self.files;
        self.step = match self.step {
            Step::WriteMaster => {
                key_file::write(&files.next, &key_file::text_of(&self.next, Use::SealsKeys))?;
                Step::AddKeys
            }
            Step::AddKeys => {
                files.write_lines(&[&self.lines[..], &self.before[..]].concat())?;
                Step::ChangeMaster
            }
            Step::ChangeMaster => {
                key_file::rename(&files.next, &files.master)?;
                Step::RemoveKeys
            }
            Step::RemoveKeys => {
                files.write_lines(&self.lines)?;
                Step::Done
            }
            Step::Done => Step::Done,
        };
        Ok(!matches!(self.step, Step::Done))
    }
}

/// The line of a data key under a master key.
fn sealed(key: &MasterKey, master: &MasterKey) -> Result<String, KeyFileError> {
    let sealed = Keyring::new(master)?.seal(key.bytes());
    Ok(format!("{PREFIX}{}", STANDARD_NO_PAD.encode(sealed)))
}

fn parse(line: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(line.strip_prefix(PREFIX)?).ok()
}

#[cfg(test)]
mod tests;
