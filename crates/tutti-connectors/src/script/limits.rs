//! What a script may use.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a script may use. The operator decides, not the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptLimits {
    /// Private memory of one process, in bytes.
    pub memory: u64,
    /// Memory that all processes of the script hold together, in bytes.
    pub memory_in_all: u64,
    /// Processor time of one process, in seconds.
    pub processor_time: u64,
    /// Files that one process has open.
    pub open_files: u64,
    /// Size of a file it writes, in bytes.
    pub file_size: u64,
    /// Processes, counted from outside in the script's process group. Where the system counts them too, which it does for a
    /// script without the network of any user but root on Linux 5.14 or newer, threads and whatever left the group count
    /// with them, and one more is refused.
    pub processes: u64,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            memory_in_all: 2 << 30,
            processor_time: 600,
            open_files: 256,
            file_size: 256 << 20,
            processes: 128,
        }
    }
}

impl ScriptLimits {
    /// One word that [`read`](Self::read) reads.
    pub(super) fn word(&self) -> String {
        let Self { memory, processor_time, open_files, file_size, processes, .. } = self;
        format!("{memory},{processor_time},{open_files},{file_size},{processes}")
    }

    /// The limits in such a word: all but those that hold from outside only.
    pub(super) fn read(word: &str) -> Option<Self> {
        let numbers: Vec<u64> = word.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [memory, processor_time, open_files, file_size, processes] = numbers[..] else {
            return None;
        };
        let rest = Self::default();
        Some(Self { memory, processor_time, open_files, file_size, processes, ..rest })
    }

    /// Lowers the limits of this process and whatever it becomes. None is ever raised.
    pub(super) fn apply(&self) -> rustix::io::Result<()> {
        lower(Resource::Data, self.memory)?;
        lower(Resource::Cpu, self.processor_time)?;
        lower(Resource::Nofile, self.open_files)?;
        lower(Resource::Fsize, self.file_size)?;
        lower(Resource::Core, 0)
    }

    /// Lowers the number of processes. Only for a process in a user namespace of its own: elsewhere all that the user has
    /// counts.
    pub(super) fn apply_to_namespace(&self) -> rustix::io::Result<()> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if counts_by_namespace(&release) { lower(Resource::Nproc, self.processes) } else { Ok(()) }
    }
}

/// Whether a kernel counts the processes of a user namespace for themselves. Older ones would count those of the user
/// everywhere, and a script might not get its first thread.
fn counts_by_namespace(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= (5, 14)
}

fn lower(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let now = getrlimit(resource);
    let maximum = now.maximum.map_or(most, |maximum| maximum.min(most));
    setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_the_limits_back() {
        let limits = ScriptLimits::default();
        assert_eq!(ScriptLimits::read(&limits.word()), Some(limits));
        for word in ["", "1,2,3,4", "1,2,3,4,5,6", "a,2,3,4,5", "-1,2,3,4,5"] {
            assert_eq!(ScriptLimits::read(word), None, "{word}");
        }
    }

    #[test]
    fn kernels_that_count_by_namespace_are_told_by_their_release() {
        for (release, counts) in [
            ("6.18.44-fc-v669\n", true),
            ("5.14.0-427.el9.x86_64", true),
            ("5.13.19", false),
            ("4.18.0-553", false),
            ("10.0", true),
            ("", false),
            ("linux", false),
        ] {
            assert_eq!(counts_by_namespace(release), counts, "{release}");
        }
    }
}
