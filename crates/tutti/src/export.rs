//! `tutti export`

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tutti_ids::ExecutionId;
use tutti_runtime::{Clock as _, SystemClock};
use tutti_store::{
    Error, SqliteStore,
    export::{ExportRequest, Report, Scope},
};

use crate::{
    command_line::ExportArguments,
    console::Console,
    exit::{Exit, Failure, causes},
    run, store,
};

/// Writes journals with all that proves them into one file.
pub(crate) fn export(arguments: &ExportArguments, console: &Console) -> Result<Exit, Failure> {
    let directory = place(arguments.store.as_deref(), arguments.execution)?;
    let store = open(&directory)?;
    let request = ExportRequest {
        scope: arguments.execution.map_or(Scope::All, Scope::Execution),
        product: env!("CARGO_PKG_VERSION").to_owned(),
        at: SystemClock.now(),
    };
    let target = &arguments.output;
    let to_stdout = target.as_os_str() == "-";
    let sink: Box<dyn Write + Send> =
        if to_stdout { Box::new(io::stdout()) } else { Box::new(create(target)?) };
    let written = block_on(store.export(request, sink))?;
    let written = written.map_err(|error| of_open_store(&directory, &store, &error));
    let written = written.and_then(|report| {
        if !to_stdout {
            sync(target)?;
        }
        Ok(report)
    });
    match written {
        Ok(report) => {
            console.line(&summary(&report, target));
            Ok(Exit::Completed)
        }
        Err(failure) => {
            if !to_stdout {
                // Half an export would only be mistaken for one.
                fs::remove_file(target).ok();
            }
            Err(failure)
        }
    }
}

/// Opens the store in `directory` to be read.
pub(crate) fn open(directory: &Path) -> Result<SqliteStore, Failure> {
    SqliteStore::open_read_only(directory).map_err(|error| run::cannot_open(directory, &error))
}

/// The data directory, which must be one.
pub(crate) fn place(
    directory: Option<&Path>,
    execution: Option<ExecutionId>,
) -> Result<PathBuf, Failure> {
    let directory = match (directory, execution) {
        (Some(directory), _) => directory.to_owned(),
        (None, Some(execution)) => run::own_directories()?.join(execution.to_string()),
        (None, None) => {
            return Err(Failure::usage("name an execution, or a store with --store DIR"));
        }
    };
    if directory.join("journal.sqlite").is_file() {
        return Ok(directory);
    }
    Err(Failure::usage(format!("there is no store in {}", directory.display()))
        .hint("the state of an execution that completed is kept with --store DIR only"))
}

/// Waits for a store.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let tokio = tokio::runtime::Builder::new_current_thread().build();
    let tokio = tokio.map_err(|error| Failure::of("cannot start the runtime", &error))?;
    Ok(tokio.block_on(future))
}

/// What is said where a store that is open does not do what it is asked.
pub(crate) fn of_open_store(directory: &Path, store: &SqliteStore, error: &Error) -> Failure {
    let failure = Failure::usage(causes(error));
    match error {
        Error::Damaged(_) | Error::Corrupt { .. } => {
            let damage = block_on(store::damage_in(directory, store)).ok().flatten();
            damage.unwrap_or_else(|| failure.exit(Exit::Unfinished))
        }
        _ => failure,
    }
}

/// Makes a file that only its owner may read.
fn create(path: &Path) -> Result<File, Failure> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(path)
        .map_err(|error| Failure::of(&format!("cannot make {}", path.display()), &error))
}

fn sync(path: &Path) -> Result<(), Failure> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| Failure::of(&format!("cannot write {}", path.display()), &error))
}

fn summary(report: &Report, target: &Path) -> String {
    let counts = &report.counts;
    format!(
        "exported to {}: executions {}, entries {}; the last commit is {}, {}",
        target.display(),
        counts.executions,
        counts.entries,
        report.commit,
        report.head
    )
}
