//! The processes of a command, and what tells them from others that got their ids later.

use rustix::{
    param::page_size,
    process::{Pid, Signal, kill_process_group, test_kill_process_group},
};

/// The processes of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group(Pid);

impl Group {
    /// The group that the process `id` leads.
    pub(super) fn led_by(id: u32) -> Option<Self> {
        // The first two would be ourselves or everybody.
        let id = i32::try_from(id).ok().filter(|id| *id > 1)?;
        Pid::from_raw(id).map(Self)
    }

    /// The id of the process that leads it.
    pub(super) fn id(self) -> i32 {
        self.0.as_raw_nonzero().get()
    }

    /// Ends every process of the group.
    pub(super) fn kill(self) {
        self.signal(Signal::KILL);
    }

    /// Whether a process is one of it.
    pub(super) fn has(self, process: &Stat) -> bool {
        process.group == self.id()
    }

    /// Whether any process of the group is left, be it unreaped.
    pub(super) fn exists(self) -> bool {
        test_kill_process_group(self.0) != Err(rustix::io::Errno::SRCH)
    }

    /// What its processes use now, as far as the system says.
    pub(super) fn usage(self) -> Usage {
        let id = self.id();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter(|entry| {
            entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
        });
        let lines = processes.filter_map(|it| std::fs::read_to_string(it.path().join("stat")).ok());
        lines.filter_map(|line| share(&line, id)).fold(Usage::default(), |sum, memory| Usage {
            processes: sum.processes + 1,
            memory: sum.memory.saturating_add(memory),
        })
    }

    /// Signals every process of the group.
    pub(super) fn signal(self, signal: Signal) {
        // It fails only where nobody is left, or none we may signal: then there is no more to do.
        kill_process_group(self.0, signal).ok();
    }
}

/// What the processes of a group use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// How many there are.
    pub(super) processes: u64,
    /// The memory they hold, in bytes; what two of them share counts twice.
    pub(super) memory: u64,
}

/// The memory in bytes that the process of a line of `/proc/<id>/stat` holds, if it belongs to this group.
fn share(line: &str, group: i32) -> Option<u64> {
    let mut fields = line.rsplit_once(") ")?.1.split(' ');
    // The group is field 5, the pages held field 24; the first here is field 3.
    (fields.nth(2)?.parse::<i32>().ok()? == group).then_some(())?;
    let pages: u64 = fields.nth(18)?.parse().ok()?;
    Some(pages.saturating_mul(page_size() as u64))
}

/// The start time of process `id` in ticks since boot, if it is there and not just waiting to be reaped.
pub(super) fn start_time(id: u32) -> Option<u64> {
    stat(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
        .filter(|it| it.alive)
        .map(|it| it.start)
}

/// What a line of `/proc/<id>/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) id: u32,
    pub(super) parent: u32,
    pub(super) group: i32,
    /// In ticks since boot.
    pub(super) start: u64,
    /// Whether it is not just waiting to be reaped.
    pub(super) alive: bool,
}

/// Reads such a line; the name in it may contain anything.
pub(super) fn stat(line: &str) -> Option<Stat> {
    let (id, rest) = line.split_once(' ')?;
    let mut fields = rest.rsplit_once(") ")?.1.split(' ');
    let alive = !matches!(fields.next()?, "Z" | "X" | "x");
    // The state is field 3, the parent 4, the group 5, the start time 22.
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start = fields.nth(16)?.parse().ok()?;
    Some(Stat { id: id.parse().ok()?, parent, group, start, alive })
}

/// Which boot of the machine this is, where the system says so.
pub(super) fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_stat_line_may_contain_anything() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for (name, state) in [("sh", true), ("a b) Z", true)] {
            let line = format!("42 ({name}) {rest}");
            assert_eq!(
                stat(&line),
                Some(Stat { id: 42, parent: 1, group: 2, start: 4711, alive: state })
            );
        }
        for line in ["", "42", "42 (sh) S 1", "x (sh) S 1", "42 sh"] {
            assert_eq!(stat(line), None, "{line}");
        }
    }

    #[test]
    fn memory_is_counted_for_processes_of_the_group() {
        let line = "42 (a) b) S 1 7 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 2 0";
        assert_eq!(share(line, 7), Some(2 * page_size() as u64));
        assert_eq!(share(line, 8), None);
        assert_eq!(share("42 (sh) S", 7), None);
    }

    #[test]
    fn we_are_alive() {
        assert!(start_time(std::process::id()).is_some());
        assert_eq!(start_time(u32::MAX), None);
    }

    #[test]
    fn no_group_is_ourselves_or_everybody() {
        assert_eq!([0, 1, u32::MAX].map(Group::led_by), [None, None, None]);
    }
}
