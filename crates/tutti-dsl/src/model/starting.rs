//! What starts executions by itself, and what a start is held to.

use std::sync::Arc;

use tutti_expr::Expression;

use super::{DurationSource, EventFilters, Read, Until};
use crate::{Cron, Duration};

/// `schedule`: triggers that work independently of each other; at least one.
#[derive(Debug)]
pub struct Schedule {
    /// `every`: the interval between starts, whatever still runs.
    pub every: Option<DurationSource>,
    /// `cron`
    pub cron: Option<Cron>,
    /// `after`: the delay from the end of an execution to the next start.
    pub after: Option<DurationSource>,
    /// `on`
    pub on: Option<StartingEvents>,
}

/// `schedule.on`: the events that start an execution; its input is the list of them.
#[derive(Debug)]
pub struct StartingEvents {
    /// `on`, without `until`.
    pub events: EventFilters,
    /// `on.until`
    pub until: Until,
    /// `schedule.read`; absent, the input has the envelopes.
    pub read: Read,
}

/// `metadata.tutti` of the document: what starts are held to, and what is told of executions.
#[derive(Debug, Default)]
pub struct WorkflowSettings {
    /// `key`, and what belongs to it.
    pub key: Option<BusinessKey>,
    /// `concurrency`
    pub concurrency: Option<Concurrency>,
    /// `priority`
    pub priority: Priority,
    /// `schedule`
    pub schedule: ScheduleSettings,
    /// `onFailure`: the workflow that is started when an execution fails.
    pub on_failure: Option<WorkflowName>,
    /// `warnAfter`: how long an execution takes before that is reported.
    pub warn_after: Option<Duration>,
    pub(crate) admission: Vec<&'static str>,
}

impl WorkflowSettings {
    /// The keys of `metadata.tutti` that a document uses and that mean something among many executions only: what
    /// cannot admit, limit, order or watch executions must refuse the document, and name them.
    pub fn uses_admission(&self) -> &[&'static str] {
        &self.admission
    }
}

/// `key`: unique per workflow while an execution that has it lives.
#[derive(Debug)]
pub struct BusinessKey {
    /// `key`, on the raw input.
    pub value: Expression,
    /// `onConflict`
    pub on_conflict: OnConflict,
    /// `keyFor`: how long the key is also held after the end.
    pub held_for: Option<Duration>,
}

/// `onConflict`: what becomes of a start whose key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is refused.
    #[default]
    Reject,
    /// It stands for the execution that has the key.
    Existing,
    /// It waits until the key is free.
    Queue,
    /// It cancels the execution that has the key, and starts then.
    Replace,
}

/// `concurrency`: how many executions run at once.
#[derive(Debug)]
pub struct Concurrency {
    /// `by`, on the raw input: those for which it yields the same count together; absent: all of the workflow.
    pub by: Option<Expression>,
    /// `limit`, at least 1.
    pub limit: u32,
}

/// `priority`: from 0 to 100, the higher the sooner; 50 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// This priority, if it is at most 100.
    pub fn new(priority: u8) -> Option<Self> {
        (priority <= 100).then_some(Self(priority))
    }

    /// From 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(50)
    }
}

/// `onFailure`: a workflow of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowName {
    /// A DNS label.
    pub name: Arc<str>,
    /// A semantic version; absent: the highest release.
    pub version: Option<Arc<str>>,
}

/// `metadata.tutti.schedule`: how the document's triggers are kept.
#[derive(Debug, Clone, Default)]
pub struct ScheduleSettings {
    /// `timezone`: an IANA name, for `cron`; absent: UTC. Whether there is such a zone is not known here.
    pub timezone: Option<Arc<str>>,
    /// `misfire`
    pub misfire: Misfire,
    /// `overlap`
    pub overlap: Overlap,
    /// `jitter`: starts are put off by up to this much.
    pub jitter: Duration,
}

/// `misfire`: what becomes of times that passed while nobody could start anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfire {
    /// None of them is made up for.
    Skip,
    /// The last of them is, if it is not longer ago than this.
    RunOnce {
        /// `within`, an hour where nothing is said.
        within: Duration,
    },
    /// The last of them are, each by a start of its own.
    RunAll {
        /// `max`, 100 where nothing is said.
        max: u32,
    },
}

impl Misfire {
    /// `runOnce`, where nothing more is said.
    pub const RUN_ONCE: Self =
        Self::RunOnce { within: Duration { months: 0, milliseconds: 3_600_000 } };
    /// `runAll`, where nothing more is said.
    pub const RUN_ALL: Self = Self::RunAll { max: 100 };
}

impl Default for Misfire {
    fn default() -> Self {
        Self::RUN_ONCE
    }
}

/// `overlap`: what becomes of a start while an execution of the same trigger goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// It starts.
    #[default]
    Allow,
    /// It is dropped.
    Skip,
    /// It waits for the end of those before it.
    Queue,
    /// It cancels what goes on, and starts when that has ended.
    CancelPrevious,
}
