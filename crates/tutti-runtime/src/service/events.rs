//! Events: published durably, told to the loops, and read for them.

use tutti_journal::{CloudEvent, EventPosition, Sealer};
use tutti_store::{LoggedEvent, NewEvent, Receipt, Store};

use super::{Error, Handle, switchboard::Switchboard};
use crate::happening::Happening;

/// How many events one commit takes.
const MAX_EVENTS: usize = 1_000;

impl Handle {
    /// Receives events; they are durable when this returns, and the receipts tell where each stands. One whose source
    /// and id are known already changes nothing. Where a call fails, some of the events may have been received: publish
    /// them again.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn publish(&self, events: &[CloudEvent]) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::with_capacity(events.len());
        for events in events.chunks(MAX_EVENTS) {
            let now = self.inner.clock.now();
            let new = |event| NewEvent::new(event, now, &*self.inner.sealer);
            let published = self.inner.store.publish(events.iter().map(new).collect()).await;
            let published = published.map_err(store_failed)?;
            let positions = published.iter().map(|receipt| match receipt {
                Receipt::Logged(position) | Receipt::Duplicate(position) => *position,
            });
            if let Some(newest) = positions.max() {
                self.inner.switchboard.tell_all(|| Happening::EventsLogged { newest });
            }
            receipts.extend(published);
        }
        Ok(receipts)
    }

    pub(super) async fn last_event(&self) -> Result<EventPosition, Error> {
        self.inner.store.last_event_position().await.map_err(store_failed)
    }
}

/// Events of the log after a position, as they were published.
pub(super) async fn read(
    store: &dyn Store,
    sealer: &dyn Sealer,
    after: EventPosition,
    limit: usize,
) -> Result<Vec<(EventPosition, CloudEvent)>, tutti_store::Error> {
    decode(store.events_after(after, limit).await?, sealer)
}

/// Every loop hears how far the log goes now. Where the store does not say, listeners would wait in vain: all stops.
pub(super) async fn tell_newest(store: &dyn Store, switchboard: &Switchboard) {
    match store.last_event_position().await {
        Ok(newest) => switchboard.tell_all(|| Happening::EventsLogged { newest }),
        Err(error) => {
            switchboard.halt(error);
            switchboard.stop();
        }
    }
}

fn decode(
    events: Vec<LoggedEvent>,
    sealer: &dyn Sealer,
) -> Result<Vec<(EventPosition, CloudEvent)>, tutti_store::Error> {
    let decode = |logged: LoggedEvent| {
        let event = CloudEvent::decode(&logged.event.bytes, sealer);
        let what = format!("event {} of the log cannot be opened", logged.position);
        let event = event.map_err(|_error| tutti_store::Error::Corrupt { what })?;
        Ok((logged.position, event))
    };
    events.into_iter().map(decode).collect()
}

fn store_failed(error: tutti_store::Error) -> Error {
    Error::Stopped { source: Some(error) }
}
