//! Whether an event is one that a `listen` awaits.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tutti_dsl::{
    AttributeFilter, Consumption, EventFilter, EventFilters, Listen, Read, TaskKind, Until,
    Workflow,
};
use tutti_expr::{Environment, Expression, Kind, Template, Value};
use tutti_ids::{Digest, TaskRef};
use tutti_journal::CloudEvent;

use crate::{environment::Scene, listening::Listening};

/// How an event is taken.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The filter it fills; none where every event is welcome.
    pub(crate) filter: Option<u32>,
    /// Whether it only counts towards the end.
    pub(crate) ends: bool,
    /// Correlations first seen in it.
    pub(crate) learned: Vec<(Arc<str>, Value)>,
}

/// Which events may concern a filter: enough to find it without evaluating anything of its execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInterest {
    /// The filter, those of `until` after the others; none where every event is welcome.
    pub filter: Option<u32>,
    /// The only type of event that can match, where that is known.
    pub kind: Option<Arc<str>>,
    /// The digest of what all its correlations must be, where that is known; see [`correlation_of`].
    pub correlation: Option<Digest>,
}

/// What a filter makes of an event, whoever listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventCorrelation {
    /// It can match no listener of this filter.
    Nobody,
    /// It can match listeners whose [`EventInterest::correlation`] is this, or is not known.
    Only(Digest),
    /// It may match any listener of this filter.
    Anybody,
}

impl EventInterest {
    /// Whether an event may concern a listener with this interest; `correlation` is what [`correlation_of`] says of the
    /// event and this filter.
    pub fn admits(&self, event: &CloudEvent, correlation: EventCorrelation) -> bool {
        let type_fits = self.kind.as_ref().is_none_or(|kind| **kind == *event.kind());
        type_fits
            && match correlation {
                EventCorrelation::Nobody => false,
                EventCorrelation::Only(digest) => self.correlation.is_none_or(|own| own == digest),
                EventCorrelation::Anybody => true,
            }
    }
}

/// What one filter of a `listen` makes of an event, as far as that is the same for all executions of a definition: what
/// depends on the event alone is evaluated here, once for all of them.
pub fn correlation_of(
    workflow: &Workflow,
    task: &TaskRef,
    filter: u32,
    event: &CloudEvent,
) -> EventCorrelation {
    let task = workflow.find(task.as_str()).map(|task| workflow.task(task));
    let Some(TaskKind::Listen(listen)) = task.map(|task| &task.kind) else {
        return EventCorrelation::Nobody;
    };
    let filter = usize::try_from(filter).ok().and_then(|filter| listen.filters().nth(filter));
    let Some(filter) = filter else { return EventCorrelation::Anybody };
    if !filter.attributes.iter().all(|(name, wanted)| may_fit(wanted, &attribute(name, event))) {
        return EventCorrelation::Nobody;
    }
    if !is_indexable(filter) {
        return EventCorrelation::Anybody;
    }
    let mut values = Vec::new();
    for correlation in &filter.correlations {
        match correlation.from.evaluate(event.envelope(), &Nowhere) {
            Ok(value) if !value.is_null() => values.push(value),
            Ok(_) | Err(_) => return EventCorrelation::Nobody,
        }
    }
    digest(values.iter()).map_or(EventCorrelation::Anybody, EventCorrelation::Only)
}

/// What the filters of a listener that still wait are interested in.
pub(crate) fn interests(listen: &Listen, state: &Listening) -> Vec<EventInterest> {
    let open = |events: &EventFilters, offset: usize| -> Vec<EventInterest> {
        if events.filters.is_empty() && events.consumption == Consumption::Any {
            return vec![EventInterest { filter: None, kind: None, correlation: None }];
        }
        let filters = (offset..).zip(&events.filters);
        filters.filter_map(|(index, filter)| interest(events, index, filter, state)).collect()
    };
    let mut found = open(&listen.events, 0);
    if let Until::Events(events) = &listen.until {
        found.extend(open(events, listen.events.filters.len()));
    }
    found
}

fn interest(
    events: &EventFilters,
    index: usize,
    filter: &EventFilter,
    state: &Listening,
) -> Option<EventInterest> {
    let number = u32::try_from(index).ok()?;
    if events.consumption == Consumption::All && state.filled.contains(&number) {
        return None;
    }
    let kind = filter.attributes.iter().find_map(|(name, filter)| match filter {
        AttributeFilter::Literal(value) if &**name == "type" => value.as_str().map(Arc::from),
        _ => None,
    });
    let expected = filter.correlations.iter().map(|known| state.expectation(index, &known.name));
    let expected: Option<Vec<&Value>> = expected.collect();
    let correlation =
        expected.filter(|_| is_indexable(filter)).and_then(|values| digest(values.into_iter()));
    Some(EventInterest { filter: Some(number), kind, correlation })
}

/// Whether what the correlations take from an event depends on the event alone.
fn is_indexable(filter: &EventFilter) -> bool {
    !filter.correlations.is_empty()
        && filter.correlations.iter().all(|known| stands_alone(&known.from))
}

/// Whether an expression depends on its input alone.
fn stands_alone(expression: &Expression) -> bool {
    expression.variables().next().is_none() && !expression.source().contains("now")
}

