//! The root of a document and `use`.

use super::{
    Key, Object, Rule,
    Shape::{
        self, Any, Bool, Choice, DnsLabel, Duration, Either, Expression, JsonSchema, List, Map,
        MapValue, Named, Task, Tasks, Text, TextValue, Uri, UseOr, Version,
    },
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

/// A policy or the name of one.
pub(crate) const AUTHENTICATION: Shape = UseOr(&POLICY);

pub(crate) static POLICY: Object = object(
    "authentication",
    "How a call authenticates.",
    &[
        optional("basic", UseOr(&BASIC), "A user name and password."),
        optional("bearer", UseOr(&BEARER), "A token in the `Authorization` header."),
        optional("digest", UseOr(&DIGEST), "A user name and password by HTTP digest."),
        optional("oauth2", UseOr(&OAUTH2), "A token from an OAuth 2 server."),
        optional("oidc", UseOr(&OIDC), "A token from an OpenID Connect provider."),
    ],
    &[Rule::ExactlyOne(&["basic", "bearer", "digest", "oauth2", "oidc"])],
);

const USERNAME: Key = required("username", TextValue, "The user name.");
const PASSWORD: Key = required("password", TextValue, "The password.");

static BASIC: Object = object(
    "basic",
    "A user name and password, or the secret that holds them.",
    &[USERNAME, PASSWORD],
    &[],
);
static DIGEST: Object = object(
    "digest",
    "A user name and password, or the secret that holds them.",
    &[USERNAME, PASSWORD],
    &[],
);
static BEARER: Object = object(
    "bearer",
    "A token, or the secret that holds it.",
    &[required("token", TextValue, "The token.")],
    &[],
);

const AUTHORITY: Key = required("authority", Uri, "The server that issues tokens.");
const GRANT: Key = required(
    "grant",
    Choice(&[
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]),
    "How a token is obtained.",
);
const CLIENT: Key = optional("client", Shape::Object(&OAUTH2_CLIENT), "Who asks.");
const REQUEST: Key =
    optional("request", Shape::Object(&OAUTH2_REQUEST), "How the request is written.");
const ISSUERS: Key = optional("issuers", List(&Text), "Issuers that tokens are accepted from.");
const SCOPES: Key = optional("scopes", List(&Text), "The scopes asked for.");
const AUDIENCES: Key = optional("audiences", List(&Text), "The audiences asked for.");
const OAUTH2_USERNAME: Key =
    optional("username", TextValue, "The user name of a `password` grant.");
const OAUTH2_PASSWORD: Key = optional("password", TextValue, "The password of a `password` grant.");
const SUBJECT: Key =
    optional("subject", Shape::Object(&OAUTH2_TOKEN), "On whose behalf the token is asked for.");
const ACTOR: Key =
    optional("actor", Shape::Object(&OAUTH2_TOKEN), "Who acts on behalf of the subject.");

static OAUTH2: Object = object(
    "oauth2",
    "A token from an OAuth 2 server, or the secret that holds these values.",
    &[
        AUTHORITY,
        optional("endpoints", Shape::Object(&OAUTH2_ENDPOINTS), "Paths at the authority."),
        GRANT,
        CLIENT,
        REQUEST,
        ISSUERS,
        SCOPES,
        AUDIENCES,
        OAUTH2_USERNAME,
        OAUTH2_PASSWORD,
        SUBJECT,
        ACTOR,
    ],
    &[],
);

static OIDC: Object = object(
    "oidc",
    "A token from an OpenID Connect provider, or the secret that holds these values.",
    &[
        AUTHORITY,
        GRANT,
        CLIENT,
        REQUEST,
        ISSUERS,
        SCOPES,
        AUDIENCES,
        OAUTH2_USERNAME,
        OAUTH2_PASSWORD,
        SUBJECT,
        ACTOR,
    ],
    &[],
);

static OAUTH2_ENDPOINTS: Object = object(
    "oauth2Endpoints",
    "Paths at the authority.",
    &[
        optional("token", Uri, "The token endpoint; default `/oauth2/token`."),
        optional("revocation", Uri, "The revocation endpoint; default `/oauth2/revoke`."),
        optional("introspection", Uri, "The introspection endpoint; default `/oauth2/introspect`."),
    ],
    &[],
);

static OAUTH2_CLIENT: Object = object(
    "oauth2Client",
    "Who asks for a token.",
    &[
        optional("id", TextValue, "The client's id."),
        optional("secret", TextValue, "The client's secret."),
        optional("assertion", TextValue, "A signed JWT that stands for the client's credentials."),
        optional(
            "authentication",
            Choice(&[
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "none",
            ]),
            "How the client authenticates; default `client_secret_post`.",
        ),
    ],
    &[],
);

static OAUTH2_REQUEST: Object = object(
    "oauth2Request",
    "How a token request is written.",
    &[optional(
        "encoding",
        Choice(&["application/x-www-form-urlencoded", "application/json"]),
        "The body's encoding; default a form.",
    )],
    &[],
);

static OAUTH2_TOKEN: Object = object(
    "oauth2Token",
    "A security token.",
    &[required("token", TextValue, "The token."), required("type", TextValue, "The token's type.")],
    &[],
);

/// Whether redirects are followed.
pub(crate) const REDIRECT: Key = optional(
    "redirect",
    Bool,
    "`true`: redirects are followed and a final 3xx is accepted. `false` (default): a 3xx is an error.",
);
