//! `metadata.tutti` of the document.

use super::{
    At, Compiler,
    scope::{Place, Scopes},
};
use crate::{
    BusinessKey, Concurrency, Duration, DurationSource, Misfire, OnConflict, Overlap, Priority,
    ScheduleSettings, WorkflowName, WorkflowSettings, codes::Code, shape::settings::ADMISSION,
    version,
};

/// The longest jitter, in milliseconds.
const MAX_JITTER: i64 = 24 * 3_600_000;

impl<'n> Compiler<'n> {
    pub(super) fn workflow_settings(&mut self, root: &At<'n>) -> WorkflowSettings {
        let document = root.get("document").and_then(|document| document.get("metadata"));
        let Some(at) = document.and_then(|metadata| metadata.get("tutti")) else {
            return WorkflowSettings::default();
        };
        let priority = at.get("priority").and_then(|at| at.node.as_integer());
        let priority = priority.and_then(|priority| u8::try_from(priority).ok());
        WorkflowSettings {
            key: at.get("key").and_then(|key| self.business_key(&at, &key)),
            concurrency: at.get("concurrency").and_then(|at| self.concurrency(&at)),
            priority: priority.and_then(Priority::new).unwrap_or_default(),
            schedule: at
                .get("schedule")
                .map_or_else(ScheduleSettings::default, |at| self.schedule_settings(root, &at)),
            on_failure: at.get("onFailure").and_then(|at| self.workflow_name(&at)),
            warn_after: at.get("warnAfter").and_then(|at| self.fixed_duration(&at)),
            admission: ADMISSION.iter().copied().filter(|key| at.get(key).is_some()).collect(),
        }
    }

    fn business_key(&mut self, settings: &At<'n>, key: &At<'n>) -> Option<BusinessKey> {
        let held_for = settings.get("keyFor").and_then(|at| self.fixed_duration(&at));
        let on_conflict = match text(settings, "onConflict") {
            Some("existing") => OnConflict::Existing,
            Some("queue") => OnConflict::Queue,
            Some("replace") => OnConflict::Replace,
            _ => OnConflict::Reject,
        };
        let value = self.expression(key, &admission())?;
        Some(BusinessKey { value, on_conflict, held_for })
    }

    fn concurrency(&mut self, at: &At<'n>) -> Option<Concurrency> {
        let by = at.get("by").map(|by| self.expression(&by, &admission()));
        let limit = at.get("limit")?.node.as_integer()?;
        let by = match by {
            Some(by) => Some(by?),
            None => None,
        };
        Some(Concurrency { by, limit: u32::try_from(limit).ok()? })
    }

    fn schedule_settings(&mut self, root: &At<'n>, at: &At<'n>) -> ScheduleSettings {
        if root.get("schedule").is_none() {
            let message = "`metadata.tutti.schedule` has a meaning beside `schedule` only";
            self.push(
                at.problem(Code::InvalidSchedule, message)
                    .hint("add `schedule` to the document, or remove this"),
            );
        }
        let jitter = at.get("jitter").and_then(|at| self.jitter_of_starts(&at));
        ScheduleSettings {
            timezone: at.get("timezone").and_then(|at| at.text().cloned()),
            misfire: at.get("misfire").map_or_else(Misfire::default, |at| self.misfire(&at)),
            overlap: match text(at, "overlap") {
                Some("skip") => Overlap::Skip,
                Some("queue") => Overlap::Queue,
                Some("cancelPrevious") => Overlap::CancelPrevious,
                _ => Overlap::Allow,
            },
            jitter: jitter.unwrap_or_default(),
        }
    }

    fn jitter_of_starts(&mut self, at: &At<'n>) -> Option<Duration> {
        let jitter = self.fixed_duration(at)?;
        if jitter.after(0) > MAX_JITTER {
            let message = "the jitter of a schedule is at most a day";
            self.push(at.problem(Code::OutOfRange, message));
        }
        Some(jitter)
    }

    fn misfire(&mut self, at: &At<'n>) -> Misfire {
        match at.text().map(|text| &**text) {
            Some("skip") => return Misfire::Skip,
            Some("runAll") => return Misfire::RUN_ALL,
            _ => {}
        }
        if let Some(all) = at.get("runAll") {
            let max = all.get("max").and_then(|max| max.node.as_integer());
            let max = max.and_then(|max| u32::try_from(max).ok());
            return max.map_or(Misfire::RUN_ALL, |max| Misfire::RunAll { max });
        }
        let within = at.get("runOnce").and_then(|once| once.get("within"));
        let within = within.and_then(|at| self.fixed_duration(&at));
        within.map_or(Misfire::RUN_ONCE, |within| Misfire::RunOnce { within })
    }

    /// A duration that must be known before there is any input.
    pub(super) fn fixed_duration(&mut self, at: &At<'n>) -> Option<Duration> {
        match self.duration(at, &admission())? {
            DurationSource::Fixed(duration) => Some(duration),
            DurationSource::Expression(_) => {
                let message = "a setting of the workflow is the same for all executions: this duration cannot be computed";
                self.push(
                    at.problem(Code::InvalidDuration, message)
                        .hint("write it down, such as `PT15M`, or `{ minutes: 15 }`"),
                );
                None
            }
        }
    }

    /// `NAME` or `NAME:VERSION`.
    fn workflow_name(&mut self, at: &At<'n>) -> Option<WorkflowName> {
        let text = at.text()?;
        let (name, version) = match text.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (&**text, None),
        };
        if !version::is_dns_label(name) {
            let message = format!("`{name}` is not the name of a workflow");
            self.push(at.problem(Code::InvalidName, message).hint(
                "a name such as `notify`, in the namespace of this workflow; then perhaps `:` and a version",
            ));
            return None;
        }
        if let Some(version) = version.filter(|version| !version::is_semantic(version)) {
            let message = format!("`{version}` is not a semantic version");
            self.push(at.problem(Code::InvalidVersion, message).hint(
                "write the name alone for the highest release, or a version such as `:1.0.0`",
            ));
            return None;
        }
        Some(WorkflowName { name: name.into(), version: version.map(Into::into) })
    }
}

fn admission() -> Place {
    Scopes::admission()
}

fn text<'n>(at: &At<'n>, key: &str) -> Option<&'n str> {
    at.get(key).and_then(|at| at.text()).map(|text| &**text)
}
