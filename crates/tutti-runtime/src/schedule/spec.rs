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
    #[error("`metadata.tutti.schedule.timezone` names none")]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(settings: &str, schedule: &str) -> Workflow {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0', metadata: {{ tutti: {{ {settings} }} }} }}\n{schedule}do: []\n"
        );
        tutti_dsl::parse(&text).workflow.expect("a valid document")
    }

    #[test]
    fn every_trigger_of_a_document_that_depends_on_time_is_one_schedule() {
        let check = |schedule: &str, expected: &[Trigger]| {
            let specs = specs(&workflow("owner: us", schedule)).expect("a schedule");
            let found: Vec<_> = specs.iter().map(|spec| spec.timing.trigger()).collect();
            assert_eq!(found, expected, "{schedule}");
        };
        check("", &[]);
        check("schedule: { on: { one: { with: { type: a } } } }\n", &[]);
        check("schedule: { cron: '0 2 * * *' }\n", &[Trigger::Cron]);
        check(
            "schedule: { after: PT1M, every: PT1H, cron: '0 2 * * *' }\n",
            &[Trigger::Every, Trigger::Cron, Trigger::After],
        );
    }

    #[test]
    fn settings_hold_for_all_triggers() {
        let settings = "schedule: { misfire: skip, overlap: queue, jitter: PT10S }";
        let workflow = workflow(settings, "schedule: { after: PT1M, every: PT1H }\n");
        for spec in specs(&workflow).expect("a schedule") {
            assert_eq!((spec.misfire, spec.overlap), (Misfire::Skip, Overlap::Queue));
            assert_eq!(spec.jitter_ms, 10_000);
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let unknown =
            workflow("schedule: { timezone: Berlin }", "schedule: { cron: '0 2 * * *' }\n");
        let Err(InvalidSchedule::Zone(zone)) = specs(&unknown) else { unreachable!("no zone") };
        assert_eq!(zone.near.as_deref(), Some("Europe/Berlin"));
        let computed = workflow("owner: us", "schedule: { every: '${ \"PT1H\" }' }\n");
        assert_eq!(specs(&computed).err(), Some(InvalidSchedule::Computed(Trigger::Every)));
    }

    #[test]
    fn the_next_times_are_shown_in_the_zone_of_the_document() {
        let workflow = workflow(
            "schedule: { timezone: America/New_York }",
            "schedule: { cron: '30 9 * * mon-fri' }\n",
        );
        let specs = specs(&workflow).expect("a schedule");
        // A Wednesday, days before clocks are set forward.
        let now = Timestamp(1_772_625_600_000);
        let found = specs[0].timing.next_n(now, now, 5);
        let found: Vec<String> = found
            .iter()
            .map(|at| jiff::Timestamp::from_millisecond(at.0).expect("a time").to_string())
            .collect();
        let expected = [
            "2026-03-04T14:30:00Z",
            "2026-03-05T14:30:00Z",
            "2026-03-06T14:30:00Z",
            "2026-03-09T13:30:00Z",
            "2026-03-10T13:30:00Z",
        ];
        assert_eq!(found, expected);
    }
}
