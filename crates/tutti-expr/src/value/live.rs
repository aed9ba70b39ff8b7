//! How many bytes of values live, counted per thread, so that an evaluation can tell how much it holds.
//!
//! A charge is taken where a text or a container is made and given back where its last owner drops it. An evaluation
//! runs on one thread and its inputs outlive it, so the difference of two readings is what it made and still holds.

use std::{cell::Cell, sync::Arc};

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// The bytes of values made on this thread and not dropped on it; only differences mean something.
pub(crate) fn live_bytes() -> i64 {
    LIVE.try_with(Cell::get).unwrap_or(0)
}

fn add(bytes: i64) {
    // A thread that ends may drop values after its counter is gone; then nobody counts any more.
    LIVE.try_with(|live| live.set(live.get().wrapping_add(bytes))).unwrap_or_default();
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Bytes counted as live until dropped.
#[derive(Default)]
pub(super) struct Charge(usize);

impl Charge {
    pub(super) fn new(bytes: usize) -> Self {
        add(signed(bytes));
        Self(bytes)
    }

    /// Counts `bytes` from now on instead.
    pub(super) fn set(&mut self, bytes: usize) {
        add(signed(bytes) - signed(self.0));
        self.0 = bytes;
    }
}

impl Clone for Charge {
    fn clone(&self) -> Self {
        Self::new(self.0)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        add(-signed(self.0));
    }
}

/// A shared text whose bytes count as live.
#[derive(Clone)]
pub(super) struct Text(Arc<str>);

impl Text {
    pub(super) fn new(text: Arc<str>) -> Self {
        add(signed(text.len()));
        Self(text)
    }

    pub(super) fn shared(&self) -> &Arc<str> {
        &self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            add(-signed(self.0.len()));
        }
    }
}
