//! Prints what a script costs beside its interpreter alone. It is its own launcher, as every program that makes script calls
//! is.

use std::{
    env,
    error::Error,
    io::Write,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Instant,
};

use tokio::sync::mpsc;
use tutti_connectors::{
    Call, CallContext, Canceller, Connector,
    script::{LAUNCHER, Script, ScriptLimits, ScriptOptions, launch},
};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Effect;

const ROUNDS: usize = 41;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = env::args_os().skip(1).peekable();
    if words.next_if(|word| word == LAUNCHER).is_some() {
        return Ok(launch(words));
    }
    measure()?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main(flavor = "current_thread")]
async fn measure() -> Result<(), Box<dyn Error>> {
    let options =
        ScriptOptions { launcher: Some(env::current_exe()?), limits: ScriptLimits::default() };
    let script = Script::new(options);
    let scratch = env::temp_dir().join(format!("tutti-scripts-{}", std::process::id()));
    let languages =
        [("python", "python3", "-c", "print(1)"), ("js", "node", "-e", "console.log(1)")];
    for (language, program, option, code) in languages {
        let mut bare = Vec::new();
        let mut plain = Vec::new();
        let mut recorded = Vec::new();
        // Beside each other, so that all meet the same machine.
        for round in 0..ROUNDS {
            let begun = Instant::now();
            let mut command = Command::new(program);
            command.args([option, code]).stdin(Stdio::null()).env_clear();
            command.env("PATH", env::var_os("PATH").unwrap_or_default());
            if !command.output()?.status.success() {
                return Err(format!("{program} fails").into());
            }
            bare.push(begun.elapsed());
            for (times, scratch) in [(&mut plain, None), (&mut recorded, Some(scratch.clone()))] {
                let begun = Instant::now();
                call(&script, language, code, round, scratch).await?;
                times.push(begun.elapsed());
            }
        }
        let mut out = std::io::stdout();
        for (name, mut times) in [("bare", bare), ("script", plain), ("script, recorded", recorded)]
        {
            times.sort_unstable();
            let median = times[ROUNDS / 2].as_secs_f64() * 1e3;
            writeln!(out, "{program}: {name}\t{median:.2}\tms")?;
        }
    }
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}

async fn call(
    script: &Script,
    language: &str,
    code: &str,
    round: usize,
    scratch: Option<PathBuf>,
) -> Result<(), String> {
    let (_canceller, cancellation) = Canceller::new();
    let (log, _lines) = mpsc::channel(10);
    let call = Call {
        execution: ExecutionId::new(1, 2),
        task: Sequence(3),
        reference: TaskRef::root(),
        arguments: Value::object([
            ("language", Value::from(language)),
            ("code", Value::from(code)),
        ]),
        effect: Effect::Once,
        key: Arc::from(format!("{language}-{round}")),
        attempt: 1,
        sensitive: false,
        secrets: Vec::new(),
    };
    let outcome = script.call(call, CallContext { cancellation, log, scratch }).await;
    outcome.map(drop).map_err(|failure| format!("{failure:?}"))
}
