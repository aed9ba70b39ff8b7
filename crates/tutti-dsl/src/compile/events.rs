//! `emit` and `listen`.

use std::sync::Arc;

use regex::RegexBuilder;
use tutti_expr::{Template, Value};

use super::{
    At, Compiler,
    flow::Jumps,
    scope::{Place, Scopes},
};
use crate::{
    AttributeFilter, Consumption, Correlation, DataFlow, Emit, EventFilter, EventFilters,
    EventIterator, Listen, Read, TaskKind, Until, codes::Code,
};

/// Bytes a compiled pattern may take.
const MAX_PATTERN: usize = 1 << 20;
/// What makes a pattern of a text; a dot alone does not.
const SPECIAL: &[char] = &['\\', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'];
/// Filters of one `listen` or schedule, those of `until` included.
const MAX_FILTERS: usize = 100;

impl<'n> Compiler<'n> {
    pub(super) fn emit(&mut self, task: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let with = task.get("emit")?.get("event")?.get("with")?;
        let mut attributes = Vec::new();
        for (key, at) in with.members() {
            if matches!(&*key.text, "source" | "dataschema") {
                self.uri_or_expression(&at);
            }
            let template = self.template(&at, &scopes.body);
            attributes.push(template.map(|template| (key.text.clone(), template)));
        }
        let attributes = attributes.into_iter().collect::<Option<Vec<_>>>()?;
        Some(TaskKind::Emit(Emit { attributes }))
    }

    pub(super) fn listen(&mut self, task: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let at = task.get("listen")?;
        let to = at.get("to")?;
        let (events, until) = self.events(&to, &scopes.body)?;
        let read = at.get("read").map_or(Read::Data, |at| read(&at));
        let iterator = task.get("foreach").map(|at| self.event_iterator(&at, scopes));
        Some(TaskKind::Listen(Box::new(Listen { events, until, read, iterator })))
    }

    /// Which events are consumed, and until when.
    pub(super) fn events(&mut self, to: &At<'n>, place: &Place) -> Option<(EventFilters, Until)> {
        let events = self.event_filters(to, place);
        let until = self.until(to, place);
        let (events, until) = (events?, until?);
        let ending = match &until {
            Until::Events(events) => events.filters.len(),
            Until::Absent | Until::Never | Until::Expression(_) => 0,
        };
        let count = events.filters.len() + ending;
        if count > MAX_FILTERS {
            let message = format!("{count} event filters are more than the limit of {MAX_FILTERS}");
            self.push(to.problem(Code::OutOfRange, message));
        }
        Some((events, until))
    }

    fn until(&mut self, to: &At<'n>, place: &Place) -> Option<Until> {
        let Some(at) = to.get("until") else { return Some(Until::Absent) };
        if at.text().is_none() {
            return self.event_filters(&at, place).map(Until::Events);
        }
        let expression = self.expression(&at, place)?;
        Some(match expression.source().trim() {
            "false" => Until::Never,
            _ => Until::Expression(expression),
        })
    }

    fn event_filters(&mut self, at: &At<'n>, place: &Place) -> Option<EventFilters> {
        let (consumption, filters): (_, Vec<At<'n>>) = if let Some(one) = at.get("one") {
            (Consumption::One, vec![one])
        } else if let Some(any) = at.get("any") {
            (Consumption::Any, any.items().collect())
        } else {
            (Consumption::All, at.get("all")?.items().collect())
        };
        let filters: Vec<_> = filters.iter().map(|at| self.event_filter(at, place)).collect();
        Some(EventFilters { consumption, filters: filters.into_iter().collect::<Option<_>>()? })
    }

    fn event_filter(&mut self, at: &At<'n>, place: &Place) -> Option<EventFilter> {
        let with = at.get("with")?;
        let attributes: Vec<_> = with
            .members()
            .map(|(key, at)| {
                self.attribute_filter(&at, place).map(|filter| (key.text.clone(), filter))
            })
            .collect();
        let correlate = at.get("correlate");
        let correlations: Vec<_> = correlate
            .iter()
            .flat_map(At::members)
            .map(|(key, at)| {
                let from = at.get("from").and_then(|at| self.expression(&at, place));
                let expect = at.get("expect").map(|at| self.template(&at, place));
                Some(Correlation {
                    name: key.text.clone(),
                    from: from?,
                    expect: match expect {
                        Some(expect) => Some(expect?),
                        None => None,
                    },
                })
            })
            .collect();
        Some(EventFilter {
            attributes: attributes.into_iter().collect::<Option<_>>()?,
            correlations: correlations.into_iter().collect::<Option<_>>()?,
        })
    }

    fn attribute_filter(&mut self, at: &At<'n>, place: &Place) -> Option<AttributeFilter> {
        Some(match self.template(at, place)? {
            Template::Literal(value) => self.literal_filter(at, value),
            computed => AttributeFilter::Computed(computed),
        })
    }

    /// A text whose only special characters are dots is a name; any other may be a pattern too.
    fn literal_filter(&mut self, at: &At<'n>, value: Value) -> AttributeFilter {
        let pattern = value.as_str().filter(|text| text.contains(SPECIAL));
        let Some(text) = pattern.map(Arc::<str>::from) else {
            return AttributeFilter::Literal(value);
        };
        let anchored = format!("^(?:{text})$");
        match RegexBuilder::new(&anchored).size_limit(MAX_PATTERN).build() {
            Ok(regex) => AttributeFilter::Pattern(text, regex),
            Err(_no_pattern) => {
                let message = format!("`{text}` is no pattern: it matches itself alone");
                let hint = format!("write `{}` if that is meant", regex::escape(&text));
                self.push(at.problem(Code::NotAPattern, message).hint(hint));
                AttributeFilter::Literal(value)
            }
        }
    }

    fn event_iterator(&mut self, at: &At<'n>, scopes: &Scopes) -> EventIterator {
        let item = self.variable(at.get("item").as_ref(), "item");
        let index = self.variable(at.get("at").as_ref(), "index");
        self.refuse_same_names(at.get("at").or_else(|| at.get("item")), &item, &index);
        let inner = scopes.with(&[&item, &index]);
        let body = match at.get("do") {
            Some(list) => self.list(&list, &inner, Jumps::Allowed),
            None => self.new_list(Vec::new()),
        };
        let flow: DataFlow = self.flow(at, &inner);
        EventIterator { item, at: index, body, flow }
    }
}

/// `read`
pub(super) fn read(at: &At<'_>) -> Read {
    match at.text().map(|text| &**text) {
        Some("envelope") => Read::Envelope,
        Some("raw") => Read::Raw,
        _ => Read::Data,
    }
}
