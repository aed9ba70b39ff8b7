//! Errors, filters and retries.

use super::{
    Object, Rule,
    Shape::{self, Duration, Either, Expression, Integer, Tasks, Text, TextValue, Uri, Variable},
    object, optional, required,
};

pub(crate) static ERROR: Object = object(
    "error",
    "An error: problem details of RFC 9457.",
    &[
        required(
            "type",
            Uri,
            "The URI that says what kind of error it is; an expression is possible.",
        ),
        required("status", Integer { min: 100, max: 599 }, "The status, as of HTTP."),
        optional(
            "instance",
            TextValue,
            "Where the error comes from; always replaced by the task's own pointer.",
        ),
        optional("title", TextValue, "A short summary; an expression is possible."),
        optional("detail", TextValue, "What happened this time; an expression is possible."),
    ],
    &[],
);

pub(crate) static CATCH: Object = object(
    "catch",
    "Which errors are caught, and what is done about them.",
    &[
        optional("errors", Shape::Object(&CAUGHT), "A static filter."),
        optional("as", Variable, "The variable that holds the error; default `error`."),
        optional("when", Expression, "Whether the error is caught."),
        optional("exceptWhen", Expression, "Whether the error is not caught."),
        optional(
            "retry",
            Either(&[Text, Shape::Object(&RETRY)]),
            "A retry policy, or the name of one in `use.retries`.",
        ),
        optional("do", Tasks, "The tasks that handle the error, once retries are exhausted."),
        optional("then", Shape::Directive, "Where to go after the error was handled."),
    ],
    &[],
);

static CAUGHT: Object = object(
    "caughtErrors",
    "A static filter.",
    &[optional("with", Shape::Object(&FILTER), "What the error's members must equal.")],
    &[],
);

static FILTER: Object = object(
    "errorFilter",
    "What an error's members must equal; nothing in it is evaluated.",
    &[
        optional("type", Text, "The error's type."),
        optional("status", Integer { min: 100, max: 599 }, "The error's status."),
        optional("instance", Text, "The pointer of the task the error comes from."),
        optional("title", Text, "The error's title."),
        optional("detail", Text, "The error's detail."),
        optional("details", Text, "The same as `detail`, as the schema of 1.0.3 spells it."),
    ],
    &[Rule::NotEmpty],
);

pub(crate) static RETRY: Object = object(
    "retry",
    "How a failed `try` is repeated.",
    &[
        optional("when", Expression, "Whether to retry."),
        optional("exceptWhen", Expression, "Whether not to retry."),
        optional("delay", Duration, "The time before a retry."),
        optional("backoff", Shape::Object(&BACKOFF), "How the delay grows; default constant."),
        optional("limit", Shape::Object(&LIMIT), "When to give up."),
        optional("jitter", Shape::Object(&JITTER), "A random time added to the delay."),
    ],
    &[],
);

static BACKOFF: Object = object(
    "backoff",
    "How the delay grows with each retry.",
    &[
        optional("constant", Shape::Object(&NOTHING), "The delay stays the same."),
        optional("linear", Shape::Object(&NOTHING), "The delay times the retry's number."),
        optional("exponential", Shape::Object(&NOTHING), "The delay doubles at every retry."),
    ],
    &[Rule::ExactlyOne(&["constant", "linear", "exponential"])],
);

static NOTHING: Object = object("nothing", "An empty mapping.", &[], &[]);

static LIMIT: Object = object(
    "retryLimit",
    "When retrying ends.",
    &[
        optional("attempt", Shape::Object(&ATTEMPT), "Limits of the attempts."),
        optional("duration", Duration, "How long everything may take, delays included."),
    ],
    &[],
);

static ATTEMPT: Object = object(
    "retryAttempt",
    "Limits of the attempts.",
    &[
        optional(
            "count",
            Integer { min: 0, max: i64::MAX },
            "The number of retries after the first attempt.",
        ),
        optional("duration", Duration, "How long each attempt may take."),
    ],
    &[],
);

static JITTER: Object = object(
    "jitter",
    "A random time added to the delay, evenly drawn.",
    &[required("from", Duration, "The least time."), required("to", Duration, "The longest time.")],
    &[],
);
