//! One `run: script` as a program to start.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use tokio::{process::Command, sync::OnceCell};
use tutti_expr::Value;
use tutti_journal::{Error, ErrorType};

use super::{
    config::{Arguments, Text},
    interpreter::delivery,
    launcher,
    limits::ScriptLimits,
    source,
};
use crate::{
    BoxFuture, Call, CallContext, Connector, Failure, Probe,
    process::{Attempt, Bounds, Program, SetBy, Start, discard_output},
    redact::Secrets,
};

/// Told once for every script that should have been without the network and is not.
const OPEN: &str = "[this system does not let a process leave the network: the script has the network of this machine]";

/// What scripts are started with.
#[derive(Debug, Clone)]
pub struct ScriptOptions {
    /// The program whose `main` hands [`LAUNCHER`](super::LAUNCHER) over to [`launch`](super::launch).
    pub launcher: Option<PathBuf>,
    /// What each script may use.
    pub limits: ScriptLimits,
}

/// Serves `run: script`.
#[derive(Debug, Clone)]
pub struct Script {
    options: ScriptOptions,
    /// Whether this machine lets a script leave the network; asked once.
    leaves_network: Arc<OnceCell<bool>>,
}

impl Script {
    /// One that starts scripts so.
    pub fn new(options: ScriptOptions) -> Self {
        Self { options, leaves_network: Arc::default() }
    }

    async fn attempt(&self, call: Call, context: CallContext) -> Result<Attempt, Error> {
        let secrets = Secrets::of(&call.arguments, &call.secrets);
        let arguments = Arguments::read(&call.arguments).map_err(|error| secrets.clean(error))?;
        let program = self.program(arguments).await;
        Ok(Attempt::new(call, context, program, secrets))
    }

    async fn program(&self, mut arguments: Arguments) -> Program {
        let start = self.start(&mut arguments).await;
        let ScriptLimits { processes, memory_in_all, .. } = self.options.limits;
        Program {
            noun: "script",
            start,
            environment: arguments.environment,
            set_by: SetBy::Program,
            output: arguments.output,
            awaits: arguments.awaits,
            bounds: Bounds { processes: Some(processes), memory: Some(memory_in_all) },
        }
    }

    async fn start(&self, arguments: &mut Arguments) -> Result<Start, Error> {
        let launcher = self.launcher()?;
        let interpreter = arguments.language.words()?;
        let code = match &mut arguments.text {
            Text::Code(code) => std::mem::take(code),
            Text::Source(uri) => source::load(uri)?,
        };
        let leaves = !arguments.network && self.leaves_network().await;
        let notice = (!arguments.network && !leaves).then(|| OPEN.to_owned());
        let words = [launcher.into()].into_iter();
        let words = words.chain(launcher::words(&self.options.limits, !leaves));
        let list = std::mem::take(&mut arguments.list);
        let named = std::mem::take(&mut arguments.named);
        Ok(Start {
            words: words.chain(interpreter).collect(),
            stdin: Some(delivery(&code, list, named, &arguments.stdin)),
            notice,
        })
    }

    fn launcher(&self) -> Result<PathBuf, Error> {
        let launcher = self.options.launcher.clone().filter(|launcher| launcher.is_file());
        launcher.ok_or_else(|| {
            let detail = "scripts cannot be started: the program that limits them is not where it was when we started";
            Error::new(ErrorType::Configuration, detail)
        })
    }

    async fn leaves_network(&self) -> bool {
        *self.leaves_network.get_or_init(|| self.ask_to_leave_network()).await
    }

    async fn ask_to_leave_network(&self) -> bool {
        let Some(launcher) = &self.options.launcher else { return false };
        let mut command = Command::new(launcher);
        command.args(launcher::CHECKING).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().await.is_ok_and(|status| status.success())
    }
}

impl Connector for Script {
    fn function(&self) -> &'static str {
        "script"
    }

    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>> {
        Box::pin(
            async move { self.attempt(call, context).await.map_err(Failure::Known)?.call().await },
        )
    }

    fn probe(&self, call: Call, context: CallContext) -> BoxFuture<'_, Probe> {
        Box::pin(async move {
            match self.attempt(call, context).await {
                Ok(attempt) => attempt.probe().await,
                // Such arguments never got as far as a script.
                Err(_) => Probe::NotMade,
            }
        })
    }

    fn settled(&self, call: &Call, scratch: &Path) {
        discard_output(call, scratch);
    }
}
