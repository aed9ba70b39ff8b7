//! Who waits to be admitted, for whoever asks, and what it takes to know.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tutti_dsl::{OnConflict, Workflow, WorkflowSettings};
use tutti_engine::Hold;
use tutti_ids::{DefinitionRef, ExecutionId};
use tutti_journal::Timestamp;
use tutti_runtime::admission::{
    Admitter, Cooldowns, HeldCall, Input, KeyLane, KeyTerms, Output, PaceInput, PaceOutput, Pause,
    RoomLane, RoomTerms, Terms, Wait, waits_for_key,
};

/// Who waits to be admitted and who was: in memory, made of what is stored by
/// [`keep_admissions`](crate::keep_admissions).
#[derive(Debug)]
pub(crate) struct Admissions {
    admitter: Mutex<Admitter>,
    is_known: watch::Sender<bool>,
}

impl Default for Admissions {
    fn default() -> Self {
        Self { admitter: Mutex::default(), is_known: watch::Sender::new(false) }
    }
}

impl Admissions {
    /// Goes on with an admitter that was told all that is stored.
    pub(crate) fn begin(&self, admitter: Admitter) {
        *self.admitter() = admitter;
        self.is_known.send_replace(true);
    }

    pub(crate) fn on(&self, input: Input, now: Timestamp) -> Vec<Output> {
        self.admitter().on(input, now)
    }

    pub(crate) fn knows(&self, execution: ExecutionId) -> bool {
        self.admitter().knows(execution)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.admitter().next_due()
    }

    /// Why an execution waits to be admitted, as far as is known.
    pub(crate) fn wait(&self, execution: ExecutionId) -> Option<Wait> {
        self.admitter().wait(execution)
    }

    /// How many wait for room among these.
    pub(crate) fn waiting(&self, lane: &RoomLane) -> usize {
        self.admitter().waiting(lane)
    }

    /// Who has a key or waits for it, once that is known after a start.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    pub(crate) async fn under(&self, lane: &KeyLane) -> Vec<ExecutionId> {
        // The sender lives as long as this does.
        self.is_known.subscribe().wait_for(|known| *known).await.ok();
        self.admitter().under(lane)
    }

    fn admitter(&self) -> MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which calls wait until they may be made: in memory, made of what is stored by
/// [`keep_cooldowns`](crate::keep_cooldowns).
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<Cooldowns>);

impl Pauses {
    /// Goes on with what was told all that is stored.
    pub(crate) fn begin(&self, cooldowns: Cooldowns) {
        *self.all() = cooldowns;
    }

    pub(crate) fn on(&self, input: PaceInput, now: Timestamp) -> Vec<PaceOutput> {
        self.all().on(input, now)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.all().next_due()
    }

    /// What a call waits for, as far as is known.
    pub(crate) fn wait(&self, call: HeldCall) -> Option<Pause> {
        self.all().wait(call)
    }

    fn all(&self) -> MutexGuard<'_, Cooldowns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether any task of the workflow has a cool-down.
pub(crate) fn has_cooldown(workflow: &Workflow) -> bool {
    workflow.settings.uses_admission().contains(&"cooldown")
}

/// Whether executions of a workflow with these settings begin held.
pub(crate) fn are_held(settings: &WorkflowSettings) -> bool {
    settings.concurrency.is_some() || waits_for_key(settings)
}

/// The executions of a workflow under one key.
pub(crate) fn key_lane(definition: &DefinitionRef, key: &str) -> KeyLane {
    let DefinitionRef { namespace, name, .. } = definition;
    KeyLane { namespace: namespace.clone(), workflow: name.clone(), key: key.into() }
}

/// The executions of a workflow that are limited together.
pub(crate) fn room_lane(definition: &DefinitionRef, hold: &Hold) -> RoomLane {
    let DefinitionRef { namespace, name, .. } = definition;
    let group = hold.group.as_deref().map(Into::into);
    RoomLane { namespace: namespace.clone(), workflow: name.clone(), group }
}

/// What an execution has to pass that began held. One that was taken back after its end replaces nothing.
pub(crate) fn terms(
    definition: &DefinitionRef,
    settings: &WorkflowSettings,
    hold: &Hold,
    (key, is_new): (Option<&str>, bool),
) -> Terms {
    let key = key.map(|key| KeyTerms {
        lane: key_lane(definition, key),
        has_it: !waits_for_key(settings),
        replaces: is_new
            && settings.key.as_ref().is_some_and(|key| key.on_conflict == OnConflict::Replace),
        held_for: settings.key.as_ref().and_then(|key| key.held_for),
    });
    let room = settings.concurrency.as_ref().map(|concurrency| RoomTerms {
        lane: room_lane(definition, hold),
        limit: concurrency.limit,
    });
    Terms { priority: settings.priority, key, room }
}
