//! `metadata.tutti` of a task.

use std::sync::Arc;

use super::{
    At, Compiler,
    flow::Jumps,
    scope::{Place, Scopes},
};
use crate::{Cooldown, Effect, Settings, codes::Code};

/// Characters of a label.
const MAX_LABEL: usize = 120;

impl<'n> Compiler<'n> {
    pub(super) fn settings(&mut self, task: &At<'n>, scopes: &Scopes) -> Settings {
        let Some(at) = task.get("metadata").and_then(|metadata| metadata.get("tutti")) else {
            return Settings::default();
        };
        let place = &scopes.body;
        let effect_at = at.get("effect").and_then(|at| at.text().cloned());
        Settings {
            effect: effect_at.and_then(|text| effect(&text)),
            idempotency_key: at.get("idempotencyKey").and_then(|at| self.template(&at, place)),
            label: at.get("label").and_then(|at| self.label(&at, place)),
            undo: at.get("undo").map(|at| self.list(&at, scopes, Jumps::Allowed)),
            sensitive: at.get("sensitive").map_or_else(Vec::new, |at| self.pointers(&at)),
            network: at.get("network").is_some_and(|at| self.network(&at, task)),
            cooldown: at.get("cooldown").and_then(|at| self.cooldown(&at, task, place)),
        }
    }

    fn label(&mut self, at: &At<'n>, place: &Place) -> Option<tutti_expr::Template> {
        let template = self.template(at, place)?;
        let text = at.text().filter(|_| template.is_literal());
        if text.is_some_and(|text| text.chars().count() > MAX_LABEL) {
            let message = format!("a label has at most {MAX_LABEL} characters");
            self.push(at.problem(Code::OutOfRange, message));
        }
        Some(template)
    }

    /// What is not a script has its network from elsewhere: granting or denying it here would mean nothing.
    fn network(&mut self, at: &At<'n>, task: &At<'n>) -> bool {
        if task.get("run").is_none_or(|run| run.get("script").is_none()) {
            let message = "`network` is for tasks that run a script; this task runs none";
            self.push(
                at.problem(Code::UnknownKey, message)
                    .hint("remove it: only scripts are kept off the network"),
            );
        }
        at.node.as_bool().unwrap_or(false)
    }

    /// What makes no call itself has nothing to put off.
    fn cooldown(&mut self, at: &At<'n>, task: &At<'n>, place: &Place) -> Option<Cooldown> {
        let calls_http = task.get("call").and_then(|call| call.text().cloned());
        let runs = |what| task.get("run").is_some_and(|run| run.get(what).is_some());
        if calls_http.as_deref() != Some("http") && !runs("shell") && !runs("script") {
            let message =
                "`cooldown` is for tasks that make a call themselves; this one makes none";
            self.push(at.problem(Code::UnknownKey, message).hint(
                "put it on the task with `call: http`, `run: shell` or `run: script`, in the function or list that makes the call",
            ));
        }
        let by = at.get("by").map(|by| self.expression(&by, place));
        let per = self.fixed_duration(&at.get("per")?)?;
        if per.after(0) == 0 {
            let message = "a time in which calls are counted is longer than nothing";
            self.push(at.problem(Code::OutOfRange, message));
        }
        let limit = at.get("limit").map_or(Some(1), |at| at.node.as_integer());
        let by = match by {
            Some(by) => Some(by?),
            None => None,
        };
        Some(Cooldown { by, limit: u32::try_from(limit?).ok()?, per })
    }

    fn pointers(&mut self, at: &At<'n>) -> Vec<Arc<str>> {
        let mut pointers = Vec::new();
        for item in at.items() {
            let Some(text) = item.text() else { continue };
            if is_pointer(text) {
                pointers.push(text.clone());
            } else {
                let message = format!("`{text}` is not a JSON pointer");
                self.push(item.problem(Code::InvalidPointer, message).hint(
                    "start with `/` and separate names by `/`, such as `/card/number`; the empty text is the whole output",
                ));
            }
        }
        pointers
    }
}

/// RFC 6901: empty, or tokens that each follow a `/`, with `~` only as `~0` and `~1`.
fn is_pointer(text: &str) -> bool {
    let tokens = text.is_empty() || text.starts_with('/');
    tokens && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

pub(super) fn effect(text: &str) -> Option<Effect> {
    match text {
        "read" => Some(Effect::Read),
        "idempotent" => Some(Effect::Idempotent),
        "once" => Some(Effect::Once),
        _ => None,
    }
}
