//! What an expression may look at beside its input: the variables in reach, and the turn's time.

use std::{collections::BTreeSet, sync::Arc};

use crate::Value;

/// The names of the variables an expression may use, without `$`.
#[derive(Debug, Clone, Default)]
pub struct Scope(BTreeSet<Arc<str>>);

impl Scope {
    /// A scope of these names.
    pub fn new<N: Into<Arc<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// This scope and one more name.
    #[must_use]
    pub fn with(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.insert(Arc::from(name));
        Self(names)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<str>> {
        self.0.get(name)
    }
}

/// What a program reads of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// At most these members, all of them named in the source: `$x.a`, `$x["a"]`, `$x | .a`.
    Members(BTreeSet<Arc<str>>),
    /// Any member: the program uses the variable as a whole, or names a member by something computed.
    All,
}

/// What an expression may look at beside its input.
pub trait Environment {
    /// The value of the variable `$name`; asked only for variables the expression uses, when it first does.
    fn variable(&self, name: &str) -> Option<Value>;
    /// [`Environment::variable`] where only the members in `reads` will be looked at; giving more does no harm.
    fn members(&self, name: &str, reads: &Reads) -> Option<Value> {
        let _ = reads;
        self.variable(name)
    }
    /// The turn's time in milliseconds since the Unix epoch: what `now` returns.
    fn now_ms(&self) -> i64;
    /// Is told, once an evaluation has ended, how many ticks of its limit it used.
    fn on_evaluated(&self, ticks: u64) {
        let _: u64 = ticks;
    }
}
