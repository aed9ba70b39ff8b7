//! Which events of the log go with executions that are erased.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tutti_journal::{CloudEvent, Entry, EventPosition, Row, Sealer, Timestamp};

use super::super::{
    events, failure, read,
    rows::{self, ExecutionRow},
};
use crate::{Error, event_key};

/// The positions of the events that an execution consumed, and of those it emitted as far as its values are there and
/// open.
pub(super) fn of(
    connection: &Connection,
    execution: &ExecutionRow,
    sealer: &dyn Sealer,
) -> Result<BTreeSet<EventPosition>, Error> {
    let fail = failure::of("cannot find an event in the log");
    let mut found = BTreeSet::new();
    let namespace = execution.projection.definition.namespace.as_str();
    rows::each_of(connection, execution.execution, |_, row| {
        for entry in entries(connection, row, sealer) {
            match entry {
                Entry::EventConsumed { position, .. } => {
                    found.insert(position);
                }
                Entry::EventEmitted { event, .. } => {
                    let Ok(event) = CloudEvent::from_value(&event) else { continue };
                    // It was emitted in its namespace; before there were any, for everybody.
                    for event in [event.clone().within(namespace), event] {
                        found.extend(events::find(connection, event_key(&event)).map_err(&fail)?);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The entries of a row; without their values where those do not open.
fn entries(connection: &Connection, mut row: Row, sealer: &dyn Sealer) -> Vec<Entry> {
    let blob = |digest: &_| read::blob(connection, *digest).ok();
    if let Ok(turn) = row.decode(sealer, &blob) {
        return turn.entries;
    }
    row.values = None;
    row.decode(sealer, &blob).map(|turn| turn.entries).unwrap_or_default()
}

/// What became of the events that were to be erased.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) erased: u64,
    pub(super) kept: u64,
}

/// Erases events, but for those that an execution which goes on may still receive.
pub(super) fn erase(
    connection: &Connection,
    positions: &BTreeSet<EventPosition>,
    all: &[ExecutionRow],
) -> rusqlite::Result<Gone> {
    let open = all.iter().filter(|row| !row.projection.status.is_terminal());
    let listening_since = open.map(|row| row.projection.started_at).min();
    let mut gone = Gone::default();
    for position in positions {
        if may_be_awaited(connection, *position, listening_since)? {
            gone.kept += 1;
        } else if events::erase(connection, *position)? {
            gone.erased += 1;
        }
    }
    Ok(gone)
}

fn may_be_awaited(
    connection: &Connection,
    position: EventPosition,
    listening_since: Option<Timestamp>,
) -> rusqlite::Result<bool> {
    let Some(since) = listening_since else { return Ok(false) };
    Ok(events::received_at(connection, position)?.is_some_and(|received| received >= since))
}
