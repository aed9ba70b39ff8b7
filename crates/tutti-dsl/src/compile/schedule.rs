//! `schedule`: intervals that are one, and cron expressions that come true.

use super::{At, Compiler, scope::Scopes};
use crate::{DurationSource, codes::Code, cron};

impl<'n> Compiler<'n> {
    pub(super) fn schedule(&mut self, root: &At<'n>) {
        let Some(schedule) = root.get("schedule") else { return };
        let place = Scopes::workflow().body;
        for key in ["every", "after"] {
            let Some(at) = schedule.get(key) else { continue };
            let duration = self.duration(&at, &place);
            if key == "every"
                && let Some(DurationSource::Fixed(duration)) = duration
                && duration.after(0) < 1_000
            {
                let message = "`every` is shorter than a second";
                self.push(at.problem(Code::InvalidSchedule, message));
            }
        }
        if let Some(at) = schedule.get("cron")
            && let Some(text) = at.text()
            && let Err(error) = cron::check(text)
        {
            let span = at.node.span_within(self.text, &error.range);
            self.push(
                crate::diagnostic::Problem::new(Code::InvalidSchedule, span, &*at.pointer, error.reason)
                    .hint("five fields: minute hour day-of-month month day-of-week, such as `30 2 * * mon-fri`"),
            );
        }
        if let Some(on) = schedule.get("on") {
            self.scheduled_events(&on);
        }
        let triggers = ["every", "cron", "after", "on"];
        if schedule.node.as_map().is_some()
            && triggers.iter().all(|key| schedule.get(key).is_none())
        {
            let message = "the schedule has no trigger";
            self.push(
                schedule
                    .problem(Code::InvalidSchedule, message)
                    .hint("add `every`, `cron`, `after` or `on`"),
            );
        }
    }
}
