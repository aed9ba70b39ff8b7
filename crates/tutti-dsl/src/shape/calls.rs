//! `with` of every function.

use super::{
    Object, Rule,
    Shape::{
        self, Choice, Code, Duration, Either, Expression, Host, Integer, List, Map, MapValue,
        Marked, Tasks, Text, TextValue, Value, Variable,
    },
    authentication::AUTHENTICATION,
    events::ITERATOR,
    object, optional,
    processes::SUBWORKFLOW,
    required,
    resources::{ENDPOINT, REDIRECT, RESOURCE},
};

/// The arguments of a function by its name; `None` for functions that stand elsewhere.
pub(crate) fn arguments(function: &str) -> Option<&'static Object> {
    LANGUAGE.iter().find(|(name, _)| *name == function).map(|(_, object)| *object)
}

/// The functions that need `with`, and what it is made of.
pub(crate) static LANGUAGE: &[(&str, &Object)] = &[
    ("http", &HTTP),
    ("openapi", &OPENAPI),
    ("grpc", &GRPC),
    ("asyncapi", &ASYNCAPI),
    ("a2a", &A2A),
    ("mcp", &MCP),
    ("each", &EACH),
];

const OUTPUT: super::Key = optional(
    "output",
    Choice(&["raw", "content", "response"]),
    "`raw` the body as base64, `content` (default) the body deserialized, `response` everything.",
);

static HTTP: Object = object(
    "http",
    "An HTTP request.",
    &[
        required("method", TextValue, "The method, such as `get`."),
        required("endpoint", ENDPOINT, "Where the request goes."),
        optional(
            "headers",
            Either(&[Marked, Map(&TextValue)]),
            "Headers by name, or an expression that yields them.",
        ),
        optional(
            "query",
            Either(&[Marked, Map(&Value)]),
            "Query parameters by name, or an expression that yields them.",
        ),
        optional("body", Value, "The body."),
        OUTPUT,
        REDIRECT,
    ],
    &[],
);

static OPENAPI: Object = object(
    "openapi",
    "An operation that an OpenAPI document describes.",
    &[
        required("document", Shape::Object(&RESOURCE), "The OpenAPI document."),
        required("operationId", TextValue, "The operation."),
        optional("parameters", MapValue, "Its parameters by name."),
        optional("authentication", AUTHENTICATION, "As whom the call is made."),
        OUTPUT,
        REDIRECT,
    ],
    &[],
);

static GRPC: Object = object(
    "grpc",
    "A gRPC method.",
    &[
        required("proto", Shape::Object(&RESOURCE), "The proto file that describes the service."),
        required("service", Shape::Object(&GRPC_SERVICE), "The service."),
        required("method", TextValue, "The method."),
        optional("arguments", MapValue, "Its arguments."),
    ],
    &[],
);

static GRPC_SERVICE: Object = object(
    "grpcService",
    "A gRPC service.",
    &[
        required("name", TextValue, "The service's name."),
        required("host", Host, "Its host."),
        optional("port", Integer { min: 0, max: 65_535 }, "Its port."),
        optional("authentication", AUTHENTICATION, "As whom the call is made."),
    ],
    &[],
);

static ASYNCAPI: Object = object(
    "asyncapi",
    "An operation that an AsyncAPI document describes.",
    &[
        required("document", Shape::Object(&RESOURCE), "The AsyncAPI document."),
        optional("channel", TextValue, "The channel, for documents of version 2."),
        optional("operation", TextValue, "The operation, for documents of version 3."),
        optional("server", Shape::Object(&ASYNCAPI_SERVER), "The server to use."),
        optional("protocol", Choice(PROTOCOLS), "The protocol that selects the server."),
        optional("message", Shape::Object(&ASYNCAPI_MESSAGE), "The message to publish."),
        optional("subscription", Shape::Object(&ASYNCAPI_SUBSCRIPTION), "The messages to consume."),
        optional("authentication", AUTHENTICATION, "As whom the call is made."),
    ],
    &[Rule::ExactlyOne(&["channel", "operation"]), Rule::ExactlyOne(&["message", "subscription"])],
);

const PROTOCOLS: &[&str] = &[
    "amqp",
    "amqp1",
    "anypointmq",
    "googlepubsub",
    "http",
    "ibmmq",
    "jms",
    "kafka",
    "mercure",
    "mqtt",
    "mqtt5",
    "nats",
    "pulsar",
    "redis",
    "sns",
    "solace",
    "sqs",
    "stomp",
    "ws",
];

static ASYNCAPI_SERVER: Object = object(
    "asyncapiServer",
    "A server of the AsyncAPI document.",
    &[required("name", TextValue, "Its name."), optional("variables", MapValue, "Its variables.")],
    &[],
);

