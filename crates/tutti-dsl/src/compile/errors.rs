//! `raise`, `try`, `catch` and `retry`.

use std::sync::Arc;

use tutti_expr::Template;

use super::{
    At, Compiler,
    flow::{Jumps, Surroundings, some_names},
    scope::{Place, Scopes},
};
use crate::{
    Backoff, Catch, Effect, ErrorFilter, Jitter, RetryPolicy, TaskKind, Try, codes::Code,
    diagnostic::nearest, kinds::Keyword,
};

/// How many functions are looked into, one called by the other.
const MAX_CALL_DEPTH: usize = 16;
const OUTCOME_UNKNOWN: &str = "tutti://errors/outcome-unknown";

impl<'n> Compiler<'n> {
    /// `raise.error`: an error, an expression that yields one, or the name of one.
    pub(super) fn raised(&mut self, at: &At<'n>, place: &Place) -> Option<Template> {
        let Some(text) = at.text() else {
            let template = self.template(at, place);
            self.check_error_type(at);
            return template;
        };
        if text.trim().starts_with("${") {
            return self.template(at, place);
        }
        if let Some(named) = self.names.errors.get(text).cloned() {
            return self.template(&named, place);
        }
        let names: Vec<&str> = self.names.errors.keys().map(AsRef::as_ref).collect();
        let hint = declared_hint(text, &names, "use.errors");
        let message = format!("the error `{text}` is not declared in `use.errors`");
        self.push(at.problem(Code::UnknownError, message).hint(hint));
        None
    }

    pub(super) fn check_error_type(&mut self, at: &At<'_>) {
        if let Some(kind) = at.get("type") {
            self.uri_or_expression(&kind);
        }
    }

    pub(super) fn try_task(&mut self, at: &At<'n>, around: Surroundings<'_>) -> Option<TaskKind> {
        let body = at.get("try").map(|list| self.list(&list, around.scopes, Jumps::Allowed));
        let catch = at.get("catch").map(|catch| self.catch(&catch, around));
        if let Some(catch) = at.get("catch") {
            self.refuse_unsafe_retry(at, &catch);
        }
        Some(TaskKind::Try(Try { body: body?, catch: catch? }))
    }

    fn catch(&mut self, at: &At<'n>, around: Surroundings<'_>) -> Catch {
        let variable = self.variable(at.get("as").as_ref(), "error");
        let scopes = around.scopes.with(&[&variable]);
        Catch {
            filter: at
                .get("errors")
                .and_then(|errors| errors.get("with"))
                .map(|at| self.filter(&at)),
            when: at.get("when").and_then(|at| self.expression(&at, &scopes.body)),
            except_when: at.get("exceptWhen").and_then(|at| self.expression(&at, &scopes.body)),
            retry: at.get("retry").and_then(|at| self.retry(&at, &scopes)),
            handler: at.get("do").map(|list| self.list(&list, &scopes, Jumps::Allowed)),
            then: at.get("then").map(|then| self.directive(&then, around.siblings)),
            variable,
        }
    }

    fn filter(&mut self, at: &At<'n>) -> ErrorFilter {
        for (key, value) in at.members() {
            if value.text().is_some_and(|text| text.contains("${")) {
                let message =
                    format!("`{}` is compared as it stands: filters are static", key.text);
                self.push(
                    value
                        .problem(Code::EmbeddedExpression, message)
                        .hint("use `catch.when` for a condition that is evaluated"),
                );
            }
        }
        let text = |key: &str| at.get(key).and_then(|at| at.text().cloned());
        ErrorFilter {
            kind: text("type"),
            status: at.get("status").and_then(|at| at.node.as_integer()),
            instance: text("instance"),
            title: text("title"),
            detail: text("detail").or_else(|| text("details")),
        }
    }

    /// A retry policy or the name of one.
    fn retry(&mut self, at: &At<'n>, scopes: &Scopes) -> Option<RetryPolicy> {
        let Some(name) = at.text() else { return Some(self.retry_policy(at, &scopes.body)) };
        if let Some(named) = self.names.retries.get(name).cloned() {
            self.names.used_retries.insert(name.clone());
            return Some(self.retry_policy(&named, &scopes.body));
        }
        let names: Vec<&str> = self.names.retries.keys().map(AsRef::as_ref).collect();
        let hint = declared_hint(name, &names, "use.retries");
        let message = format!("the retry policy `{name}` is not declared in `use.retries`");
        self.push(at.problem(Code::UnknownRetry, message).hint(hint));
        None
    }

