//! `metadata.tutti`

use super::{
    Object, Rule,
    Shape::{
        self, Any, Bool, Choice, Duration, Either, Expression, Integer, List, NotYet, Tasks, Text,
        TextValue,
    },
    object, optional, required,
};

pub(crate) static DOCUMENT_METADATA: Object = Object {
    name: "documentMetadata",
    doc: "Free notes; `tutti` holds our own settings.",
    keys: &[optional(
        "tutti",
        Shape::Object(&DOCUMENT_SETTINGS),
        "Settings of the workflow that Tutti reads.",
    )],
    rules: &[],
    others: Some(Any),
};

static DOCUMENT_SETTINGS: Object = object(
    "documentSettings",
    "Settings of the workflow that Tutti reads.",
    &[
        optional("owner", Text, "The team or person the workflow belongs to."),
        optional(
            "manualMinutes",
            Integer { min: 0, max: 1_000_000 },
            "The minutes a person would have needed; the time-saved report reads it.",
        ),
        optional(
            "key",
            Expression,
            "The business key, an expression on the raw input: unique per workflow while an execution lives.",
        ),
        optional(
            "onConflict",
            Choice(&["reject", "existing", "queue", "replace"]),
            "What happens to a start whose key is taken; default `reject`.",
        ),
        optional("keyFor", Duration, "How long a key is also held after the end."),
        optional(
            "concurrency",
            Shape::Object(&CONCURRENCY),
            "How many executions of the workflow run at once.",
        ),
        optional(
            "priority",
            Integer { min: 0, max: 100 },
            "From 0 to 100, the higher the sooner; default 50.",
        ),
        optional(
            "schedule",
            Shape::Object(&SCHEDULE_SETTINGS),
            "Time zone, misfire and overlap of the schedule.",
        ),
        optional(
            "onFailure",
            Text,
            "The workflow started when an execution fails: its name, then perhaps `:` and a version.",
        ),
        optional("warnAfter", Duration, "How long an execution takes before that is reported."),
    ],
    &[Rule::Needs { key: "onConflict", other: "key" }, Rule::Needs { key: "keyFor", other: "key" }],
);

/// The settings of a workflow that mean something among many executions only.
pub(crate) const ADMISSION: &[&str] =
    &["key", "onConflict", "keyFor", "concurrency", "priority", "onFailure", "warnAfter"];

static CONCURRENCY: Object = object(
    "concurrency",
    "How many executions of the workflow run at once.",
    &[
        optional(
            "by",
            Expression,
            "An expression on the raw input: executions for which it yields the same count together.",
        ),
        required("limit", Integer { min: 1, max: 1_000_000 }, "How many, at least 1."),
    ],
    &[],
);

static SCHEDULE_SETTINGS: Object = object(
    "scheduleSettings",
    "How the triggers of the schedule are kept.",
    &[
        optional("timezone", Text, "The IANA time zone of `cron`; default `UTC`."),
        optional(
            "misfire",
            Either(&[Choice(&["skip", "runOnce", "runAll"]), Shape::Object(&MISFIRE)]),
            "What happens to times that passed while nothing could be started; default `runOnce`.",
        ),
        optional(
            "overlap",
            Choice(&["allow", "skip", "queue", "cancelPrevious"]),
            "What happens to a start while an execution of the same trigger goes on; default `allow`.",
        ),
        optional("jitter", Duration, "Starts are put off by up to this much, at most a day."),
        optional("calendar", NotYet, "The days on which the schedule rests."),
    ],
    &[],
);

static MISFIRE: Object = object(
    "misfire",
    "What happens to times that passed while nothing could be started.",
    &[
        optional("runOnce", Shape::Object(&RUN_ONCE), "The last of them is started."),
        optional("runAll", Shape::Object(&RUN_ALL), "The last of them are started, one by one."),
    ],
    &[Rule::ExactlyOne(&["runOnce", "runAll"])],
);

static RUN_ONCE: Object = object(
    "runOnce",
    "The last of the times that passed is started.",
    &[optional("within", Duration, "If it is not longer ago than this; default an hour.")],
    &[],
);

static RUN_ALL: Object = object(
    "runAll",
    "The last of the times that passed are started, one by one.",
    &[optional("max", Integer { min: 1, max: 1_000 }, "How many of them; default 100.")],
    &[],
);

pub(crate) static TASK_METADATA: Object = Object {
    name: "taskMetadata",
    doc: "Free notes; `tutti` holds our own settings.",
    keys: &[optional(
        "tutti",
        Shape::Object(&TASK_SETTINGS),
        "Settings of the task that Tutti reads.",
    )],
    rules: &[],
    others: Some(Any),
};

static COOLDOWN: Object = object(
    "cooldown",
    "How often a call may be made, by all executions of the workflow together.",
    &[
        optional(
            "by",
            Expression,
            "An expression on the task's input: calls for which it yields the same count together.",
        ),
        optional("limit", Integer { min: 1, max: 1_000 }, "How many calls; default 1."),
        required("per", Duration, "In how long a time."),
    ],
    &[],
);

static TASK_SETTINGS: Object = object(
    "taskSettings",
    "Settings of the task that Tutti reads.",
    &[
        optional(
            "effect",
            Choice(&["read", "idempotent", "once"]),
            "What the call does to the world: decides whether it may be repeated.",
        ),
        optional(
            "idempotencyKey",
            TextValue,
            "The call's idempotency key; derived from the task's identity if absent.",
        ),
        optional("label", TextValue, "A text for lists, at most 120 characters."),
        optional(
            "sensitive",
            List(&Text),
            "JSON pointers into the output that are treated as secrets.",
        ),
        optional(
            "network",
            Bool,
            "Whether the script that the task runs has the network; default `false`.",
        ),
        optional("undo", Tasks, "The tasks that take this one back; `.` is its output."),
        optional("pools", NotYet, "Capacity reserved while the task runs."),
        optional("worker", NotYet, "Labels of the worker that makes the call."),
        optional("cooldown", Shape::Object(&COOLDOWN), "How often the call may be made."),
    ],
    &[],
);
