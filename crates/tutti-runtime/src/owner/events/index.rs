//! Finds the listeners that an event may concern without looking at the others.
//!
//! Listeners are grouped by the only type of event they take and by the filter of the definition. What a filter makes of an
//! event is found out once for its group; within it, the digest of what correlations must be leads to the listeners.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::Workflow;
use tutti_engine::{EventCorrelation, correlation_of};
use tutti_ids::{Digest, TaskRef};
use tutti_journal::CloudEvent;

use super::asking::{Asking, Listener};

#[derive(Debug, Default)]
pub(super) struct Index {
    by_kind: BTreeMap<Option<Arc<str>>, BTreeMap<FilterKey, Group>>,
}

/// A filter of a definition; none stands for every event.
type FilterKey = (Digest, TaskRef, Option<u32>);

/// The listeners that share a filter.
#[derive(Debug)]
struct Group {
    workflow: Arc<Workflow>,
    by_correlation: BTreeMap<Option<Digest>, BTreeSet<Listener>>,
}

impl Index {
    pub(super) fn insert(&mut self, listener: Listener, asking: &Asking) {
        for interest in &asking.interests {
            let groups = self.by_kind.entry(interest.kind.clone()).or_default();
            let key = (asking.definition, asking.reference.clone(), interest.filter);
            let group = groups.entry(key).or_insert_with(|| Group {
                workflow: asking.workflow.clone(),
                by_correlation: BTreeMap::new(),
            });
            let listeners = group.by_correlation.entry(interest.correlation).or_default();
            listeners.insert(listener);
        }
    }

    pub(super) fn remove(&mut self, listener: Listener, asking: &Asking) {
        for interest in &asking.interests {
            let Some(groups) = self.by_kind.get_mut(&interest.kind) else { continue };
            let key = (asking.definition, asking.reference.clone(), interest.filter);
            let Some(group) = groups.get_mut(&key) else { continue };
            let Some(listeners) = group.by_correlation.get_mut(&interest.correlation) else {
                continue;
            };
            listeners.remove(&listener);
            if listeners.is_empty() {
                group.by_correlation.remove(&interest.correlation);
            }
            if group.by_correlation.is_empty() {
                groups.remove(&key);
            }
            if groups.is_empty() {
                self.by_kind.remove(&interest.kind);
            }
        }
    }

    /// The listeners that an event may concern, and how many filters were evaluated to find them.
    pub(super) fn concerned_by(&self, event: &CloudEvent) -> (BTreeSet<Listener>, u64) {
        let mut found = BTreeSet::new();
        let mut evaluated = 0;
        for kind in [Some(Arc::from(event.kind())), None] {
            for ((_, reference, filter), group) in self.by_kind.get(&kind).into_iter().flatten() {
                let correlation = match filter {
                    Some(filter) => {
                        evaluated += 1;
                        correlation_of(&group.workflow, reference, *filter, event)
                    }
                    None => EventCorrelation::Anybody,
                };
                group.collect(correlation, &mut found);
            }
        }
        (found, evaluated)
    }
}

impl Group {
    fn collect(&self, correlation: EventCorrelation, found: &mut BTreeSet<Listener>) {
        match correlation {
            EventCorrelation::Nobody => {}
            EventCorrelation::Anybody => found.extend(self.by_correlation.values().flatten()),
            EventCorrelation::Only(digest) => {
                for known in [Some(digest), None] {
                    found.extend(self.by_correlation.get(&known).into_iter().flatten());
                }
            }
        }
    }
}
