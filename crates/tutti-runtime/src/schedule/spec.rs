//! A trigger as its document means it.

use std::fmt;

use sha2::{Digest as _, Sha256};
use tutti_dsl::{Cron, Duration, DurationSource, Misfire, Overlap, Workflow};
use tutti_ids::Name;
use tutti_journal::Timestamp;

use super::calendar::{UnknownZone, Zone, next_of_cron, next_of_interval};

/// Which trigger of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// `every`
    Every,
    /// `cron`
    Cron,
    /// `after`
    After,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Every => "every",
            Self::Cron => "cron",
            Self::After => "after",
        })
    }
}

/// One trigger of one workflow, whatever its version: a new version goes on where the one before stopped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleId {
    /// The namespace of the workflow.
    pub namespace: Name,
    /// Its name.
    pub workflow: Name,
    /// Which of its triggers.
    pub trigger: Trigger,
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.namespace, self.workflow, self.trigger)
    }
}

impl ScheduleId {
    /// By how many milliseconds, `bound` at most, the start of a nominal time is put off: always the same.
    pub fn jitter_ms(&self, nominal: Timestamp, bound: u64) -> u64 {
        let hash = Sha256::new()
            .chain_update(self.to_string())
            .chain_update(nominal.0.to_be_bytes())
            .finalize();
        let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        bound.checked_add(1).map_or(number, |values| number % values)
    }
}

/// A trigger, and how it is kept.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Which times it names.
    pub timing: Timing,
    /// What becomes of times that passed while nobody could start anything.
    pub misfire: Misfire,
    /// What becomes of a start while an execution of this trigger goes on.
    pub overlap: Overlap,
    /// Starts are put off by at most this many milliseconds.
    pub jitter_ms: u64,
}

/// Which times a trigger names.
#[derive(Debug, Clone)]
pub enum Timing {
    /// Whole intervals after the anchor.
    Every(Duration),
    /// The times of a cron expression in a zone.
    Cron(Cron, Zone),
    /// This long after the anchor, and then after the end of each execution.
    After(Duration),
}

impl Timing {
    /// The first nominal time after a moment, where executions do not matter: for `after`, that is as if each ended at once.
    pub fn next(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let after = after.max(anchor);
        match self {
            Self::Every(interval) => next_of_interval(*interval, anchor, after),
            Self::Cron(cron, zone) => next_of_cron(cron, zone, after),
            Self::After(delay) => Some(Timestamp(delay.after(after.0)).max(after.plus_ms(1))),
        }
    }

    /// The next nominal times, at most so many: what people are shown before they rely on a schedule.
    pub fn next_n(&self, anchor: Timestamp, after: Timestamp, count: usize) -> Vec<Timestamp> {
        let next = |last: &Timestamp| self.next(anchor, *last);
        std::iter::successors(self.next(anchor, after), next).take(count).collect()
    }

    /// Which trigger has such times.
    pub fn trigger(&self) -> Trigger {
        match self {
            Self::Every(_) => Trigger::Every,
            Self::Cron(..) => Trigger::Cron,
            Self::After(_) => Trigger::After,
        }
    }
}

/// Why the schedule of a workflow cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// `metadata.tutti.schedule.timezone` names none.
    #[error("the time zone of the schedule is unknown")]
    Zone(#[source] UnknownZone),
    /// A duration is an expression, and there is no execution yet that it could be evaluated for.
    #[error("`schedule.{0}` is computed, and nothing is there yet to compute it from")]
    Computed(Trigger),
}

/// The triggers of a workflow that depend on time; none where it has no schedule, or events alone start it.
///
/// # Errors
/// If the zone does not exist or a duration is an expression: publishing refuses such a document.
pub fn specs(workflow: &Workflow) -> Result<Vec<Spec>, InvalidSchedule> {
    let Some(schedule) = &workflow.schedule else { return Ok(Vec::new()) };
    let settings = &workflow.settings.schedule;
    let zone = settings.timezone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::find);
    let zone = zone.map_err(InvalidSchedule::Zone)?;
    let fixed = |source: &DurationSource, trigger: Trigger| match source {
        DurationSource::Fixed(duration) => Ok(*duration),
        DurationSource::Expression(_) => Err(InvalidSchedule::Computed(trigger)),
    };
    let mut timings = Vec::new();
    if let Some(every) = &schedule.every {
        timings.push(Timing::Every(fixed(every, Trigger::Every)?));
    }
    if let Some(cron) = &schedule.cron {
        timings.push(Timing::Cron(cron.clone(), zone));
    }
    if let Some(after) = &schedule.after {
        timings.push(Timing::After(fixed(after, Trigger::After)?));
    }
    let spec = |timing| Spec {
        timing,
        misfire: settings.misfire,
        overlap: settings.overlap,
        jitter_ms: u64::try_from(settings.jitter.after(0)).unwrap_or_default(),
    };
    Ok(timings.into_iter().map(spec).collect())
}
