//! Values and runtime expressions (jq) as pure, bounded functions.
//!
//! [`Value`] is the JSON value that flows through every workflow: immutable, cheap to clone, marked where it came from a
//! secret. [`Expression`] is one compiled jq program over it; [`Template`] is a value whose whole-string `${…}` leaves
//! are expressions. Evaluation ends for every program: it stops at a named [`Limit`], never hangs, never aborts.
//!
//! This crate must never read a clock, chance, the environment or a file: all an expression may look at comes in through
//! [`Environment`].

mod expression;
mod template;
mod value;

pub use expression::{CompileError, Environment, Error, Expression, Limit, Scope};
pub use template::Template;
pub use value::{Kind, Object, ParseError, Value};
