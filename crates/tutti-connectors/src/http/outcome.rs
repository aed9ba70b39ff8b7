//! What is known about a call that gave no output.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tutti_expr::Value;
use tutti_journal::{Effect, Error, ErrorType};

use crate::{Failure, guard::Departure};

/// An error, and whether the call may have had its effect all the same.
#[derive(Debug)]
pub(super) struct Trouble {
    error: Error,
    unclear: bool,
}

impl Trouble {
    /// A response came, or we refused: the error says all there is.
    pub(super) fn known(error: Error) -> Self {
        Self { error, unclear: false }
    }

    /// If anything left, nobody knows what came of it.
    pub(super) fn unclear(error: Error) -> Self {
        Self { error, unclear: true }
    }

    /// A response with `status`: those of a gateway or a patience that ran out say nothing about the effect.
    pub(super) fn status(status: u16, error: Error) -> Self {
        Self { error, unclear: matches!(status, 408 | 502 | 504) }
    }

    /// What the runtime is told.
    pub(super) fn settle(self, effect: Effect, progress: &Progress) -> Failure {
        if self.unclear && progress.has_left() && effect == Effect::Once {
            Failure::Unknown(outcome_unknown(&self.error))
        } else {
            Failure::Known(self.error)
        }
    }
}

/// The error of a `once` call nobody knows the outcome of.
pub(crate) fn outcome_unknown(cause: &Error) -> Error {
    let detail = cause.detail.clone().unwrap_or_else(|| Value::from("the outcome is unknown"));
    Error::new(ErrorType::OutcomeUnknown, detail).with("cause", cause.to_value())
}

/// How far a call got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// An earlier request of this call was answered by sending us elsewhere for its result.
    earlier: AtomicBool,
    current: Mutex<Option<Departure>>,
}

impl Progress {
    /// Whether something left whose effect may have happened.
    pub(super) fn has_left(&self) -> bool {
        self.earlier.load(Ordering::Acquire)
            || self.current().as_ref().is_some_and(Departure::happened)
    }

    /// A request is about to be sent on this connection.
    pub(super) fn watch(&self, departure: Departure) {
        *self.current() = Some(departure);
    }

    /// The request was answered, and its effect is still to come from the next.
    pub(super) fn begin_again(&self) {
        *self.current() = None;
    }

    /// The request was answered, its effect may have happened, and its result comes from the next.
    pub(super) fn result_is_elsewhere(&self) {
        self.earlier.store(true, Ordering::Release);
        self.begin_again();
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Departure>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