/// Whether an attribute may be as wanted; false only where that does not depend on who listens.
fn may_fit(wanted: &AttributeFilter, found: &Value) -> bool {
    match wanted {
        AttributeFilter::Literal(_) | AttributeFilter::Pattern(..) => is_as_written(wanted, found),
        AttributeFilter::Computed(Template::Expression(expression)) => {
            !stands_alone(expression)
                || is_verdict(expression.evaluate(found, &Nowhere).ok(), found)
        }
        AttributeFilter::Computed(_) => true,
    }
}

/// Whether an attribute is as a filter without an expression says.
fn is_as_written(wanted: &AttributeFilter, found: &Value) -> bool {
    match wanted {
        AttributeFilter::Literal(value) => found == value,
        AttributeFilter::Pattern(text, regex) => {
            found.as_str().is_some_and(|found| found == &**text || regex.is_match(found))
        }
        AttributeFilter::Computed(_) => false,
    }
}

/// The attribute of this name, or the data.
fn attribute(name: &str, event: &CloudEvent) -> Value {
    match name {
        "data" => event.data(),
        _ => event.attribute(name).cloned().unwrap_or(Value::NULL),
    }
}

/// A digest that is the same for equal values; none where the values are of kinds whose equality it cannot tell.
fn digest<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Digest> {
    const EXACT: i64 = 1 << 53;
    let mut hash = Sha256::new();
    for value in values {
        match value.kind() {
            Kind::String(text) => {
                hash.update(b"s");
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            Kind::Bool(truth) => hash.update([b'b', u8::from(truth)]),
            Kind::Integer(number) if (-EXACT..=EXACT).contains(&number) => {
                hash.update(b"i");
                hash.update(number.to_be_bytes());
            }
            _ => return None,
        }
    }
    Some(Digest(hash.finalize().into()))
}

/// Where nothing but the event is known.
struct Nowhere;

impl Environment for Nowhere {
    fn variable(&self, _: &str) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        0
    }
}

/// What of an event is used.
pub(crate) fn read(event: &CloudEvent, read: Read) -> Value {
    match read {
        Read::Data => event.data(),
        Read::Envelope => event.envelope().clone(),
        Read::Raw => event.raw(),
    }
}

impl Scene<'_> {
    /// How a listener takes an event; not at all where nothing matches. What ends the consumption comes first.
    pub(crate) fn take(
        &self,
        listen: &Listen,
        state: &Listening,
        event: &CloudEvent,
    ) -> Option<Taken> {
        if let Until::Events(events) = &listen.until
            && let Some(taken) = self.first_match(events, listen.events.filters.len(), state, event)
        {
            return Some(Taken { ends: true, ..taken });
        }
        self.first_match(&listen.events, 0, state, event)
    }

    fn first_match(
        &self,
        events: &EventFilters,
        offset: usize,
        state: &Listening,
        event: &CloudEvent,
    ) -> Option<Taken> {
        if events.filters.is_empty() && events.consumption == Consumption::Any {
            return Some(Taken::default());
        }
        (offset..).zip(&events.filters).find_map(|(index, filter)| {
            let number = u32::try_from(index).ok()?;
            if events.consumption == Consumption::All && state.filled.contains(&number) {
                return None;
            }
            if !filter.attributes.iter().all(|(name, wanted)| self.fits(name, wanted, event)) {
                return None;
            }
            let learned = self.correlate(index, filter, state, event)?;
            Some(Taken { filter: Some(number), ends: false, learned })
        })
    }

    /// Whether an attribute (or the data) is as wanted. An expression that fails on an event does not match it.
    fn fits(&self, name: &str, wanted: &AttributeFilter, event: &CloudEvent) -> bool {
        let found = attribute(name, event);
        match wanted {
            AttributeFilter::Literal(_) | AttributeFilter::Pattern(..) => {
                is_as_written(wanted, &found)
            }
            AttributeFilter::Computed(Template::Expression(expression)) => {
                is_verdict(self.evaluate_expression(expression, &found).ok(), &found)
            }
            AttributeFilter::Computed(Template::Loose { expression, literal }) => {
                found == *literal
                    || is_verdict(self.evaluate_expression(expression, &found).ok(), &found)
            }
            AttributeFilter::Computed(template) => {
                self.evaluate(template, &found).is_ok_and(|value| value == found)
            }
        }
    }

    /// What the event's correlations teach, if they are as expected.
    fn correlate(
        &self,
        index: usize,
        filter: &EventFilter,
        state: &Listening,
        event: &CloudEvent,
    ) -> Option<Vec<(Arc<str>, Value)>> {
        let mut learned = Vec::new();
        for correlation in &filter.correlations {
            let found = self.evaluate_expression(&correlation.from, event.envelope()).ok()?;
            if found.is_null() {
                return None;
            }
            match state.expectation(index, &correlation.name) {
                Some(expected) if *expected != found => return None,
                Some(_) => {}
                None => learned.push((correlation.name.clone(), found)),
            }
        }
        Some(learned)
    }
}

/// A boolean says whether the attribute matches; anything else but `null` is what it must be equal to. None is an
/// expression that failed.
fn is_verdict(value: Option<Value>, found: &Value) -> bool {
    value.is_some_and(|value| match value.as_bool() {
        Some(verdict) => verdict,
        None => !value.is_null() && value == *found,
    })
}
