//! Why a filter stops before its end.

use crate::{Value, limits::Limit};

/// What a filter gives back to whom it hands its results.
pub(crate) type Flow<T = ()> = Result<T, Box<Stop>>;

/// Why a filter stops before its end.
pub(crate) enum Stop {
    /// An error that `try` catches.
    Error(Value),
    /// A limit, which nothing catches.
    Limit(Limit),
    /// A jump to a label.
    Break(u32),
}

impl Stop {
    pub(crate) fn raise<T>(message: impl Into<String>) -> Flow<T> {
        Self::error(Value::from(message.into()))
    }

    pub(crate) fn error<T>(error: Value) -> Flow<T> {
        Err(Box::new(Self::Error(error)))
    }

    pub(crate) fn limit<T>(limit: Limit) -> Flow<T> {
        Err(Box::new(Self::Limit(limit)))
    }

    pub(crate) fn break_to<T>(label: u32) -> Flow<T> {
        Err(Box::new(Self::Break(label)))
    }

    /// For what the parser never builds.
    pub(crate) fn broken<T>() -> Flow<T> {
        Self::raise("the program is not well formed")
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// The error, or what else this is as it was.
    #[expect(clippy::boxed_local, reason = "a stop always travels in its box")]
    pub(crate) fn into_error(self: Box<Self>) -> Flow<Value> {
        match *self {
            Self::Error(error) => Ok(error),
            other => Err(Box::new(other)),
        }
    }

    /// Ends a jump that arrived.
    pub(crate) fn caught_at(self: Box<Self>, label: u32) -> Flow {
        match *self {
            Self::Break(target) if target == label => Ok(()),
            _ => Err(self),
        }
    }
}
