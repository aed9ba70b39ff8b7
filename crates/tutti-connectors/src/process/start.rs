//! Starting programs, and ending them with everything they started.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::Signal;

use super::{
    group::Group,
    program::{Program, SetBy, Start},
    tree::Tree,
};
use crate::Call;

/// All that a program sees of our own environment.
const BASE: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"];

/// The shell, wherever a document's `PATH` leads.
pub(crate) const SHELL: &str = "/bin/sh";

/// What stands before the name of a document's variable until the last moment: what stands between us and the program is
/// ours, and no variable of a document may change what it does.
pub(crate) const CARRIED: &str = "TUTTI_CARRIED_";

/// Runs the program (what follows `--`) so that its end is known even if we are gone: claims the record in directory `$1`,
/// or does nothing if somebody else has; then writes the exit code. The names before `--` are variables that the program
/// gets and this shell does not have: it has them under a [`CARRIED`] name.
///
/// SIGTERM is meant for the program: this shell waits for it, then leaves no exit code, since the program did not end by
/// itself. Only builtins are used up to the program, so nothing can be missing.
const RECORDER: &str = r#"
trap 'tutti_ended=1' TERM INT HUP
set -C
{ read -r tutti_stat </proc/$$/stat; read -r tutti_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
printf '%s\n%s\n' "$tutti_stat" "$tutti_boot" 2>/dev/null >"$1/claim" || exit 125
tutti_record=$1
shift
[ -z "$tutti_ended" ] || exit 124
(
while [ "$1" != -- ]
do
eval "command export \"$1=\$TUTTI_CARRIED_$1\""
unset "TUTTI_CARRIED_$1"
shift
done
shift
exec "$@"
)
tutti_code=$?
[ -z "$tutti_ended" ] || exit 124
printf '%s\n' "$tutti_code" >"$tutti_record/exit"
"#;

/// Goes on from [`RECORDER`]: ends what the command left behind, itself included.
const CLEARER: &str = "kill -s KILL 0\n";

/// Writes what comes in to file `$1` up to 64 MiB (131,072 blocks of 512 bytes), throws the rest away, and makes file `$2`
/// when no more can come. It lives as long as somebody can write to it, so what is on disk stays bounded when we are gone;
/// and only its own files are, not those that the command writes.
const KEEPER: &str = r#"
ulimit -c 0
ulimit -f 131072
cat >>"$1" || cat >/dev/null
: >"$2"
"#;

/// The exit code of [`RECORDER`] where it did not start the command because it could not claim the record.
pub(super) const NOT_CLAIMED: i32 = 125;

/// Where a command's input and output are.
pub(super) struct Streams {
    pub(super) stdin: Stdio,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
}

/// A program that ends with us.
pub(super) fn direct(program: &Program, start: &Start, call: &Call, streams: Streams) -> Command {
    let (first, rest) = start
        .words
        .split_first()
        .map_or_else(Default::default, |(first, rest)| (first.as_os_str(), rest));
    let mut command = Command::new(first);
    command.args(rest);
    match program.set_by {
        SetBy::Starter => prepare(&mut command, call, streams).envs(named(program)),
        SetBy::Program => prepare(&mut command, call, streams).envs(carried(program)),
    };
    command
}

/// A program that outlives us and leaves its end in `directory`.
pub(super) fn recorded(
    program: &Program,
    start: &Start,
    call: &Call,
    streams: Streams,
    directory: &Path,
) -> Command {
    let clearer = if program.awaits { CLEARER } else { "" };
    let mut command = Command::new(SHELL);
    command.arg("-c").arg([RECORDER, clearer].concat()).arg("tutti").arg(directory);
    if program.set_by == SetBy::Starter {
        command.args(named(program).map(|(name, _)| name));
    }
    command.arg("--").args(&start.words);
    prepare(&mut command, call, streams).envs(carried(program));
    command
}

/// Starts what keeps one stream of a program in `directory`; gives the end to write to.
pub(super) fn kept(name: &str, directory: &Path) -> io::Result<Stdio> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(SHELL);
    command
        .args(["-c", KEEPER, "tutti"])
        .arg(directory.join(name))
        .arg(directory.join(format!("{name}.end")))
        .env_clear()
        .envs(base())
        .stdin(reader)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    // It ends by itself when nobody writes any more, and is reaped then.
    drop(tokio::process::Command::from(command).spawn()?);
    Ok(Stdio::from(writer))
}

fn prepare<'a>(command: &'a mut Command, call: &Call, streams: Streams) -> &'a mut Command {
    command
        .env_clear()
        .envs(base())
        .env("TUTTI_IDEMPOTENCY_KEY", &*call.key)
        .env("TUTTI_ATTEMPT", call.attempt.to_string())
        .stdin(streams.stdin)
        .stdout(streams.stdout)
        .stderr(streams.stderr)
        .process_group(0)
}

fn named(program: &Program) -> impl Iterator<Item = (&str, &str)> {
    program.environment.iter().map(|(name, text)| (name.as_str(), text.as_str()))
}

fn carried(program: &Program) -> impl Iterator<Item = (String, &str)> {
    named(program).map(|(name, text)| ([CARRIED, name].concat(), text))
}

fn base() -> impl Iterator<Item = (&'static str, OsString)> {
    BASE.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Kills a group and what left it when dropped, unless told that it has ended.
#[derive(Debug)]
pub(super) struct KillOnDrop(Option<(Group, Tree)>);

impl KillOnDrop {
    pub(super) fn new(group: Option<Group>, tree: Tree) -> Self {
        Self(group.map(|group| (group, tree)))
    }

    pub(super) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some((group, tree)) = &mut self.0 {
            tree.signal(Some(*group), Signal::KILL);
        }
    }
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