static ASYNCAPI_MESSAGE: Object = object(
    "asyncapiMessage",
    "A message to publish.",
    &[optional("payload", MapValue, "Its payload."), optional("headers", MapValue, "Its headers.")],
    &[],
);

static ASYNCAPI_SUBSCRIPTION: Object = object(
    "asyncapiSubscription",
    "The messages to consume.",
    &[
        optional("filter", Expression, "Which messages."),
        required("consume", Shape::Object(&CONSUMPTION), "How many of them."),
        optional("foreach", Shape::Object(&ITERATOR), "What is done with each."),
    ],
    &[],
);

static CONSUMPTION: Object = object(
    "consumption",
    "How many messages are consumed.",
    &[
        optional("amount", Integer { min: 0, max: i64::MAX }, "This many."),
        optional("while", Expression, "As long as this holds, asked after each message."),
        optional("until", Expression, "Until this holds, asked before each message."),
        optional("for", Duration, "No longer than this."),
    ],
    &[Rule::ExactlyOne(&["amount", "while", "until"])],
);

static A2A: Object = object(
    "a2a",
    "A method of an agent, by the Agent2Agent protocol.",
    &[
        optional("agentCard", Shape::Object(&RESOURCE), "The agent's card."),
        optional("server", ENDPOINT, "The agent's server."),
        required("method", Choice(A2A_METHODS), "The method."),
        optional("parameters", Either(&[TextValue, MapValue]), "Its parameters."),
    ],
    &[Rule::ExactlyOne(&["agentCard", "server"])],
);

const A2A_METHODS: &[&str] = &[
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/list",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
];

static MCP: Object = object(
    "mcp",
    "A method of a server, by the Model Context Protocol.",
    &[
        optional("protocolVersion", Text, "The protocol's version; default `2025-06-18`."),
        required("method", Choice(MCP_METHODS), "The method."),
        optional("parameters", Either(&[TextValue, MapValue]), "Its parameters."),
        optional("timeout", Duration, "How long the call may take."),
        required("transport", Shape::Object(&MCP_TRANSPORT), "How the server is reached."),
        optional("client", Shape::Object(&MCP_CLIENT), "Who asks."),
    ],
    &[],
);

const MCP_METHODS: &[&str] = &[
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
];

static MCP_TRANSPORT: Object = object(
    "mcpTransport",
    "How a server is reached.",
    &[
        optional("http", Shape::Object(&MCP_HTTP), "By HTTP."),
        optional("stdio", Shape::Object(&MCP_STDIO), "As a process of its own."),
        optional("options", Map(&TextValue), "Options of the transport."),
    ],
    &[Rule::ExactlyOne(&["http", "stdio"])],
);

static MCP_HTTP: Object = object(
    "mcpHttp",
    "A server reached by HTTP.",
    &[
        required("endpoint", ENDPOINT, "Where it is."),
        optional("headers", Map(&TextValue), "Headers sent with every request."),
    ],
    &[],
);

static MCP_STDIO: Object = object(
    "mcpStdio",
    "A server run as a process.",
    &[
        required("command", Code, "The command."),
        optional("arguments", List(&TextValue), "Its arguments."),
        optional("environment", Map(&TextValue), "Its environment variables."),
    ],
    &[],
);

static MCP_CLIENT: Object = object(
    "mcpClient",
    "Who asks.",
    &[
        required("name", TextValue, "The client's name."),
        required("version", TextValue, "The client's version."),
    ],
    &[],
);

static EACH: Object = object(
    "each",
    "The same for every item of a list, many at once, as many as there are.",
    &[
        required("in", Either(&[Expression, List(&Value)]), "The items: an expression, or a list."),
        optional("as", Variable, "The variable that holds the item; default `item`."),
        optional("at", Variable, "The variable that holds its position, from 0; default `index`."),
        optional(
            "limit",
            Either(&[TextValue, Integer { min: 1, max: i64::MAX }]),
            "How many at once.",
        ),
        optional("do", Tasks, "The tasks for each item; their input is the item."),
        optional("function", Text, "The function of `use.functions` to call for each item."),
        optional("workflow", Shape::Object(&SUBWORKFLOW), "The workflow to run for each item."),
        optional(
            "with",
            Value,
            "The input of the function or workflow, evaluated for each item; the item if absent.",
        ),
        optional(
            "onError",
            Choice(&["stop", "collect"]),
            "`stop` (default): the first failure ends all. `collect`: all are done, failures are part of the output.",
        ),
        optional(
            "maxFailed",
            Either(&[Text, Integer { min: 0, max: i64::MAX }]),
            "With `collect`: more failures than this number, or this part such as \"10%\", fault the task.",
        ),
    ],
    &[Rule::ExactlyOne(&["do", "function", "workflow"])],
);
