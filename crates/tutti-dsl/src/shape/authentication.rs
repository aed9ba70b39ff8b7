//! Authentication policies.

use super::{
    Key, Object, Rule,
    Shape::{self, Choice, List, Text, TextValue, Uri, UseOr},
    object, optional, required,
};

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
