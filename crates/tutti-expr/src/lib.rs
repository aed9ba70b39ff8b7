//! Values and runtime expressions (jq) as pure, bounded functions.
//!
//! [`Value`] is the JSON value that flows through every workflow: immutable, cheap to clone, marked where it came from a
//! secret. [`Expression`] is one compiled jq program over it; [`Template`] is a value whose whole-string `${…}` leaves
//! are expressions. Evaluation ends for every program: it stops at a named [`Limit`], never hangs, never aborts.
//!
//! A source goes through [`syntax`] once, at publish; [`machine`] walks the tree that comes out, paying for every move out
//! of the [`budget`], and calls [`natives`] for what is built in. Data flows one way: what natives need of an evaluation is
//! the [`context`], so they know nothing of the machine.
//!
//! This crate must never read a clock, chance, the environment or a file: all an expression may look at comes in through
//! [`Environment`].

mod budget;
mod context;
mod environment;
mod expression;
mod library;
mod limits;
mod machine;
mod native;
mod natives;
mod regexes;
mod stop;
mod syntax;
mod template;
mod value;

pub use environment::{Environment, Reads, Scope};
pub use expression::{Error, Expression};
pub use limits::Limit;
pub use syntax::error::CompileError;
pub use template::{Mode, Template, TemplateError, TemplateErrors};
pub use value::{Kind, Object, ParseError, Value};
