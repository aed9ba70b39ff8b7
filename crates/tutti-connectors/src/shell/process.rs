//! Starting commands, and ending them with everything they started.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::config::Arguments;
use crate::Call;

/// All that a command sees of our own environment.
const BASE: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"];

/// Runs the command (`$2` and on) so that its end is known even if we are gone: claims the record in directory `$1`, or
/// does nothing if somebody else has; then writes the exit code and ends what the command left behind, itself included.
///
/// SIGTERM is meant for the command: this shell waits for it, then leaves no exit code, since the command did not end by
/// itself. Only builtins are used up to the command, so nothing can be missing.
const RECORDER: &str = r#"
trap 'tutti_ended=1' TERM INT HUP
set -C
{ read -r tutti_stat </proc/$$/stat; read -r tutti_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
printf '%s\n%s\n' "$tutti_stat" "$tutti_boot" 2>/dev/null >"$1/claim" || exit 125
tutti_record=$1
shift
[ -z "$tutti_ended" ] || exit 124
sh -c -- "$@"
tutti_code=$?
[ -z "$tutti_ended" ] || exit 124
printf '%s\n' "$tutti_code" >"$tutti_record/exit"
kill -s KILL 0
"#;

/// The exit code of [`RECORDER`] where it did not start the command because it could not claim the record.
pub(super) const NOT_CLAIMED: i32 = 125;

/// Where a command's input and output are.
pub(super) struct Streams {
    pub(super) stdin: Stdio,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
}

/// A command that ends with us.
pub(super) fn direct(arguments: &Arguments, call: &Call, streams: Streams) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "--"]);
    prepare(command, arguments, call, streams)
}

/// A command that outlives us and leaves its end in `directory`.
pub(super) fn recorded(
    arguments: &Arguments,
    call: &Call,
    streams: Streams,
    directory: &Path,
) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", RECORDER, "tutti"]).arg(directory);
    prepare(command, arguments, call, streams)
}

fn prepare(mut command: Command, arguments: &Arguments, call: &Call, streams: Streams) -> Command {
    command
        .arg(&arguments.command)
        .arg("sh")
        .args(&arguments.positional)
        .env_clear()
        .envs(base())
        .env("TUTTI_IDEMPOTENCY_KEY", &*call.key)
        .env("TUTTI_ATTEMPT", call.attempt.to_string())
        .envs(arguments.environment.iter().map(|(name, text)| (name, text)))
        .stdin(streams.stdin)
        .stdout(streams.stdout)
        .stderr(streams.stderr)
        .process_group(0);
    command
}

fn base() -> impl Iterator<Item = (&'static str, OsString)> {
    BASE.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

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

    /// Asks every process of the group to end.
    pub(super) fn terminate(self) {
        self.signal(Signal::TERM);
    }

    /// Ends every process of the group.
    pub(super) fn kill(self) {
        self.signal(Signal::KILL);
    }

    /// Whether any process of the group is left, be it unreaped.
    pub(super) fn exists(self) -> bool {
        test_kill_process_group(self.0) != Err(rustix::io::Errno::SRCH)
    }

    fn signal(self, signal: Signal) {
        // It fails only where nobody is left, or none we may signal: then there is no more to do.
        kill_process_group(self.0, signal).ok();
    }
}

/// Kills a group when dropped, unless told that it has ended.
#[derive(Debug)]
pub(super) struct KillOnDrop(Option<Group>);

impl KillOnDrop {
    pub(super) fn new(group: Option<Group>) -> Self {
        Self(group)
    }

    pub(super) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            group.kill();
        }
    }
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
    /// In ticks since boot.
    pub(super) start: u64,
    alive: bool,
}

/// Reads such a line; the name in it may contain anything.
pub(super) fn stat(line: &str) -> Option<Stat> {
    let (id, rest) = line.split_once(' ')?;
    let mut fields = rest.rsplit_once(") ")?.1.split(' ');
    let alive = !matches!(fields.next()?, "Z" | "X" | "x");
    // The state is field 3, the start time field 22.
    let start = fields.nth(18)?.parse().ok()?;
    Some(Stat { id: id.parse().ok()?, start, alive })
}

/// Which boot of the machine this is, where the system says so.
pub(super) fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Input for a command in a file that has no name any more, so that it outlives us and is gone when it was read.
pub(super) fn input(text: &str, directory: &Path) -> io::Result<File> {
    use std::io::{Seek, Write};
    let path = directory.join("stdin");
    let mut file = super::record::private().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_stat_line_may_contain_anything() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for (name, state) in [("sh", true), ("a b) Z", true)] {
            let line = format!("42 ({name}) {rest}");
            assert_eq!(stat(&line), Some(Stat { id: 42, start: 4711, alive: state }));
        }
        for line in ["", "42", "42 (sh) S 1", "x (sh) S 1", "42 sh"] {
            assert_eq!(stat(line), None, "{line}");
        }
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
