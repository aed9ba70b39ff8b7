//! How many refusals are written down: whoever is refused must not be able to fill the disk.

use std::sync::{Mutex, PoisonError};

use tutti_journal::Timestamp;

/// Refusals that are written down in a minute; of the others it is known how many there were.
const A_MINUTE: u32 = 60;
const MINUTE_MS: i64 = 60_000;

/// Counts refusals.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: i64,
    written: u32,
    passed_over: u64,
}

impl Refusals {
    /// Whether this one is written down; then, how many were passed over since the last that was.
    pub(crate) fn note(&self, now: Timestamp) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that goes back begins anew as well.
        if !(0..MINUTE_MS).contains(&now.0.saturating_sub(window.began)) {
            window.began = now.0;
            window.written = 0;
        }
        if window.written >= A_MINUTE {
            window.passed_over += 1;
            return None;
        }
        window.written += 1;
        Some(std::mem::take(&mut window.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_a_minute_refusals_are_counted_only() {
        let refusals = Refusals::default();
        let note = |at| refusals.note(Timestamp(at));
        assert!((0..A_MINUTE).all(|at| note(i64::from(at)) == Some(0)));
        assert_eq!((note(100), note(59_999)), (None, None));
        assert_eq!((note(60_000), note(60_001)), (Some(2), Some(0)));
        assert_eq!(note(5), Some(0), "a clock that was set back");
    }
}
