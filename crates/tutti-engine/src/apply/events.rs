//! What events do.

use tutti_dsl::TaskKind;
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Entry, EventPosition, Timestamp};

use crate::{
    execution::Execution,
    frame::{Body, Cursor, Frame, Role},
    listening::Listening,
    undo::Undos,
};

impl Execution {
    pub(super) fn apply_to_events(&mut self, entry: &Entry) {
        match entry {
            Entry::EventEmitted { task, event } => {
                self.set_body(*task, Body::Emitted(event.clone()));
            }
            Entry::ListenStarted { task, after, expected } => {
                self.on_listen_started(*task, *after, expected.as_ref());
            }
            Entry::EventConsumed { task, position, filter, ends, item, learned, .. } => {
                let taken = Consumption { filter: *filter, ends: *ends, learned: learned.as_ref() };
                self.on_event_consumed(*task, *position, item.as_ref(), &taken);
            }
            _ => {}
        }
    }

    fn on_listen_started(
        &mut self,
        task: Sequence,
        after: EventPosition,
        expected: Option<&Value>,
    ) {
        let kind = self.frame(task).and_then(|frame| self.task_of(frame)).map(|task| &task.kind);
        let Some(TaskKind::Listen(listen)) = kind else { return };
        let collects = !listen.is_endless();
        let expected = expected.cloned().unwrap_or(Value::NULL);
        let state = Listening::new(after, expected, self.context_of(task), collects);
        self.set_body(task, Body::Listen(Box::new(state)));
    }

    fn on_event_consumed(
        &mut self,
        task: Sequence,
        position: EventPosition,
        item: Option<&Value>,
        taken: &Consumption<'_>,
    ) {
        let Some(frame) = self.frame(task) else { return };
        let owner = self.context_owner(frame);
        let kind = self.task_of(frame).map(|task| &task.kind);
        let iterates = matches!(kind, Some(TaskKind::Listen(listen)) if listen.iterator.is_some());
        self.lines.entry(owner).or_default().insert(position);
        self.touch(task, |frame| {
            let Body::Listen(state) = &mut frame.body else { return };
            state.after = state.after.max(position);
            state.filled.extend(taken.filter);
            for (name, value) in taken
                .learned
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(tutti_expr::Object::iter)
            {
                state.learned.insert(name.clone(), value.clone());
            }
            if taken.ends {
                state.ending += 1;
                return;
            }
            state.consumed += 1;
            let item = item.cloned().unwrap_or(Value::NULL);
            if iterates {
                state.current = Some(item);
            } else {
                state.keep(item);
            }
        });
    }

    /// What `foreach` does with one event begins.
    pub(super) fn on_event_item_started(
        &mut self,
        id: Sequence,
        at: Timestamp,
        parent: Sequence,
        index: u64,
    ) {
        let Some(around) = self.frame(parent) else { return };
        let Some(task) = around.task else { return };
        let TaskKind::Listen(listen) = &self.workflow.task(task).kind else { return };
        let (Some(iterator), Some(state)) = (&listen.iterator, around.listening()) else { return };
        let item = state.current.clone().unwrap_or(Value::NULL);
        self.insert(Frame {
            id,
            parent: Some(parent),
            task: Some(task),
            role: Role::Item,
            iteration: Some(index),
            started_at: at,
            raw: item.clone(),
            input: item.clone(),
            due: None,
            children: 0,
            ending: None,
            context: None,
            body: Body::List(Cursor::new(iterator.body, item)),
            queued: false,
            undos: Undos::new(),
            extensions: Vec::new(),
        });
    }
}

/// How an event was taken.
struct Consumption<'a> {
    filter: Option<u32>,
    ends: bool,
    learned: Option<&'a Value>,
}
