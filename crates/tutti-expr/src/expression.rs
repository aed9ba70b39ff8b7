//! One compiled jq program.

use std::{collections::BTreeSet, fmt, sync::Arc};

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
}

/// What an expression may look at beside its input.
pub trait Environment {
    /// The value of the variable `$name`; asked only for variables the expression uses.
    fn variable(&self, name: &str) -> Option<Value>;
    /// The turn's time in milliseconds since the Unix epoch: what `now` returns.
    fn now_ms(&self) -> i64;
}

/// A compiled jq program; cheap to clone and shared between threads.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
}

impl Expression {
    /// Compiles jq source (without `${` and `}`) whose free variables are in `scope`.
    ///
    /// # Errors
    /// If the source does not compile: unknown syntax, function or variable, or a limit on source.
    pub fn compile(source: &str, _scope: &Scope) -> Result<Self, CompileError> {
        Ok(Self { source: Arc::from(source) })
    }

    /// The source as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Evaluates to one value: no result is `null`, several are an array.
    ///
    /// # Errors
    /// If the program raises an error or reaches a limit.
    pub fn evaluate(&self, _input: &Value, _environment: &dyn Environment) -> Result<Value, Error> {
        Err(Error::Raised { message: Arc::from("not built") })
    }

    /// Evaluates a condition: only `true` and `false` count, `null` and no result are false.
    ///
    /// # Errors
    /// If the program raises an error, reaches a limit or yields something else than a boolean.
    pub fn is_true(&self, input: &Value, environment: &dyn Environment) -> Result<bool, Error> {
        let value = self.evaluate(input, environment)?;
        match value.as_bool() {
            Some(truth) => Ok(truth),
            None if value.is_null() => Ok(false),
            None => Err(Error::NotBoolean { found: Arc::from(value.to_redacted_json()) }),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{ {} }}", self.source)
    }
}

/// A source that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong.
    pub message: String,
    /// What could be done about it.
    pub hint: Option<String>,
    /// The byte range of the offending part in the source.
    pub range: std::ops::Range<usize>,
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The program raised an error.
    #[error("{message}")]
    Raised {
        /// The program's message, secrets redacted.
        message: Arc<str>,
    },
    /// The program reached a limit.
    #[error("the expression exceeds its limit of {limit}")]
    Limit {
        /// Which one.
        limit: Limit,
    },
    /// A condition yielded something else than a boolean.
    #[error("a condition must yield true or false, not {found}")]
    NotBoolean {
        /// What it yielded, cut short.
        found: Arc<str>,
    },
}

/// The limits that end every evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Evaluation ticks.
    Ticks,
    /// Bytes of all values made.
    Bytes,
    /// Depth of one value.
    ValueDepth,
    /// Depth of calls.
    CallDepth,
    /// Bytes of the output.
    Output,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticks => "1,000,000 ticks",
            Self::Bytes => "64 MiB of values",
            Self::ValueDepth => "128 levels of nesting in a value",
            Self::CallDepth => "call depth",
            Self::Output => "8 MiB of output",
        })
    }
}
