//! What a script may use.

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
    /// Processes and threads. Where we are root the system does not count them; then processes are counted from outside.
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
        let Self { memory, processor_time, open_files, file_size, .. } = self;
        format!("{memory},{processor_time},{open_files},{file_size}")
    }

    /// The limits of each process in such a word.
    pub(super) fn read(word: &str) -> Option<Self> {
        let numbers: Vec<u64> = word.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [memory, processor_time, open_files, file_size] = numbers[..] else { return None };
        Some(Self { memory, processor_time, open_files, file_size, ..Self::default() })
    }

    /// Lowers the limits of this process and whatever it becomes. None is ever raised.
    pub(super) fn apply(&self) -> rustix::io::Result<()> {
        lower(Resource::Data, self.memory)?;
        lower(Resource::Cpu, self.processor_time)?;
        lower(Resource::Nofile, self.open_files)?;
        lower(Resource::Fsize, self.file_size)?;
        lower(Resource::Core, 0)
    }
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
        for word in ["", "1,2,3", "1,2,3,4,5", "a,2,3,4", "-1,2,3,4"] {
            assert_eq!(ScriptLimits::read(word), None, "{word}");
        }
    }
}
