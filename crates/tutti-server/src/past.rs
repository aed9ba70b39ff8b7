//! What is durable about a schedule, as it is stored.

use minicbor::{Decode, Encode};
use tutti_ids::ExecutionId;
use tutti_journal::Timestamp;
use tutti_runtime::schedule::Past;

/// What is durable about a schedule. Moments are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredPast {
    #[n(0)]
    anchor: i64,
    #[n(1)]
    decided: Option<i64>,
    #[n(2)]
    running: Vec<Run>,
    #[n(3)]
    queued: Vec<i64>,
    #[n(4)]
    last_ended: Option<i64>,
}

/// An execution that was started for a nominal time and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Run {
    #[n(0)]
    nominal: i64,
    #[cbor(n(1), with = "minicbor::bytes")]
    execution: [u8; 16],
}

impl StoredPast {
    /// Of a schedule that is new.
    pub(crate) fn begins(anchor: Timestamp) -> Self {
        Self {
            anchor: anchor.0,
            decided: None,
            running: Vec::new(),
            queued: Vec::new(),
            last_ended: None,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("invariant: memory takes what is written")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    /// As the scheduler is told it.
    pub(crate) fn to_past(&self) -> Past {
        Past {
            anchor: Timestamp(self.anchor),
            decided: self.decided.map(Timestamp),
            running: self.running.iter().map(|run| Timestamp(run.nominal)).collect(),
            queued: self.queued.iter().copied().map(Timestamp).collect(),
            last_ended: self.last_ended.map(Timestamp),
        }
    }

    pub(crate) fn anchor(&self) -> Timestamp {
        Timestamp(self.anchor)
    }

    pub(crate) fn decided(&self) -> Option<Timestamp> {
        self.decided.map(Timestamp)
    }

    /// The nominal times with the executions that were started for them and had not ended.
    pub(crate) fn running(&self) -> Vec<(Timestamp, ExecutionId)> {
        self.running.iter().map(|run| (Timestamp(run.nominal), id(run))).collect()
    }

    /// How many nominal times wait.
    pub(crate) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// The execution that was started for a nominal time, if it has not ended.
    pub(crate) fn execution_of(&self, nominal: Timestamp) -> Option<ExecutionId> {
        self.running.iter().find(|run| run.nominal == nominal.0).map(id)
    }

    pub(crate) fn start(&mut self, nominal: Timestamp, execution: ExecutionId) {
        self.decide(nominal);
        self.queued.retain(|queued| *queued != nominal.0);
        let execution = execution.to_bits().to_be_bytes();
        self.running.push(Run { nominal: nominal.0, execution });
    }

    pub(crate) fn queue(&mut self, nominal: Timestamp) {
        self.decide(nominal);
        self.queued.push(nominal.0);
        self.queued.sort_unstable();
    }

    pub(crate) fn miss(&mut self, first: Timestamp, last: Timestamp) {
        self.decide(last);
        self.queued.retain(|queued| !(first.0..=last.0).contains(queued));
    }

    pub(crate) fn ended(&mut self, execution: ExecutionId, at: Timestamp) {
        self.running.retain(|run| id(run) != execution);
        self.last_ended = self.last_ended.max(Some(at.0));
    }

    fn decide(&mut self, nominal: Timestamp) {
        self.decided = self.decided.max(Some(nominal.0));
    }
}

fn id(run: &Run) -> ExecutionId {
    ExecutionId::from_bits(u128::from_be_bytes(run.execution))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_comes_back_as_it_was_stored() {
        let (first, second) = (ExecutionId::new(0, 1), ExecutionId::new(0, 2));
        let mut past = StoredPast::begins(Timestamp(5));
        past.start(Timestamp(10), first);
        past.queue(Timestamp(30));
        past.queue(Timestamp(20));
        past.miss(Timestamp(30), Timestamp(40));
        past.start(Timestamp(20), second);
        past.ended(first, Timestamp(21));
        let read = StoredPast::decode(&past.encode());
        assert_eq!(read.as_ref(), Some(&past));
        let told = past.to_past();
        assert_eq!(told.decided, Some(Timestamp(40)));
        assert_eq!((told.running, told.queued), (vec![Timestamp(20)], vec![]));
        assert_eq!(told.last_ended, Some(Timestamp(21)));
        assert_eq!(past.execution_of(Timestamp(20)), Some(second));
        assert_eq!(StoredPast::decode(b"x"), None);
    }
}
