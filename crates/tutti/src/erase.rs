//! `tutti erase`

use std::{env, fs, io, path::Path};

use tutti_ids::ExecutionId;
use tutti_runtime::{Clock as _, RowSealer, SystemClock};
use tutti_secrets::KeyFiles;
use tutti_store::{EraseRequest, Erased, Error, SqliteStore};

use crate::{
    command_line::EraseArguments,
    console::Console,
    exit::{Exit, Failure},
    export::place,
    run,
    store::without_keys,
};

/// How long a reason may be (bytes).
const LONGEST_REASON: usize = 1000;

/// Erases what an execution that has ended worked with.
pub(crate) fn erase(arguments: &EraseArguments, console: &Console) -> Result<Exit, Failure> {
    let EraseArguments { execution, store, reason } = arguments;
    if reason.len() > LONGEST_REASON {
        return Err(Failure::usage(format!("--reason takes at most {LONGEST_REASON} bytes")));
    }
    let directory = place(store.as_deref(), Some(*execution))?;
    let request = EraseRequest {
        execution: *execution,
        at: SystemClock.now(),
        by: who(),
        reason: reason.clone(),
    };
    let keys = KeyFiles::in_directory(&directory).open();
    let sealer = RowSealer::new(keys.map_err(|error| without_keys(&error))?);
    let erased = SqliteStore::erase(&directory, &request, &sealer)
        .map_err(|error| refused(&directory, &error))?;
    for execution in erased.executions.iter().chain([execution]) {
        discard_output(&directory, *execution)
            .map_err(|error| Failure::of("cannot remove the output of calls: ask again", &error))?;
    }
    console.line(&told(&erased, *execution));
    Ok(Exit::Completed)
}

fn refused(directory: &Path, error: &Error) -> Failure {
    let failure = run::cannot_open(directory, error);
    match error {
        Error::NotEnded { execution } => failure
            .hint(format!("let it end first: tutti run --resume {execution} (and its --store)")),
        _ => failure,
    }
}

/// Removes what connectors kept of an execution.
fn discard_output(directory: &Path, execution: ExecutionId) -> io::Result<()> {
    match fs::remove_dir_all(directory.join("scratch").join(execution.to_string())) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn told(erased: &Erased, execution: ExecutionId) -> String {
    let kept = match erased.kept_events {
        0 => String::new(),
        count => format!(
            "; events {count} stay for now, because executions that go on may still receive them"
        ),
    };
    if erased.executions.is_empty() && erased.events == 0 {
        return format!("{execution} was erased before; its files were written anew{kept}");
    }
    format!(
        "erased: executions {}, rows {}, blobs {}, events {}{kept}",
        erased.executions.len(),
        erased.rows,
        erased.blobs,
        erased.events,
    )
}

/// Who asks, as the operating system knows them.
fn who() -> String {
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok());
    let name: String = name.unwrap_or_else(|| "unknown".to_owned()).chars().take(100).collect();
    match uid() {
        Some(uid) => format!("{name} (uid {uid})"),
        None => name,
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn uid() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}
