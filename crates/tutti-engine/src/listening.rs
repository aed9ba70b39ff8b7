//! What a `listen` knows, and which events an execution has consumed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use minicbor::{Decode, Encode};
use tutti_dsl::{Consumption, EventFilters, Listen, Until};
use tutti_expr::Value;
use tutti_journal::{EventPosition, Payloads, codec};

use crate::places::{learned, values};

/// Ranges of consumed events one line of flow remembers; beyond it the oldest two become one, and what lies between
/// them is not seen any more.
const MAX_RANGES: usize = 10_000;

/// How far a `listen` has come.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Listening {
    /// The events after this one are looked at.
    #[n(0)]
    pub(crate) after: EventPosition,
    /// `$context` when it began: whether an event matches never depends on when it is looked at.
    #[cbor(n(1), with = "codec::value")]
    pub(crate) context: Value,
    /// What correlations must be, for each filter an object by name.
    #[cbor(n(2), with = "codec::value")]
    pub(crate) expected: Value,
    /// Correlations that were first seen in an event.
    #[cbor(n(3), with = "learned")]
    pub(crate) learned: BTreeMap<Arc<str>, Value>,
    /// The filters that had their event.
    #[n(4)]
    pub(crate) filled: BTreeSet<u32>,
    /// Whether it keeps what it consumes.
    #[n(5)]
    pub(crate) collects: bool,
    /// What it consumed, transformed.
    #[cbor(n(6), with = "values")]
    pub(crate) items: Vec<Value>,
    /// The size of all items.
    #[n(7)]
    pub(crate) bytes: u64,
    /// How many events it consumed.
    #[n(8)]
    pub(crate) consumed: u64,
    /// How many events it consumed towards its end.
    #[n(9)]
    pub(crate) ending: u64,
    /// The event that `foreach` works on.
    #[cbor(n(10), with = "codec::optional", has_nil)]
    pub(crate) current: Option<Value>,
}

impl Listening {
    pub(crate) fn new(
        after: EventPosition,
        expected: Value,
        context: Value,
        collects: bool,
    ) -> Self {
        Self {
            after,
            context,
            expected,
            learned: BTreeMap::new(),
            filled: BTreeSet::new(),
            collects,
            items: Vec::new(),
            bytes: 0,
            consumed: 0,
            ending: 0,
            current: None,
        }
    }

    /// Whether it consumed all it asked for; one that ends by an expression never has.
    pub(crate) fn is_complete(&self, listen: &Listen) -> bool {
        let own = listen.events.filters.len();
        match &listen.until {
            Until::Absent if listen.is_endless() => false,
            Until::Absent => self.has_all(&listen.events, 0, self.consumed),
            Until::Events(events) => self.has_all(events, own, self.ending),
            Until::Never | Until::Expression(_) => false,
        }
    }

    fn has_all(&self, events: &EventFilters, offset: usize, count: u64) -> bool {
        match events.consumption {
            Consumption::One | Consumption::Any => count > 0,
            Consumption::All => (offset..offset + events.filters.len()).all(|filter| {
                u32::try_from(filter).is_ok_and(|filter| self.filled.contains(&filter))
            }),
        }
    }

    pub(crate) fn keep(&mut self, item: Value) {
        if self.collects {
            self.bytes = self.bytes.saturating_add(item.size());
            self.items.push(item);
        }
    }

    /// What the correlation `name` of a filter must be, as far as that is known.
    pub(crate) fn expectation(&self, filter: usize, name: &str) -> Option<&Value> {
        let filters = self.expected.as_array().unwrap_or(&[]);
        let own = filters.get(filter).and_then(|names| names.get(name));
        own.or_else(|| self.learned.get(name))
            .or_else(|| filters.iter().find_map(|names| names.get(name)))
    }
}

/// The positions of events that were consumed, as ranges from first to last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Consumed(#[n(0)] pub(crate) BTreeMap<u64, u64>);

impl Consumed {
    pub(crate) fn has(&self, position: EventPosition) -> bool {
        self.0.range(..=position.0).next_back().is_some_and(|(_, last)| *last >= position.0)
    }

    pub(crate) fn insert(&mut self, position: EventPosition) {
        self.insert_range(position.0, position.0);
    }

    fn insert_range(&mut self, mut first: u64, mut last: u64) {
        let touching: Vec<(u64, u64)> = self
            .0
            .range(..=last.saturating_add(1))
            .rev()
            .map(|(first, last)| (*first, *last))
            .take_while(|(_, end)| end.saturating_add(1) >= first)
            .collect();
        for (start, end) in touching {
            self.0.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.0.insert(first, last);
        while self.0.len() > MAX_RANGES {
            let Some((first, _)) = self.0.pop_first() else { return };
            let Some((_, last)) = self.0.pop_first() else { return };
            self.0.insert(first, last);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, other: Self) {
        for (first, last) in other.0 {
            self.insert_range(first, last);
        }
    }
}

/// How what was consumed is encoded, by line of flow.
pub(crate) mod lines {
    use minicbor::{Decoder, Encoder, decode::Error as DecodeError, encode::Write};
    use tutti_ids::Sequence;

    use super::{BTreeMap, Consumed};
    use crate::places::{Encoded, length};

    pub(crate) fn encode<C, W: Write>(
        value: &BTreeMap<Sequence, Consumed>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.map(value.len() as u64)?;
        for (line, consumed) in value {
            encoder.u64(line.0)?.encode_with(consumed, context)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<BTreeMap<Sequence, Consumed>, DecodeError> {
        let length = length(decoder.map()?)?;
        let mut lines = BTreeMap::new();
        for _ in 0..length {
            lines.insert(Sequence(decoder.u64()?), decoder.decode_with(context)?);
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumed_positions_are_kept_as_ranges() {
        let check = |positions: &[u64], expected: &[(u64, u64)]| {
            let mut consumed = Consumed::default();
            for position in positions {
                consumed.insert(EventPosition(*position));
            }
            let ranges: Vec<_> = consumed.0.iter().map(|(first, last)| (*first, *last)).collect();
            assert_eq!(ranges, expected, "{positions:?}");
            assert!(positions.iter().all(|position| consumed.has(EventPosition(*position))));
            assert!(!consumed.has(EventPosition(100)));
        };
        check(&[], &[]);
        check(&[3], &[(3, 3)]);
        check(&[3, 1, 2], &[(1, 3)]);
        check(&[1, 3, 5, 5], &[(1, 1), (3, 3), (5, 5)]);
        check(&[1, 3, 4, 2], &[(1, 4)]);
    }

    #[test]
    fn beyond_the_limit_the_oldest_ranges_become_one() {
        let mut consumed = Consumed::default();
        (0..=MAX_RANGES as u64).for_each(|number| consumed.insert(EventPosition(number * 2 + 1)));
        assert_eq!(consumed.0.len(), MAX_RANGES);
        assert_eq!(consumed.0.first_key_value(), Some((&1, &3)));
    }
}
