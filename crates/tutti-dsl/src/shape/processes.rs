//! `run`

use super::{
    Object, Rule,
    Shape::{
        self, Bool, Choice, Code, DnsLabel, Duration, Either, List, Map, MapValue, TextValue,
        Value, VersionOrLatest,
    },
    object, optional, required,
    resources::RESOURCE,
};

pub(crate) static RUN: Object = object(
    "run",
    "The process to run.",
    &[
        optional("await", Bool, "Whether to wait for its end; default `true`."),
        optional(
            "return",
            Choice(&["stdout", "stderr", "code", "all", "none"]),
            "What becomes the output; default `stdout`.",
        ),
        optional("container", Shape::Object(&CONTAINER), "A container."),
        optional("script", Shape::Object(&SCRIPT), "A script."),
        optional("shell", Shape::Object(&SHELL), "A shell command."),
        optional("workflow", Shape::Object(&SUBWORKFLOW), "Another workflow, as a child."),
    ],
    &[Rule::ExactlyOne(&["container", "script", "shell", "workflow"])],
);

static CONTAINER: Object = object(
    "container",
    "A container to run.",
    &[
        required("image", TextValue, "The image."),
        optional("name", TextValue, "The container's name."),
        optional("command", Code, "The command; the image's own if absent."),
        optional("ports", MapValue, "Ports of the host to ports of the container."),
        optional("volumes", MapValue, "Paths of the host to paths of the container."),
        optional("environment", Map(&Value), "Environment variables."),
        optional("stdin", TextValue, "What it reads from its standard input."),
        optional("arguments", List(&TextValue), "Its arguments."),
        optional("lifetime", Shape::Object(&LIFETIME), "When the container is removed."),
        optional(
            "pullPolicy",
            Choice(&["ifNotPresent", "always", "never"]),
            "When the image is pulled; default `ifNotPresent`.",
        ),
    ],
    &[],
);

static LIFETIME: Object = object(
    "containerLifetime",
    "When a container is removed.",
    &[
        required(
            "cleanup",
            Choice(&["always", "never", "eventually"]),
            "`always` at its end, `never`, or `eventually` after a while.",
        ),
        optional("after", Duration, "With `eventually`: how long after its end."),
    ],
    &[Rule::OnlyWith { key: "after", other: "cleanup", value: "eventually" }],
);

static SCRIPT: Object = object(
    "script",
    "A script to run.",
    &[
        required("language", Choice(&["javascript", "js", "python"]), "The script's language."),
        optional("code", Code, "The script itself."),
        optional("source", Shape::Object(&RESOURCE), "Where the script is loaded from."),
        optional("stdin", TextValue, "What it reads from its standard input."),
        optional(
            "arguments",
            Either(&[List(&TextValue), MapValue]),
            "Its arguments: a list, or variables by name.",
        ),
        optional("environment", Map(&Value), "Environment variables."),
    ],
    &[Rule::ExactlyOne(&["code", "source"])],
);

static SHELL: Object = object(
    "shell",
    "A shell command to run.",
    &[
        required(
            "command",
            Code,
            "The command, read by `sh -c`. Values reach it as arguments, environment or input, never inside the text.",
        ),
        optional("stdin", TextValue, "What it reads from its standard input."),
        optional("arguments", List(&TextValue), "Its arguments `$1`, `$2`, …"),
        optional("environment", Map(&Value), "Environment variables."),
    ],
    &[],
);

pub(crate) static SUBWORKFLOW: Object = object(
    "subworkflow",
    "Another workflow to run as a child execution.",
    &[
        required("namespace", DnsLabel, "Its namespace."),
        required("name", DnsLabel, "Its name."),
        required("version", VersionOrLatest, "Its version; `latest` is the highest release."),
        optional("input", MapValue, "Its input; the task's own input if absent."),
    ],
    &[],
);
