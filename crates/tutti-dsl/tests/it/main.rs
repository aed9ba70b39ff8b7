//! The document as users write it: text in, workflow and diagnostics out.

mod any_text;
mod diagnostics;
mod differential;
mod json_schema;
mod pages;
mod specification;
