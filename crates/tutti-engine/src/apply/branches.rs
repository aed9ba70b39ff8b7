//! What runs beside each other: loops, branches, items, and the joining of their exports.

use tutti_dsl::{Each, EachBody, MaxFailed, OnError, TaskId, TaskKind};
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Error, Timestamp};

use crate::{
    execution::Execution,
    frame::{Body, Branches, BranchesKind, Cursor, Ending, Frame, Role},
    undo::Undos,
};

impl Execution {
    pub(super) fn note_branch_started(&mut self, parent: Sequence, task: TaskId) {
        let position = self.branch_position(parent, task);
        self.touch(parent, |frame| {
            if let (Body::Fork(branches), Some(position)) = (&mut frame.body, position) {
                branches.begin(position);
            }
        });
    }

    /// Which branch of the fork `parent` the task is.
    pub(super) fn branch_position(&self, parent: Sequence, task: TaskId) -> Option<usize> {
        let fork = self.task_of(self.frame(parent)?)?;
        let TaskKind::Fork(fork) = &fork.kind else { return None };
        self.workflow.list(fork.branches).tasks.iter().position(|branch| *branch == task)
    }

    /// Which branch or item of `parent` the frame was.
    pub(super) fn position_in(&self, parent: Sequence, frame: &Frame) -> Option<usize> {
        match frame.role {
            Role::Item => frame.iteration.and_then(|index| usize::try_from(index).ok()),
            Role::Task => self.branch_position(parent, frame.task?),
            Role::Workflow | Role::Undo => None,
        }
    }

    pub(super) fn finish_fork_if_won(&mut self, fork: Sequence, branch: Option<usize>) {
        let mut won = false;
        self.touch(fork, |frame| {
            if let Body::Fork(branches) = &mut frame.body
                && matches!(branches.kind, BranchesKind::Fork { compete: true })
                && branches.winner.is_none()
                && frame.ending.is_none()
            {
                branches.winner = branch;
                won = true;
            }
        });
        if won {
            self.end_frame(fork, Ending::Finish);
        }
    }

    pub(super) fn on_loop_started(&mut self, task: Sequence, items: &Value, limit: Option<u64>) {
        let Some(kind) =
            self.frame(task).and_then(|frame| self.task_of(frame)).map(|task| &task.kind)
        else {
            return;
        };
        let count = items.as_array().map_or(0, <[Value]>::len);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let each = |each: &Each| BranchesKind::Each {
            items: items.clone(),
            limit,
            collect: each.on_error == OnError::Collect,
            allowed_failures: allowed_failures(each.max_failed, count),
        };
        let body = match kind {
            TaskKind::For(looped) => {
                let input = self.frame(task).map_or(Value::NULL, |frame| frame.input.clone());
                Body::For {
                    items: items.clone(),
                    index: 0,
                    entered: false,
                    cursor: Cursor::new(looped.body, input),
                }
            }
            TaskKind::Each(repeated) => {
                Body::Fork(Branches::new(each(repeated), count, self.context_of(task)))
            }
            _ => return,
        };
        self.set_body(task, body);
    }

    pub(super) fn on_item_started(
        &mut self,
        id: Sequence,
        at: Timestamp,
        parent: Sequence,
        index: u64,
    ) {
        let Some(each) = self.frame(parent) else { return };
        let Some(task) = each.task else { return };
        let TaskKind::Each(repeated) = &self.workflow.task(task).kind else {
            return self.on_event_item_started(id, at, parent, index);
        };
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        let item = match &each.body {
            Body::Fork(Branches { kind: BranchesKind::Each { items, .. }, .. }) => items
                .as_array()
                .and_then(|items| items.get(position))
                .cloned()
                .unwrap_or(Value::NULL),
            _ => return,
        };
        let body = match &repeated.body {
            EachBody::Do(list) => Body::List(Cursor::new(*list, item.clone())),
            EachBody::Function(_) | EachBody::Workflow(_) => Body::Fresh,
        };
        let context = Some(self.context_of(parent));
        self.touch(parent, |frame| {
            if let Body::Fork(branches) = &mut frame.body {
                branches.begin(position);
            }
        });
        self.insert(Frame {
            id,
            parent: Some(parent),
            task: Some(task),
            role: Role::Item,
            iteration: Some(index),
            started_at: at,
            raw: item.clone(),
            input: item,
            due: None,
            children: 0,
            ending: None,
            context,
            body,
            undos: Undos::new(),
            extensions: Vec::new(),
            queued: false,
        });
    }

    /// Applies what each branch changed in its `$context` to the surrounding one, in declaration order.
    pub(super) fn on_joined(&mut self, task: Sequence) {
        let Some(frame) = self.frame(task) else { return };
        let owner = self.context_owner(frame);
        let mut context = self.context_of(task);
        self.touch(task, |frame| {
            if let Body::Fork(branches) = &mut frame.body {
                branches.joined = true;
                let contexts = std::mem::take(&mut branches.contexts);
                let counts =
                    |branch: &usize| branches.winner.is_none_or(|winner| winner == *branch);
                for (_, changed) in contexts.iter().filter(|(branch, _)| counts(branch)) {
                    context = merge_changes(&branches.base, changed, &context);
                }
            }
        });
        self.touch(owner, |frame| frame.context = Some(context));
    }
}

impl Branches {
    /// The error these branches end with now that one of them ended with `error`, if they do.
    pub(super) fn fatal_error(&self, error: &Error) -> Option<Error> {
        match &self.kind {
            BranchesKind::Fork { compete: false } | BranchesKind::Each { collect: false, .. } => {
                Some(error.clone())
            }
            BranchesKind::Fork { compete: true } => {
                let errors = || {
                    self.results
                        .iter()
                        .map(|result| result.as_ref().and_then(|result| result.as_ref().err()))
                };
                errors()
                    .all(|error| error.is_some())
                    .then(|| errors().flatten().next().cloned())
                    .flatten()
            }
            BranchesKind::Each { allowed_failures, .. } => {
                (self.failed > *allowed_failures).then(|| error.clone())
            }
        }
    }
}

fn allowed_failures(max_failed: Option<MaxFailed>, count: usize) -> usize {
    match max_failed {
        None => usize::MAX,
        Some(MaxFailed::Count(allowed)) => usize::try_from(allowed).unwrap_or(usize::MAX),
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of at most 100,000 items, rounded down"
        )]
        Some(MaxFailed::Percent(percent)) => (count as f64 * percent / 100.0).max(0.0) as usize,
    }
}

/// `current` with the top-level keys that `changed` set, altered or removed compared with `base`.
fn merge_changes(base: &Value, changed: &Value, current: &Value) -> Value {
    let (Some(before), Some(after), Some(now)) =
        (base.as_object(), changed.as_object(), current.as_object())
    else {
        return changed.clone();
    };
    let kept = now.iter().filter(|(key, _)| before.get(key).is_none() || after.get(key).is_some());
    let altered = after.iter().filter(|(key, value)| before.get(key) != Some(*value));
    Value::object(kept.chain(altered).map(|(key, value)| (key.clone(), value.clone())))
}
