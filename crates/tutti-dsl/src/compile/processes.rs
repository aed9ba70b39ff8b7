//! `run`

use super::{
    At, Compiler,
    scope::{Place, Scopes},
};
use crate::{
    Process, Return, Run, Script, ScriptText, Settings, Shell, Subworkflow, TaskKind, codes::Code,
};

impl<'n> Compiler<'n> {
    pub(super) fn run(&mut self, at: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let run = at.get("run")?;
        let process = if let Some(shell) = run.get("shell") {
            self.shell(&shell, &scopes.body).map(|shell| Process::Shell(Box::new(shell)))
        } else if let Some(script) = run.get("script") {
            self.script(&script, &scopes.body).map(|script| Process::Script(Box::new(script)))
        } else if let Some(workflow) = run.get("workflow") {
            self.subworkflow(&workflow, &scopes.body).map(Process::Workflow)
        } else {
            self.check_unexecuted(crate::kinds::Keyword::Run, at, scopes);
            Some(Process::Unsupported)
        };
        Some(TaskKind::Run(Run {
            awaits: run.get("await").and_then(|at| at.node.as_bool()).unwrap_or(true),
            output: run.get("return").map_or(Return::Stdout, |at| returned(&at)),
            process: process?,
        }))
    }

    fn shell(&mut self, at: &At<'n>, place: &Place) -> Option<Shell> {
        let command = at.get("command").and_then(|at| self.code_template(&at, place));
        let mut part = |key: &str| at.get(key).and_then(|at| self.template(&at, place));
        let (stdin, arguments, environment) =
            (part("stdin"), part("arguments"), part("environment"));
        Some(Shell { command: command?, stdin, arguments, environment })
    }

    fn script(&mut self, at: &At<'n>, place: &Place) -> Option<Script> {
        let text = match (at.get("code"), at.get("source").and_then(|at| at.get("endpoint"))) {
            (Some(code), None) => self.code_template(&code, place).map(ScriptText::Code),
            (None, Some(endpoint)) => self.script_source(&endpoint, place),
            _ => None,
        };
        let mut part = |key: &str| at.get(key).and_then(|at| self.template(&at, place));
        let (stdin, arguments, environment) =
            (part("stdin"), part("arguments"), part("environment"));
        let language = at.get("language").and_then(|at| at.text().cloned())?;
        Some(Script { language, text: text?, stdin, arguments, environment })
    }

    /// `run.workflow`, also under `each`.
    pub(super) fn subworkflow(&mut self, at: &At<'n>, place: &Place) -> Option<Subworkflow> {
        let input = at.get("input").and_then(|at| self.template(&at, place));
        let text = |key: &str| at.get(key).and_then(|at| at.text().cloned());
        Some(Subworkflow {
            namespace: text("namespace")?,
            name: text("name")?,
            version: text("version")?,
            input,
        })
    }

    /// A shell command or script can do anything: its author knows what.
    pub(super) fn warn_about_effects(&mut self, at: &At<'_>, kind: &TaskKind, settings: &Settings) {
        let (part, what) = match kind {
            TaskKind::Run(Run { process: Process::Shell(_), .. }) => ("shell", "command"),
            TaskKind::Run(Run { process: Process::Script(_), .. }) => ("script", "script"),
            _ => return,
        };
        if settings.effect.is_some() {
            return;
        }
        let Some((key, _)) = at.node.get("run").and_then(|run| run.entry(part)) else { return };
        let message = format!(
            "task `{}` does not say what its {what} does to the world; `once` is assumed",
            at.pointer
        );
        self.push(
            crate::diagnostic::Problem::new(
                Code::UndeclaredEffect,
                key.span.clone(),
                &*at.pointer,
                message,
            )
            .hint("add `metadata: { tutti: { effect: read } }` (or `idempotent`, or `once`)"),
        );
    }
}

fn returned(at: &At<'_>) -> Return {
    match at.text().map(|text| &**text) {
        Some("stderr") => Return::Stderr,
        Some("code") => Return::Code,
        Some("all") => Return::All,
        Some("none") => Return::None,
        _ => Return::Stdout,
    }
}
