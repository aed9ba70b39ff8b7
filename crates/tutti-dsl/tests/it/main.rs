//! The document as users write it: text in, workflow and diagnostics out.

mod specification;
