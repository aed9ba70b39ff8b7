//! What SQLite's errors mean to callers of the store.

use rusqlite::{Error as SqlError, ErrorCode};

use crate::{Error, check};

/// The error of `attempt`, which `error` ended.
pub(super) fn of(attempt: &str) -> impl Fn(SqlError) -> Error {
    move |error| match &error {
        SqlError::SqliteFailure(failure, _) if is_damage(failure.code) => {
            check::corrupt(format!("{attempt}: {error}"))
        }
        // Every statement is good where the tables are ours.
        SqlError::SqliteFailure(_, Some(text)) if text.starts_with("no such ") => {
            check::corrupt(format!("{attempt}: {error}"))
        }
        SqlError::FromSqlConversionFailure(..)
        | SqlError::IntegralValueOutOfRange(..)
        | SqlError::InvalidColumnType(..)
        | SqlError::Utf8Error(..)
        | SqlError::QueryReturnedNoRows => check::corrupt(format!("{attempt}: {error}")),
        _ => Error::Unavailable { attempt: attempt.to_owned(), source: Some(error.into()) },
    }
}

/// A broken constraint is damage as well: what is written was checked against what is read.
fn is_damage(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation
    )
}

/// Whether nothing is wrong but a lack of space, with nothing stored of what was attempted.
pub(super) fn is_disk_full(error: &Error) -> bool {
    let Error::Unavailable { source: Some(source), .. } = error else { return false };
    source
        .downcast_ref::<SqlError>()
        .and_then(SqlError::sqlite_error_code)
        .is_some_and(|code| code == ErrorCode::DiskFull)
}
