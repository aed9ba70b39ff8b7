//! Lists of tasks, and what every task has in common.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    At, Compiler,
    flow::{Jumps, Siblings, Surroundings},
    scope::Scopes,
};
use crate::{Call, DataFlow, ListId, Process, Task, TaskId, TaskKind, codes::Code, kinds::Keyword};

impl<'n> Compiler<'n> {
    /// A task list.
    pub(super) fn list(&mut self, at: &At<'n>, scopes: &Scopes, jumps: Jumps) -> ListId {
        let named: Vec<(&'n crate::tree::Key, At<'n>)> =
            at.items().filter_map(|item| item.members().next()).collect();
        self.refuse_duplicates(&named);
        let siblings = Siblings::new(named.iter().map(|(key, _)| key.text.clone()), jumps);
        let surroundings = Surroundings { scopes, siblings: &siblings };
        let ids = named
            .iter()
            .map(|(key, task)| {
                let id = self.reserve(&task.pointer);
                self.task(id, &key.text, task, surroundings);
                id
            })
            .collect();
        let flows: Vec<_> = named.iter().map(|(key, task)| (key.span.clone(), task)).collect();
        self.warn_about_unreachable(&flows, &siblings);
        self.new_list(ids)
    }

    fn refuse_duplicates(&mut self, named: &[(&crate::tree::Key, At<'_>)]) {
        let mut seen = BTreeSet::new();
        for (key, task) in named {
            if !seen.insert(&key.text) {
                let message = format!("a task named `{}` stands in this list already", key.text);
                self.push(
                    crate::diagnostic::Problem::new(
                        Code::DuplicateTask,
                        key.span.clone(),
                        &*task.pointer,
                        message,
                    )
                    .hint("give every task of a list its own name: `then` jumps by name"),
                );
            }
        }
    }

    /// Compiles a task into its reserved place.
    pub(super) fn task(
        &mut self,
        id: TaskId,
        name: &Arc<str>,
        at: &At<'n>,
        around: Surroundings<'_>,
    ) {
        let scopes = around.scopes;
        let of_parent = self.outside.unloaded.take();
        let condition = at.get("if").and_then(|at| self.expression(&at, &scopes.input));
        let flow = self.flow(at, scopes);
        let timeout = self.timeout(at, scopes);
        let then = self.then(at, around.siblings);
        let settings = self.settings(at, scopes);
        let keyword = Keyword::of(at.node);
        let kind = keyword.and_then(|keyword| self.kind(keyword, at, around));
        let extensions =
            keyword.map_or_else(Vec::new, |keyword| self.extended.extending(keyword, &at.pointer));
        let unloaded = std::mem::replace(&mut self.outside.unloaded, of_parent);
        let is_unloaded = unloaded.is_some();
        let unsupported =
            unloaded.map(Arc::from).or_else(|| self.unsupported(keyword, kind.as_ref(), at));
        if let Some(why) = unsupported.as_ref().filter(|_| !is_unloaded) {
            let entry = keyword.and_then(|keyword| at.node.entry(keyword.as_str()));
            let span = entry.map_or(at.node.span.clone(), |(key, _)| key.span.clone());
            let message =
                format!("task `{}` validates but cannot be executed yet: {why}", at.pointer);
            self.push(
                crate::diagnostic::Problem::new(Code::NotExecutedYet, span, &*at.pointer, message)
                    .hint("an execution that reaches it faults with a `configuration` error"),
            );
        }
        let Some(kind) = kind else { return };
        self.warn_about_effects(at, &kind, &settings);
        self.tasks[id.0 as usize] = Some(Task {
            name: name.clone(),
            reference: at.pointer.clone(),
            definition: at.node.to_value(),
            condition,
            flow,
            timeout,
            then,
            settings,
            extensions,
            unsupported,
            kind,
        });
    }

    pub(super) fn flow(&mut self, at: &At<'n>, scopes: &Scopes) -> DataFlow {
        let mut flow = DataFlow::default();
        if let Some(input) = at.get("input") {
            flow.input_schema = self.schema(&input);
            flow.input_from = input.get("from").and_then(|at| self.transform(&at, &scopes.input));
        }
        if let Some(output) = at.get("output") {
            flow.output_schema = self.schema(&output);
            flow.output_as = output.get("as").and_then(|at| self.transform(&at, &scopes.output));
        }
        if let Some(export) = at.get("export") {
            flow.export_schema = self.schema(&export);
            flow.export_as = export.get("as").and_then(|at| self.transform(&at, &scopes.export));
        }
        flow
    }

    fn kind(
        &mut self,
        keyword: Keyword,
        at: &At<'n>,
        around: Surroundings<'_>,
    ) -> Option<TaskKind> {
        let scopes = around.scopes;
        let body = &scopes.body;
        match keyword {
            Keyword::Call => self.call(at, scopes),
            Keyword::Do => Some(TaskKind::Do(self.list(&at.get("do")?, scopes, Jumps::Allowed))),
            Keyword::Emit => self.emit(at, scopes),
            Keyword::For => self.for_loop(at, scopes),
            Keyword::Fork => self.fork(at, scopes),
            Keyword::Listen => self.listen(at, scopes),
            Keyword::Raise => {
                self.raised(&at.get("raise")?.get("error")?, body).map(TaskKind::Raise)
            }
            Keyword::Run => self.run(at, scopes),
            Keyword::Set => self.template(&at.get("set")?, body).map(TaskKind::Set),
            Keyword::Switch => Some(self.switch(&at.get("switch")?, around)),
            Keyword::Try => self.try_task(at, around),
            Keyword::Wait => self.duration(&at.get("wait")?, body).map(TaskKind::Wait),
        }
    }

    /// Why this version cannot execute a task.
    fn unsupported(
        &self,
        keyword: Option<Keyword>,
        kind: Option<&TaskKind>,
        at: &At<'_>,
    ) -> Option<Arc<str>> {
        let keyword = keyword?;
        let own = match kind {
            Some(
                TaskKind::Call(Call::Unsupported)
                | TaskKind::Run(crate::Run { process: Process::Unsupported, .. }),
            ) => unsupported_part(keyword, at),
            _ => None,
        };
        own.or_else(|| unsupported_authentication(at, &self.names)).map(Arc::from)
    }
}

fn unsupported_part(keyword: Keyword, at: &At<'_>) -> Option<String> {
    let part = match keyword {
        Keyword::Call => format!("call: {}", at.get("call")?.text()?),
        Keyword::Run => {
            let run = at.get("run")?;
            let (process, _) = run.members().find(|(key, _)| &*key.text == "container")?;
            format!("run: {}", process.text)
        }
        _ => return None,
    };
    Some(format!("`{part}` is not executed by this version"))
}

fn unsupported_authentication(at: &At<'_>, names: &super::names::Names<'_>) -> Option<String> {
    let policy = at.get("with")?.get("endpoint")?.get("authentication")?;
    let used = policy.get("use").and_then(|name| names.authentications.get(name.text()?).cloned());
    let policy = used.unwrap_or(policy);
    let scheme = policy.members().find_map(|(key, _)| {
        matches!(&*key.text, "oauth2" | "oidc" | "certificate").then(|| key.text.clone())
    })?;
    Some(format!("`{scheme}` authentication is not executed by this version"))
}
