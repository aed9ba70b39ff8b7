//! Ids of requests: what a line of the log, an audit record and an answer have in common.

use std::sync::atomic::{AtomicU64, Ordering};

/// Draws ids that no other request has, of this process or, most likely, of another.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        let mut chance = [0; 4];
        // Without chance, ids of two processes are alike; within one they never are.
        getrandom::fill(&mut chance).ok();
        Self { process: u32::from_be_bytes(chance), next: AtomicU64::new(1) }
    }

    pub(crate) fn draw(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("req_{:08x}{number:08x}", self.process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_have_one_id() {
        let ids = RequestIds::new();
        let (first, second) = (ids.draw(), ids.draw());
        assert_ne!(first, second);
        assert_eq!((first.len(), &first[..4]), (20, "req_"));
    }
}