    pub(super) fn retry_policy(&mut self, at: &At<'n>, place: &Place) -> RetryPolicy {
        let limit = at.get("limit");
        let attempt = limit.as_ref().and_then(|limit| limit.get("attempt"));
        let jitter = at.get("jitter").and_then(|jitter| {
            let from = jitter.get("from").and_then(|at| self.duration(&at, place));
            let to = jitter.get("to").and_then(|at| self.duration(&at, place));
            self.check_jitter(&jitter, from.as_ref(), to.as_ref());
            Some(Jitter { from: from?, to: to? })
        });
        RetryPolicy {
            when: at.get("when").and_then(|at| self.expression(&at, place)),
            except_when: at.get("exceptWhen").and_then(|at| self.expression(&at, place)),
            delay: at.get("delay").and_then(|at| self.duration(&at, place)),
            backoff: at.get("backoff").and_then(|at| backoff(&at)),
            jitter,
            limit_count: attempt
                .as_ref()
                .and_then(|attempt| attempt.get("count")?.node.as_integer())
                .and_then(|count| u64::try_from(count).ok()),
            limit_attempt: attempt
                .as_ref()
                .and_then(|attempt| attempt.get("duration"))
                .and_then(|at| self.duration(&at, place)),
            limit_total: limit
                .as_ref()
                .and_then(|limit| limit.get("duration"))
                .and_then(|at| self.duration(&at, place)),
        }
    }

    fn check_jitter(
        &mut self,
        at: &At<'_>,
        from: Option<&crate::DurationSource>,
        to: Option<&crate::DurationSource>,
    ) {
        use crate::DurationSource::Fixed;
        if let (Some(Fixed(from)), Some(Fixed(to))) = (from, to)
            && from.after(0) > to.after(0)
        {
            let message = "the jitter's `from` is longer than its `to`";
            self.push(at.problem(Code::OutOfRange, message).hint("exchange them"));
        }
    }

    /// A call whose outcome is unknown may have happened: only one that can be repeated may be retried.
    fn refuse_unsafe_retry(&mut self, task: &At<'n>, catch: &At<'n>) {
        let kind =
            catch.get("errors").and_then(|errors| errors.get("with")?.get("type")?.text().cloned());
        let (Some(kind), Some(retry)) = (kind, catch.get("retry")) else { return };
        if &*kind != OUTCOME_UNKNOWN {
            return;
        }
        let Some(body) = task.get("try") else { return };
        if let Some(call) = self.first_once(&body, 0) {
            let message = format!(
                "this retry would repeat `{call}`, whose outcome is unknown and effect `once`"
            );
            self.push(retry.problem(Code::UnsafeRetry, message).hint(
                "find out in `catch.do` whether it happened, or declare `metadata.tutti.effect: idempotent` on the call if that is true",
            ));
        }
    }

    /// The pointer of the first call below a list that must not be made twice.
    fn first_once(&self, list: &At<'n>, depth: usize) -> Option<Arc<str>> {
        let mut tasks = list.items().filter_map(|item| item.members().next());
        tasks.find_map(|(_, task)| self.once_in(&task, depth))
    }

    /// The pointer of the first call in a task that must not be made twice; functions are looked into.
    fn once_in(&self, task: &At<'n>, depth: usize) -> Option<Arc<str>> {
        let called = task.get("call").and_then(|call| self.names.function_nodes.get(call.text()?));
        match (declared_effect(task), called) {
            (Some(Effect::Once), _) => return Some(task.pointer.clone()),
            (Some(Effect::Read | Effect::Idempotent), _) => return None,
            (None, Some(function)) if depth < MAX_CALL_DEPTH => {
                return self.once_in(function, depth + 1);
            }
            (None, _) => {}
        }
        if default_effect(task) == Some(Effect::Once) {
            return Some(task.pointer.clone());
        }
        nested_lists(task).iter().find_map(|list| self.first_once(list, depth))
    }
}

fn declared_effect(task: &At<'_>) -> Option<Effect> {
    let effect = task.get("metadata")?.get("tutti")?.get("effect")?;
    super::settings::effect(effect.text()?)
}

/// The effect a call has where its author says nothing; nothing for what makes no call itself.
fn default_effect(task: &At<'_>) -> Option<Effect> {
    match Keyword::of(task.node)? {
        Keyword::Call if task.get("call")?.text().is_some_and(|name| &**name == "http") => {
            let method = task.get("with")?.get("method")?.text()?.to_ascii_lowercase();
            Some(match method.as_str() {
                "get" | "head" | "options" => Effect::Read,
                "put" | "delete" => Effect::Idempotent,
                _ => Effect::Once,
            })
        }
        Keyword::Call if task.get("call")?.text().is_some_and(|name| &**name == "each") => None,
        // A child execution is known to us: its outcome is never unknown.
        Keyword::Run if task.get("run")?.get("workflow").is_some() => None,
        Keyword::Call | Keyword::Run => Some(Effect::Once),
        _ => None,
    }
}

fn nested_lists<'n>(task: &At<'n>) -> Vec<At<'n>> {
    let part = |first: &str, second: &str| task.get(first).and_then(|at| at.get(second));
    [
        task.get("do"),
        task.get("try"),
        part("catch", "do"),
        part("fork", "branches"),
        part("with", "do"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn backoff(at: &At<'_>) -> Option<Backoff> {
    at.members().find_map(|(key, _)| match &*key.text {
        "constant" => Some(Backoff::Constant),
        "linear" => Some(Backoff::Linear),
        "exponential" => Some(Backoff::Exponential),
        _ => None,
    })
}

/// A hint for a name that nothing declares.
pub(super) fn declared_hint(name: &str, names: &[&str], place: &str) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("add `{name}` to `{place}`"),
        None => format!("declared in `{place}`: {}", some_names(names)),
    }
}
