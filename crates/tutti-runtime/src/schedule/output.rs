//! What a scheduler says is to be done.

use tutti_journal::Timestamp;

use super::spec::ScheduleId;

/// What is to be done, in this order. What names a nominal time decides it, and all before it, once that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Start an execution for this nominal time.
    Start {
        /// The schedule.
        schedule: ScheduleId,
        /// Together with the schedule, what makes the execution the only one.
        nominal: Timestamp,
        /// Why now.
        why: Why,
    },
    /// Keep this nominal time until the executions before it have ended; a start or a record takes it away again.
    Queue {
        /// The schedule.
        schedule: ScheduleId,
        /// The time.
        nominal: Timestamp,
    },
    /// Cancel the execution of this nominal time: a later one waits for its end.
    Cancel {
        /// The schedule.
        schedule: ScheduleId,
        /// The time.
        nominal: Timestamp,
    },
    /// Record times that are not kept, for ever.
    Miss(Missed),
    /// Ask a person whether what was missed is made up for; until then the schedule rests.
    Ask {
        /// The schedule.
        schedule: ScheduleId,
        /// The first time that was missed, or waits.
        first: Timestamp,
    },
    /// Send a tick at this time, and forget the time said before.
    Arm {
        /// The time; nothing is due without one.
        due: Option<Timestamp>,
    },
}

/// Why an execution starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its time has come.
    OnTime,
    /// Its time was missed, and the misfire policy makes up for it.
    CatchUp,
    /// The executions that it waited for have ended.
    Queued,
}

/// Nominal times that are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them; the same if there is one.
    pub last: Timestamp,
    /// How many they are.
    pub count: Count,
    /// Why.
    pub reason: Reason,
}

/// How many times were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u32),
    /// So many were counted, and there are more.
    AtLeast(u32),
}

/// Why times are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// They passed while nobody could start anything, and the misfire policy gives them up.
    Misfire,
    /// An execution of the trigger went on, and the overlap policy is `skip`.
    Overlap,
    /// As many as may wait were waiting already.
    QueueFull,
    /// A later time took its place while it waited, as the overlap policy is `cancelPrevious`.
    Replaced,
    /// A person said that they are not made up for.
    Declined,
    /// The start was refused: an expression that starts are held to gave nothing of use, or too many wait.
    Refused,
    /// The schedule was taken away before they were kept.
    Deactivated,
}
