//! How many starts make up for missed times in a second.

use std::num::NonZeroU32;

use tutti_journal::Timestamp;

/// A number of starts for each second of the clock.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: NonZeroU32,
    /// Whole seconds since the epoch.
    second: i64,
    used: u32,
}

impl Pace {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self { per_second, second: i64::MIN, used: 0 }
    }

    /// Whether one more may start now. A clock that was set back begins a second like any other.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let second = now.0.div_euclid(1_000);
        if second != self.second {
            (self.second, self.used) = (second, 0);
        }
        let free = self.used < self.per_second.get();
        self.used += u32::from(free);
        free
    }

    /// When one may start that may not now.
    pub(super) fn next(now: Timestamp) -> Timestamp {
        Timestamp(now.0.div_euclid(1_000).saturating_add(1).saturating_mul(1_000))
    }
}
