//! Images of executions: what a snapshot of the journal holds, and how an execution is made of one again.
//!
//! An image is disposable: the journal alone is the truth. Tasks stand in it by their place among the workflow's, which
//! is stable as long as the definition and this crate are the same; the fingerprint holds both.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use minicbor::{Decode, Encode};
use tutti_dsl::{ListId, Workflow};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, Sequence};
use tutti_journal::{
    CodecError, EventPosition, Parent, Payloads, Sealer, Snapshot, SnapshotPlace, SuspensionReason,
    Timestamp, Turn, codec,
};

use crate::{
    Execution, Outcome,
    frame::{Body, Frame, KeyRing},
    hold::Hold,
    key_ring,
    listening::{Consumed, lines},
};

/// Changes whenever an image of before means something else, or does not decode.
const FORMAT: u32 = 4;

/// All of an execution's state that its definition does not give and that is not an index over the rest.
#[derive(Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
struct Image {
    #[n(0)]
    seed: u64,
    #[n(1)]
    parent: Option<Parent>,
    #[n(2)]
    started_at: Timestamp,
    #[n(3)]
    updated_at: Timestamp,
    #[n(4)]
    frames: Vec<Frame>,
    #[n(5)]
    ready: Vec<u64>,
    #[n(6)]
    suspended: Option<(SuspensionReason, Timestamp)>,
    #[n(7)]
    outcome: Option<Outcome>,
    #[cbor(n(8), with = "key_ring")]
    handed_keys: KeyRing,
    #[cbor(n(9), with = "codec::sequence")]
    granted_at: Sequence,
    #[n(10)]
    events_after: EventPosition,
    #[cbor(n(11), with = "lines")]
    lines: BTreeMap<Sequence, Consumed>,
    #[cbor(n(12), with = "lines")]
    joining: BTreeMap<Sequence, Consumed>,
    #[n(13)]
    held: Option<Timestamp>,
    #[n(14)]
    hold: Option<Hold>,
}

impl Execution {
    /// An image of the state as it is now; `head` is the digest of the last row, `salt` chance drawn for the image.
    pub fn snapshot(&self, head: Digest, salt: [u8; 16], sealer: &dyn Sealer) -> Snapshot {
        let place = SnapshotPlace { execution: self.id, next: self.next, head };
        Snapshot::encode(place, fingerprint(self.digest), &self.image(), salt, sealer)
    }

    /// The execution as a verified snapshot shows it. Turns after it are folded with [`Execution::fold_turn`].
    ///
    /// # Errors
    /// If the snapshot was written by another version or for another definition, or does not decode: then the whole
    /// journal has to be folded.
    pub fn from_snapshot(
        snapshot: &Snapshot,
        definition: DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        sealer: &dyn Sealer,
    ) -> Result<Self, CodecError> {
        let SnapshotPlace { execution, next, .. } = snapshot.place;
        let image: Image = snapshot.decode(&fingerprint(digest), sealer)?;
        if !image.frames.iter().all(|frame| fits(frame, &workflow)) {
            let reason = "the snapshot names tasks that the definition does not have".to_owned();
            return Err(CodecError { execution, first: next, reason });
        }
        let empty = Self::new(execution, definition, digest, workflow);
        Ok(empty.with(image, next))
    }

    /// Folds a turn that follows. It must not take the execution back: that needs the whole journal.
    pub fn fold_turn(&mut self, turn: &Turn) {
        turn.entries.iter().for_each(|entry| self.apply(turn.at, entry));
    }

    fn image(&self) -> Image {
        Image {
            seed: self.seed,
            parent: self.parent,
            started_at: self.started_at,
            updated_at: self.updated_at,
            frames: self.frames.values().cloned().collect(),
            ready: self.ready.iter().map(|id| id.0).collect(),
            suspended: self.suspended.clone(),
            outcome: self.outcome.clone(),
            handed_keys: self.handed_keys.clone(),
            granted_at: self.granted_at,
            events_after: self.events_after,
            lines: self.lines.clone(),
            joining: self.joining.clone(),
            held: self.held,
            hold: self.hold.clone(),
        }
    }

    /// An empty execution with what the image holds, the indexes made anew.
    fn with(mut self, image: Image, next: Sequence) -> Self {
        self.next = next;
        self.seed = image.seed;
        self.parent = image.parent;
        self.started_at = image.started_at;
        self.updated_at = image.updated_at;
        self.ready = image.ready.into_iter().map(Sequence).collect::<VecDeque<_>>();
        self.suspended = image.suspended;
        self.outcome = image.outcome;
        self.handed_keys = image.handed_keys;
        self.granted_at = image.granted_at;
        self.events_after = image.events_after;
        self.lines = image.lines;
        self.joining = image.joining;
        self.held = image.held;
        self.hold = image.hold;
        self.frames =
            image.frames.into_iter().map(|frame| (frame.id, frame)).collect::<BTreeMap<_, _>>();
        for (id, frame) in &self.frames {
            self.timers.extend(frame.due_times().map(|due| (due, *id)));
            if frame.is_external() {
                self.external.insert(*id);
            }
        }
        let input = self.frame(Sequence::FIRST).map(|frame| frame.raw.clone());
        self.descriptor = input.map_or(Value::NULL, |input| self.describe(self.started_at, &input));
        self
    }
}

/// What an image must have been written by to be understood.
fn fingerprint(definition: Digest) -> String {
    format!("tutti {} image {FORMAT} of {definition}", env!("CARGO_PKG_VERSION"))
}

/// Whether the tasks and lists that a frame names are there.
fn fits(frame: &Frame, workflow: &Workflow) -> bool {
    let has_list = |list: ListId| (list.0 as usize) < workflow.lists.len();
    let body = match &frame.body {
        Body::Undo(state) => has_task(workflow, state.undo.task),
        _ => true,
    };
    let keys = frame.body.keys().into_iter().flat_map(KeyRing::keys);
    let undos = frame.undos.values().map(|undo| undo.task);
    let known =
        keys.flatten().map(|(task, _)| *task).chain(undos).all(|task| has_task(workflow, task));
    frame.task.is_none_or(|task| has_task(workflow, task))
        && frame.body.cursor().is_none_or(|cursor| has_list(cursor.list))
        && body
        && known
}

fn has_task(workflow: &Workflow, task: tutti_dsl::TaskId) -> bool {
    (task.0 as usize) < workflow.tasks.len()
}

#[cfg(test)]
mod tests;
