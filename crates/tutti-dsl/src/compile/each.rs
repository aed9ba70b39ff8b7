//! `call: each`, the dynamic fan-out.

use super::{At, Compiler, flow::Jumps, scope::Scopes};
use crate::{Call, Each, EachBody, MaxFailed, OnError, TaskKind, codes::Code};

impl<'n> Compiler<'n> {
    pub(super) fn each(&mut self, task: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let at = task.get("with")?;
        let item = self.variable(at.get("as").as_ref(), "item");
        let index = self.variable(at.get("at").as_ref(), "index");
        self.refuse_same_names(at.get("at").or_else(|| at.get("as")), &item, &index);
        let inner = scopes.with(&[&item, &index]);
        let collection = at.get("in").and_then(|at| self.transform(&at, &scopes.body));
        let limit = at.get("limit").and_then(|at| self.template(&at, &scopes.body));
        let arguments = at.get("with").and_then(|at| self.template(&at, &inner.body));
        let body = if let Some(list) = at.get("do") {
            Some(EachBody::Do(self.list(&list, &inner, Jumps::InLoop)))
        } else if let Some(function) = at.get("function") {
            let called = self.function_called(&function);
            if called.is_none() && self.outside.unloaded.is_some() {
                return Some(TaskKind::Call(Call::Unsupported));
            }
            called.map(EachBody::Function)
        } else {
            let workflow = at.get("workflow");
            workflow.and_then(|at| self.subworkflow(&at, &inner.body)).map(EachBody::Workflow)
        };
        let on_error = match at.get("onError").and_then(|at| at.text().cloned()).as_deref() {
            Some("collect") => OnError::Collect,
            _ => OnError::Stop,
        };
        let max_failed = at.get("maxFailed").and_then(|at| self.max_failed(&at, on_error));
        Some(TaskKind::Each(Each {
            collection: collection?,
            item,
            at: index,
            limit,
            body: body?,
            arguments,
            on_error,
            max_failed,
        }))
    }

    fn max_failed(&mut self, at: &At<'n>, on_error: OnError) -> Option<MaxFailed> {
        if on_error == OnError::Stop {
            let message = "`maxFailed` counts failures that `onError: stop` never lets happen";
            self.push(at.problem(Code::NotAllowed, message).hint("add `onError: collect`"));
            return None;
        }
        let text = at.text();
        let count = at.node.as_integer().and_then(|count| u64::try_from(count).ok());
        let percent = text
            .and_then(|text| text.strip_suffix('%'))
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent));
        let max = count.map(MaxFailed::Count).or(percent.map(MaxFailed::Percent));
        if max.is_none() && (text.is_some() || at.node.as_integer().is_some()) {
            let message = "`maxFailed` is a number from 0 or a percentage such as \"10%\"";
            self.push(at.problem(Code::OutOfRange, message));
        }
        max
    }
}
