//! The root of a document and `use`.

use super::{
    Object, Rule,
    Shape::{
        self, Any, Choice, DnsLabel, Duration, Either, Expression, List, Map, Named, Task, Tasks,
        Text, Version,
    },
    authentication::POLICY,
    data_flow::{INPUT, OUTPUT},
    errors::{ERROR, RETRY},
    events::STRATEGY,
    object, optional, required,
    resources::ENDPOINT,
    settings::DOCUMENT_METADATA,
};

/// The whole document.
pub(crate) static ROOT: Object = object(
    "workflow",
    "A workflow in the Serverless Workflow DSL 1.0, executed by Tutti.",
    &[
        required("document", Shape::Object(&DOCUMENT), "Names the workflow and its version."),
        optional(
            "input",
            Shape::Object(&INPUT),
            "What the workflow is given: its schema, and how it is transformed.",
        ),
        optional("use", Shape::Object(&USED), "Parts that tasks refer to by name."),
        required("do", Tasks, "The tasks, one after another."),
        optional("timeout", TIMEOUT, "How long an execution may take in all."),
        optional("output", Shape::Object(&OUTPUT), "What an execution returns."),
        optional("schedule", Shape::Object(&SCHEDULE), "When executions start by themselves."),
        optional("evaluate", Shape::Object(&EVALUATE), "How expressions are evaluated."),
    ],
    &[],
);

static DOCUMENT: Object = object(
    "document",
    "Names the workflow and its version.",
    &[
        required("dsl", Version, "The version of the language: 1.0.0 to 1.0.3, quoted."),
        required("namespace", DnsLabel, "The namespace the workflow belongs to: a DNS label."),
        required("name", DnsLabel, "The workflow's name, unique in its namespace: a DNS label."),
        required("version", Version, "The workflow's own semantic version, quoted."),
        optional("title", Text, "A title for people."),
        optional("summary", Text, "What the workflow does, in Markdown."),
        optional("tags", Map(&Any), "Labels that filters, policies and placement read."),
        optional(
            "metadata",
            Shape::Object(&DOCUMENT_METADATA),
            "Free notes; `tutti` holds our own settings.",
        ),
    ],
    &[],
);

static USED: Object = object(
    "use",
    "Parts that tasks refer to by name.",
    &[
        optional(
            "authentications",
            Map(&Shape::Object(&POLICY)),
            "Authentication policies by name.",
        ),
        optional(
            "catalogs",
            Map(&Shape::Object(&CATALOG)),
            "Catalogs of functions by name; `default` replaces the built-in one.",
        ),
        optional("errors", Map(&Shape::Object(&ERROR)), "Errors by name, for `raise`."),
        optional(
            "extensions",
            Named(&Shape::Object(&EXTENSION)),
            "Tasks around tasks, in the order they apply.",
        ),
        optional("functions", Map(&Task), "Tasks by name, for `call`."),
        optional(
            "retries",
            Map(&Shape::Object(&RETRY)),
            "Retry policies by name, for `catch.retry`.",
        ),
        optional("secrets", List(&Text), "The names of the secrets the workflow may read."),
        optional("timeouts", Map(&Shape::Object(&TIMEOUT_OBJECT)), "Timeouts by name."),
    ],
    &[],
);

static CATALOG: Object = object(
    "catalog",
    "A place that functions are loaded from.",
    &[required("endpoint", ENDPOINT, "The catalog's root.")],
    &[],
);

static EXTENSION: Object = object(
    "extension",
    "Tasks that run around other tasks.",
    &[
        required(
            "extend",
            Choice(EXTENDED),
            "The kind of tasks it applies to; `composite` is `do` and `fork`.",
        ),
        optional("when", Expression, "Whether it applies to the task at hand."),
        optional("before", Tasks, "The tasks before; `then: exit` replaces the extended task."),
        optional("after", Tasks, "The tasks after."),
    ],
    &[],
);

const EXTENDED: &[&str] = &[
    "all",
    "call",
    "composite",
    "emit",
    "for",
    "listen",
    "raise",
    "run",
    "set",
    "switch",
    "try",
    "wait",
];

static SCHEDULE: Object = object(
    "schedule",
    "When executions start by themselves. Several triggers work independently of each other.",
    &[
        optional("every", Duration, "The interval between starts, whatever still runs."),
        optional("cron", Text, "A cron expression of five fields, or six with seconds first."),
        optional("after", Duration, "The delay after an execution ended until the next starts."),
        optional(
            "on",
            Shape::Object(&STRATEGY),
            "The events that start an execution; its input is the list of them.",
        ),
        optional(
            "read",
            Choice(&["data", "envelope", "raw"]),
            "What of the events the input holds.",
        ),
    ],
    &[Rule::Needs { key: "read", other: "on" }],
);

static EVALUATE: Object = object(
    "evaluate",
    "How expressions are evaluated.",
    &[
        optional("language", Choice(&["jq"]), "The language of expressions."),
        optional(
            "mode",
            Choice(&["strict", "loose"]),
            "`strict`: texts in data are expressions only inside `${ }`. `loose`: they are tried as expressions.",
        ),
    ],
    &[],
);

/// `timeout`: inline or by name.
pub(crate) const TIMEOUT: Shape = Either(&[Text, Shape::Object(&TIMEOUT_OBJECT)]);

static TIMEOUT_OBJECT: Object = object(
    "timeout",
    "How long something may take before it is interrupted with a `timeout` error.",
    &[required("after", Duration, "The time it may take.")],
    &[],
);
