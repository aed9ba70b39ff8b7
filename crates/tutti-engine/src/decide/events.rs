//! `emit` and `listen`.

use std::sync::Arc;

use tutti_dsl::{Emit, EventIterator, Listen, TaskKind, Until};
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{CloudEvent, Entry, Error, ErrorType, EventPosition};

use crate::{
    advance::Stepper,
    chance,
    data_flow::Result,
    environment::{Scene, iso8601},
    frame::{Body, Frame, Role},
    input::Rejection,
    listening::Listening,
    matching::read,
};

impl Stepper<'_> {
    /// `emit` gives the event what every event needs and hands it on as it is published.
    pub(super) fn emit(&mut self, id: Sequence, emit: &Emit) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let mut members = self.event_defaults();
        for (name, template) in &emit.attributes {
            let value = scene.evaluate(template, &frame.input)?;
            members.push((name.clone(), value));
        }
        let event = CloudEvent::from_value(&Value::object(members)).map_err(|error| {
            let detail = format!("the event cannot be emitted: {error}");
            Box::new(Error::new(ErrorType::Validation, detail))
        })?;
        drop(scene);
        self.record(Entry::EventEmitted { task: id, event: event.envelope().clone() });
        self.complete(id, None);
        Ok(())
    }

    fn event_defaults(&self) -> Vec<(Arc<str>, Value)> {
        let execution = &self.execution;
        let id = chance::draw(execution.seed, execution.next, "event");
        let definition = &execution.definition;
        let source = format!("tutti://{}/{}", definition.namespace, definition.name);
        vec![
            (Arc::from("specversion"), Value::from("1.0")),
            (Arc::from("id"), Value::from(format!("{id:032x}"))),
            (Arc::from("source"), Value::from(source)),
            (Arc::from("time"), Value::from(iso8601(self.surroundings.now))),
        ]
    }

    /// `listen` looks at every event since the execution began, and at those to come.
    pub(super) fn listen(&mut self, id: Sequence, listen: &Listen) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let mut expected = Vec::new();
        let mut known = false;
        for filter in listen.filters() {
            let mut names = Vec::new();
            for correlation in &filter.correlations {
                if let Some(expect) = &correlation.expect {
                    names.push((correlation.name.clone(), scene.evaluate(expect, &frame.input)?));
                }
            }
            known |= !names.is_empty();
            expected.push(Value::object(names));
        }
        drop(scene);
        let expected = known.then(|| Value::array(expected));
        let after = self.execution.events_after;
        self.record(Entry::ListenStarted { task: id, after, expected });
        self.go_on_listening(id);
        Ok(())
    }

    /// An event was received. It is refused without a trace where the listener does not want it.
    pub(crate) fn on_event(
        &mut self,
        task: Sequence,
        position: EventPosition,
        event: &CloudEvent,
    ) -> std::result::Result<(), Rejection> {
        let stale = Rejection::Stale { task };
        let frame = self.execution.frame(task).ok_or(stale)?;
        let (Some(state), Some(listen)) = (frame.listening(), self.listen_of(frame)) else {
            return Err(stale);
        };
        if !state.is_open(frame) || self.execution.is_still() {
            return Err(stale);
        }
        if position <= state.after || self.execution.has_consumed(frame, position) {
            return Err(Rejection::NotMatched);
        }
        let mut scene = Scene::of(self.execution, &self.surroundings, frame);
        scene.context = Some(state.context.clone());
        let taken = scene.take(listen, state, event).ok_or(Rejection::NotMatched)?;
        let entry = Entry::EventConsumed {
            task,
            position,
            filter: taken.filter,
            ends: taken.ends,
            item: (!taken.ends).then(|| read(event, listen.read)),
            learned: (!taken.learned.is_empty()).then(|| Value::object(taken.learned)),
            source: shown(event, "source"),
            id: shown(event, "id"),
        };
        let index = state.consumed;
        let iterates = listen.iterator.is_some() && !taken.ends;
        drop(scene);
        self.record(entry);
        if iterates {
            self.record(Entry::ItemStarted { task, index });
        } else {
            self.go_on_listening(task);
        }
        Ok(())
    }

    /// Ends a `listen` that has what it asked for.
    fn go_on_listening(&mut self, id: Sequence) {
        let Some(frame) = self.execution.frame(id) else { return };
        let (Some(state), Some(listen)) = (frame.listening(), self.listen_of(frame)) else {
            return;
        };
        match self.is_over(frame, state, listen) {
            Ok(true) => self.complete(id, None),
            Ok(false) => {}
            Err(error) => self.fault(id, *error),
        }
    }

    fn is_over(&self, frame: &Frame, state: &Listening, listen: &Listen) -> Result<bool> {
        let limits = &self.surroundings.limits;
        let refuse = |detail: String| Err(Box::new(Error::new(ErrorType::Validation, detail)));
        if state.items.len() > limits.events_per_listen {
            let limit = limits.events_per_listen;
            return refuse(format!("the task consumed more events than the limit of {limit}"));
        }
        if state.bytes > limits.value_bytes as u64 {
            let limit = limits.value_bytes;
            return refuse(format!(
                "the events are together larger than the limit of {limit} bytes"
            ));
        }
        match &listen.until {
            Until::Expression(until) if state.consumed > 0 => {
                let items = Value::array(state.items.iter().cloned());
                Scene::of(self.execution, &self.surroundings, frame).holds(until, &items)
            }
            _ => Ok(state.is_complete(listen)),
        }
    }

    /// Ends what `foreach` does with one event: `output`, then `export`; then the `listen` goes on.
    pub(super) fn complete_event_item(&mut self, id: Sequence) {
        let Some(listen) = self.execution.frame(id).and_then(|item| item.parent) else { return };
        match self.closing_event_item(id, listen) {
            Ok((output, context)) => {
                let known = self.execution.frame(id).map_or(Value::NULL, Frame::raw_output);
                let output = (output != known || output.is_tainted() != known.is_tainted())
                    .then_some(output);
                let then = tutti_journal::Flow::Continue;
                self.record(Entry::TaskCompleted { task: id, output, context, then });
                self.go_on_listening(listen);
            }
            Err(error) => self.fault(id, *error),
        }
    }

    fn closing_event_item(&self, id: Sequence, listen: Sequence) -> Result<(Value, Option<Value>)> {
        let (Some(item), Some(around)) = (self.execution.frame(id), self.execution.frame(listen))
        else {
            return Ok((Value::NULL, None));
        };
        let raw = item.raw_output();
        let Some(iterator) = self.iterator_of(around) else { return Ok((raw, None)) };
        let mut scene = Scene::of(self.execution, &self.surroundings, around);
        scene.around = Some(id);
        let output = scene.accept_output(&iterator.flow, &raw)?;
        scene.output = Some(output.clone());
        let context = scene.accept_export(&iterator.flow, &output)?;
        Ok((output, context))
    }

    /// Whether a frame is what `foreach` of a `listen` does with one event.
    pub(super) fn is_event_item(&self, frame: &Frame) -> bool {
        frame.role == Role::Item && self.listen_of(frame).is_some()
    }

    fn listen_of(&self, frame: &Frame) -> Option<&Listen> {
        match &self.execution.task_of(frame)?.kind {
            TaskKind::Listen(listen) => Some(listen),
            _ => None,
        }
    }

    fn iterator_of(&self, frame: &Frame) -> Option<&EventIterator> {
        self.listen_of(frame)?.iterator.as_ref()
    }
}

impl Frame {
    pub(crate) fn listening(&self) -> Option<&Listening> {
        match &self.body {
            Body::Listen(state) => Some(state),
            _ => None,
        }
    }
}

impl Listening {
    /// Whether the next event may be looked at: one after the other, and none once it is being given up.
    pub(crate) fn is_open(&self, frame: &Frame) -> bool {
        self.current.is_none() && frame.ending.is_none()
    }
}

/// An attribute for the journal's structure, where nothing is sealed.
fn shown(event: &CloudEvent, name: &str) -> Arc<str> {
    let attribute = event.attribute(name).filter(|value| !value.is_tainted());
    Arc::from(attribute.and_then(Value::as_str).unwrap_or("«secret»"))
}
