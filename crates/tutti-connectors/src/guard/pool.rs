//! Connections kept alive between calls.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{Link, Origin};

/// The most connections kept for one origin.
const MOST_PER_ORIGIN: usize = 64;

/// The most connections kept in all.
const MOST: usize = 256;

/// How long an unused connection is kept.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// Connections nobody uses right now.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<BTreeMap<Origin, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    link: Link,
    since: Instant,
}

impl Pool {
    /// The connection to `origin` used last, if that was less than `idle` ago and it is still open.
    pub(super) fn take(&self, origin: &Origin, idle: Duration) -> Option<Link> {
        let now = Instant::now();
        let mut origins = self.lock();
        let links = origins.get_mut(origin)?;
        while let Some(Idle { mut link, since }) = links.pop() {
            if now.duration_since(since) > idle {
                // Those below have been idle for longer still; a more patient caller may take them.
                links.push(Idle { link, since });
                return None;
            }
            if link.is_usable() {
                return Some(link);
            }
        }
        None
    }

    /// Keeps `link` if it is still open and there is room.
    pub(super) fn put(&self, origin: &Origin, mut link: Link) {
        if !link.is_usable() {
            return;
        }
        let now = Instant::now();
        let mut origins = self.lock();
        origins.retain(|_, links| {
            links.retain(|idle| now.duration_since(idle.since) < LONGEST_IDLE);
            !links.is_empty()
        });
        if origins.values().map(Vec::len).sum::<usize>() >= MOST {
            return;
        }
        let links = origins.entry(origin.clone()).or_default();
        if links.len() < MOST_PER_ORIGIN {
            links.push(Idle { link, since: now });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Origin, Vec<Idle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
