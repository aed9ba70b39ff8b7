//! The codes of what can be wrong with a request. Each has a page, which `tutti explain CODE` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table of codes: what callers see, the HTTP status, what it stands for, its page.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// A stable code; never given a second meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As callers see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The HTTP status it comes with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// What it stands for, in one sentence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// Its page, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("../../../docs/reference/errors/", $text, ".md"))),*
                }
            }
        }
    };
}

codes! {
    /// Nobody said who asks, or it could not be proved.
    Unauthenticated = "E0301", 401, "The server does not know who asks.";
    /// The caller may not do this here.
    Forbidden = "E0302", 403, "The caller may not do this.";
    /// There is no such thing, or the caller may not know of it.
    NotFound = "E0303", 404, "There is no such thing.";
    /// The request is not what the operation takes.
    InvalidRequest = "E0304", 400, "The request is not what the operation takes.";
    /// The document is not a valid workflow.
    InvalidWorkflow = "E0305", 422, "The document is not a valid workflow.";
    /// The version is published with other content.
    VersionTaken = "E0306", 409, "The version is already published with other content.";
    /// The execution cannot do this as it stands.
    NotNow = "E0307", 409, "The execution cannot do this as it stands.";
    /// The request or its body is too large.
    TooLarge = "E0308", 413, "The request is too large.";
    /// The idempotency key was used for another request.
    KeyReused = "E0309", 422, "The idempotency key was used for another request.";
    /// Too many requests, or too many executions.
    TooMany = "E0310", 429, "There are too many requests.";
    /// The server does not take this now.
    Unavailable = "E0311", 503, "The server cannot do this now.";
    /// Something in the server failed.
    Internal = "E0312", 500, "The server failed.";
    /// The path knows no such method.
    MethodNotAllowed = "E0313", 405, "The path does not take this method.";
    /// The execution was cancelled.
    Cancelled = "E0314", 409, "The execution was cancelled.";
    /// The business key is taken.
    KeyTaken = "E0315", 409, "The business key is taken.";
    /// What is to be deleted is still in use.
    InUse = "E0316", 409, "It is still in use.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_about_its_code() {
        for code in Code::ALL {
            let (text, title) = (code.as_str(), code.title().trim_end_matches('.'));
            assert!(code.page().starts_with(&format!("# {text}: {title}\n")), "{text}");
            assert!((400..600).contains(&code.status()), "{text}");
        }
    }
}
