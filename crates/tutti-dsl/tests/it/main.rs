//! The document as users write it: text in, workflow and diagnostics out.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read the specification and the repository's own files"
)]

mod any_text;
mod assist;
mod diagnostics;
mod differential;
mod fuzzed;
mod json_schema;
mod pages;
mod resources;
mod specification;
mod starting;
