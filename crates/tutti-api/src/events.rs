//! Events that are received.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of the events of a request, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedEvents {
    /// One for each event.
    pub events: Vec<EventReceipt>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventReceipt {
    /// Its source.
    pub source: String,
    /// Its id.
    pub id: String,
    /// Where it stands among all events.
    pub position: u64,
    /// Whether one of this source and id had been received before: then this one changes nothing.
    pub duplicate: bool,
}
