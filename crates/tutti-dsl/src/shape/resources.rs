//! What is elsewhere: resources, and the endpoints calls go to.

use super::{
    Key, Object,
    Shape::{self, Bool, Either, Text, Uri},
    authentication::AUTHENTICATION,
    object, optional, required,
};

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
