//! Tasks: what all have in common, and what each kind adds.

use super::{
    Key, Object, Rule,
    Shape::{
        self, Bool, Directive, Duration, Either, Expression, List, MapValue, NonEmptyNamed, Tasks,
        Text, TextValue, Value, Variable,
    },
    data_flow::{EXPORT, INPUT, OUTPUT},
    document::TIMEOUT,
    errors::{CATCH, ERROR},
    events::{EMIT, ITERATOR, LISTEN},
    object, optional,
    processes::RUN,
    required,
    settings::TASK_METADATA,
};
use crate::kinds::Keyword;

/// The keys every task may have.
pub(crate) static COMMON: &[Key] = &[
    optional("if", Expression, "Whether the task runs; skipped, its output is its input."),
    optional("input", Shape::Object(&INPUT), "What the task works on."),
    optional("output", Shape::Object(&OUTPUT), "What the task hands on."),
    optional("export", Shape::Object(&EXPORT), "What the task puts into the workflow's context."),
    optional(
        "timeout",
        TIMEOUT,
        "How long the task may take: `{ after }`, or a name of `use.timeouts`.",
    ),
    optional(
        "then",
        Directive,
        "Where to go next: `continue` (default), `exit`, `end` or a task of the same list.",
    ),
    optional(
        "metadata",
        Shape::Object(&TASK_METADATA),
        "Free notes; `tutti` holds our own settings.",
    ),
];

/// The keys a kind of task adds, and what it is.
pub(crate) fn of(keyword: Keyword) -> &'static Object {
    match keyword {
        Keyword::Call => &CALL,
        Keyword::Do => &DO,
        Keyword::Emit => &EMIT_TASK,
        Keyword::For => &FOR,
        Keyword::Fork => &FORK,
        Keyword::Listen => &LISTEN_TASK,
        Keyword::Raise => &RAISE,
        Keyword::Run => &RUN_TASK,
        Keyword::Set => &SET,
        Keyword::Switch => &SWITCH,
        Keyword::Try => &TRY,
        Keyword::Wait => &WAIT,
    }
}

static CALL: Object = object(
    "callTask",
    "Calls a function.",
    &[
        required(
            "call",
            Text,
            "The function: `http`, `grpc`, `openapi`, `asyncapi`, `mcp`, `a2a`, one of `use.functions`, or one of a catalog.",
        ),
        // Its shape depends on the function: see `calls`.
        optional("with", MapValue, "The function's arguments."),
    ],
    &[],
);

static DO: Object =
    object("doTask", "Runs tasks one after another.", &[required("do", Tasks, "The tasks.")], &[]);

static EMIT_TASK: Object = object(
    "emitTask",
    "Publishes an event.",
    &[required("emit", Shape::Object(&EMIT), "The event to publish.")],
    &[],
);

static FOR: Object = object(
    "forTask",
    "Runs tasks for every item of a list, one item after another.",
    &[
        required("for", Shape::Object(&FOR_HEAD), "What is iterated."),
        optional("while", Expression, "Asked before each iteration; false ends the loop."),
        required("do", Tasks, "The tasks of one iteration."),
    ],
    &[],
);

static FOR_HEAD: Object = object(
    "forHead",
    "What is iterated.",
    &[
        required(
            "in",
            Either(&[Expression, List(&MapValue)]),
            "The items: an expression, or a list of mappings.",
        ),
        optional("each", Variable, "The variable that holds the item; default `item`."),
        optional("at", Variable, "The variable that holds its position, from 0; default `index`."),
    ],
    &[],
);

static FORK: Object = object(
    "forkTask",
    "Runs tasks beside each other.",
    &[required("fork", Shape::Object(&FORK_BODY), "The branches.")],
    &[],
);

static FORK_BODY: Object = object(
    "fork",
    "The branches.",
    &[
        required("branches", Tasks, "The tasks that run beside each other."),
        optional(
            "compete",
            Bool,
            "Whether the first successful branch wins and the others are cancelled.",
        ),
    ],
    &[],
);

static LISTEN_TASK: Object = object(
    "listenTask",
    "Waits for events.",
    &[
        required("listen", Shape::Object(&LISTEN), "The events to wait for."),
        optional("foreach", Shape::Object(&ITERATOR), "What is done with every event."),
    ],
    &[],
);

static RAISE: Object = object(
    "raiseTask",
    "Raises an error.",
    &[required("raise", Shape::Object(&RAISED), "The error to raise.")],
    &[],
);

static RAISED: Object = object(
    "raise",
    "The error to raise.",
    &[required(
        "error",
        Either(&[TextValue, Shape::Object(&ERROR)]),
        "An error, the name of one in `use.errors`, or an expression that yields one.",
    )],
    &[],
);

static RUN_TASK: Object = object(
    "runTask",
    "Runs a shell command, a script, a container or another workflow.",
    &[required("run", Shape::Object(&RUN), "What is run.")],
    &[],
);

static SET: Object = object(
    "setTask",
    "Replaces the data.",
    &[required(
        "set",
        Either(&[TextValue, Shape::Object(&DATA)]),
        "The new data: a mapping with expressions in it, or one expression.",
    )],
    &[],
);

static DATA: Object = Object {
    name: "data",
    doc: "The new data.",
    keys: &[],
    rules: &[Rule::NotEmpty],
    others: Some(Value),
};

static SWITCH: Object = object(
    "switchTask",
    "Chooses where to go next.",
    &[required(
        "switch",
        NonEmptyNamed(&Shape::Object(&CASE)),
        "The cases; the first that holds is taken.",
    )],
    &[],
);

static CASE: Object = object(
    "case",
    "A case of a switch.",
    &[
        optional("when", Expression, "Whether the case holds; without it the case is the default."),
        required("then", Directive, "Where to go."),
    ],
    &[],
);

static TRY: Object = object(
    "tryTask",
    "Runs tasks and handles their errors.",
    &[
        required("try", Tasks, "The tasks."),
        required(
            "catch",
            Shape::Object(&CATCH),
            "Which errors are caught, and what is done about them.",
        ),
    ],
    &[],
);

static WAIT: Object = object("waitTask", "Waits.", &[required("wait", Duration, "How long.")], &[]);
