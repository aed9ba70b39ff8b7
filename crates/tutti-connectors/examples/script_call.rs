//! Makes one recorded script call, so that a test can kill it: `script_call SCRATCH ARGUMENTS-AS-JSON`. It is its own
//! launcher, as every program that makes script calls is.

use std::{env, error::Error, path::PathBuf, process::ExitCode, sync::Arc};

use tokio::sync::mpsc;
use tutti_connectors::{
    Call, CallContext, Canceller, Connector,
    script::{LAUNCHER, Script, ScriptLimits, ScriptOptions, launch},
};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Effect;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = env::args_os().skip(1).peekable();
    if words.next_if(|word| word == LAUNCHER).is_some() {
        return Ok(launch(words));
    }
    let scratch = words.next().map(PathBuf::from);
    let arguments = words.next().unwrap_or_default();
    let arguments = Value::from_json(arguments.to_str().unwrap_or_default())?;
    make(scratch, arguments)?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn make(scratch: Option<PathBuf>, arguments: Value) -> Result<(), Box<dyn Error>> {
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
    let launcher = Some(env::current_exe()?);
    let script = Script::new(ScriptOptions { launcher, limits: ScriptLimits::default() });
    let outcome = script.call(call, CallContext { cancellation, log, scratch }).await;
    drop(outcome);
    Ok(())
}
