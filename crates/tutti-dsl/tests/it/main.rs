//! The document as users write it: text in, workflow and diagnostics out.

mod diagnostics;
mod differential;
mod pages;
mod specification;
