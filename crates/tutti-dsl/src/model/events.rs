//! `emit` and `listen`.

use std::sync::Arc;

use regex::Regex;
use tutti_expr::{Expression, Template, Value};

use super::{DataFlow, ListId};

/// `emit`
#[derive(Debug)]
pub struct Emit {
    /// `event.with`: attributes and `data` as written.
    pub attributes: Vec<(Arc<str>, Template)>,
}

/// `listen`
#[derive(Debug)]
pub struct Listen {
    /// `to`, without `until`.
    pub events: EventFilters,
    /// `to.until`
    pub until: Until,
    /// `read`
    pub read: Read,
    /// `foreach`
    pub iterator: Option<EventIterator>,
}

impl Listen {
    /// Whether nothing ends the consumption and what is consumed is handed to `foreach` alone.
    pub fn is_endless(&self) -> bool {
        let open = matches!(self.until, Until::Never)
            || (matches!(self.until, Until::Absent) && self.events.consumption == Consumption::Any);
        open && self.iterator.is_some()
    }

    /// The filters of `to` and then those of `until`, in the order written.
    pub fn filters(&self) -> impl Iterator<Item = &EventFilter> {
        let ending = match &self.until {
            Until::Events(events) => &events.filters[..],
            Until::Absent | Until::Never | Until::Expression(_) => &[],
        };
        self.events.filters.iter().chain(ending)
    }
}

/// Until when events are consumed.
#[derive(Debug)]
pub enum Until {
    /// Nothing is said: as many events as the strategy takes.
    Absent,
    /// An expression that is plainly `false`.
    Never,
    /// Until it is true of what was consumed.
    Expression(Expression),
    /// Until these events were consumed.
    Events(EventFilters),
}

/// Events to consume.
#[derive(Debug)]
pub struct EventFilters {
    /// How many.
    pub consumption: Consumption,
    /// Which; none with [`Consumption::Any`] stands for every event.
    pub filters: Vec<EventFilter>,
}

/// How many events are consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumption {
    /// `one`: one that matches.
    One,
    /// `any`: one that any filter matches.
    Any,
    /// `all`: one for each filter.
    All,
}

/// What of an event is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Read {
    /// Its data.
    #[default]
    Data,
    /// Its attributes and data.
    Envelope,
    /// Its data as it was written.
    Raw,
}

/// Which events match.
#[derive(Debug)]
pub struct EventFilter {
    /// `with`: what each attribute (or `data`) must be.
    pub attributes: Vec<(Arc<str>, AttributeFilter)>,
    /// `correlate`
    pub correlations: Vec<Correlation>,
}

/// What an attribute must be.
#[derive(Debug)]
pub enum AttributeFilter {
    /// Equal to this.
    Literal(Value),
    /// Equal to this text, or matched by it as a whole.
    Pattern(Arc<str>, Regex),
    /// What this yields: a verdict, or what the attribute must be equal to.
    Computed(Template),
}

/// `correlate`: a value of the event that ties it to the execution.
#[derive(Debug)]
pub struct Correlation {
    /// Its name.
    pub name: Arc<str>,
    /// `from`: takes the value from the event's envelope.
    pub from: Expression,
    /// `expect`; absent: the first value seen.
    pub expect: Option<Template>,
}

/// `foreach` of a `listen`.
#[derive(Debug)]
pub struct EventIterator {
    /// `item`, default `item`.
    pub item: Arc<str>,
    /// `at`, default `index`.
    pub at: Arc<str>,
    /// `do`; empty where there is none.
    pub body: ListId,
    /// `output` and `export`.
    pub flow: DataFlow,
}
