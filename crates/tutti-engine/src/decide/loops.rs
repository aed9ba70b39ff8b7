//! `for`, `fork` and `each`.

use std::sync::Arc;

use tutti_dsl::{Each, EachBody, For, TaskKind};
use tutti_expr::{Template, Value};
use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType};

use super::Candidate;
use crate::{
    advance::Stepper,
    data_flow::Result,
    environment::Scene,
    frame::{Body, BranchesKind, Role},
};

impl Stepper<'_> {
    /// Evaluates the collection of a `for`, once.
    pub(super) fn begin_for(&mut self, id: Sequence, looped: &For) -> Result<()> {
        let items = self.collection(id, &looped.collection, "for.in")?;
        self.record(Entry::LoopStarted { task: id, items, limit: None });
        Ok(())
    }

    /// Evaluates the collection of an `each`, once, and how many of its items run at a time.
    pub(super) fn begin_each(&mut self, id: Sequence, each: &Each) -> Result<()> {
        let items = self.collection(id, &each.collection, "in")?;
        let limit = match &each.limit {
            None => None,
            Some(limit) => Some(positive(&self.evaluate(id, limit)?)?),
        };
        self.record(Entry::LoopStarted { task: id, items, limit });
        Ok(())
    }

    fn collection(&self, id: Sequence, template: &Template, what: &str) -> Result<Value> {
        let items = self.evaluate(id, template)?;
        let items = if items.is_null() { Value::array([]) } else { items };
        let limit = self.surroundings.limits.iterations;
        match items.as_array().map(<[Value]>::len) {
            Some(count) if count <= limit => Ok(items),
            Some(count) => {
                let detail =
                    format!("`{what}` yields {count} items, more than the limit of {limit}");
                Err(Box::new(Error::new(ErrorType::Validation, detail)))
            }
            None => {
                let detail = format!("`{what}` must yield an array, not {}", excerpt(&items));
                Err(Box::new(Error::new(ErrorType::Expression, detail)))
            }
        }
    }

    /// The next task of the iteration, or the next iteration as long as there is one and `while` holds.
    pub(super) fn go_on_for(&mut self, id: Sequence) {
        let Some(frame) = self.execution.frame(id) else { return };
        let Body::For { items, index, entered, cursor } = &frame.body else { return };
        let next = self.execution.task_at(cursor.list, cursor.position);
        if let (true, Some(task)) = (*entered, next) {
            return self.start_task(Candidate { task, parent: id, iteration: Some(*index) });
        }
        let index = if *entered { index + 1 } else { *index };
        let more = usize::try_from(index)
            .is_ok_and(|index| index < items.as_array().map_or(0, <[Value]>::len));
        let first = self.execution.task_at(cursor.list, 0).filter(|_| more);
        match first.map(|task| (task, self.is_next_wanted(id, index))) {
            Some((task, Ok(true))) => {
                self.start_task(Candidate { task, parent: id, iteration: Some(index) });
            }
            Some((_, Err(error))) => self.fault(id, *error),
            Some((_, Ok(false))) | None => self.complete(id, None),
        }
    }

    /// `while`, checked before each iteration on its input.
    fn is_next_wanted(&self, id: Sequence, index: u64) -> Result<bool> {
        let Some(frame) = self.execution.frame(id) else { return Ok(false) };
        let Some(TaskKind::For(looped)) = self.execution.task_of(frame).map(|task| &task.kind)
        else {
            return Ok(false);
        };
        let Some(condition) = &looped.condition else { return Ok(true) };
        let mut scene = Scene::of(self.execution, &self.surroundings, frame);
        scene.bound = self.loop_bindings(id, index);
        scene.holds(condition, &frame.data_for_children())
    }

    /// The loop's variables in the iteration `index`, which may not have begun yet.
    pub(super) fn loop_bindings(&self, id: Sequence, index: u64) -> Vec<(Arc<str>, Value)> {
        let Some(frame) = self.execution.frame(id) else { return Vec::new() };
        let (Body::For { items, .. }, Some(TaskKind::For(looped))) =
            (&frame.body, self.execution.task_of(frame).map(|task| &task.kind))
        else {
            return Vec::new();
        };
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        let item =
            items.as_array().and_then(|items| items.get(position)).cloned().unwrap_or(Value::NULL);
        let index = Value::from(i64::try_from(index).unwrap_or(i64::MAX));
        vec![(looped.item.clone(), item), (looped.at.clone(), index)]
    }

    /// The next branch or item, or the end once all are gone.
    pub(super) fn go_on_branches(&mut self, id: Sequence) {
        let Some(frame) = self.execution.frame(id) else { return };
        let Body::Fork(branches) = &frame.body else { return };
        let (next, width) = (branches.upcoming(), branches.results.len());
        if next >= width {
            return self.complete(id, None);
        }
        let limit = self.surroundings.limits.fork_width;
        match branches.kind {
            BranchesKind::Fork { .. } if width > limit => {
                let detail =
                    format!("the fork has {width} branches, more than the limit of {limit}");
                self.fault(id, Error::new(ErrorType::Configuration, detail));
            }
            BranchesKind::Fork { .. } => {
                let Some(TaskKind::Fork(fork)) =
                    self.execution.task_of(frame).map(|task| &task.kind)
                else {
                    return;
                };
                let Some(task) = self.execution.task_at(fork.branches, next) else { return };
                self.start_task(Candidate { task, parent: id, iteration: None });
            }
            BranchesKind::Each { .. } => {
                self.record(Entry::ItemStarted { task: id, index: next as u64 });
            }
        }
    }

    /// An item of an `each` over a function or workflow.
    pub(super) fn begin_item(&mut self, id: Sequence, each: &Each) -> Result<()> {
        let arguments = each.arguments.as_ref();
        match &each.body {
            EachBody::Function(_) => self.call_function(id, arguments),
            EachBody::Workflow(child) => {
                self.start_child(id, child, arguments.or(child.input.as_ref()), true)
            }
            EachBody::Do(_) => {
                debug_assert!(
                    self.execution.frame(id).is_none_or(|frame| frame.role != Role::Item)
                );
                Ok(())
            }
        }
    }
}

fn positive(limit: &Value) -> Result<u64> {
    let number =
        limit.as_i64().and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0);
    number.ok_or_else(|| {
        let detail = format!("`limit` must yield a whole number from 1, not {}", excerpt(limit));
        Box::new(Error::new(ErrorType::Expression, detail))
    })
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_redacted_json();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
