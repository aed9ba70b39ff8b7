//! The root of a document and `use`.

use super::{
    Key, Object, Rule,
    Shape::{
        self, Any, Bool, Choice, DnsLabel, Duration, Either, Expression, JsonSchema, List, Map,
        MapValue, Named, Task, Tasks, Text, Uri, Version,
    },
    authentication::{AUTHENTICATION, POLICY},
    errors::{ERROR, RETRY},
    events::STRATEGY,
    object, optional, required,
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

pub(crate) static INPUT: Object = object(
    "input",
    "What comes in: its schema, and how it is transformed.",
    &[
        optional("schema", Shape::Object(&SCHEMA), "What the raw input must look like."),
        optional(
            "from",
            TRANSFORM,
            "An expression, or a mapping with expressions, that makes the input from the raw input.",
        ),
    ],
    &[],
);

pub(crate) static OUTPUT: Object = object(
    "output",
    "What goes out: how it is transformed, and its schema.",
    &[
        optional(
            "as",
            TRANSFORM,
            "An expression, or a mapping with expressions, that makes the output from the raw output.",
        ),
        optional("schema", Shape::Object(&SCHEMA), "What the output must look like."),
    ],
    &[],
);

pub(crate) static EXPORT: Object = object(
    "export",
    "What becomes the workflow's context.",
    &[
        optional(
            "as",
            TRANSFORM,
            "An expression, or a mapping with expressions, that yields the new `$context`.",
        ),
        optional("schema", Shape::Object(&SCHEMA), "What the context must look like."),
    ],
    &[],
);

/// One expression, or a mapping of values.
pub(crate) const TRANSFORM: Shape = Either(&[Expression, MapValue]);

static SCHEMA: Object = object(
    "schema",
    "A JSON Schema.",
    &[
        optional("format", Text, "The schema's format: `json`, or `json:` and a version."),
        optional("document", JsonSchema, "The schema itself: 2020-12, 2019-09 or 07."),
        optional("resource", Shape::Object(&RESOURCE), "Where the schema is loaded from."),
    ],
    &[Rule::ExactlyOne(&["document", "resource"])],
);

pub(crate) static RESOURCE: Object = object(
    "resource",
    "Something that is loaded from elsewhere.",
    &[optional("name", Text, "A name for people."), required("endpoint", ENDPOINT, "Where it is.")],
    &[],
);

/// A URI, or a mapping with authentication.
pub(crate) const ENDPOINT: Shape = Either(&[Uri, Shape::Object(&ENDPOINT_OBJECT)]);

static ENDPOINT_OBJECT: Object = object(
    "endpoint",
    "Where a call goes, and as whom.",
    &[
        required(
            "uri",
            Uri,
            "The URI: literal, a template such as `https://host/pets/{petId}`, or an expression.",
        ),
        optional("authentication", AUTHENTICATION, "As whom the call is made."),
    ],
    &[],
);

/// Whether redirects are followed.
pub(crate) const REDIRECT: Key = optional(
    "redirect",
    Bool,
    "`true`: redirects are followed and a final 3xx is accepted. `false` (default): a 3xx is an error.",
);
