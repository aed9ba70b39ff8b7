//! What a call needs of the world, for tests.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use tutti_connectors::{
    Call, CallContext, Canceller, Failure, Guard, GuardOptions, LogLine, LogStream, Policy, Probe,
    http::{Http, HttpOptions},
};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{Effect, Error};

/// Longer than anything here takes, so that a hang is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A call of a `once` function with these arguments.
pub(crate) fn call(arguments: &str) -> Call {
    call_with(Value::from_json(arguments).expect("JSON"))
}

/// The same for arguments that are not plain.
pub(crate) fn call_with(arguments: Value) -> Call {
    Call {
        execution: ExecutionId::new(1, 2),
        task: Sequence(3),
        reference: TaskRef::root().child("do"),
        arguments,
        effect: Effect::Once,
        key: Arc::from("key-1"),
        attempt: 1,
        sensitive: false,
        secrets: Vec::new(),
    }
}

/// The ends of a call's context that the test holds.
pub(crate) struct World {
    pub(crate) canceller: Canceller,
    pub(crate) lines: mpsc::Receiver<LogLine>,
}

impl World {
    /// A context, and what is behind it.
    pub(crate) fn new(scratch: Option<&Path>) -> (Self, CallContext) {
        let (canceller, cancellation) = Canceller::new();
        let (log, lines) = mpsc::channel(100_000);
        let context = CallContext { cancellation, log, scratch: scratch.map(Path::to_owned) };
        (Self { canceller, lines }, context)
    }

    /// The lines of a stream that came so far.
    pub(crate) fn texts(&mut self, stream: LogStream) -> Vec<String> {
        let mut texts = Vec::new();
        while let Ok(line) = self.lines.try_recv() {
            if line.stream == stream {
                texts.push(line.text);
            }
        }
        texts
    }
}

/// An HTTP connector that may call this machine.
pub(crate) fn http() -> Http {
    http_with(HttpOptions::default())
}

/// The same with other bounds.
pub(crate) fn http_with(options: HttpOptions) -> Http {
    let policy = Policy { allow_loopback: true, allow_private: false };
    Http::new(Guard::new(GuardOptions { policy, ..GuardOptions::default() }), options)
}

/// A directory of a test's own, removed with it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "tutti-connectors-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Waits until `condition` gives something.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A short text of an outcome: the output, or kind of failure, type, status and detail.
pub(crate) fn shown(outcome: &Result<Value, Failure>) -> String {
    match outcome {
        Ok(output) => output.to_json(),
        Err(Failure::Cancelled) => "cancelled".to_owned(),
        Err(Failure::Known(error)) => format!("known {}", shown_error(error)),
        Err(Failure::Unknown(error)) => format!("unknown {}", shown_error(error)),
    }
}

/// The same for a probe.
pub(crate) fn shown_probe(probe: &Probe) -> String {
    match probe {
        Probe::Finished(Ok(output)) => format!("finished {}", output.to_json()),
        Probe::Finished(Err(error)) => format!("finished {}", shown_error(error)),
        Probe::NotMade => "not made".to_owned(),
        Probe::Unknown => "unknown".to_owned(),
    }
}

fn shown_error(error: &Error) -> String {
    let kind = error.kind.rsplit('/').next().unwrap_or_default();
    let detail = error.detail.as_ref().and_then(Value::as_str).unwrap_or_default();
    format!("{kind} {}: {detail}", error.status)
}
