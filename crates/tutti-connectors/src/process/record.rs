//! What is written down about a program so that its end is known even if we die: a directory with
//!
//! - `intention`: written before anything is started; says which boot of the machine that was;
//! - `mark`: what is in the environment of its processes;
//! - `claim`: made by exactly one: the program's recorder before it begins (its line of `/proc/<id>/stat` and the boot), or
//!   whoever gives the program up before it began;
//! - `stdout`, `stderr`: the output as it comes, up to 64 MiB each; `stdout.end`, `stderr.end` once no more can come;
//! - `exit`: the exit code, if the program ended by itself.
//!
//! The directory is the store's to remove. No name in it comes from an argument.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tutti_journal::Effect;

use super::{
    group::{Group, boot, start_time, stat},
    tree::Mark,
};
use crate::{Call, http::hexadecimal};

/// Written instead of a recorder's line by whoever gives a command up.
const GIVEN_UP: &str = "given up\n";

/// One program's directory.
#[derive(Debug, Clone)]
pub(super) struct Record(PathBuf);

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The command did not begin, and has not been given up.
    NotBegun,
    /// The command did not begin and never will.
    GivenUp,
    /// Somebody is making the claim just now.
    Beginning,
    /// It is going on.
    Running(Group),
    /// Its recorder is gone, processes of it are not.
    Remaining(Group),
    /// It ended by itself.
    Ended { code: i64 },
    /// It was cut off, or the machine was.
    Lost,
}

impl Record {
    /// The record made last for an attempt, if there is one.
    pub(super) fn find(scratch: &Path, call: &Call, attempt: u32) -> Option<Self> {
        let records = (0..).map(|generation| Self::at(scratch, call, attempt, generation));
        records.take_while(|record| record.0.is_dir()).last()
    }

    /// All that are in a directory.
    pub(super) fn all_in(scratch: &Path) -> impl Iterator<Item = Self> {
        fs::read_dir(scratch).into_iter().flatten().flatten().map(|entry| Self(entry.path()))
    }

    /// Makes a new record for a call and writes the intention down.
    pub(super) fn create(scratch: &Path, call: &Call) -> io::Result<Self> {
        let mut directory = DirBuilder::new();
        let is_new = !scratch.is_dir();
        directory.mode(0o700).recursive(true).create(scratch)?;
        let mut generation = 0;
        let record = loop {
            let record = Self::at(scratch, call, call.attempt, generation);
            match directory.recursive(false).create(&record.0) {
                Ok(()) => break record,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => generation += 1,
                Err(error) => return Err(error),
            }
        };
        let intention = format!("{}\n", boot().unwrap_or_default());
        private()
            .write(true)
            .create_new(true)
            .open(record.0.join("intention"))?
            .write_all(intention.as_bytes())?;
        // Where repeating does no harm nobody needs to rely on a record being there.
        if call.effect == Effect::Once {
            File::open(scratch)?.sync_all()?;
            if let Some(parent) = scratch.parent().filter(|_| is_new) {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(record)
    }

    /// Whether the absence of a record means that nothing was started: records are made durable before anything is, so
    /// it does as long as the place they are kept in is there.
    pub(super) fn is_absence_telling(scratch: &Path) -> bool {
        scratch.parent().is_some_and(Path::is_dir)
    }

    fn at(scratch: &Path, call: &Call, attempt: u32, generation: u32) -> Self {
        let key = hexadecimal(&Sha256::digest(call.key.as_bytes()));
        let key = key.get(..32).unwrap_or_default();
        Self(scratch.join(if generation == 0 {
            format!("{key}-{attempt}")
        } else {
            format!("{key}-{attempt}-{generation}")
        }))
    }

    /// Writes down what marks the processes of the program that is going to be started.
    pub(super) fn write_mark(&self, mark: &Mark) -> io::Result<()> {
        private()
            .write(true)
            .create_new(true)
            .open(self.0.join("mark"))?
            .write_all(mark.0.as_bytes())
    }

    /// What marks its processes, where that was written down.
    pub(super) fn mark(&self) -> Option<Mark> {
        fs::read_to_string(self.0.join("mark")).ok().filter(|mark| !mark.is_empty()).map(Mark)
    }

    /// Where it is.
    pub(super) fn directory(&self) -> &Path {
        &self.0
    }

    /// Makes the file for a stream of output, which only we may read.
    pub(super) fn make_output(&self, name: &str) -> io::Result<()> {
        private().append(true).create_new(true).open(self.0.join(name)).map(drop)
    }

    /// Whether all output that ever comes is in the files.
    pub(super) fn is_output_whole(&self) -> bool {
        ["stdout.end", "stderr.end"].iter().all(|name| self.0.join(name).exists())
    }

    /// Removes the output of a command that is over. What says that there was one stays: its absence would mean that it
    /// was never started.
    pub(super) fn discard_output(&self) {
        if matches!(self.state(), State::Ended { .. } | State::Lost) {
            for name in ["stdout", "stderr"] {
                // What cannot be removed now goes with the directory.
                fs::remove_file(self.0.join(name)).ok();
            }
        }
    }

    /// A file of output, to be read.
    pub(super) fn read_output(&self, name: &str) -> io::Result<File> {
        File::open(self.0.join(name))
    }

    /// Makes sure that a command that did not begin never will; whether that worked.
    pub(super) fn give_up(&self) -> bool {
        let claim = private().write(true).create_new(true).open(self.0.join("claim"));
        claim.and_then(|mut file| file.write_all(GIVEN_UP.as_bytes())).is_ok()
    }

    /// What it says now.
    pub(super) fn state(&self) -> State {
        if let Some(code) = self.exit() {
            return State::Ended { code };
        }
        match fs::read_to_string(self.0.join("claim")) {
            Ok(claim) => self.claimed(&claim),
            // A claim written before the machine went down may be lost, so its absence means something in this boot only.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_of_this_boot() => {
                State::NotBegun
            }
            Err(_) => State::Lost,
        }
    }

    fn claimed(&self, claim: &str) -> State {
        if claim == GIVEN_UP {
            return State::GivenUp;
        }
        let mut lines = claim.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let (Some(line), Some(claimed_boot)) = (lines.next(), lines.next()) else {
            return State::Beginning;
        };
        let (Some(then), Some(now)) = (stat(line), boot()) else { return State::Lost };
        let Some(group) = Group::led_by(then.id).filter(|_| claimed_boot == now) else {
            return State::Lost;
        };
        match start_time(then.id) {
            Some(start) if start == then.start => State::Running(group),
            None if group.exists() => State::Remaining(group),
            // Where the id belongs to another process now, no process of the group is left either.
            None | Some(_) => self.gone(),
        }
    }

    /// The recorder is gone; it may have written the code since we looked.
    fn gone(&self) -> State {
        self.exit().map_or(State::Lost, |code| State::Ended { code })
    }

    /// The exit code, once it is written whole.
    pub(super) fn exit(&self) -> Option<i64> {
        let text = fs::read_to_string(self.0.join("exit")).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    }

    fn is_of_this_boot(&self) -> bool {
        let intention = fs::read_to_string(self.0.join("intention")).unwrap_or_default();
        boot().is_some_and(|boot| intention == format!("{boot}\n"))
    }
}

/// How files are opened that only we may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}
