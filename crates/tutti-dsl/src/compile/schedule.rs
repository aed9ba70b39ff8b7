//! `schedule`: intervals that are one, and cron expressions that come true.

use super::{At, Compiler, scope::Scopes};
use crate::{
    Cron, DurationSource, Read, Schedule, StartingEvents, codes::Code, diagnostic::Problem,
};

impl<'n> Compiler<'n> {
    pub(super) fn schedule(&mut self, root: &At<'n>) -> Option<Schedule> {
        let at = root.get("schedule")?;
        let triggers = ["every", "cron", "after", "on"];
        if at.node.as_map().is_some() && triggers.iter().all(|key| at.get(key).is_none()) {
            let message = "the schedule has no trigger";
            self.push(
                at.problem(Code::InvalidSchedule, message)
                    .hint("add `every`, `cron`, `after` or `on`"),
            );
        }
        let place = Scopes::workflow().body;
        Some(Schedule {
            every: at.get("every").and_then(|at| self.interval(&at)),
            cron: at.get("cron").and_then(|at| self.cron(&at)),
            after: at.get("after").and_then(|at| self.duration(&at, &place)),
            on: at.get("on").and_then(|on| self.starting_events(&at, &on)),
        })
    }

    fn interval(&mut self, at: &At<'n>) -> Option<DurationSource> {
        let duration = self.duration(at, &Scopes::workflow().body)?;
        if let DurationSource::Fixed(fixed) = duration
            && fixed.after(0) < 1_000
        {
            let message = "`every` is shorter than a second";
            self.push(at.problem(Code::InvalidSchedule, message));
        }
        Some(duration)
    }

    fn cron(&mut self, at: &At<'n>) -> Option<Cron> {
        let parsed = Cron::parse(at.text()?);
        if let Err(error) = &parsed {
            let span = at.node.span_within(self.text, &error.range);
            self.push(
                Problem::new(Code::InvalidSchedule, span, &*at.pointer, &*error.reason)
                    .hint("five fields: minute hour day-of-month month day-of-week, such as `30 2 * * mon-fri`"),
            );
        }
        parsed.ok()
    }

    fn starting_events(&mut self, schedule: &At<'n>, on: &At<'n>) -> Option<StartingEvents> {
        let (events, until) = self.events(on, &Scopes::workflow().body)?;
        let read = schedule.get("read").map_or(Read::Envelope, |at| super::events::read(&at));
        Some(StartingEvents { events, until, read })
    }
}
