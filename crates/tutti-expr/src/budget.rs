//! What one evaluation has left of its limits.

use std::cell::Cell;

use crate::{
    Value,
    limits::{BYTES, Limit, TICKS},
    stop::{Flow, Stop},
    value::live_bytes,
};

/// How deep evaluation may nest.
const CALL_DEPTH: u32 = 10_000;
/// The stack that must be left to go deeper: the deepest source between two checks fits in it.
const STACK_RESERVE: usize = 512 << 10;
/// How much of a value's size one tick pays for when it is walked as a whole.
const SIZE_PER_TICK: u64 = 48;
/// How many bytes of text one tick pays for where each is looked at.
const TEXT_PER_TICK: u64 = 16;
/// How many parts of a container one tick pays for when it is copied.
const PARTS_PER_TICK: u64 = 4;

/// What one evaluation has left.
pub(crate) struct Budget {
    ticks: Cell<u64>,
    depth: Cell<u32>,
    held_before: i64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { ticks: Cell::new(TICKS), depth: Cell::new(0), held_before: live_bytes() }
    }

    /// How many ticks were used so far.
    pub(crate) fn used(&self) -> u64 {
        TICKS - self.ticks.get()
    }

    /// Pays for one elementary piece of work.
    pub(crate) fn tick(&self) -> Flow {
        self.ticks(1)
    }

    /// Pays for several pieces of work at once.
    pub(crate) fn ticks(&self, count: u64) -> Flow {
        let left = self.ticks.get();
        if left < count {
            self.ticks.set(0);
            return Stop::limit(Limit::Ticks);
        }
        self.ticks.set(left - count);
        self.hold(0)
    }

    /// Pays for walking something of this size as a whole.
    pub(crate) fn walk(&self, size: u64) -> Flow {
        self.ticks(size / SIZE_PER_TICK)
    }

    /// Pays for writing or reading so many bytes of text one by one.
    pub(crate) fn text(&self, bytes: u64) -> Flow {
        self.ticks(bytes / TEXT_PER_TICK)
    }

    /// Pays for copying a container of so many parts.
    pub(crate) fn copy(&self, parts: usize) -> Flow {
        self.ticks(parts as u64 / PARTS_PER_TICK)
    }

    /// Checks that `bytes` more than what is held now would still fit.
    pub(crate) fn hold(&self, bytes: u64) -> Flow {
        let held = live_bytes().wrapping_sub(self.held_before);
        let held = u64::try_from(held).unwrap_or(0);
        if held.saturating_add(bytes) > BYTES { Stop::limit(Limit::Bytes) } else { Ok(()) }
    }

    /// Checks a container that was just made.
    pub(crate) fn admit(value: Value) -> Flow<Value> {
        if value.depth() > Value::MAX_DEPTH {
            return Stop::limit(Limit::ValueDepth);
        }
        if value.size() > BYTES {
            return Stop::limit(Limit::Bytes);
        }
        Ok(value)
    }

    /// Goes one call deeper until the result is dropped.
    pub(crate) fn enter(&self) -> Flow<Nesting<'_>> {
        let depth = self.depth.get();
        let stack = stacker::remaining_stack().unwrap_or(usize::MAX);
        if depth >= CALL_DEPTH || stack < STACK_RESERVE {
            return Stop::limit(Limit::CallDepth);
        }
        self.depth.set(depth + 1);
        Ok(Nesting(&self.depth))
    }
}

/// One level of nesting, left when dropped.
pub(crate) struct Nesting<'b>(&'b Cell<u32>);

impl Drop for Nesting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
