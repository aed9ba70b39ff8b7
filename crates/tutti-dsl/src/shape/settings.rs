//! `metadata.tutti`

use super::{
    Object,
    Shape::{self, Any, Bool, Choice, Integer, List, NotYet, Tasks, Text, TextValue},
    object, optional,
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
        optional("key", NotYet, "The business key, unique per workflow while an execution lives."),
        optional("onConflict", NotYet, "What happens to a start whose key is taken."),
        optional("keyFor", NotYet, "How long a key is held after the end."),
        optional("concurrency", NotYet, "How many executions run at once."),
        optional("priority", NotYet, "From 0 to 100."),
        optional("schedule", NotYet, "Time zone, misfire and overlap of the schedule."),
        optional("onFailure", NotYet, "The workflow started when an execution fails."),
        optional("warnAfter", NotYet, "When a long execution is reported."),
    ],
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
        optional("cooldown", NotYet, "How often the call may be made."),
    ],
    &[],
);
