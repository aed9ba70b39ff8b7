//! What a `listen` awaits, in words.

use tutti_dsl::{
    AttributeFilter, Consumption, EventFilter, EventFilters, Listen, TaskKind, Until, Workflow,
};
use tutti_expr::{Template, Value};

/// What the task at a pointer awaits; `expected` is what its correlations must be, for each filter an object by name.
pub(super) fn awaited(
    workflow: &Workflow,
    reference: &str,
    expected: Option<&Value>,
) -> Option<String> {
    let task = workflow.find(reference).map(|task| workflow.task(task))?;
    let TaskKind::Listen(listen) = &task.kind else { return None };
    Some(words(listen, expected))
}

fn words(listen: &Listen, expected: Option<&Value>) -> String {
    let own = events(&listen.events, 0, expected);
    match &listen.until {
        Until::Events(until) => {
            format!("{own}, until {}", events(until, listen.events.filters.len(), expected))
        }
        Until::Expression(until) => format!("{own}, until {}", until.source()),
        Until::Absent | Until::Never => own,
    }
}

fn events(events: &EventFilters, offset: usize, expected: Option<&Value>) -> String {
    if events.filters.is_empty() {
        return "any event".to_owned();
    }
    let of = |place: usize| expected?.as_array()?.get(place);
    let filters = (offset..).zip(&events.filters);
    let filters: Vec<String> = filters.map(|(place, it)| filter(it, of(place))).collect();
    let between = if events.consumption == Consumption::All { " and " } else { " or " };
    filters.join(between)
}

/// The type, and what else must hold.
fn filter(filter: &EventFilter, expected: Option<&Value>) -> String {
    let (mut kind, mut conditions) = ("an event".to_owned(), Vec::new());
    for (name, wanted) in &filter.attributes {
        let is_text = |value: &Value| value.as_str().map(str::to_owned);
        match wanted {
            AttributeFilter::Literal(value) if &**name == "type" => {
                kind = is_text(value).unwrap_or_else(|| value.to_json());
            }
            AttributeFilter::Pattern(pattern, _) if &**name == "type" => kind = pattern.to_string(),
            AttributeFilter::Literal(value) => {
                conditions.push(format!("{name} = {}", value.to_json()));
            }
            AttributeFilter::Pattern(pattern, _) => conditions.push(format!("{name} ~ {pattern}")),
            AttributeFilter::Computed(template) => conditions.push(match template {
                Template::Expression(expression) | Template::Loose { expression, .. } => {
                    format!("{name}: {}", expression.source().trim())
                }
                Template::Literal(_) | Template::Array(_) | Template::Object(_) => {
                    format!("{name} as computed")
                }
            }),
        }
    }
    for correlation in &filter.correlations {
        let name = &correlation.name;
        let known = expected.and_then(|expected| expected.get(name));
        conditions.push(match known {
            Some(value) => format!("{name} = {}", value.redacted().to_json()),
            None => format!("{name} as first seen"),
        });
    }
    if conditions.is_empty() {
        return kind;
    }
    format!("{kind} where {}", conditions.join(" and "))
}
