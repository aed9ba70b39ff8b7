//! One at a time for each key: what looks and then acts cannot be overtaken by another that does the same.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

/// Locks by key. A lock that nobody holds or waits for takes no memory.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    locks: Mutex<BTreeMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Keyed {
    /// Waits until nobody else holds `key`, and holds it until what is returned is dropped.
    ///
    /// # Cancel safety
    /// Safe: who does not wait any more holds nothing.
    pub(crate) async fn hold(&self, key: &str) -> OwnedMutexGuard<()> {
        self.lock(key).lock_owned().await
    }

    fn lock(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(key.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_for_each_key() {
        let keyed = Keyed::default();
        let held = keyed.hold("a").await;
        assert!(keyed.lock("a").try_lock().is_err(), "somebody else holds it");
        let other = keyed.hold("b").await;
        drop((held, other));
        assert!(keyed.lock("a").try_lock().is_ok());
        let _held = keyed.hold("c").await;
        assert_eq!(
            keyed.locks.lock().map(|locks| locks.len()).ok(),
            Some(1),
            "others are forgotten"
        );
    }
}
