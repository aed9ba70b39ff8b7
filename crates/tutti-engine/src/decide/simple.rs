//! Tasks that need nothing but their input: `set`, `switch`, `raise`, `wait`.

use std::sync::Arc;

use tutti_dsl::{Case, DurationSource, Task};
use tutti_expr::{Template, Value};
use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType};

use super::flow;
use crate::{advance::Stepper, data_flow::Result, environment::Scene};

/// The members of an error that the language names; all others are extensions.
const KNOWN: [&str; 5] = ["type", "status", "title", "detail", "instance"];

impl Stepper<'_> {
    /// `set` replaces the data.
    pub(super) fn set(&mut self, id: Sequence, template: &Template) -> Result<()> {
        let value = self.evaluate(id, template)?;
        self.complete(id, Some(value));
        Ok(())
    }

    /// `switch` takes the first case that holds, in declaration order; the default only if none does.
    pub(super) fn switch(&mut self, id: Sequence, task: &Task, cases: &[Case]) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let mut chosen = None;
        for case in cases {
            if let Some(when) = &case.when
                && scene.holds(when, &frame.input)?
            {
                chosen = Some(case);
                break;
            }
        }
        let chosen = chosen.or_else(|| cases.iter().find(|case| case.when.is_none()));
        let then = flow(chosen.map_or(task.then, |case| case.then));
        drop(scene);
        let case = chosen.map(|case| case.name.to_string());
        self.record(Entry::CaseSelected { task: id, case, then });
        self.complete(id, None);
        Ok(())
    }

    /// `raise` faults with the error its template yields; one that was an error before keeps where it came from as cause.
    pub(super) fn raise(&mut self, id: Sequence, template: &Template) -> Result<()> {
        let value = self.evaluate(id, template)?;
        let error = raised_error(&value)?;
        self.fault(id, error);
        Ok(())
    }

    /// `wait` lasts until its timer fires.
    pub(super) fn wait(&mut self, id: Sequence, duration: &DurationSource) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let due =
            Scene::of(self.execution, &self.surroundings, frame).due(duration, &frame.input)?;
        self.record(Entry::WaitStarted { task: id, due });
        if due <= self.surroundings.now {
            self.complete(id, None);
        }
        Ok(())
    }

    /// Evaluates a template of a task on its transformed input.
    pub(super) fn evaluate(&self, id: Sequence, template: &Template) -> Result<Value> {
        let Some(frame) = self.execution.frame(id) else { return Ok(Value::NULL) };
        Scene::of(self.execution, &self.surroundings, frame).evaluate(template, &frame.input)
    }
}

/// Reads an error from the value a `raise` yields.
fn raised_error(value: &Value) -> Result<Error> {
    let malformed = |what: &str| {
        let detail = format!("`raise.error` must yield an error with {what}");
        Box::new(Error::new(ErrorType::Expression, detail))
    };
    let is_secret = |name| value.get(name).is_some_and(Value::is_tainted);
    if is_secret("type") || is_secret("status") {
        return Err(malformed("a `type` and a `status` that do not come from a secret"));
    }
    let kind = value
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| malformed("a string as its `type`"))?;
    let title = value.get("title").filter(|title| !title.is_null());
    if title.is_some_and(|title| title.as_str().is_none()) {
        return Err(malformed("a string as its `title`"));
    }
    let status = value
        .get("status")
        .and_then(Value::as_i64)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(|| malformed("a number as its `status`"))?;
    let extra: Vec<(Arc<str>, Value)> = value
        .as_object()
        .into_iter()
        .flat_map(tutti_expr::Object::iter)
        .filter(|(key, _)| !KNOWN.contains(&&***key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut error = Error {
        kind: Arc::from(kind),
        status,
        title: title.cloned(),
        detail: value.get("detail").filter(|detail| !detail.is_null()).cloned(),
        instance: Arc::from(""),
        extra: (!extra.is_empty()).then(|| Value::object(extra)),
    };
    if let Some(instance) = value
        .get("instance")
        .filter(|instance| instance.as_str().is_some_and(|text| !text.is_empty()))
    {
        error = error.with("cause", instance.clone());
    }
    Ok(error)
}
