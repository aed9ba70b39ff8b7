//! jq source to the tree that the machine walks.
//!
//! [`lexer`] cuts the source into tokens, [`parser`] builds [`tree`] nodes from them and resolves every name on the way: a
//! node knows at which distance its variable, parameter or function is bound. Nothing is looked up by name later.

pub(crate) mod definitions;
pub(crate) mod error;
pub(crate) mod lexer;
pub(crate) mod names;
pub(crate) mod parser;
pub(crate) mod pattern;
pub(crate) mod reads;
pub(crate) mod scope;
pub(crate) mod term;
pub(crate) mod text;
pub(crate) mod tree;
