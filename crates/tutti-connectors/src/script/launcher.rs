//! What stands between us and an interpreter: it takes away what the script is not to have, then becomes the interpreter.
//!
//! It runs in a process of its own with one thread and never comes back. `main` of a program that makes script calls looks
//! for [`LAUNCHER`] as its first word before it does anything else.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    process::{Command, ExitCode},
};

use rustix::{
    process::{getegid, geteuid},
    thread::{UnshareFlags, set_no_new_privs},
};

use super::limits::ScriptLimits;
use crate::process::CARRIED;

/// The first word of the launcher's command line.
pub const LAUNCHER: &str = "launch-script";

/// The second word where the script has the network.
const OPEN: &str = "network";

/// The second word where it has none.
const CLOSED: &str = "no-network";

/// The second word where only the possibility is asked for.
const CHECK: &str = "check";

/// The exit code where the interpreter could not be started.
const NOT_STARTED: u8 = 126;

/// The launcher's words up to the interpreter.
pub(super) fn words(limits: &ScriptLimits, network: bool) -> [OsString; 3] {
    let network = if network { OPEN } else { CLOSED };
    [LAUNCHER.into(), network.into(), limits.word().into()]
}

/// The launcher's words that ask whether this machine lets a process leave the network.
pub(super) const CHECKING: [&str; 2] = [LAUNCHER, CHECK];

/// Does what a launcher's command line says after [`LAUNCHER`]; returns only where that fails, or to answer a check.
///
/// It must be called before the process starts a thread.
pub fn launch(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    match become_interpreter(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            // Standard error is the script's; where nobody reads it, there is nobody to tell.
            writeln!(io::stderr(), "the script was not started: {error}").ok();
            ExitCode::from(NOT_STARTED)
        }
    }
}

fn become_interpreter(words: &[OsString]) -> io::Result<()> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "the launcher's words are wrong");
    let (first, rest) = words.split_first().ok_or_else(wrong)?;
    if first == CHECK {
        return leave_network();
    }
    let [limits, program, arguments @ ..] = rest else { return Err(wrong()) };
    let limits = limits.to_str().and_then(ScriptLimits::read).ok_or_else(wrong)?;
    if first == CLOSED {
        leave_network()?;
        limits.apply_to_namespace()?;
    } else if first != OPEN {
        return Err(wrong());
    }
    set_no_new_privs(true)?;
    limits.apply()?;
    let mut interpreter = Command::new(program);
    set_variables(interpreter.args(arguments));
    Err(interpreter.exec())
}

/// Gives the interpreter the script's own variables, which we had under names that do nothing: what they could change
/// (which program is found, what is loaded into it) comes after the limits.
fn set_variables(interpreter: &mut Command) {
    for (carried, text) in env::vars_os() {
        let Some(name) = carried.as_bytes().strip_prefix(CARRIED.as_bytes()) else { continue };
        interpreter.env_remove(&carried).env(OsStr::from_bytes(name), text);
    }
}

/// Moves to a network of our own in which there is nothing, not even a loopback that is up.
///
/// With a user namespace around it, for that needs no privilege and takes what privilege there is away: root could
/// otherwise go back. Our ids stay what they were.
fn leave_network() -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1\n"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1\n"))
}

#[expect(
    deprecated,
    reason = "it was deprecated for the flags that unshare file descriptors, which are not among ours"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(flags)?)
}
