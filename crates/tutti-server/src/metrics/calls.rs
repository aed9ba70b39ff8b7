//! Calls and probes by connector and outcome.

use std::time::Duration;

use super::{
    catalog::{CALL_DURATION, CALLS, CALLS_IN_FLIGHT, CALLS_LIMIT, PROBES},
    figure::{Counter, Gauge, Histogram},
    page::Page,
};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// It gave an output.
    Completed,
    /// It gave an error.
    Failed,
    /// It was given up before anything left.
    Cancelled,
    /// Something left, and nobody knows what came of it.
    Unknown,
}

const CALL_ENDS: [&str; 4] = ["completed", "failed", "cancelled", "unknown"];
const PROBE_ENDS: [&str; 4] = ["completed", "failed", "not-made", "unknown"];

/// The calls of every connector.
#[derive(Debug)]
pub(crate) struct Calls {
    limit: u64,
    connectors: Vec<Connector>,
}

#[derive(Debug)]
pub(crate) struct Connector {
    name: &'static str,
    ends: [Counter; CALL_ENDS.len()],
    probe_ends: [Counter; PROBE_ENDS.len()],
    duration: Histogram,
    pub(crate) in_flight: Gauge,
}

impl Connector {
    pub(crate) fn ended(&self, how: CallEnd, took: Duration) {
        self.ends[how as usize].add(1);
        self.duration.observe(took);
    }

    pub(crate) fn probed(&self, how: CallEnd) {
        self.probe_ends[how as usize].add(1);
    }
}

impl Calls {
    pub(crate) fn new(connectors: &[&'static str], limit: u64) -> Self {
        let connector = |name: &&'static str| Connector {
            name,
            ends: Default::default(),
            probe_ends: Default::default(),
            duration: Histogram::default(),
            in_flight: Gauge::default(),
        };
        Self { limit, connectors: connectors.iter().map(connector).collect() }
    }

    /// The connector of this name, if it is known.
    pub(crate) fn of(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.name == name)
    }

    pub(crate) fn expose(&self, page: &mut Page) {
        page.head(&CALLS);
        for connector in &self.connectors {
            for (end, count) in CALL_ENDS.iter().zip(&connector.ends) {
                page.sample(&CALLS, &[connector.name, end], count.get());
            }
        }
        page.head(&CALL_DURATION);
        for connector in &self.connectors {
            page.histogram(&CALL_DURATION, &[connector.name], &connector.duration);
        }
        page.head(&CALLS_IN_FLIGHT);
        for connector in &self.connectors {
            page.sample(&CALLS_IN_FLIGHT, &[connector.name], connector.in_flight.get());
        }
        page.single(&CALLS_LIMIT, self.limit);
        page.head(&PROBES);
        for connector in &self.connectors {
            for (end, count) in PROBE_ENDS.iter().zip(&connector.probe_ends) {
                page.sample(&PROBES, &[connector.name, end], count.get());
            }
        }
    }
}
