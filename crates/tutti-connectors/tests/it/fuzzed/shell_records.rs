//! Whatever a command's record says, a probe comes to an answer. The fuzz target of this name calls the same function.

use std::{fs, sync::Arc};

use tokio::sync::mpsc;
use tutti_connectors::{Call, CallContext, Canceller, Connector, shell::Shell};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Effect;

/// The files of a record, in the order in which the bytes hold them, a NUL between each two.
const FILES: [&str; 5] = ["intention", "claim", "exit", "stdout", "stderr"];
/// Where the record of the call below is: the hash of its key, and its attempt.
const RECORD: &str = "be2974546978e3739e6d6da85c4be9f3-1";

/// Lays the files out and asks what became of the command.
pub(crate) fn check(bytes: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    let scratch = directory.path().join("scratch");
    let record = scratch.join(RECORD);
    fs::create_dir_all(&record).expect("a directory");
    for (name, content) in FILES.iter().zip(bytes.split(|byte| *byte == 0)) {
        // A file that holds this mark is not there.
        if content != b"-" {
            fs::write(record.join(name), content).expect("a file");
        }
    }
    let (_canceller, cancellation) = Canceller::new();
    let (log, _lines) = mpsc::channel(100);
    let context = CallContext { cancellation, log, scratch: Some(scratch) };
    // Its clock is not the real one: a probe has patience with a record in the making, and nobody is making these.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let answer = runtime.expect("a runtime").block_on(Shell.probe(call(), context));
    assert!(!format!("{answer:?}").is_empty());
}

fn call() -> Call {
    Call {
        execution: ExecutionId::new(1, 2),
        task: Sequence(3),
        reference: TaskRef::root().child("do"),
        arguments: Value::object([("command", Value::from("true"))]),
        effect: Effect::Once,
        key: Arc::from("key-1"),
        attempt: 1,
        sensitive: false,
        secrets: Vec::new(),
    }
}
