//! Makes one recorded shell call, so that a test can kill it: `shell_call SCRATCH ARGUMENTS-AS-JSON`.

use std::{error::Error, path::PathBuf, sync::Arc};

use tokio::sync::mpsc;
use tutti_connectors::{Call, CallContext, Canceller, Connector, shell::Shell};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Effect;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let scratch = words.next().map(PathBuf::from);
    let arguments = Value::from_json(&words.next().unwrap_or_default())?;
    let (_canceller, cancellation) = Canceller::new();
    let (log, _lines) = mpsc::channel(1);
    let call = Call {
        execution: ExecutionId::new(1, 2),
        task: Sequence(3),
        reference: TaskRef::root().child("do"),
        arguments,
        effect: Effect::Once,
        key: Arc::from("key-1"),
        attempt: 1,
        sensitive: false,
        secrets: Vec::new(),
    };
    let outcome = Shell.call(call, CallContext { cancellation, log, scratch }).await;
    drop(outcome);
    Ok(())
}
