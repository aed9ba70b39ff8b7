//! All processes that a command started, also those that left its group.
//!
//! A process is found by the mark that commands have in their environment and pass on, or as the child of one that was
//! found. What throws the mark away and loses its parent before anybody looks is not found.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::process::{Pid, Signal};

use super::group::{Group, Stat, start_time, stat};
use crate::Call;

/// The variable that marks the processes of a call.
pub(super) const VARIABLE: &str = "TUTTI_CALL";

/// What marks the processes of one start of a command, and of no other on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(pub(super) String);

/// The processes of one call that were found so far.
#[derive(Debug)]
pub(super) struct Tree {
    /// `VARIABLE=mark`, as it stands among the variables of a process, where it is known.
    variable: Option<Vec<u8>>,
    found: BTreeMap<u32, Stat>,
}

impl Mark {
    /// Makes the mark of a command that is going to be started.
    pub(super) fn of(call: &Call) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Of this process there was only one with this start.
        let id = std::process::id();
        let start = start_time(id).unwrap_or_default();
        Self(format!("{}/{}/{id}-{start}-{number}", call.execution, call.task.0))
    }
}

impl Tree {
    pub(super) fn of(mark: Option<&Mark>) -> Self {
        let variable = mark.map(|mark| format!("{VARIABLE}={}", mark.0).into_bytes());
        Self { variable, found: BTreeMap::new() }
    }

    /// Looks for its processes once more, and signals all that are left: each once. Gives whether there were any.
    pub(super) fn signal(&mut self, group: Option<Group>, signal: Signal) -> bool {
        let is_left = self.is_left(group);
        let in_group = |process: &Stat| group.is_some_and(|group| group.has(process));
        for process in self.found.values().filter(|process| !in_group(process)) {
            send(process, signal);
        }
        if let Some(group) = group {
            group.signal(signal);
        }
        is_left
    }

    /// Looks for its processes once more. Gives whether there are any.
    pub(super) fn is_left(&mut self, group: Option<Group>) -> bool {
        self.look(group);
        !self.found.is_empty()
    }

    fn look(&mut self, group: Option<Group>) {
        let mut all = processes();
        all.retain(|process| process.alive && process.id != std::process::id());
        let was_found = |process: &Stat| {
            // Its id may be another's by now.
            self.found.get(&process.id).is_some_and(|found| found.start == process.start)
        };
        let is_one = |process: &Stat| {
            was_found(process)
                || group.is_some_and(|group| group.has(process))
                || self.is_marked(process.id)
        };
        let (found, mut others): (Vec<Stat>, Vec<Stat>) = all.into_iter().partition(is_one);
        self.found = found.into_iter().map(|process| (process.id, process)).collect();
        // Each round finds one more generation, so there are no more rounds than processes.
        loop {
            let is_child = |process: &Stat| self.found.contains_key(&process.parent);
            let (children, rest): (Vec<Stat>, Vec<Stat>) = others.into_iter().partition(is_child);
            if children.is_empty() {
                return;
            }
            self.found.extend(children.into_iter().map(|process| (process.id, process)));
            others = rest;
        }
    }

    fn is_marked(&self, id: u32) -> bool {
        let Some(mark) = &self.variable else { return false };
        // Of somebody else's process it cannot be read.
        let variables = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == mark)
    }
}

/// All processes of the machine, as far as it tells; none where there is no `/proc`.
fn processes() -> Vec<Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// Signals a process, if its id is still its own.
#[cfg(target_os = "linux")]
fn send(process: &Stat, signal: Signal) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let Some(pid) = i32::try_from(process.id).ok().and_then(Pid::from_raw) else { return };
    // Held before its start is looked at, so that it cannot become another's in between.
    let Ok(held) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if start_time(process.id) == Some(process.start) {
        // It fails where it is gone, or not ours to signal: then there is no more to do.
        pidfd_send_signal(&held, signal).ok();
    }
}

/// Signals a process, if its id is still its own.
#[cfg(not(target_os = "linux"))]
fn send(process: &Stat, signal: Signal) {
    let Some(pid) = i32::try_from(process.id).ok().and_then(Pid::from_raw) else { return };
    if start_time(process.id) == Some(process.start) {
        rustix::process::kill_process(pid, signal).ok();
    }
}
