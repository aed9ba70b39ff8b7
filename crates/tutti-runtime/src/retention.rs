//! How long the log of events is kept.

use std::{sync::Weak, time::Duration};

use tutti_journal::{EventPosition, Timestamp};
use tutti_store::{Error, EventRetention, Store};

use crate::clock::Clock;

/// Events that one transaction drops at most, so that commits need not wait long for it.
const BATCH: usize = 500;
/// Pause between two batches.
const BETWEEN_BATCHES: Duration = Duration::from_millis(50);
/// Pause between two looks at the log.
const BETWEEN_LOOKS: Duration = Duration::from_hours(1);
/// Open executions among which the oldest is looked for: ids begin with the time at which they were drawn.
const OLDEST: usize = 100;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// How long events are kept, in milliseconds since they were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsKept {
    /// At least so long. As long as an event is kept, another one of its source and id is known as a duplicate.
    pub window_ms: u64,
    /// At most so long, even where an execution that began before it may still listen for it.
    pub limit_ms: u64,
}

impl Default for EventsKept {
    /// 7 days, and 90 days where an execution that began before may still listen.
    fn default() -> Self {
        Self { window_ms: 7 * DAY_MS, limit_ms: 90 * DAY_MS }
    }
}

/// Drops what is kept no longer, now and then, until the store or the runtime is gone.
pub(crate) async fn keep_tidy(
    store: Weak<dyn Store>,
    clock: std::sync::Arc<dyn Clock>,
    kept: EventsKept,
) {
    while let Some(store) = store.upgrade() {
        // A store that fails here fails the next commit as well, and says so there.
        let pause = match drop_batch(&*store, clock.now(), kept).await {
            Ok(dropped) if dropped >= BATCH as u64 => BETWEEN_BATCHES,
            Ok(_) | Err(_) => BETWEEN_LOOKS,
        };
        drop(store);
        tokio::time::sleep(pause).await;
    }
}

/// Drops some of the events that are kept no longer; says how many.
async fn drop_batch(store: &dyn Store, now: Timestamp, kept: EventsKept) -> Result<u64, Error> {
    let ago = |ms: u64| Timestamp(now.0.saturating_sub_unsigned(ms));
    // The usual case is that nothing is old enough: it must not cost a transaction.
    let oldest = store.events_after(EventPosition(0), 1).await?;
    let is_old = |oldest: Option<&tutti_store::LoggedEvent>| {
        oldest.is_some_and(|oldest| oldest.event.received_at < ago(kept.window_ms))
    };
    if !is_old(oldest.first()) {
        return Ok(0);
    }
    let open = store.open_executions(None, OLDEST).await?;
    let needed_from = open.iter().map(|open| open.projection.started_at).min();
    let unneeded = needed_from.unwrap_or(now).min(ago(kept.window_ms));
    let retention = EventRetention {
        through: EventPosition(u64::MAX >> 1),
        before: unneeded.max(ago(kept.limit_ms.max(kept.window_ms))),
        count: u64::MAX >> 1,
    };
    store.drop_events(retention, BATCH).await
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::Arc,
        task::{Context, Poll, Waker},
    };

    use tutti_ids::Digest;
    use tutti_store::{
        Commit, MemoryStore, NewEvent, Receipt, Status,
        contract::{Sample, definition},
    };

    use super::*;

    /// When [`Sample`] starts.
    const STARTED: i64 = 1_700_000_000_000;
    const DAY: i64 = 24 * 3600 * 1000;

    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(ready) =
                future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                return ready;
            }
        }
    }

    fn event(number: u8, received_at: i64) -> NewEvent {
        let received_at = Timestamp(received_at);
        NewEvent { key: Digest([number; 32]), received_at, bytes: vec![number] }
    }

    /// What is left of four events, received before and after an execution started, some days later.
    fn check(status: Status, days: i64, left: &[u64]) {
        let store = MemoryStore::default();
        let log = [-DAY, 0, DAY, 8 * DAY].map(|after| STARTED + after);
        let events = (1..).zip(log).map(|(number, at)| event(number, at)).collect();
        now(store.publish(events)).expect("they are received");
        let turns = vec![Sample::new(1).turn("it stands", status)];
        let definitions = vec![definition("sample")];
        now(store.commit(Commit { turns, definitions, ..Commit::default() })).expect("stored");
        let at = Timestamp(STARTED + days * DAY);
        now(drop_batch(&store, at, EventsKept::default())).expect("it is done");
        let kept = now(store.events_after(EventPosition(0), 10)).expect("the log is whole");
        let kept: Vec<u64> = kept.iter().map(|event| event.position.0).collect();
        assert_eq!(kept, left, "{status:?} after {days} days");
    }

    #[test]
    fn events_are_kept_for_their_window_and_as_long_as_somebody_may_listen() {
        check(Status::Completed, 6, &[1, 2, 3, 4]);
        check(Status::Completed, 7, &[2, 3, 4]);
        check(Status::Completed, 9, &[4]);
        check(Status::Completed, 100, &[4]);
        check(Status::Waiting, 9, &[2, 3, 4]);
        check(Status::Waiting, 80, &[2, 3, 4]);
        check(Status::Waiting, 91, &[3, 4]);
        check(Status::Waiting, 100, &[4]);
    }

    #[test]
    fn an_event_is_known_as_long_as_it_is_kept() {
        let store = Arc::new(MemoryStore::default());
        now(store.publish(vec![event(1, 0), event(2, DAY)])).expect("they are received");
        let publish = || now(store.publish(vec![event(1, 0)])).expect("it is answered");
        assert_eq!(publish(), [Receipt::Duplicate(EventPosition(1))]);
        let dropped = drop_batch(&*store, Timestamp(8 * DAY), EventsKept::default());
        assert_eq!(now(dropped).ok(), Some(1));
        assert_eq!(publish(), [Receipt::Logged(EventPosition(3))]);
    }
}
