//! Events: `emit`, `listen`, `schedule.on`.

use super::{
    Object, Rule,
    Shape::{self, Choice, Either, Expression, List, Map, Tasks, TextValue, Uri, Value, Variable},
    data_flow::{EXPORT, OUTPUT},
    object, optional, required,
};

pub(crate) static EMIT: Object = object(
    "emit",
    "The event to publish.",
    &[required("event", Shape::Object(&EMITTED), "The event.")],
    &[],
);

static EMITTED: Object = object(
    "emittedEvent",
    "The event.",
    &[required("with", Shape::Object(&EVENT), "Its CloudEvents attributes and data.")],
    &[],
);

static EVENT: Object = Object {
    name: "event",
    doc: "CloudEvents attributes, each literal or an expression; other keys are extension attributes.",
    keys: &[
        optional("id", TextValue, "The event's id; made up if absent."),
        optional("source", Uri, "Where the event comes from; the workflow if absent."),
        required("type", TextValue, "What happened."),
        optional("time", TextValue, "When it happened; now if absent."),
        optional("subject", TextValue, "What it happened to."),
        optional("datacontenttype", TextValue, "The media type of the data."),
        optional("dataschema", Uri, "The schema of the data."),
        optional("data", Value, "The data."),
    ],
    rules: &[],
    others: Some(Value),
};

pub(crate) static LISTEN: Object = object(
    "listen",
    "The events to wait for.",
    &[
        required("to", Shape::Object(&STRATEGY), "Which events, and how many."),
        optional(
            "read",
            Choice(&["data", "envelope", "raw"]),
            "What of an event is used; default `data`.",
        ),
    ],
    &[],
);

pub(crate) static STRATEGY: Object = object(
    "eventStrategy",
    "Which events are consumed.",
    &[
        optional("all", List(&Shape::Object(&FILTER)), "One event for each of these filters."),
        optional(
            "any",
            List(&Shape::Object(&FILTER)),
            "The first event any of these filters matches; an empty list matches every event.",
        ),
        optional("one", Shape::Object(&FILTER), "One event this filter matches."),
        optional(
            "until",
            Either(&[Expression, Shape::Object(&END)]),
            "With `any`: until when events are consumed; an expression, or the events that end it.",
        ),
    ],
    &[Rule::ExactlyOne(&["all", "any", "one"]), Rule::Needs { key: "until", other: "any" }],
);

static END: Object = object(
    "endingEvents",
    "The events that end the consumption.",
    &[
        optional("all", List(&Shape::Object(&FILTER)), "One event for each of these filters."),
        optional(
            "any",
            List(&Shape::Object(&FILTER)),
            "The first event any of these filters matches.",
        ),
        optional("one", Shape::Object(&FILTER), "One event this filter matches."),
    ],
    &[Rule::ExactlyOne(&["all", "any", "one"])],
);

static FILTER: Object = object(
    "eventFilter",
    "Which events match.",
    &[
        required(
            "with",
            Shape::Object(&MATCHED),
            "What the event's attributes must be: a text or regular expression, or an expression that says.",
        ),
        optional(
            "correlate",
            Map(&Shape::Object(&CORRELATION)),
            "What must be the same in all events, by name.",
        ),
    ],
    &[],
);

static MATCHED: Object = Object {
    name: "eventMatch",
    doc: "What the event's attributes must be; at least one.",
    keys: &[
        optional("id", TextValue, "The event's id."),
        optional("source", TextValue, "Where the event comes from."),
        optional("type", TextValue, "What happened."),
        optional("time", TextValue, "When it happened."),
        optional("subject", TextValue, "What it happened to."),
        optional("datacontenttype", TextValue, "The media type of the data."),
        optional("dataschema", TextValue, "The schema of the data."),
        optional("data", Value, "The data, or an expression on it."),
    ],
    rules: &[Rule::NotEmpty],
    others: Some(Value),
};

static CORRELATION: Object = object(
    "correlation",
    "A value of the event that ties it to the execution.",
    &[
        required("from", Expression, "The expression that takes the value from the event."),
        optional("expect", TextValue, "What the value must be; the first one seen if absent."),
    ],
    &[],
);

/// `foreach` of a subscription; `compile` knows it by its name.
pub(crate) static ITERATOR: Object = object(
    "subscriptionIterator",
    "What is done with every event or message.",
    &[
        optional("item", Variable, "The variable that holds the event; default `item`."),
        optional("at", Variable, "The variable that holds its position; default `index`."),
        optional("do", Tasks, "The tasks for each."),
        optional("output", Shape::Object(&OUTPUT), "What is collected of each."),
        optional("export", Shape::Object(&EXPORT), "What becomes the context after each."),
    ],
    &[],
);
