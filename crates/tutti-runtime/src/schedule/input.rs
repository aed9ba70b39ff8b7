//! What a scheduler is told.

use tutti_journal::Timestamp;

use super::spec::{ScheduleId, Spec};

/// What a scheduler is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A schedule is kept from now on. One of the same id gives way to it.
    Activated {
        /// The schedule.
        schedule: ScheduleId,
        /// Its trigger.
        spec: Box<Spec>,
        /// What is durable about it.
        past: Past,
        /// What is done about times that were missed.
        catch_up: CatchUp,
    },
    /// A schedule is kept no longer. Its executions go on.
    Deactivated {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Time has passed.
    Tick,
    /// An execution that a schedule started has ended, in whatever way.
    ExecutionEnded {
        /// The schedule.
        schedule: ScheduleId,
        /// What it was started for.
        nominal: Timestamp,
    },
    /// A person has said whether missed times are made up for.
    CatchUpConfirmed {
        /// The schedule.
        schedule: ScheduleId,
        /// Whether they are, by the misfire policy.
        run: bool,
    },
}

/// What is durable about a schedule.
#[derive(Debug, Clone)]
pub struct Past {
    /// When it was activated for the first time: it names no time before.
    pub anchor: Timestamp,
    /// The last nominal time that was started, queued or recorded as missed.
    pub decided: Option<Timestamp>,
    /// The nominal times whose executions have not ended.
    pub running: Vec<Timestamp>,
    /// The nominal times that wait, ascending.
    pub queued: Vec<Timestamp>,
    /// When the last execution ended that it started.
    pub last_ended: Option<Timestamp>,
}

impl Past {
    /// That of a schedule which is new.
    pub fn begins(anchor: Timestamp) -> Self {
        Self { anchor, decided: None, running: Vec::new(), queued: Vec::new(), last_ended: None }
    }
}

/// What is done about times that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// The misfire policy is applied.
    ByPolicy,
    /// A person is asked first, as after a restore.
    WhenConfirmed,
}
